// The forms of addresses and paths that a configuration may hold.
#pragma once

#include <optional>
#include <string_view>

#include "ballast/model/config.h"

namespace ballast::files {

// "HOST:PORT" with a port from port_min to 65535; HOST is a name, an IPv4 address, or an IPv6
// address in brackets.
bool is_host_and_port(std::string_view text, unsigned port_min);

bool is_bind_endpoint(std::string_view text);           // "tcp://ADDRESS:PORT", also "*" and port 0
bool is_peer_endpoint_or_empty(std::string_view text);  // no wildcard, no port 0
bool is_listen_address(std::string_view text);          // "ADDRESS:PORT", also port 0
bool is_address_or_empty(std::string_view text);        // a name or an address, no port
bool is_id_or_empty(std::string_view text);
bool is_path(std::string_view text);
bool is_path_or_empty(std::string_view text);
bool is_absolute_path(std::string_view text);
bool is_interface_or_empty(std::string_view text);  // as Linux names network interfaces
bool is_socket_path(std::string_view text);
bool is_uri(std::string_view text);

// "ID@tcp://HOST:PORT", or nothing when it is not that.
std::optional<PeerAddress> peer_address_in(std::string_view text);

}  // namespace ballast::files

// Addresses of migrations. The one that a peer gives is hostile input: libvirt's URIs can name
// transports that run commands and options that pick certificates, so one exact form passes.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/libvirt/hypervisor.h"

namespace ballast::libvirt {

// A DNS name, an IPv4 address, or an IPv6 address (without brackets).
bool is_address(std::string_view text);

// "qemu+tls://ADDRESS/system", an IPv6 address in brackets.
std::string migration_uri_of(Carrier carrier, const std::string& address);

struct Destination {
  std::string connect_uri;  // built anew from its parts
  std::string data_uri;     // "tcp://ADDRESS": the target chooses the port
};
// SCHEME://HOST[:PORT]/system and nothing else, with the scheme of `carrier`.
Result<Destination> destination_of(std::string_view uri, Carrier carrier);

// Ok for a libvirt URI of this host: "qemu:///system" and the like, with no host and no transport.
Status check_local(std::string_view uri);

// The URI, so that SSH never asks anybody for a password: many may be asked at a time, and nobody
// may be there.
std::string without_questions(const std::string& uri);

}  // namespace ballast::libvirt

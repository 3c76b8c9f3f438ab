#include "endpoint.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"

namespace ballast::files {
namespace {

constexpr std::string_view tcp = "tcp://";

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '%';
}

bool is_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    return host.find(':') != std::string_view::npos &&
           std::all_of(host.begin(), host.end(),
                       [](char c) { return is_host_byte(c) || c == ':'; });
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), is_host_byte);
}

bool is_port(std::string_view text, unsigned port_min) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= port_min &&
         port <= 65535;
}

bool is_wildcard(std::string_view host) {
  return host == "*" || host == "0.0.0.0" || host == "[::]";
}

std::string_view host_of(std::string_view host_and_port) {
  return host_and_port.substr(0, host_and_port.rfind(':'));
}

bool is_peer_endpoint(std::string_view text) {
  if (!text.starts_with(tcp)) return false;
  text.remove_prefix(tcp.size());
  return is_host_and_port(text, 1) && !is_wildcard(host_of(text));
}

}  // namespace

bool is_host_and_port(std::string_view text, unsigned port_min) {
  const std::size_t colon = text.rfind(':');
  return text.size() <= limits::endpoint_bytes_max && colon != std::string_view::npos &&
         is_host(text.substr(0, colon)) && is_port(text.substr(colon + 1), port_min);
}

bool is_bind_endpoint(std::string_view text) {
  if (!text.starts_with(tcp)) return false;
  text.remove_prefix(tcp.size());
  if (text.starts_with("*:")) return is_port(text.substr(2), 0);
  return is_host_and_port(text, 0);
}

bool is_peer_endpoint_or_empty(std::string_view text) {
  return text.empty() || is_peer_endpoint(text);
}

bool is_listen_address(std::string_view text) { return is_host_and_port(text, 0); }

bool is_address_or_empty(std::string_view text) {
  if (text.size() > limits::endpoint_bytes_max) return false;
  return text.empty() || is_host(text) || is_host("[" + std::string(text) + "]");
}

bool is_id_or_empty(std::string_view text) { return text.empty() || is_valid_id(text); }

bool is_path(std::string_view text) { return !text.empty() && is_path_or_empty(text); }

bool is_path_or_empty(std::string_view text) { return is_clean_text(text, limits::path_bytes_max); }

bool is_absolute_path(std::string_view text) { return is_path(text) && text.front() == '/'; }

bool is_interface_or_empty(std::string_view text) {
  return text != "." && text != ".." && is_clean_text(text, limits::interface_bytes_max) &&
         text.find_first_of("/ ") == std::string_view::npos;
}

bool is_socket_path(std::string_view text) {
  return !text.empty() && is_clean_text(text, limits::socket_path_bytes_max);
}

bool is_uri(std::string_view text) {
  return !text.empty() && is_clean_text(text, limits::endpoint_bytes_max);
}

std::optional<PeerAddress> peer_address_in(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view id = text.substr(0, at);
  const std::string_view endpoint = text.substr(at + 1);
  if (!is_valid_id(id) || !is_peer_endpoint(endpoint)) return std::nullopt;
  return PeerAddress{NodeId(std::string(id)), std::string(endpoint)};
}

}  // namespace ballast::files

#include "uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"

namespace ballast::libvirt {
namespace {

constexpr std::size_t name_bytes_max = 253;  // RFC 1035, section 2.3.4
constexpr std::size_t label_bytes_max = 63;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_bytes_max && is_plain(label.front()) &&
         is_plain(label.back()) &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_plain(c) || c == '-'; });
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > name_bytes_max) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_ipv6(std::string_view text) {
  if (text.size() > INET6_ADDRSTRLEN) return false;
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  return std::stoi(std::string(text)) <= 65535;
}

const char* scheme_of(Carrier carrier) { return carrier == Carrier::tls ? "qemu+tls" : "qemu+tcp"; }

std::string in_uri(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

struct Authority {
  std::string address;
  std::string port;  // with its colon; empty: none
};

std::optional<Authority> authority_in(std::string_view text) {
  Authority found;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    found.address = text.substr(1, end - 1);
    if (!is_ipv6(found.address)) return std::nullopt;
    text.remove_prefix(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    found.address = text.substr(0, colon);
    if (!is_name(found.address)) return std::nullopt;
    text.remove_prefix(colon);
  }
  if (text.empty()) return found;
  if (text.front() != ':' || !is_port(text.substr(1))) return std::nullopt;
  found.port = text;
  return found;
}

}  // namespace

bool is_address(std::string_view text) { return is_name(text) || is_ipv6(text); }

std::string migration_uri_of(Carrier carrier, const std::string& address) {
  return std::string(scheme_of(carrier)) + "://" + in_uri(address) + "/system";
}

Result<Destination> destination_of(std::string_view uri, Carrier carrier) {
  const std::string scheme = std::string(scheme_of(carrier)) + "://";
  constexpr std::string_view path = "/system";
  const Error refused{"the target's migration address: found " + quoted(uri.substr(0, 80)) +
                      ", expected " + scheme + "HOST[:PORT]" + std::string(path)};
  if (uri.size() > limits::endpoint_bytes_max || !uri.starts_with(scheme) || !uri.ends_with(path) ||
      uri.size() < scheme.size() + path.size())
    return refused;
  uri.remove_prefix(scheme.size());
  uri.remove_suffix(path.size());
  const std::optional<Authority> to = authority_in(uri);
  if (!to) return refused;
  const std::string host = in_uri(to->address);
  return Destination{scheme + host + to->port + std::string(path), "tcp://" + host};
}

std::string without_questions(const std::string& uri) {
  const std::size_t transport = uri.find('+');
  const bool over_ssh = transport != std::string::npos && transport < uri.find("://") &&
                        uri.compare(transport, 4, "+ssh") == 0;
  if (!over_ssh || uri.find("no_tty=") != std::string::npos) return uri;
  return uri + (uri.find('?') == std::string::npos ? "?" : "&") + "no_tty=1";
}

Status check_local(std::string_view uri) {
  const std::size_t end = uri.find("://");
  const bool local =
      end != std::string_view::npos && uri.find('+') > end && uri.substr(end + 3).starts_with('/');
  if (local) return {};
  return Error{"[hypervisor] uri: found " + quoted(uri) +
               ", expected one of this host itself, as \"qemu:///system\""};
}

}  // namespace ballast::libvirt

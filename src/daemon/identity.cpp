#include "identity.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <vector>

#include "ballast/files/store.h"
#include "ballast/zmq/names.h"

namespace ballast::daemon {
namespace {

std::string first_line(const std::string& path) {
  const Result<std::optional<std::string>> text = files::read_small(path);
  if (!text || !*text) return {};
  std::string line = (*text)->substr(0, (*text)->find('\n'));
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
  std::transform(line.begin(), line.end(), line.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return line;
}

// IPv4 addresses of interfaces that are up, without loopback.
std::vector<std::string> own_addresses() {
  std::vector<std::string> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, freeifaddrs);
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    const bool usable = at->ifa_addr != nullptr && at->ifa_addr->sa_family == AF_INET &&
                        (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof text) != nullptr)
      addresses.emplace_back(text);
  }
  return addresses;
}

}  // namespace

Result<NodeId> host_uuid() {
  for (const char* path : {"/sys/class/dmi/id/product_uuid", "/etc/machine-id"}) {
    const std::string id = first_line(path);
    if (is_valid_id(id)) return NodeId(id);
  }
  return Error{
      "no host UUID in /sys/class/dmi/id/product_uuid and no /etc/machine-id: set [node] id"};
}

Result<std::string> endpoint_of(const NodeSettings& settings, const std::string& bound) {
  if (!settings.advertise.empty()) {
    Result<std::string> found = zmq::looked_up(settings.advertise);
    if (!found) return Error{"[node] advertise: " + found.error().message};
    return found;
  }
  const std::string everywhere = "tcp://0.0.0.0:";
  if (bound.rfind(everywhere, 0) != 0) return bound;
  const std::vector<std::string> addresses = own_addresses();
  if (addresses.size() == 1) return "tcp://" + addresses[0] + ":" + bound.substr(everywhere.size());
  std::string found;
  for (const std::string& address : addresses) found += (found.empty() ? "" : ", ") + address;
  return Error{"[node] bind is " + bound + " and this host has " +
               (found.empty() ? "no address" : "the addresses " + found) +
               ": set [node] advertise to the one that other nodes connect to"};
}

}  // namespace ballast::daemon

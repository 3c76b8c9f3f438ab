// Reads in two passes: the parser's events become hosts, VMs and rules with ids as written
// (snapshot_sax.cpp); then ids become indices, so that the order of the file does not matter.
#include "ballast/files/snapshot_reader.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ballast/files/input.h"
#include "ballast/model/plausible.h"
#include "json_text.h"
#include "snapshot_sax.h"

namespace ballast::files {
namespace {

using Index = std::unordered_map<std::string_view, std::uint32_t>;

Error wrong(const std::string& name, const std::string& key, const std::string& found,
            const std::string& expected) {
  return Error{name + ": " + key + ": found " + found + ", expected " + expected};
}

std::string element(const char* list, std::size_t n, const char* key = "") {
  return std::string(list) + "[" + std::to_string(n) + "]" + key;
}

template <class Item>
Status index_ids(const std::vector<Item>& items, const char* list, const std::string& name,
                 Index& index) {
  index.reserve(items.size());
  for (std::size_t n = 0; n < items.size(); ++n) {
    const auto [first, fresh] = index.emplace(items[n].id.str(), static_cast<std::uint32_t>(n));
    if (!fresh)
      return wrong(
          name, element(list, n, ".id"),
          ballast::quoted(items[n].id.str()) + " again, the id of " + element(list, first->second),
          "every id once");
  }
  return {};
}

void overlay(Thresholds& thresholds, const GivenThresholds& given) {
  thresholds.cpu = given.cpu.value_or(thresholds.cpu);
  thresholds.memory = given.memory.value_or(thresholds.memory);
  thresholds.network = given.network.value_or(thresholds.network);
}

void set_thresholds(Snapshot& snapshot, const SnapshotParts& parts) {
  Thresholds common;
  overlay(common, parts.thresholds);
  for (Host& host : snapshot.hosts) host.thresholds = common;
  for (const auto& [host, given] : parts.host_thresholds)
    overlay(snapshot.hosts[host].thresholds, given);
}

Status set_hosts_of_vms(Snapshot& snapshot, const SnapshotParts& parts, const Index& hosts,
                        const std::string& name) {
  for (std::size_t n = 0; n < snapshot.vms.size(); ++n) {
    const auto found = hosts.find(parts.vm_hosts[n]);
    if (found == hosts.end())
      return wrong(
          name,
          element("vms", n, ".host") + " (vm " + ballast::quoted(snapshot.vms[n].id.str()) + ")",
          ballast::quoted(parts.vm_hosts[n]), "the id of a host in 'hosts'");
    snapshot.vms[n].host = found->second;
  }
  return {};
}

// Turns the ids of one list of a rule into indices, each once.
Status resolve(const std::vector<std::string>& ids, const Index& index, const std::string& where,
               const char* what, const std::string& name, std::vector<std::uint32_t>& out) {
  out.reserve(ids.size());
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const auto found = index.find(ids[n]);
    if (found == index.end())
      return wrong(name, where + "[" + std::to_string(n) + "]", ballast::quoted(ids[n]),
                   std::string("the id of a ") + what + " in '" + what + "s'");
    out.push_back(found->second);
  }
  std::vector<std::uint32_t> sorted = out;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return wrong(name, where, std::string("a ") + what + " twice", "each once");
  return {};
}

Status set_rules(Snapshot& snapshot, const SnapshotParts& parts, const Index& hosts,
                 const Index& vms, const std::string& name) {
  snapshot.rules.reserve(parts.rules.size());
  for (std::size_t n = 0; n < parts.rules.size(); ++n) {
    const NamedRule& named = parts.rules[n];
    Rule& rule = snapshot.rules.emplace_back();
    rule.type = named.type;
    if (Status bad = resolve(named.vms, vms, element("rules", n, ".vms"), "vm", name, rule.vms);
        !bad)
      return bad;
    if (Status bad =
            resolve(named.hosts, hosts, element("rules", n, ".hosts"), "host", name, rule.hosts);
        !bad)
      return bad;
  }
  return {};
}

// In a snapshot the base is what we know of a host's own use of its CPU.
void mark_implausible(Snapshot& snapshot) {
  std::vector<std::vector<Resources>> loads(snapshot.hosts.size());
  for (const Vm& vm : snapshot.vms) loads[vm.host].push_back(vm.load);
  for (std::size_t h = 0; h < snapshot.hosts.size(); ++h) {
    Host& host = snapshot.hosts[h];
    host.usable =
        distrust_of(host.capacity, host.base, host.base.cpu_mhz, host.thresholds, loads[h]).empty();
  }
}

}  // namespace

Result<Snapshot> parse_snapshot(std::string_view text, const std::string& name) {
  if (Status bad = check_json_text(text, name); !bad) return bad.error();
  const char* track = text.data();
  SnapshotSax sax(text, name, &track);
  const TrackedIterator begin(text.data(), &track);
  const TrackedIterator end(text.data() + text.size(), &track);
  if (!nlohmann::json::sax_parse(begin, end, &sax)) return Error{sax.error()};

  SnapshotParts& parts = sax.parts();
  Snapshot snapshot;
  snapshot.hosts = std::move(parts.hosts);
  snapshot.vms = std::move(parts.vms);
  Index hosts;
  Index vms;
  if (Status bad = index_ids(snapshot.hosts, "hosts", name, hosts); !bad) return bad.error();
  if (Status bad = index_ids(snapshot.vms, "vms", name, vms); !bad) return bad.error();
  set_thresholds(snapshot, parts);
  if (Status bad = set_hosts_of_vms(snapshot, parts, hosts, name); !bad) return bad.error();
  if (Status bad = set_rules(snapshot, parts, hosts, vms, name); !bad) return bad.error();
  mark_implausible(snapshot);
  return snapshot;
}

Result<Snapshot> read_snapshot(const std::string& path) {
  Result<std::string> text = read_input(path);
  if (!text) return text.error();
  return parse_snapshot(*text, name_of_input(path));
}

}  // namespace ballast::files

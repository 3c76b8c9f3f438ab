// Numbers first, then the hosts that are over, then each move with its reason: what a person wants
// to know before saying yes to a plan, in that order.
#include "plan_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "ballast/base/words.h"
#include "ballast/cli/output.h"

namespace ballast::cli {
namespace {

constexpr std::size_t hosts_shown_max = 20;
constexpr std::size_t bar_cells = 30;

std::string percent(double share) { return fixed(share * 100, 1) + " %"; }

// Columns as wide as their widest cell. The last one is not padded.
class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()), 0);
      for (std::size_t n = 0; n < row.size(); ++n)
        widths[n] = std::max(widths[n], columns_of(row[n]));
    }
    std::string out;
    for (const auto& row : rows_) {
      out += ' ';
      for (std::size_t n = 0; n < row.size(); ++n) {
        out += ' ' + row[n];
        if (n + 1 < row.size()) out.append(widths[n] - columns_of(row[n]) + 1, ' ');
      }
      out += '\n';
    }
    return out;
  }

 private:
  // Characters, not bytes.
  static std::size_t columns_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
  }
  std::vector<std::vector<std::string>> rows_;
};

struct Sight {
  const Snapshot& snapshot;
  const Plan& plan;
  std::vector<Resources> before;
  std::vector<Resources> after;
};

double share_of(const Resources& load, const Host& host, Resource r) {
  return host.capacity[r] == unlimited ? 0 : load[r] / host.capacity[r];
}

// The resource that is furthest over its threshold, if one is.
std::optional<Resource> worst_of(const Resources& load, const Host& host) {
  std::optional<Resource> worst;
  double most = load_tolerance;
  for (const Resource r : all_resources) {
    const double excess = excess_of(load[r], host.capacity[r], host.thresholds[r]);
    if (excess <= most) continue;
    most = excess;
    worst = r;
  }
  return worst;
}

// "|##########======    !    |": used after and before the plan, and the threshold.
std::string bar(double before, double after, double threshold) {
  const auto cell = [](double share) {
    return static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * bar_cells));
  };
  std::string text(bar_cells, ' ');
  for (std::size_t n = 0; n < cell(before); ++n) text[n] = '-';
  for (std::size_t n = 0; n < cell(after); ++n) text[n] = '#';
  text.insert(std::min(cell(threshold), bar_cells), "!");
  return "|" + text + "|";
}

std::string overview(const Sight& sight, double elapsed_ms) {
  const Plan& plan = sight.plan;
  const std::uint32_t steps = plan.migrations.empty() ? 0 : plan.migrations.back().step;
  std::vector<std::uint32_t> swaps;
  for (const Migration& migration : plan.migrations)
    if (migration.swap) swaps.push_back(*migration.swap);
  std::sort(swaps.begin(), swaps.end());
  const auto swap_count =
      static_cast<std::size_t>(std::unique(swaps.begin(), swaps.end()) - swaps.begin());
  const auto drained = static_cast<std::size_t>(
      std::count_if(sight.snapshot.hosts.begin(), sight.snapshot.hosts.end(),
                    [](const Host& host) { return host.maintenance; }));

  std::string out = counted(sight.snapshot.hosts.size(), "host") + ", " +
                    counted(sight.snapshot.vms.size(), "VM") + ", " +
                    counted(sight.snapshot.rules.size(), "rule");
  if (drained > 0) out += ", " + std::to_string(drained) + " in maintenance";
  out += "\n";
  out += "plan      " + counted(plan.migrations.size(), "migration");
  out += " in " + counted(steps, "step");
  if (swap_count > 0) out += ", " + counted(swap_count, "swap");
  if (plan.lower_bound > 0)
    out += "; at least " + std::to_string(plan.lower_bound) +
           (plan.overload_after > 0 ? " would be needed to remove what can be removed"
                                    : " would be needed to remove all overload");
  out += " (" + fixed(elapsed_ms, 1) + " ms)\n";
  out += "hosts over a threshold   " + std::to_string(plan.overloaded_before) + " before, " +
         std::to_string(plan.overloaded_after) + " after\n";
  out += "overload                 " + fixed(plan.overload_before, 4) + " before, " +
         fixed(plan.overload_after, 4) + " after\n";
  return out;
}

std::string hosts_table(const Sight& sight) {
  struct Line {
    double excess;
    HostIndex host;
    Resource resource;
  };
  std::vector<Line> lines;
  for (HostIndex h = 0; h < sight.snapshot.hosts.size(); ++h) {
    const Host& host = sight.snapshot.hosts[h];
    if (host.maintenance || !host.usable) continue;
    for (const Resource r : all_resources) {
      const double limit = host.thresholds[r];
      const double excess = std::max(excess_of(sight.before[h][r], host.capacity[r], limit),
                                     excess_of(sight.after[h][r], host.capacity[r], limit));
      if (excess > load_tolerance) lines.push_back({excess, h, r});
    }
  }
  if (lines.empty()) return {};
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.excess > b.excess; });
  Table table;
  table.row({"host", "resource", "before", "after", "limit", "# after, - before, ! limit"});
  for (std::size_t n = 0; n < std::min(lines.size(), hosts_shown_max); ++n) {
    const auto& [excess, h, r] = lines[n];
    const Host& host = sight.snapshot.hosts[h];
    const double before = share_of(sight.before[h], host, r);
    const double after = share_of(sight.after[h], host, r);
    table.row({host.id.str(), name_of(r), percent(before), percent(after),
               percent(host.thresholds[r]), bar(before, after, host.thresholds[r])});
  }
  std::string out = "\nHosts over a threshold, worst first\n" + table.text();
  if (lines.size() > hosts_shown_max)
    out += "  ... and " + std::to_string(lines.size() - hosts_shown_max) + " more\n";
  return out;
}

// Why a VM moves: what is wrong with the host that it leaves, else for whom it makes room there.
std::string why(const Sight& sight, const Migration& migration,
                const std::multimap<HostIndex, VmIndex>& arrivals,
                const std::map<std::uint32_t, std::vector<VmIndex>>& swaps) {
  const Host& from = sight.snapshot.hosts[migration.from];
  std::string swap;
  if (migration.swap) {
    for (const VmIndex other : swaps.at(*migration.swap))
      if (other != migration.vm) swap = "swap with " + sight.snapshot.vms[other].id.str();
  }
  if (from.maintenance) return from.id.str() + " is in maintenance";
  if (const std::optional<Resource> r = worst_of(sight.before[migration.from], from)) {
    const double share = share_of(sight.before[migration.from], from, *r);
    return from.id.str() + " " + name_of(*r) + " at " + percent(share) + ", " +
           fixed((share - from.thresholds[*r]) * 100, 1) + " points over" +
           (swap.empty() ? "" : "; " + swap);
  }
  if (!swap.empty()) return swap + ", to make room";
  const auto [first, last] = arrivals.equal_range(migration.from);
  for (auto arrival = first; arrival != last; ++arrival) {
    if (arrival->second != migration.vm)
      return "makes room for " + sight.snapshot.vms[arrival->second].id.str();
  }
  return "on the way, or for a rule";
}

std::string migrations_table(const Sight& sight) {
  if (sight.plan.migrations.empty()) return "\nNothing to move.\n";
  std::multimap<HostIndex, VmIndex> arrivals;
  std::map<std::uint32_t, std::vector<VmIndex>> swaps;
  for (const Migration& migration : sight.plan.migrations) {
    arrivals.emplace(migration.to, migration.vm);
    if (migration.swap) swaps[*migration.swap].push_back(migration.vm);
  }
  Table table;
  table.row({"step", "vm", "from", "to", "memory", "why"});
  for (const Migration& migration : sight.plan.migrations) {
    const Snapshot& s = sight.snapshot;
    table.row({std::to_string(migration.step), s.vms[migration.vm].id.str(),
               s.hosts[migration.from].id.str(), s.hosts[migration.to].id.str(),
               fixed(s.vms[migration.vm].load.memory_mib, 0) + " MiB",
               why(sight, migration, arrivals, swaps)});
  }
  return "\nMigrations; a step begins when the one before has ended\n" + table.text();
}

const char* words_of(SurplusReason reason) {
  switch (reason) {
    case SurplusReason::no_cpu: return "no host that it may run on has the CPU";
    case SurplusReason::no_memory: return "no host that it may run on has the memory";
    case SurplusReason::no_network: return "no host that it may run on has the network";
    case SurplusReason::rule: return "a rule forbids every host that has room";
    case SurplusReason::immovable: return "it may not be moved";
    case SurplusReason::stale: return "the figures of its host cannot be trusted";
    case SurplusReason::own_load: return "its host is over by its own load";
    case SurplusReason::not_worth: return "too little: its host stays over without it";
    case SurplusReason::no_target: return "no other host can take it";
  }
  return "?";
}

std::string surplus_table(const Sight& sight) {
  Table table;
  table.row({"vm", "host", "why it stays"});
  bool some = false;
  for (const Surplus& surplus : sight.plan.surplus) {
    if (surplus.reason == SurplusReason::own_load) continue;
    some = true;
    const std::string& known = sight.snapshot.vms[surplus.vm].immovable_reason;
    const bool is_told = surplus.reason == SurplusReason::immovable && !known.empty();
    const std::string why = is_told ? ": " + known : std::string();
    table.row({sight.snapshot.vms[surplus.vm].id.str(), sight.snapshot.hosts[surplus.host].id.str(),
               words_of(surplus.reason) + why});
  }
  return some ? "\nSurplus: should move and does not\n" + table.text() : std::string();
}

// Hosts that no VM has put over their threshold, nor could bring under.
std::string over_by_themselves(const Sight& sight) {
  std::string out;
  for (HostIndex h = 0; h < sight.snapshot.hosts.size(); ++h) {
    const Host& host = sight.snapshot.hosts[h];
    if (!host.usable || host.maintenance) continue;
    const double share = share_of(host.base, host, Resource::cpu);
    if (share <= host.thresholds.cpu + load_tolerance) continue;
    out += "  " + host.id.str() + ": cpu at " + percent(share) + " without any VM, limit " +
           percent(host.thresholds.cpu) + "\n";
  }
  if (out.empty()) return {};
  return "\nHosts over by their own load: no VM is moved away for CPU\n" + out;
}

std::string distrusted(const Sight& sight) {
  std::string out;
  for (const Host& host : sight.snapshot.hosts)
    if (!host.usable) out += "  " + host.id.str() + "\n";
  if (out.empty()) return {};
  return "\nHosts left alone, their figures cannot be trusted (all VMs idle, CPU busy)\n" + out;
}

std::string spare_line(const Sight& sight) {
  Resources sum;
  for (const Spare& spare : sight.plan.spare) sum += spare.room;
  std::string out = "\nSpare under the thresholds on " + counted(sight.plan.spare.size(), "host") +
                    ": cpu " + fixed(sum.cpu_mhz, 0) + " MHz, memory " + fixed(sum.memory_mib, 0) +
                    " MiB, network ";
  return out +
         (sum.network_mbit == unlimited ? "unlimited" : fixed(sum.network_mbit, 0) + " Mbit/s") +
         "\n";
}

}  // namespace

std::string plan_table(const Snapshot& snapshot, const Plan& plan, double elapsed_ms) {
  const Sight sight{snapshot, plan, loads_of(snapshot), loads_of(applied(snapshot, plan))};
  return overview(sight, elapsed_ms) + hosts_table(sight) + migrations_table(sight) +
         surplus_table(sight) + over_by_themselves(sight) + distrusted(sight) + spare_line(sight);
}

}  // namespace ballast::cli

#include "host_words.h"

#include "ballast/base/words.h"
#include "ballast/model/snapshot.h"

namespace ballast::node {

std::string over_in_words(const Resources& base, const wire::HostFacts& facts) {
  const double alone = excess_of(base.cpu_mhz, facts.capacity.cpu_mhz, facts.thresholds.cpu);
  return alone > load_tolerance ? "over by its own load" : "over";
}

std::string drain_state(std::size_t vms) {
  return vms == 0 ? "drained" : "draining: " + counted_left(vms);
}

std::string counted_left(std::size_t vms) { return counted(vms, "VM") + " left"; }

std::string lost_in_words(const HostView& host) {
  constexpr std::size_t named_max = 3;
  std::string text = "lost: not heard of for " + in_words(host.age) + ", ";
  if (host.lost_vms.empty()) return text + "no VM was left there";
  text += counted(host.lost_vms.size(), "VM") + (host.lost_vms.size() == 1 ? " was" : " were") +
          " there: ";
  for (std::size_t i = 0; i < host.lost_vms.size() && i < named_max; ++i)
    text += (i > 0 ? ", " : "") + quoted(host.lost_vms[i].str());
  if (host.lost_vms.size() > named_max) text += ", and others (`ballast status --json`)";
  return text;
}

}  // namespace ballast::node

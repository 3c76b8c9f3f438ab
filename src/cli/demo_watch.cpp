#include "demo_watch.h"

#include <algorithm>
#include <utility>

namespace ballast::cli {
namespace {

constexpr auto orphaned_at_most = std::chrono::seconds(10);

// A host that has gone over to another master shows twice for a while.
bool is_better(const node::HostView& a, const node::HostView& b) {
  const auto stale = [](const node::HostView& host) {
    return host.state.starts_with("stale") || host.state.starts_with("lost");
  };
  return !stale(a) && stale(b);
}

}  // namespace

DemoWatch::DemoWatch(const Trace& trace, DemoFleet& fleet)
    : trace_(trace), fleet_(fleet), last_event_(fleet.masters(), 0), counters_(fleet.masters()) {}

Result<node::View> DemoWatch::look() {
  node::View all;
  all.events = std::exchange(news_, {});
  std::map<HostId, Shown> hosts;
  for (std::size_t master = 0; master < fleet_.masters(); ++master) {
    if (!fleet_.runs(master)) {
      hosts.try_emplace(trace_.hosts[master].id, Shown{master, as_killed(master)});
      continue;
    }
    Result<node::View> view = fleet_.watch_master(master, last_event_[master]);
    if (!view) {
      if (killed_ > 0 && is_victim(master)) continue;  // it is only starting again
      return view.error();
    }
    counters_[master] = view->counters;
    for (node::HostView& host : view->hosts) {
      const auto [known, is_new] = hosts.try_emplace(host.id, Shown{master, host});
      if (!is_new && is_better(host, known->second.host)) known->second = {master, host};
    }
    for (node::Event& event : view->events) {
      last_event_[master] = event.number;
      if (fleet_.masters() > 1) event.text = "[" + view->id.str() + "] " + event.text;
      all.events.push_back(std::move(event));
    }
    all.in_flight.insert(all.in_flight.end(), view->in_flight.begin(), view->in_flight.end());
    all.leases.insert(all.leases.end(), view->leases.begin(), view->leases.end());
  }
  // Group by group, its master first.
  for (std::size_t master = 0; master < fleet_.masters(); ++master) {
    for (const bool leads : {true, false}) {
      for (const auto& [id, shown] : hosts) {
        if (shown.master == master && (id == trace_.hosts[master].id) == leads)
          all.hosts.push_back(shown.host);
      }
    }
  }
  return all;
}

node::HostView DemoWatch::as_killed(std::size_t master) const {
  node::HostView host;
  host.id = trace_.hosts[master].id;
  host.role = Role::master;
  host.capacity = trace_.hosts[master].capacity;
  host.thresholds = trace_.thresholds;
  host.state = "killed; its VMs run on, nobody reports them";
  return host;
}

void DemoWatch::tell(node::EventKind kind, std::string text) {
  node::Event event;
  event.kind = kind;
  event.text = std::move(text);
  news_.push_back(std::move(event));
}

std::uint64_t DemoWatch::counter(const std::string& name) const {
  const auto of = [&](const std::map<std::string, std::uint64_t>& counters) {
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
  };
  std::uint64_t sum = of(counters_of_the_dead_);
  for (const auto& counters : counters_) sum += of(counters);
  return sum;
}

void DemoWatch::kill_masters(std::size_t count) {
  killed_ = count;
  for (std::size_t host = fleet_.masters(); host < trace_.hosts.size(); ++host) {
    const Result<node::View> view = fleet_.view(host);
    for (std::size_t master = 0; view && master < fleet_.masters(); ++master)
      if (is_victim(master) && view->master == trace_.hosts[master].id) orphans_[host] = master;
  }
  for (std::size_t master = 0; master < fleet_.masters(); ++master) {
    if (!is_victim(master)) continue;
    fleet_.kill(master);
    std::string left;
    for (const auto& [slave, of] : orphans_)
      if (of == master) left += " " + trace_.hosts[slave].id.str();
    tell(node::EventKind::lost, "master '" + trace_.hosts[master].id.str() +
                                    "' is killed (kill -9); without a master now:" + left);
    for (const auto& [name, count_then] : std::exchange(counters_[master], {}))
      counters_of_the_dead_[name] += count_then;
    last_event_[master] = 0;
  }
  killed_at_ = Clock::now();
}

Status DemoWatch::follow_killed() {
  if (killed_ == 0 || restarted_) return {};
  const auto passed = Clock::now() - killed_at_;
  std::erase_if(orphans_, [&](const auto& orphan) {
    const Result<node::View> view = fleet_.view(orphan.first);
    if (!view || view->master.empty()) return false;
    for (std::size_t master = 0; master < fleet_.masters(); ++master)
      if (is_victim(master) && view->master == trace_.hosts[master].id) return false;
    reattached_s_.push_back(std::chrono::duration<double>(Clock::now() - killed_at_).count());
    tell(node::EventKind::attached, "'" + trace_.hosts[orphan.first].id.str() + "' belongs to '" +
                                        view->master.str() + "' now");
    return true;
  });
  if (!orphans_.empty() && passed < orphaned_at_most) return {};
  restarted_ = true;
  for (std::size_t master = 0; master < fleet_.masters(); ++master) {
    if (!is_victim(master)) continue;
    if (Status launched = fleet_.launch(master); !launched) return launched;
    tell(node::EventKind::attached, "'" + trace_.hosts[master].id.str() + "' is started again");
  }
  return {};
}

}  // namespace ballast::cli

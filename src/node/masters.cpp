#include "masters.h"

#include <algorithm>
#include <cmath>

namespace ballast::node {
namespace {

// In rounds: how long a master that has just begun waits for its group to come together before it
// says anything, and how often it looks whether something has changed. When a thousand masters
// start at once, each word more of each of them is what the mesh has to carry.
constexpr int rounds_before_first_word = 3;
constexpr int rounds_between_looks = 4;

bool changed_by_a_tenth(double before, double now) {
  if (before == now) return false;
  if (std::isinf(before) || std::isinf(now)) return true;
  return std::abs(before - now) > 0.1 * std::max(before, now);
}

bool differs(const Resources& a, const Resources& b) {
  return std::any_of(all_resources.begin(), all_resources.end(),
                     [&](Resource r) { return changed_by_a_tenth(a[r], b[r]); });
}

mesh::Settings settings_of(const MeshSettings& from) {
  mesh::Settings settings;
  settings.gossip_interval = from.gossip_interval;
  return settings;
}

discovery::OffererSettings offerer_of(const Config& config, const wire::Peer& self) {
  discovery::OffererSettings settings;
  settings.self = self;
  settings.max_slaves = config.limits.max_slaves;
  return settings;
}

}  // namespace

bool differs(const wire::Summary& a, const wire::Summary& b) {
  if (a.holes.size() != b.holes.size() || a.plans != b.plans || a.hosts != b.hosts ||
      (a.surplus_vms == 0) != (b.surplus_vms == 0) || a.paused != b.paused ||
      a.pause_stamp != b.pause_stamp)
    return true;
  for (std::size_t i = 0; i < a.holes.size(); ++i) {
    if (differs(a.holes[i], b.holes[i])) return true;
  }
  return differs(a.surplus, b.surplus) || differs(a.spare, b.spare);
}

Masters::Masters(TimePoint now, const Config& config, const wire::Peer& self,
                 std::uint64_t incarnation, std::uint64_t seed, const wire::Signer& signer,
                 Outbox& out)
    : out_(out),
      config_(config),
      mesh_(now, settings_of(config.mesh), self, incarnation, seed, signer),
      offerer_(now, offerer_of(config, self), seed ^ 0x5EEDU),
      next_look_(now),
      next_summary_(now + rounds_before_first_word * config.mesh.gossip_interval) {
  count_.min_masters = config.mesh.min_masters;
  count_.short_since = now;
}

bool Masters::wants_summary(TimePoint now) const {
  return now >= next_summary_ ||
         (has_said_ && std::max(pause_stamp_, mesh_.pause().stamp) > said_.pause_stamp);
}

void Masters::say(TimePoint now, const wire::Summary& summary, bool urgent) {
  say_nothing(now);
  next_summary_ = now + rounds_between_looks * config_.mesh.gossip_interval;
  wire::Summary next = summary;
  next.pause_stamp = mesh_.pause().stamp;
  next.paused = mesh_.pause().paused;
  if (pause_stamp_ > next.pause_stamp) {
    next.pause_stamp = pause_stamp_;
    next.paused = pause_;
  }
  const bool may = !has_said_ || urgent || now >= said_at_ + mesh_.pace() ||
                   next.pause_stamp != said_.pause_stamp;
  if (!may || (has_said_ && !differs(said_, next))) return;
  said_ = next;
  has_said_ = true;
  said_at_ = now;
  mesh_.publish(now, next);
  carry_out();
}

Status Masters::set_pause(TimePoint now, bool paused) {
  const std::uint64_t last = std::max(pause_stamp_, mesh_.pause().stamp);
  if (last == UINT64_MAX)
    return Error{
        "nothing can be said after the last word about a pause, which has the highest "
        "number that there is: restart every master, one after the other, first this one"};
  pause_stamp_ = last + 1;
  pause_ = paused;
  next_look_ = now;
  return {};
}

void Masters::tick(TimePoint now) {
  if (mesh_.next_deadline() <= now) mesh_.tick(now);
  if (!config_.mesh.beacon.empty() && offerer_.next_deadline() <= now) offerer_.tick(now);
  carry_out();
}

TimePoint Masters::next_deadline() const {
  TimePoint next = std::min(mesh_.next_deadline(), next_look_);
  if (!config_.mesh.beacon.empty()) next = std::min(next, offerer_.next_deadline());
  return next;
}

void Masters::take(TimePoint now, const NodeId& from, const wire::Body& body) {
  mesh_.take(now, from, body);
  carry_out();
}

void Masters::take(TimePoint now, const wire::BeaconHeard& heard) {
  // Of a master that we know already the mesh tells more, and signed.
  const auto* hello = std::get_if<wire::Hello>(&heard.body);
  if (hello != nullptr && others() > 0 && mesh_.heard_of(hello->master.id).incarnation > 0) return;
  offerer_.take(now, heard);
  discovery::Effects effects = offerer_.take_effects();
  for (wire::BeaconSend& send : effects.sends) out_.call(std::move(send));
  if (!effects.masters.empty()) mesh_.hint(now, effects.masters);
  carry_out();
}

void Masters::carry_out() {
  mesh::Effects effects = mesh_.take_effects();
  for (mesh::Subscription& one : effects.subscriptions) {
    wire::Subscription subscription{one.peer.id, one.peer.feed, {}};
    for (const mesh::Topic topic : {mesh::Topic::own, mesh::Topic::first, mesh::Topic::again}) {
      const bool wanted = topic == mesh::Topic::own     ? one.topics.own
                          : topic == mesh::Topic::first ? one.topics.first
                                                        : one.topics.again;
      if (wanted) subscription.topics.insert(mesh::name_of(topic));
    }
    out_.subscribe(std::move(subscription));
  }
  for (mesh::Direct& direct : effects.directs)
    out_.send(direct.to, direct.endpoint, std::move(direct.body));
  for (mesh::Publication& one : effects.publications)
    out_.publish(mesh::name_of(one.topic), std::move(one.gossip));
  discovery::Effects calls = offerer_.take_effects();
  for (wire::BeaconSend& send : calls.sends) out_.call(std::move(send));
}

std::vector<market::Seller> Masters::sellers() const {
  std::vector<market::Seller> sellers;
  for (const mesh::Kept& kept : mesh_.kept()) {
    if (kept.withdrawn) continue;
    const wire::Summary& summary = kept.item->summary;
    sellers.push_back({summary.self.id, summary.self.endpoint, kept.item->incarnation,
                       kept.item->version, summary.holes, summary.surplus_vms > 0});
  }
  return sellers;
}

void Masters::count_into(std::map<std::string, std::uint64_t>& counters) const {
  if (mesh_.counters().pauses_refused > 0)
    counters["mesh_pauses_refused"] = mesh_.counters().pauses_refused;
}

std::vector<MasterView> Masters::views() const {
  const std::vector<NodeId> peers = mesh_.active_peers();
  std::vector<MasterView> views;
  for (const mesh::Kept& kept : mesh_.kept()) {
    const wire::Summary& summary = kept.item->summary;
    const bool peer = std::find(peers.begin(), peers.end(), summary.self.id) != peers.end();
    views.push_back({summary.self.id, summary.self.endpoint, summary.hosts, summary.surplus_vms,
                     summary.spare, peer, kept.withdrawn, mesh_.is_lost(summary.self.id)});
  }
  std::sort(views.begin(), views.end(),
            [](const MasterView& a, const MasterView& b) { return a.id < b.id; });
  return views;
}

bool Masters::is_short(TimePoint now) const {
  return count_.other_masters + 1 < count_.min_masters && now >= discovery::next_promotion(count_);
}

std::optional<NodeId> Masters::to_promote(
    TimePoint now, const std::vector<discovery::PromotionCandidate>& slaves) {
  const std::size_t before = count_.other_masters;
  count_.other_masters = others();
  const bool enough = count_.other_masters + 1 >= count_.min_masters;
  if (enough || before > count_.other_masters) count_.short_since = now;
  const std::optional<NodeId> chosen = discovery::slave_to_promote(now, count_, slaves);
  if (chosen) count_.promoted_at = now;
  return chosen;
}

}  // namespace ballast::node

#include "bazaar.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"
#include "ballast/market/asker.h"
#include "ballast/market/grantor.h"

namespace ballast::market {
namespace {

using namespace std::chrono_literals;

constexpr Duration step = 100ms;
constexpr Duration length = 5min;
constexpr Duration settles_within = 90s;  // at the end nobody is in need any more
constexpr Duration plans_every = 10s;
constexpr Duration news_old_for = 2s;
constexpr Duration given_up_after = 6s;  // a request; then the VM may be asked for elsewhere
constexpr Duration refusal_holds_for = 30s;
constexpr double lost = 0.1;
constexpr double doubled = 0.15;
constexpr std::size_t findings_max = 10;
constexpr std::size_t groups_in_need = 2;
constexpr std::size_t groups_with_room = 3;
constexpr std::size_t groups_silent = 1;
constexpr std::size_t hosts_of_group = 3;

struct Told {
  TimePoint at;
  std::uint64_t version = 0;
  std::vector<Resources> holes;
};

struct Group {
  Group(const NodeId& name, std::uint64_t seed)
      : id(name), ledger(name, 1), grantor(ledger), asker({name, 500ms}, seed) {}

  NodeId id;
  bool silent = false;
  ledger::Ledger ledger;
  Grantor grantor;
  Asker asker;
  std::map<VmId, Resources> surplus;  // not yet granted
  std::deque<Told> told;
  std::map<std::pair<NodeId, std::uint64_t>, wire::RequestAnswer> answers;

  Grantor::Offer offer() const {
    Grantor::Offer offer;
    for (const auto& [host, room] : ledger.hosts())
      offer.holes.push_back({host, "tcp://h:1", ledger.balance(host)});
    return offer;
  }
};

class Bazaar {
 public:
  explicit Bazaar(std::uint64_t seed) : random_(seed) {
    const bool with_silent = random_.chance(0.5);
    for (std::size_t g = 0; g < groups_in_need + groups_with_room + groups_silent; ++g) {
      groups_.push_back(std::make_unique<Group>(NodeId("g" + std::to_string(g)), random_.next()));
      Group& group = *groups_.back();
      const bool in_need = g < groups_in_need;
      group.silent = with_silent && g >= groups_in_need + groups_with_room;
      for (std::size_t h = 0; h < hosts_of_group; ++h) {
        ledger::HostRoom room;
        room.capacity = {10000, 65536, 10000};
        room.carried = {in_need ? 9000 : random_.between(0, 2000), 1000, 0};
        room.limits = {0.8, 0.9, 0.8};
        group.ledger.set_host(HostId(group.id.str() + "-" + std::to_string(h)), room);
      }
      const std::size_t vms = in_need ? 4 + random_.below(13) : 0;
      for (std::size_t v = 0; v < vms; ++v)
        group.surplus[VmId(group.id.str() + "-v" + std::to_string(v))] = {
            random_.between(200, 1200), 1024, 10};
    }
  }

  BazaarResult run() {
    for (; now_ < begin_ + length && result_.findings.size() < findings_max; now_ += step) {
      deliver();
      for (const auto& group : groups_) act(*group);
      audit();
    }
    for (const auto& group : groups_) {
      if (!group->surplus.empty())
        find(std::to_string(group->surplus.size()) + " VMs of " + group->id.str() +
             " have no place although there is room");
      result_.asked += group->asker.counters().sent;
    }
    return result_;
  }

 private:
  void find(const std::string& what) {
    if (result_.findings.size() < findings_max) result_.findings.push_back(what);
  }
  Group* group_of(const NodeId& id) {
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const auto& group) { return group->id == id; });
    return found->get();
  }

  // --- the network ---

  void send(std::function<void()> what) {
    const std::size_t copies = random_.chance(lost) ? 0 : random_.chance(doubled) ? 2 : 1;
    for (std::size_t i = 0; i < copies; ++i)
      mail_.emplace(now_ + duration_of_seconds(random_.between(0.01, 0.6)), what);
  }
  void surely(Duration after, std::function<void()> what) {
    mail_.emplace(now_ + after, std::move(what));
  }
  void deliver() {
    while (!mail_.empty() && mail_.begin()->first <= now_) {
      const std::function<void()> what = std::move(mail_.begin()->second);
      mail_.erase(mail_.begin());
      what();
    }
  }

  // --- what masters do ---

  void act(Group& group) {
    (void)group.ledger.expire(now_);
    for (const auto& [id, lease] : std::map(group.ledger.leases()))
      if (lease.phase == ledger::Phase::revoking) group.ledger.end(id);
    tell(group);
    if (group.surplus.empty() && !group.asker.wants_anything()) return;
    if ((now_ - begin_) % plans_every == Duration(0)) plan(group);
    for (Asker::Send& one : group.asker.tick(now_, sellers_for(group))) ask(group, one);
  }

  void plan(Group& group) {
    std::vector<wire::Want> wants;
    for (const auto& [vm, load] : group.surplus) {
      wire::Want want;
      want.vm = vm;
      want.load = load;
      want.from = group.ledger.hosts().begin()->first;
      wants.push_back(std::move(want));
    }
    group.asker.need(now_, std::move(wants));
  }

  void tell(Group& group) {
    const std::vector<Resources> holes = told_holes(group.offer().holes);
    if (!group.told.empty() && group.told.back().holes == holes) return;
    group.told.push_back({now_, group.told.size() + 1, holes});
  }

  std::vector<Seller> sellers_for(const Group& asker) const {
    std::vector<Seller> sellers;
    for (const auto& group : groups_) {
      if (group->id == asker.id) continue;
      Seller seller;
      seller.master = group->id;
      seller.endpoint = "tcp://m:1";
      seller.incarnation = 1;
      seller.in_need = !group->surplus.empty();
      for (const Told& told : group->told) {
        if (told.at + news_old_for > now_ && told.version > 1) continue;
        seller.version = told.version;
        seller.holes = told.holes;
      }
      sellers.push_back(std::move(seller));
    }
    return sellers;
  }

  // --- requests and answers ---

  struct Asked {
    NodeId at;
    std::uint64_t number = 0;
    std::uint64_t version = 0;  // of the word that it was chosen by
    TimePoint since;
  };
  struct Refusal {
    TimePoint at;
    std::uint64_t version = 0;
  };

  std::uint64_t version_seen(const Group& asker, const NodeId& seller) const {
    for (const Seller& one : sellers_for(asker))
      if (one.master == seller) return one.version;
    return 0;
  }

  void ask(Group& asker, const Asker::Send& sent) {
    if (sent.request.wants.size() > limits::wants_max) find("more VMs in a request than allowed");
    for (const wire::Want& want : sent.request.wants) {
      const auto open = open_.find(want.vm);
      const bool elsewhere = open != open_.end() && open->second.number != sent.request.number;
      if (elsewhere && now_ < open->second.since + given_up_after)
        find(want.vm.str() + " is asked for at " + open->second.at.str() + " and at " +
             sent.to.str());
      if (open == open_.end() || elsewhere) {
        open_[want.vm] = {sent.to, sent.request.number, version_seen(asker, sent.to), now_};
        const auto refusal = refusals_.find({want.vm, sent.to});
        if (refusal != refusals_.end() && now_ < refusal->second.at + refusal_holds_for &&
            refusal->second.version == version_seen(asker, sent.to))
          find(want.vm.str() + " is asked for again at " + sent.to.str() + ", which refused it " +
               "and has said nothing new");
      }
    }
    Group* grantor = group_of(sent.to);
    send([this, &asker, grantor, request = sent.request] { serve(asker, *grantor, request); });
  }

  void serve(Group& asker, Group& grantor, const wire::Request& request) {
    if (grantor.silent) return;
    const wire::RequestAnswer answer =
        grantor.grantor.serve(now_, asker.id, request, grantor.offer());
    const auto [first, is_new] = grantor.answers.try_emplace({asker.id, request.number}, answer);
    // A request of long ago may come once more; only the last one is remembered.
    if (!is_new && first->second != answer &&
        last_number_[{asker.id, grantor.id}] == request.number)
      find("request " + std::to_string(request.number) + " is answered in two ways");
    last_number_[{asker.id, grantor.id}] = request.number;
    send([this, &asker, &grantor, answer] { hear(asker, grantor, answer); });
  }

  void hear(Group& asker, Group& grantor, const wire::RequestAnswer& answer) {
    for (const wire::Refusal& refusal : answer.refusals) {
      const auto open = open_.find(refusal.vm);
      if (open == open_.end() || open->second.number != answer.number) continue;
      refusals_[{refusal.vm, grantor.id}] = {now_, open->second.version};
      open_.erase(open);
    }
    const Asker::Answered answered = asker.asker.take(now_, grantor.id, answer);
    if (answered.granted.size() + answered.unwanted.size() != answer.grants.size())
      find("a grant of " + grantor.id.str() + " is neither used nor given back");
    for (const Asker::Release& one : answered.unwanted) release(grantor, one.lease);
    for (const Asker::Granted& one : answered.granted) {
      open_.erase(one.grant.vm);
      if (asker.surplus.erase(one.grant.vm) == 0) find(one.grant.vm.str() + " is granted twice");
      used_.insert(one.grant.lease);
      grantor.ledger.begun(one.grant.lease);
      surely(duration_of_seconds(random_.between(5, 20)),
             [this, &grantor, lease = one.grant.lease] { arrive(grantor, lease); });
    }
  }

  void release(Group& grantor, const LeaseId& lease) {
    // The same answer a second time names leases that are in use.
    if (used_.contains(lease)) return;
    surely(300ms, [&grantor, lease] { grantor.ledger.end(lease); });
  }

  void arrive(Group& grantor, const LeaseId& id) {
    const ledger::Lease* lease = grantor.ledger.find(id);
    if (lease == nullptr) return;
    ledger::HostRoom room = grantor.ledger.hosts().at(lease->to);
    room.carried += lease->load;
    const HostId host = lease->to;
    grantor.ledger.end(id);
    grantor.ledger.set_host(host, room);
    ++result_.placed;
  }

  // --- what must never be ---

  void audit() {
    for (const auto& group : groups_) {
      std::map<std::string, std::size_t> open;
      for (const auto& [id, lease] : group->ledger.leases())
        ++open[lease.vm.str().substr(0, lease.vm.str().find('-'))];
      for (const auto& [asker, count] : open) {
        if (count > limits::leases_per_asker_max)
          find(asker + " has " + std::to_string(count) + " leases at " + group->id.str());
      }
      for (const auto& [host, room] : group->ledger.hosts()) {
        if (room.carried.cpu_mhz < 8000 && group->ledger.balance(host).cpu_mhz < 0)
          find("more is promised on " + host.str() + " than fits");
      }
    }
    if (now_ == begin_ + length - settles_within) {
      for (const auto& group : groups_)
        for (const auto& [vm, load] : group->surplus) find(vm.str() + " still has no place");
    }
  }

  Random random_;
  const TimePoint begin_ = TimePoint(std::chrono::hours(1));
  TimePoint now_ = begin_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::multimap<TimePoint, std::function<void()>> mail_;
  std::map<VmId, Asked> open_;
  std::map<std::pair<VmId, NodeId>, Refusal> refusals_;
  std::map<std::pair<NodeId, NodeId>, std::uint64_t> last_number_;
  std::set<LeaseId> used_;
  BazaarResult result_;
};

}  // namespace

BazaarResult run_bazaar(std::uint64_t seed) { return Bazaar(seed).run(); }

}  // namespace ballast::market

#include "liars.h"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "ballast/base/limits.h"
#include "ballast/wire/codec.h"
#include "ballast/wire/mesh_messages.h"

namespace ballast::world {
namespace {

constexpr double bent_share = 0.5;       // of what a lie could be told in
constexpr double invented_share = 0.05;  // of the steps after which something is made up
constexpr std::size_t invented_max = 3;
constexpr std::size_t claims_max = 4;
constexpr std::uint64_t number_max = 500;  // of leases in a simulation
// Far more than a fleet counts in years, far less than what wraps.
constexpr std::array<std::uint64_t, 4> leaps = {1U << 20U, std::uint64_t{1} << 40U,
                                                std::uint64_t{1} << 62U, UINT64_MAX - 1};

std::uint32_t bit_of(Lie lie) { return 1U << static_cast<unsigned>(lie); }

}  // namespace

// One liar, one message.
class Liars::Teller {
 public:
  Teller(Liars& all, std::uint32_t self)
      : trace_(all.trace_),
        parties_(all.parties_),
        leaders_(all.leaders_),
        insight_(all.insight_),
        leases_(all.leases_),
        signer_(all.signer_),
        random_(all.random_),
        self_(self),
        pretends_(all.about_.at(self).pretends),
        steadily_(all.about_.at(self).steadily),
        about_(all.about_.at(self).about) {}

  template <typename Body>
  void bend(Body&) {}  // nothing to gain

  // --- slave to master ---
  void bend(wire::HostFacts& facts) {
    if (tells(Lie::room)) {
      for (const Resource r : all_resources)
        if (facts.capacity[r] != unlimited) facts.capacity[r] *= factor();
    }
    if (tells(Lie::addresses)) facts.endpoint = anyone().endpoint;
    if (steadily_ ? is_about(Lie::addresses) : tells(Lie::addresses))
      facts.hypervisor = parties_[pretends_].id.str();
  }
  void bend(wire::HostReport& report) {
    if (tells(Lie::room)) {
      for (wire::VmReport& vm : report.vms) scale(vm.vm.load);
      scale(report.base);
      report.memory_free_mib *= factor();
      report.over_samples = static_cast<std::uint32_t>(random_.below(100));
    }
    if (tells(Lie::reservations)) {
      const std::size_t wanted = limits::leases_per_host_max / (random_.chance(0.5) ? 1 : 4);
      while (report.reservations.size() < wanted) {
        LeaseId lease = a_lease();
        if (random_.chance(0.7)) lease.number = random_.below(1U << 20U);
        report.reservations.push_back({std::move(lease), any_vm(), anyone().id, a_load()});
      }
      if (random_.chance(0.3) && report.jobs.size() < limits::jobs_per_host_max)
        report.jobs.push_back({a_lease(), any_vm(), anyone().id});
    }
    if (steadily_ && is_about(Lie::ids)) {
      for (const TraceVm& vm : trace_.vms)
        if (vm.host == pretends_) claim(report, vm.id, Presence::running);
    } else if (tells(Lie::ids)) {
      for (std::size_t left = random_.below(claims_max) + 1; left > 0; --left)
        claim(report, any_vm(), static_cast<Presence>(random_.below(6)));
    }
  }
  void bend(wire::Attach& attach) {
    bend(attach.facts);
    bend(attach.report);
    leap(attach.sequence);
    if (tells(Lie::ids)) attach.previous = anyone().id;
  }
  void bend(wire::Report& report) {
    if (!report.facts && random_.chance(0.2)) report.facts = my_facts();
    if (report.facts) bend(*report.facts);
    bend(report.report);
    leap(report.sequence);
  }
  void bend(wire::Leave& leave) { leap(leave.left.attachment); }
  void bend(wire::Outcome& outcome) {
    if (tells(Lie::outcomes)) outcome.kind = static_cast<wire::OutcomeKind>(random_.below(5));
    if (tells(Lie::ids)) outcome.vm = any_vm();
    mistake(outcome.lease);
    leap(outcome.sequence);
  }
  void bend(wire::LeaseState& state) {
    if (tells(Lie::outcomes)) state.phase = static_cast<wire::LeasePhase>(random_.below(4));
    mistake(state.lease);
    leap(state.sequence);
  }

  // --- holder and target ---
  void bend(wire::Begin& begin) {
    if (tells(Lie::ids)) begin.vm = any_vm();
    if (tells(Lie::room)) scale(begin.load);
    mistake(begin.lease);
  }
  void bend(wire::BeginAnswer& answer) {
    const bool turned = tells(Lie::outcomes);
    if (turned) answer.yes = !answer.yes;
    if (turned) answer.reason = answer.yes ? "" : "no";
    if (answer.yes && (turned || tells(Lie::addresses)))
      answer.migration_uri = a_place().migration_uri;
    if (!answer.yes) answer.migration_uri.clear();
    mistake(answer.lease);
  }
  void bend(wire::Settle& settle) {
    if (tells(Lie::ids)) settle.vm = any_vm();
    mistake(settle.lease);
  }
  void bend(wire::SettleAnswer& answer) {
    if (tells(Lie::outcomes)) answer.presence = static_cast<Presence>(random_.below(6));
    mistake(answer.lease);
  }

  // --- master to slave ---
  void bend(wire::AttachAnswer& answer) {
    if (!tells(Lie::outcomes)) return;
    answer.accepted = !answer.accepted;
    answer.reason = answer.accepted ? "" : "no";
  }
  void bend(wire::ReportAck& ack) { leap(ack.sequence); }
  void bend(wire::Order& order) {
    if (tells(Lie::ids)) order.vm = any_vm();
    if (tells(Lie::addresses)) {
      const Party& other = anyone();
      order.target = other.id;
      order.target_endpoint = other.endpoint;
      if (random_.chance(0.5)) order.target_hypervisor = other.id.str();
    }
    mistake(order.lease);
  }
  void bend(wire::LeaseTell& tell) {
    if (tells(Lie::ids)) tell.vm = any_vm();
    if (tells(Lie::room)) scale(tell.load);
    if (tells(Lie::addresses)) tell.from_endpoint = anyone().endpoint;
    mistake(tell.lease);
  }
  void bend(wire::LeaseRevoke& revoke) {
    if (tells(Lie::outcomes)) revoke.holder_is_done = !revoke.holder_is_done;
    mistake(revoke.lease);
  }

  // --- master to master ---
  void bend(wire::Request& request) {
    for (wire::Want& want : request.wants) {
      if (tells(Lie::ids)) want.vm = any_vm();
      if (tells(Lie::addresses)) want.from = anyone().id;
      if (tells(Lie::room)) scale(want.load);
    }
    leap(request.number);
  }
  void bend(wire::RequestAnswer& answer) {
    if (tells(Lie::room)) {
      for (const wire::Refusal& refusal : std::exchange(answer.refusals, {})) {
        const Party& target = anyone();
        answer.grants.push_back(
            {refusal.vm, a_lease(), target.id, target.endpoint, {}, target.id.str()});
      }
      for (Resources& hole : answer.holes) scale(hole);
    }
    for (wire::Grant& grant : answer.grants) {
      if (tells(Lie::addresses)) grant.target = anyone().id;
      if (tells(Lie::addresses)) grant.target_endpoint = anyone().endpoint;
      mistake(grant.lease);
    }
  }
  void bend(wire::Release& release) { mistake(release.lease); }
  void bend(wire::SwapBack& back) {
    if (tells(Lie::addresses)) back.target = anyone().id;
    mistake(back.lease);
    mistake(back.back);
  }
  void bend(wire::SwapOver& over) { mistake(over.lease); }
  void bend(wire::Proposal& proposal) {
    for (wire::ProposedMove& move : proposal.moves) {
      if (tells(Lie::ids)) move.vm = any_vm();
      if (tells(Lie::addresses)) move.to = anyone().id;
      if (tells(Lie::room)) move.heat = limits::heat_max * random_.unit();
    }
    leap(proposal.stamp);
    leap(proposal.number);
  }
  void bend(wire::Verdict& verdict) {
    for (wire::MoveVerdict& move : verdict.moves) {
      if (!tells(Lie::outcomes)) continue;
      move.conflict = static_cast<wire::Conflict>(random_.below(6));
      move.wait = duration_of_seconds(random_.between(0, limits::rest_s_max));
    }
    leap(verdict.stamp);
  }
  void bend(wire::Gossip& gossip) { bend(gossip.items); }
  void bend(wire::Pulled& pulled) { bend(pulled.items); }
  void bend(wire::NeighborAnswer& answer) { bend(answer.others); }
  void bend(wire::Disconnect& disconnect) { bend(disconnect.others); }
  void bend(wire::Shuffle& shuffle) { bend(shuffle.others); }
  void bend(wire::ShuffleAnswer& answer) { bend(answer.others); }

  // --- datagrams ---
  void bend(wire::Seek& seek) {
    if (tells(Lie::ids)) seek.seeker = anyone().id;
  }
  // Its mac proves who speaks, not that what he says is true.
  void bend(wire::Offer& offer) {
    if (tells(Lie::addresses)) offer.master.endpoint = anyone().endpoint;
    if (tells(Lie::room)) offer.free_places = UINT16_MAX;
  }
  void bend(wire::Hello& hello) {
    if (tells(Lie::addresses)) hello.master = a_peer();
  }

  // Something that nobody has asked for.
  wire::Body make_up(std::uint32_t to, const LeaseId& lease) {
    const Epoch epoch = insight_.epoch(to);
    const Party& other = random_.chance(0.5) ? parties_[self_] : anyone();
    switch (random_.below(16)) {
      case 0:
        return wire::Order{lease, epoch, a_vm_of(to), other.id, other.endpoint, "", other.id.str()};
      case 1: return wire::Outcome{lease, any_vm(), wire::OutcomeKind::arrived, a_leap(), ""};
      case 2: return wire::Outcome{lease, any_vm(), wire::OutcomeKind::failed, 0, "it failed"};
      case 3: return wire::LeaseTell{lease, epoch, any_vm(), other.id, other.endpoint, a_load()};
      case 4: return wire::LeaseRevoke{lease, any_vm(), true};
      case 5: return wire::LeaseState{lease, wire::LeasePhase::absent, a_leap(), ""};
      case 6: return wire::LeaseState{lease, wire::LeasePhase::arrived, 0, ""};
      case 7: return wire::Begin{lease, any_vm(), a_load()};
      case 8: return wire::BeginAnswer{lease, true, "", other.migration_uri};
      case 9: return wire::Settle{lease, any_vm()};
      case 10: return wire::SettleAnswer{lease, any_vm(), Presence::absent, {}};
      case 11: return wire::Release{lease};
      case 12: return wire::SwapOver{lease, "it is over"};
      case 13: return wire::Dismiss{epoch, "go"};
      case 14: return wire::LeaveAck{epoch};
      default: return wire::OutcomeAck{lease, wire::OutcomeKind::arrived};
    }
  }
  const Party& anyone() { return parties_[any_index()]; }
  // Who has promised the room, or anyone.
  std::uint32_t whom_to_tell_of(const LeaseId& lease) {
    if (random_.chance(0.5)) {
      for (const std::uint32_t leader : leaders_)
        if (parties_[leader].id == lease.grantor) return leader;
    }
    return any_index();
  }
  LeaseId a_lease() {
    if (!leases_.empty() && random_.chance(0.5)) return leases_[random_.below(leases_.size())];
    const NodeId grantor =
        random_.chance(0.7) ? parties_[leaders_[self_]].id : parties_[leaders_[any_index()]].id;
    return {grantor, 1 + random_.below(2), 1 + random_.below(number_max)};
  }
  std::uint32_t any_index() { return static_cast<std::uint32_t>(random_.below(parties_.size())); }

 private:
  bool is_about(Lie lie) const { return (about_ & bit_of(lie)) != 0; }
  bool tells(Lie lie) { return is_about(lie) && random_.chance(bent_share); }

  VmId any_vm() { return trace_.vms[random_.below(trace_.vms.size())].id; }
  wire::HostFacts my_facts() const {
    wire::HostFacts facts{trace_.hosts[self_].capacity, trace_.thresholds,
                          parties_[self_].endpoint};
    facts.hypervisor = parties_[self_].id.str();
    return facts;
  }
  // That runs there, or did in the beginning.
  VmId a_vm_of(std::uint32_t host) {
    std::vector<VmId> there;
    for (const TraceVm& vm : trace_.vms)
      if (vm.host == host) there.push_back(vm.id);
    return there.empty() ? any_vm() : there[random_.below(there.size())];
  }
  // Its own, that of the one whose part it plays, or any.
  const Party& a_place() {
    return random_.chance(0.4)   ? parties_[pretends_]
           : random_.chance(0.5) ? parties_[self_]
                                 : anyone();
  }
  std::uint64_t a_leap() { return leaps[random_.below(leaps.size())]; }
  double factor() { return random_.chance(0.2) ? 0 : random_.between(0.05, 8); }
  void scale(Resources& load) {
    for (const Resource r : all_resources)
      if (load[r] != unlimited) load[r] *= factor();
  }
  Resources a_load() {
    Resources load = trace_.hosts[self_].capacity;
    for (const Resource r : all_resources) load[r] = load[r] == unlimited ? 0 : load[r] / 8;
    return load;
  }
  wire::Peer a_peer() { return {anyone().id, anyone().endpoint, anyone().feed}; }

  void mistake(LeaseId& lease) {
    if (tells(Lie::leases)) lease = a_lease();
  }
  // Seldom: a node that does nothing else is soon believed nothing.
  void leap(std::uint64_t& stamp) {
    if (tells(Lie::stamps) && random_.chance(0.1)) stamp = a_leap();
  }
  void claim(wire::HostReport& report, const VmId& vm, Presence presence) {
    wire::VmReport claimed;
    claimed.vm.id = vm;
    claimed.vm.load = a_load();
    claimed.vm.presence = presence;
    const bool has = std::any_of(report.vms.begin(), report.vms.end(),
                                 [&](const auto& known) { return known.vm.id == vm; });
    if (!has) report.vms.push_back(std::move(claimed));
  }
  void bend(std::vector<wire::Peer>& others) {
    for (wire::Peer& other : others)
      if (tells(Lie::addresses)) other = a_peer();
  }
  // Only its own word: those of others are signed.
  void bend(std::vector<wire::ItemPtr>& items) {
    for (wire::ItemPtr& item : items) {
      if (item->origin() != parties_[self_].id) continue;
      wire::Summary summary = item->summary;
      std::uint64_t version = item->version;
      if (tells(Lie::room)) {
        scale(summary.spare);
        for (Resources& hole : summary.holes) scale(hole);
        summary.surplus_vms = static_cast<std::uint32_t>(random_.below(1000));
      }
      if (tells(Lie::addresses)) summary.self.endpoint = anyone().endpoint;
      if (tells(Lie::ids) && summary.plans.size() < limits::announced_max)
        summary.plans.push_back({any_vm(), anyone().id, anyone().id});
      if (tells(Lie::outcomes) && summary.suspicions.size() < limits::suspicions_max)
        summary.suspicions.push_back({parties_[leaders_[any_index()]].id, 1});
      // An operator at this very master could raise it by one: that is his to do.
      if (tells(Lie::stamps)) {
        summary.pause_stamp = a_leap();
        summary.paused = true;
        if (random_.chance(0.05)) version += 1U << 20U;
      }
      item = wire::make_item(item->incarnation, version, summary, signer_);
    }
  }

  const Trace& trace_;
  const std::vector<Party>& parties_;
  const std::vector<std::uint32_t>& leaders_;
  const Insight& insight_;
  const std::vector<LeaseId>& leases_;
  const wire::Signer& signer_;
  Random& random_;
  std::uint32_t self_;
  std::uint32_t pretends_;
  bool steadily_;
  std::uint32_t about_;
};

namespace {

bool is_well_formed(const wire::Message& message) {
  const std::string bytes = wire::encode(message);
  if (bytes.size() > limits::message_bytes_max) return false;
  const Result<wire::Message> read = wire::decode(bytes);
  return read.ok() && *read == message;
}

}  // namespace

const char* name_of(Lie lie) {
  switch (lie) {
    case Lie::reservations: return "reservations";
    case Lie::leases: return "leases";
    case Lie::ids: return "ids";
    case Lie::stamps: return "stamps";
    case Lie::addresses: return "addresses";
    case Lie::room: return "room";
    case Lie::outcomes: return "outcomes";
    case Lie::count: break;
  }
  return "nothing";
}

Liars::Liars(const Trace& trace, std::vector<Party> parties, std::vector<std::uint32_t> leaders,
             Insight insight, const wire::Signer& signer, std::uint64_t seed)
    : trace_(trace),
      parties_(std::move(parties)),
      leaders_(std::move(leaders)),
      insight_(std::move(insight)),
      signer_(signer),
      random_(seed) {}

Liars::Teller Liars::teller(std::uint32_t node) { return {*this, node}; }

std::string Liars::add(std::uint32_t node) {
  std::uint32_t& about = about_[node].about;
  // One of its own group: there its master sees it. Of others nobody knows (docs/safety.md).
  std::uint32_t last = leaders_[node];
  while (last + 1 < leaders_.size() && leaders_[last + 1] == leaders_[node]) ++last;
  about_[node].pretends =
      leaders_[node] + static_cast<std::uint32_t>(random_.below(last - leaders_[node] + 1));
  const std::uint64_t several = 1 + random_.below(3);
  for (std::uint64_t i = 0; i < several; ++i)
    about |= bit_of(static_cast<Lie>(random_.below(static_cast<std::uint64_t>(Lie::count))));
  about_[node].steadily = random_.chance(0.5);
  std::string told;
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(Lie::count); ++i) {
    const auto lie = static_cast<Lie>(i);
    if ((about & bit_of(lie)) != 0) told += (told.empty() ? "" : ", ") + std::string(name_of(lie));
  }
  return told;
}

void Liars::bend(std::uint32_t node, wire::Message& message) {
  wire::Message bent = message;
  Teller one = teller(node);
  std::visit([&](auto& body) { one.bend(body); }, bent.body);
  if (is_well_formed(bent)) message = std::move(bent);
}

void Liars::bend(std::uint32_t node, wire::BeaconSend& beacon) {
  Teller one = teller(node);
  std::visit([&](auto& body) { one.bend(body); }, beacon.body);
}

std::vector<wire::Envelope> Liars::invent(std::uint32_t node, const wire::Header& header) {
  std::vector<wire::Envelope> said;
  if (!random_.chance(invented_share)) return said;
  leases_ = insight_.leases();
  Teller one = teller(node);
  for (std::size_t left = 1 + random_.below(invented_max); left > 0; --left) {
    const LeaseId lease = one.a_lease();
    const std::uint32_t to = one.whom_to_tell_of(lease);
    if (to == node) continue;
    wire::Envelope envelope{
        parties_[to].id, parties_[to].endpoint, {header, one.make_up(to, lease)}};
    if (is_well_formed(envelope.message)) said.push_back(std::move(envelope));
  }
  return said;
}

}  // namespace ballast::world

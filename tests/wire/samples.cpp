#include "samples.h"

#include <utility>

#include "ballast/base/limits.h"

namespace ballast::wire {
namespace {

std::string text(Random& random, std::size_t bytes_max) {
  static const std::string letters = "abcXYZ019 .:/-_#%\"'";
  std::string out;
  if (random.chance(0.3)) return out;
  const std::size_t size = random.chance(0.1) ? bytes_max : random.below(40);
  while (out.size() < size) {
    if (random.chance(0.05) && out.size() + 3 <= size) {
      out += "\xE2\x82\xAC";
    } else {
      out += letters[random.below(letters.size())];
    }
  }
  return cleaned_text(out, bytes_max);
}

std::string id(Random& random) {
  const std::string tail = text(random, limits::id_bytes_max - 8);
  return "n" + std::to_string(random.below(1'000'000)) + tail;
}

std::uint64_t whole(Random& random) { return random.next() >> random.below(64); }

double real(Random& random, double largest) {
  if (random.chance(0.2)) return 0;
  if (random.chance(0.1)) return largest;
  return random.between(0, largest);
}

Epoch epoch(Random& random) { return {whole(random), whole(random)}; }
LeaseId lease(Random& random) { return {NodeId(id(random)), whole(random), whole(random)}; }

Resources load(Random& random) {
  return {real(random, limits::cpu_mhz_max), real(random, limits::memory_mib_max),
          real(random, limits::network_mbit_max)};
}

HostFacts facts(Random& random) {
  HostFacts facts;
  facts.capacity = load(random);
  if (random.chance(0.3)) facts.capacity.network_mbit = unlimited;
  for (const Resource r : all_resources) facts.thresholds[r] = random.between(0.001, 1.0);
  facts.endpoint = text(random, limits::endpoint_bytes_max);
  facts.automatic = random.chance(0.5);
  facts.hypervisor = text(random, limits::id_bytes_max);
  facts.environment = text(random, limits::id_bytes_max);
  return facts;
}

template <class Choice>
Choice choice(Random& random, Choice last) {
  return static_cast<Choice>(random.below(static_cast<std::uint64_t>(last) + 1));
}

HostReport report(Random& random) {
  HostReport report;
  report.base = load(random);
  report.cpu_used_mhz = real(random, limits::cpu_mhz_max);
  report.memory_free_mib = real(random, limits::memory_mib_max);
  report.maintenance = random.chance(0.5);
  report.over_samples = static_cast<std::uint32_t>(random.next());
  report.passes_in = Duration(static_cast<std::int64_t>(random.below(1ULL << 44U)));
  report.distrust = text(random, limits::text_bytes_max);
  for (std::size_t i = random.below(20); i > 0; --i) {
    VmReport& item = report.vms.emplace_back();
    item.vm.id = VmId(std::to_string(i) + "-" + id(random));
    if (item.vm.id.str().size() > limits::id_bytes_max) item.vm.id = VmId(std::to_string(i));
    item.vm.presence = choice(random, Presence::unknown);
    item.vm.load = load(random);
    item.vm.movable = random.chance(0.5);
    item.vm.immovable_reason = text(random, limits::vm_text_bytes_max);
    item.vm.dirty_rate_mib_s = real(random, limits::dirty_rate_mib_s_max);
    item.rest = Duration(static_cast<std::int64_t>(random.below(1ULL << 44U)));
    item.swing = load(random);
  }
  for (std::size_t i = random.below(4); i > 0; --i) {
    Job& job = report.jobs.emplace_back();
    if (random.chance(0.5)) job.lease = lease(random);
    job.vm = VmId(id(random));
    if (random.chance(0.5)) job.target = NodeId(id(random));
  }
  for (std::size_t i = random.below(4); i > 0; --i) {
    report.reservations.push_back(
        {lease(random), VmId(id(random)), NodeId(id(random)), load(random)});
  }
  return report;
}

void fill(Random& random, Attach& body) {
  body = {facts(random), report(random), whole(random), {}};
  if (random.chance(0.5)) body.previous = NodeId(id(random));
}
void fill(Random& random, Leave& body) {
  body = {epoch(random), text(random, limits::text_bytes_max)};
}
void fill(Random& random, ReportAsk& body) { body = {epoch(random)}; }
void fill(Random& random, LeaveAck& body) { body = {epoch(random)}; }
void fill(Random& random, AttachAnswer& body) {
  body = {epoch(random), random.chance(0.5), text(random, limits::text_bytes_max)};
}
void fill(Random& random, Report& body) {
  body.sequence = whole(random);
  if (random.chance(0.5)) body.facts = facts(random);
  body.report = report(random);
}
void fill(Random& random, ReportAck& body) { body = {epoch(random), whole(random)}; }
void fill(Random& random, Order& body) {
  body = {lease(random),
          epoch(random),
          VmId(id(random)),
          NodeId(id(random)),
          text(random, limits::endpoint_bytes_max),
          text(random, limits::text_bytes_max),
          text(random, limits::id_bytes_max)};
}
void fill(Random& random, Outcome& body) {
  body = {lease(random),
          VmId(id(random)),
          choice(random, OutcomeKind::unknown),
          whole(random),
          text(random, limits::text_bytes_max),
          choice(random, FaultOf::pair)};
}
void fill(Random& random, OutcomeAck& body) {
  body = {lease(random), choice(random, OutcomeKind::unknown)};
}
void fill(Random& random, LeaseTell& body) {
  body = {lease(random),
          epoch(random),
          VmId(id(random)),
          NodeId(id(random)),
          text(random, limits::endpoint_bytes_max),
          load(random)};
}
void fill(Random& random, LeaseRevoke& body) {
  body = {lease(random), VmId(id(random)), random.chance(0.5), random.chance(0.5)};
}
void fill(Random& random, LeaseState& body) {
  body = {lease(random), choice(random, LeasePhase::absent), whole(random),
          text(random, limits::text_bytes_max)};
}
void fill(Random& random, LeaseStateAck& body) {
  body = {lease(random), choice(random, LeasePhase::absent)};
}
void fill(Random& random, Begin& body) {
  body = {lease(random), VmId(id(random)), load(random), random.chance(0.5), load(random)};
}
void fill(Random& random, BeginAnswer& body) {
  body = {lease(random), random.chance(0.5), text(random, limits::text_bytes_max),
          text(random, limits::endpoint_bytes_max)};
}
void fill(Random& random, Settle& body) {
  body = {lease(random), VmId(id(random)), random.chance(0.5)};
}
void fill(Random& random, SettleAnswer& body) {
  body = {lease(random), VmId(id(random)), choice(random, Presence::unknown),
          text(random, limits::text_bytes_max)};
}

std::string random_uuid_or_id(Random& random) {
  if (random.chance(0.3)) return id(random);
  char uuid[40];
  std::snprintf(uuid, sizeof uuid, "%08x-5c1f-4c39-8f7e-%012x",
                static_cast<unsigned>(random.below(1ULL << 32U)),
                static_cast<unsigned>(random.below(1ULL << 32U)));
  return uuid;
}
Resources whole_load(Random& random) {
  Resources load;
  load.cpu_mhz = static_cast<double>(random.below(1'000'000));
  load.memory_mib = static_cast<double>(random.below(1'000'000));
  load.network_mbit = random.chance(0.3) ? unlimited : static_cast<double>(random.below(1'000'000));
  return load;
}
Peer peer(Random& random) {
  return {NodeId(random_uuid_or_id(random)), text(random, limits::endpoint_bytes_max),
          text(random, limits::endpoint_bytes_max)};
}
std::vector<Peer> peers(Random& random) {
  std::vector<Peer> list;
  for (std::size_t i = random.below(limits::peers_told_max + 1); i > 0; --i)
    list.push_back(peer(random));
  return list;
}

class NoSigner final : public Signer {
 public:
  Signature sign(std::string_view text) const override {
    Signature signature{};
    signature[0] = static_cast<std::uint8_t>(text.size());
    return signature;
  }
  bool verify(const NodeId&, std::string_view, const Signature&) const override { return true; }
};

std::vector<ItemPtr> items(Random& random) {
  std::vector<ItemPtr> list;
  for (std::size_t i = random.below(5); i > 0; --i) list.push_back(random_item(random));
  return list;
}
std::vector<DigestEntry> digest(Random& random) {
  std::vector<DigestEntry> list;
  for (std::size_t i = random.below(9); i > 0; --i)
    list.push_back({random.next(), whole(random), whole(random)});
  return list;
}
std::vector<Resources> holes(Random& random) {
  std::vector<Resources> list;
  for (std::size_t i = random.below(limits::summary_holes_max + 1); i > 0; --i)
    list.push_back(whole_load(random));
  return list;
}

void fill(Random& random, Gossip& body) { body = {items(random), digest(random)}; }
void fill(Random& random, Neighbor& body) {
  body = {peer(random), random.chance(0.5), random.chance(0.5)};
}
void fill(Random& random, NeighborAnswer& body) {
  body = {peer(random), random.chance(0.5), peers(random)};
}
void fill(Random& random, Disconnect& body) { body = {peers(random)}; }
void fill(Random& random, Shuffle& body) { body = {peer(random), peers(random)}; }
void fill(Random& random, ShuffleAnswer& body) { body = {peers(random)}; }
void fill(Random& random, Pull& body) { body = {digest(random)}; }
void fill(Random& random, Pulled& body) { body = {items(random)}; }
void fill(Random& random, Request& body) {
  body.number = whole(random);
  for (std::size_t i = random.below(limits::wants_max + 1); i > 0; --i) {
    Want& want = body.wants.emplace_back();
    want.vm = VmId("vm" + std::to_string(i));
    want.load = load(random);
    want.from = NodeId(id(random));
    want.from_endpoint = text(random, limits::endpoint_bytes_max);
    want.drain = random.chance(0.5);
    if (random.chance(0.5)) want.takes_back = whole_load(random);
    want.takes_back_first_mib = real(random, limits::memory_mib_max);
    for (std::size_t h = random.below(4); h > 0; --h) want.not_to.emplace_back(id(random));
    if (random.chance(0.5)) want.heat_max = real(random, limits::heat_max);
  }
}
void fill(Random& random, RequestAnswer& body) {
  body.number = whole(random);
  for (std::size_t i = random.below(limits::wants_max + 1); i > 0; --i) {
    Grant& grant = body.grants.emplace_back();
    grant = {VmId(id(random)),   lease(random),
             NodeId(id(random)), text(random, limits::endpoint_bytes_max),
             std::nullopt,       text(random, limits::id_bytes_max)};
    if (random.chance(0.5))
      grant.back = Counterpart{VmId(id(random)), load(random),
                               text(random, limits::endpoint_bytes_max), random.chance(0.5)};
  }
  for (std::size_t i = random.below(limits::wants_max + 1); i > 0; --i)
    body.refusals.push_back({VmId(id(random)), choice(random, RefusalReason::quiet),
                             Duration(static_cast<std::int64_t>(random.below(1ULL << 44U)))});
  body.holes = holes(random);
}
void fill(Random& random, Release& body) { body = {lease(random)}; }
void fill(Random& random, ReleaseAck& body) { body = {lease(random)}; }
void fill(Random& random, SwapBack& body) {
  body = {lease(random), lease(random), NodeId(id(random)),
          text(random, limits::endpoint_bytes_max), text(random, limits::id_bytes_max)};
}
void fill(Random& random, SwapOver& body) {
  body = {lease(random), text(random, limits::text_bytes_max)};
}
void fill(Random& random, SwapOverAck& body) { body = {lease(random)}; }
void fill(Random& random, Proposal& body) {
  body.number = whole(random);
  body.kind = choice(random, PlanKind::drain);
  body.rounds_lost = static_cast<std::uint32_t>(random.next());
  body.stamp = whole(random);
  for (std::size_t i = random.below(9); i > 0; --i)
    body.moves.push_back({lease(random), VmId(id(random)), NodeId(id(random)), epoch(random),
                          NodeId(id(random)), real(random, limits::heat_max)});
}
void fill(Random& random, Verdict& body) {
  body.number = whole(random);
  body.stamp = whole(random);
  for (std::size_t i = random.below(9); i > 0; --i)
    body.moves.push_back({lease(random), choice(random, Conflict::ping_pong),
                          Duration(static_cast<std::int64_t>(random.below(1ULL << 44U))),
                          text(random, limits::text_bytes_max)});
}
void fill(Random& random, Promote& body) {
  body = {peer(random), text(random, limits::text_bytes_max)};
}
void fill(Random& random, Inquiry& body) {
  body = {whole(random),
          choice(random, Subject::nodes),
          HostId(random.chance(0.5) ? id(random) : ""),
          VmId(random.chance(0.5) ? id(random) : ""),
          load(random),
          random.chance(0.5)};
}
void fill(Random& random, Reply& body) {
  body = {
      whole(random), choice(random, Answered::not_mine), text(random, limits::text_bytes_max), {}};
  for (std::size_t i = random.below(9); i > 0; --i)
    body.facts.push_back({text(random, limits::fact_kind_bytes_max),
                          Duration(static_cast<std::int64_t>(random.below(1ULL << 44U))),
                          VmId(random.chance(0.5) ? id(random) : ""),
                          HostId(random.chance(0.5) ? id(random) : ""),
                          NodeId(random.chance(0.5) ? id(random) : ""), load(random), load(random),
                          real(random, limits::heat_max), text(random, limits::text_bytes_max)});
}
void fill(Random&, Disbelief&) {}
void fill(Random& random, Alarms& body) {
  for (std::size_t i = random.below(limits::alarms_told_max + 1); i > 0; --i)
    body.notes.push_back({whole(random), random.chance(0.5),
                          Duration(static_cast<std::int64_t>(random.below(1ULL << 44U))),
                          text(random, limits::text_bytes_max)});
}
void fill(Random& random, Paused& body) { body = {epoch(random), random.chance(0.5)}; }
FleetRecordPtr fleet_record(Random& random, RecordKind kind) {
  FleetRecord record;
  record.kind = kind;
  record.generation = 1 + static_cast<std::uint32_t>(random.below(1U << 20U));
  if (kind != RecordKind::succession) record.node = NodeId(random_uuid_or_id(random));
  for (PublicKey* key : {&record.identity, &record.curve})
    for (std::uint8_t& byte : *key) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  record.may_lead = random.chance(0.5);
  record.serial = whole(random);
  record.issued_s = whole(random);
  for (std::uint8_t& byte : record.signature)
    byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  return std::make_shared<const FleetRecord>(std::move(record));
}
std::vector<FleetRecordPtr> fleet_records(Random& random) {
  std::vector<FleetRecordPtr> list;
  for (std::size_t i = random.below(5); i > 0; --i)
    list.push_back(fleet_record(random, choice(random, RecordKind::succession)));
  return list;
}
void fill(Random& random, Introduce& body) {
  body.certificate = fleet_record(random, RecordKind::certificate);
}
void fill(Random& random, FleetDigest& body) {
  body.generation = static_cast<std::uint32_t>(random.below(1U << 20U));
  body.hash = random.next();
  for (std::size_t i = random.chance(0.3) ? limits::fleet_buckets : 0; i > 0; --i)
    body.buckets.push_back(random.next());
  body.answer = random.chance(0.5);
}
void fill(Random& random, FleetRecords& body) { body.records = fleet_records(random); }
void fill(Random& random, JoinAsk& body) {
  body.invitation = random.next();
  body.node = NodeId(id(random));
  for (PublicKey* key : {&body.identity, &body.proof})
    for (std::uint8_t& byte : *key) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
}
void fill(Random& random, JoinAnswer& body) {
  body.refusal = text(random, limits::text_bytes_max);
  if (random.chance(0.5)) body.certificate.push_back(fleet_record(random, RecordKind::certificate));
  body.generation = static_cast<std::uint32_t>(random.below(1U << 20U));
  body.chain = fleet_records(random);
  body.others = fleet_records(random);
  body.master = NodeId(random.chance(0.5) ? id(random) : "");
  body.master_endpoint = text(random, limits::endpoint_bytes_max);
  body.mode = static_cast<std::uint32_t>(random.below(3));
  body.clock_s = whole(random);
}
void fill(Random& random, Drain& body) {
  body = {epoch(random), random.chance(0.5), text(random, limits::text_bytes_max)};
}
void fill(Random& random, Dismiss& body) {
  body = {epoch(random), text(random, limits::text_bytes_max)};
}

template <std::size_t... I>
Body random_body(Random& random, std::size_t index, std::index_sequence<I...>) {
  Body body;
  ((index == I ? fill(random, body.emplace<I>()) : void()), ...);
  return body;
}

}  // namespace

ItemPtr random_item(Random& random) {
  Summary summary;
  summary.self = peer(random);
  summary.hosts = static_cast<std::uint32_t>(random.below(5000));
  summary.surplus_vms = static_cast<std::uint32_t>(random.below(5000));
  summary.surplus = whole_load(random);
  summary.spare = whole_load(random);
  summary.holes = holes(random);
  for (std::size_t i = random.below(limits::suspicions_max + 1); i > 0; --i)
    summary.suspicions.push_back({NodeId(random_uuid_or_id(random)), whole(random)});
  for (std::size_t i = random.below(4); i > 0; --i)
    summary.plans.push_back({VmId(random_uuid_or_id(random)), NodeId(random_uuid_or_id(random)),
                             NodeId(random_uuid_or_id(random))});
  summary.pause_stamp = whole(random);
  summary.paused = random.chance(0.5);
  return make_item(whole(random), whole(random), summary, NoSigner());
}

Message random_message(Random& random, std::size_t index) {
  Message message;
  message.header = {id(random), NodeId(id(random)), epoch(random)};
  message.body = random_body(random, index, std::make_index_sequence<std::variant_size_v<Body>>());
  return message;
}

Message busy_report(std::size_t vms) {
  Random random(1);
  Report report;
  report.sequence = 41;
  report.report.base = {800, 4096, 0};
  for (std::size_t i = 0; i < vms; ++i) {
    // As long as a UUID, and as unordered.
    char uuid[40];
    std::snprintf(uuid, sizeof uuid, "%08x-5c1f-4c39-8f7e-%012x",
                  static_cast<unsigned>(random.below(1U << 31U)), static_cast<unsigned>(i));
    VmReport& item = report.report.vms.emplace_back();
    item.vm.id = VmId(uuid);
    item.vm.load = {random.between(0, 9000), random.between(512, 65536), random.between(0, 500)};
  }
  return {{"ballast", NodeId("3f2b8c1e-5c1f-4c39-8f7e-0a1b2c3d4e5f"), {7, 2}}, std::move(report)};
}

}  // namespace ballast::wire

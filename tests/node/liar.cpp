#include "liar.h"

#include <limits>

namespace ballast::test {

bool Liar::twist(wire::Envelope& envelope) {
  if (random_.chance(0.5)) return false;
  std::visit([&](auto& body) { lie(body); }, envelope.message.body);
  return true;
}

double Liar::absurd() {
  constexpr double figures[] = {0,
                                1,
                                1e-9,
                                500,
                                1e5,
                                1e9,
                                1e10,
                                1e300,
                                -1,
                                std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()};
  return figures[random_.below(std::size(figures))];
}

Resources Liar::absurd_load() { return {absurd(), absurd(), absurd()}; }

std::uint64_t Liar::absurd_number(std::uint64_t near) {
  switch (random_.below(5)) {
    case 0: return 0;
    case 1: return near + 1;
    case 2: return near + 1000;
    case 3: return std::numeric_limits<std::uint64_t>::max();
    default: return near;
  }
}

VmId Liar::some_vm() { return trace_->vms[random_.below(trace_->vms.size())].id; }
HostId Liar::some_host() { return trace_->hosts[random_.below(trace_->hosts.size())].id; }

// One of the first leases of the master in one of its first lives: mostly somebody else's.
LeaseId Liar::some_lease() {
  return LeaseId{trace_->hosts[0].id, 1 + random_.below(4), 1 + random_.below(30)};
}

void Liar::lie(wire::HostFacts& facts) {
  facts.capacity = absurd_load();
  if (random_.chance(0.3)) facts.thresholds = {absurd(), absurd(), absurd()};
  if (random_.chance(0.3)) facts.endpoint = "tcp://nowhere:1";
}

void Liar::lie(wire::HostReport& report) {
  switch (random_.below(8)) {
    case 0: report.base = absurd_load(); break;
    case 1: report.cpu_used_mhz = report.memory_free_mib = absurd(); break;
    case 2: report.maintenance = !report.maintenance; break;
    case 3: report.over_samples = static_cast<std::uint32_t>(random_.below(2) * 4000000000U); break;
    case 4:
      for (wire::VmReport& vm : report.vms) {
        vm.vm.load = absurd_load();
        vm.vm.presence = static_cast<Presence>(random_.below(6));
        vm.rest = duration_of_seconds(random_.between(0, 1e6));
      }
      break;
    case 5: {  // VMs of others, or its own not at all
      if (random_.chance(0.5)) report.vms.clear();
      wire::VmReport vm;
      vm.vm.id = some_vm();
      vm.vm.presence = static_cast<Presence>(random_.below(6));
      vm.vm.load = {random_.between(0, 20000), 2048, 10};
      report.vms.push_back(std::move(vm));
      break;
    }
    case 6:
      report.reservations.clear();
      for (std::uint64_t n = random_.below(10); n > 0; --n)
        report.reservations.push_back({some_lease(), some_vm(), some_host(), absurd_load()});
      break;
    default:
      report.jobs.clear();
      for (std::uint64_t n = random_.below(10); n > 0; --n)
        report.jobs.push_back({some_lease(), some_vm(), some_host()});
  }
}

void Liar::lie(wire::Attach& body) {
  if (random_.chance(0.3)) lie(body.facts);
  if (random_.chance(0.3)) body.sequence = absurd_number(body.sequence);
  lie(body.report);
}

void Liar::lie(wire::Report& body) {
  if (random_.chance(0.3)) lie(body.facts.emplace());
  if (random_.chance(0.3)) body.sequence = absurd_number(body.sequence);
  lie(body.report);
}

void Liar::lie(wire::Outcome& body) {
  body.kind = static_cast<wire::OutcomeKind>(random_.below(5));
  if (random_.chance(0.5)) body.lease = some_lease();
  body.sequence = absurd_number(body.sequence);
}

void Liar::lie(wire::LeaseState& body) {
  body.phase = static_cast<wire::LeasePhase>(random_.below(4));
  if (random_.chance(0.5)) body.lease = some_lease();
  body.sequence = absurd_number(body.sequence);
}

void Liar::lie(wire::Begin& body) {
  body.load = absurd_load();
  if (random_.chance(0.5)) body.lease = some_lease();
  if (random_.chance(0.3)) body.vm = some_vm();
}

void Liar::lie(wire::BeginAnswer& body) {
  body.yes = random_.chance(0.7);
  body.migration_uri = "model://" + some_host().str();
}

void Liar::lie(wire::SettleAnswer& body) {
  body.presence = static_cast<Presence>(random_.below(6));
}

}  // namespace ballast::test

// Every moment of a migration, disturbed in every way: the VM ends up running exactly once, where a
// real hypervisor would have it.
#include <doctest/doctest.h>

#include "simulated_fixture.h"

namespace ballast::simulated {
namespace {

constexpr std::array moments = {
    Moment::source_connected,   Moment::source_prepared,    Moment::source_copied,
    Moment::source_handed_over, Moment::source_finish_sent, Moment::source_heard,
    Moment::source_removed,     Moment::target_prepared,    Moment::target_asked_to_finish,
    Moment::target_started,     Moment::target_confirmed};

bool is_at_source(Moment moment) { return moment <= Moment::source_removed; }

// Whether the target runs the VM once all is settled; where it is open, either will do.
enum class Where : unsigned char { source, target, either };

Where expected(Moment moment, Interference with) {
  switch (moment) {
    case Moment::source_connected:
    case Moment::source_prepared:
    case Moment::source_copied:
    case Moment::source_handed_over:
    case Moment::target_prepared:
    case Moment::target_asked_to_finish: return Where::source;
    case Moment::source_finish_sent: return Where::either;
    case Moment::source_heard:
    case Moment::source_removed:
    case Moment::target_started:
    case Moment::target_confirmed: return Where::target;
  }
  (void)with;
  return Where::either;
}

void check_settled(Hosts& hosts, Where where) {
  CHECK(eventually([&] {
    return (hosts.presence(0, "v0") == Presence::running &&
            hosts.presence(1, "v0") == Presence::absent) ||
           (hosts.presence(0, "v0") == Presence::absent &&
            hosts.presence(1, "v0") == Presence::running);
  }));
  CHECK(hosts.running("v0") == 1);
  if (where != Where::either)
    CHECK(hosts.presence(1, "v0") ==
          (where == Where::target ? Presence::running : Presence::absent));
  // It is free to move again, so nobody is in doubt about it any more.
  const int here = hosts.presence(1, "v0") == Presence::running ? 1 : 0;
  CHECK(eventually([&] {
    for (const VmSample& vm : hosts.sample(here).vms)
      if (vm.id == VmId("v0")) return vm.movable;
    return false;
  }));
  hosts.migrate("v0", here, 2);
  const auto ended = hosts.next<MigrationEnded>(here);
  CHECK_MESSAGE(ended.ok, ended.detail);
  CHECK(hosts.running("v0") == 1);
}

}  // namespace

TEST_CASE("a step that fails or a connection that breaks, at every moment: one VM, once") {
  for (const bool persistent : {false, true})
    for (const Interference with : {Interference::error, Interference::cut})
      for (const Moment moment : moments) {
        CAPTURE(persistent);
        CAPTURE(std::string(name_of(moment)));
        CAPTURE(static_cast<int>(with));
        Hosts hosts(persistent);
        hosts[is_at_source(moment) ? 0 : 1].interfere(moment, with);
        hosts.migrate("v0", 0, 1);
        const auto ended = hosts.next<MigrationEnded>(0);
        const bool unharmed =
            moment == Moment::source_removed || moment == Moment::target_confirmed;
        CHECK(ended.ok == unharmed);
        CHECK(ended.detail.empty() == unharmed);
        check_settled(hosts, expected(moment, with));
      }
}

TEST_CASE("a host killed at every moment and started again from its state: one VM, once") {
  for (const Moment moment : moments) {
    CAPTURE(std::string(name_of(moment)));
    Hosts hosts(true);
    const int killed = is_at_source(moment) ? 0 : 1;
    hosts[killed].interfere(moment, Interference::die);
    hosts.migrate("v0", 0, 1);
    if (killed == 1)
      (void)hosts.next<MigrationEnded>(0);
    else
      REQUIRE(eventually([&] { return hosts[0].is_dead(); }));
    CHECK(hosts.running("v0") <= 1);
    hosts.end(killed);
    CHECK(hosts.running("v0") <= 1);
    hosts.start(killed);
    check_settled(hosts, expected(moment, Interference::die));
  }
}

TEST_CASE("a source killed without a state file takes the VM along, unless the target runs it") {
  for (const Moment moment : moments) {
    if (!is_at_source(moment) || moment == Moment::source_finish_sent) continue;
    CAPTURE(std::string(name_of(moment)));
    Hosts hosts(false);
    hosts[0].interfere(moment, Interference::die);
    hosts.migrate("v0", 0, 1);
    REQUIRE(eventually([&] { return hosts[0].is_dead(); }));
    hosts.end(0);
    const bool arrived = expected(moment, Interference::die) == Where::target;
    CHECK(hosts.becomes(1, "v0", arrived ? Presence::running : Presence::absent));
    if (!arrived) continue;
    CHECK(eventually([&] { return hosts.sample(1).vms.at(0).movable; }));
    hosts.migrate("v0", 1, 2);
    CHECK(hosts.next<MigrationEnded>(1).ok);
  }
}

TEST_CASE("a target killed without a state file never takes the VM along") {
  for (const Moment moment :
       {Moment::target_prepared, Moment::target_asked_to_finish, Moment::target_started}) {
    CAPTURE(std::string(name_of(moment)));
    Hosts hosts(false);
    hosts[1].interfere(moment, Interference::die);
    hosts.migrate("v0", 0, 1);
    CHECK_FALSE(hosts.next<MigrationEnded>(0).ok);
    hosts.end(1);
    CHECK(hosts.becomes(0, "v0", Presence::running));
  }
}

TEST_CASE("while the target cannot be asked, the source's copy stands still and says unknown") {
  Hosts hosts(true);
  hosts[1].interfere(Moment::target_started, Interference::hold);
  hosts.migrate("v0", 0, 1);
  REQUIRE(eventually([&] { return hosts[1].is_held(Moment::target_started); }));
  CHECK(hosts.presence(0, "v0") == Presence::outgoing);  // as long as the call is open
  hosts[0].set_reachable(false);
  hosts[1].kill();
  CHECK_FALSE(hosts.next<MigrationEnded>(0).ok);
  CHECK(hosts.presence(0, "v0") == Presence::unknown);
  CHECK(hosts[0].memory_used_mib() == 3072);
  hosts.end(1);
  hosts.start(1);
  CHECK(hosts.presence(0, "v0") == Presence::unknown);
  CHECK(hosts.presence(1, "v0") == Presence::running);
  REQUIRE(hosts.sample(1).vms.size() == 1);
  CHECK_FALSE(hosts.sample(1).vms[0].movable);
  hosts.migrate("v0", 1, 2);
  CHECK(hosts.next<MigrationEnded>(1).detail.find("not confirmed") != std::string::npos);
  hosts[0].set_reachable(true);
  CHECK(hosts.becomes(0, "v0", Presence::absent));
  CHECK(eventually([&] { return hosts.sample(1).vms.at(0).movable; }));
}

TEST_CASE("a host that finds a state file it cannot trust does not start") {
  Hosts hosts(true);
  hosts.migrate("v0", 0, 1);
  CHECK(hosts.next<MigrationEnded>(0).ok);
  const Options options = hosts.options(0);
  hosts.end(0);
  const auto text_of = [&] {
    std::ifstream file(options.state_file);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string good = text_of();
  const auto opens_with = [&](const std::string& text) {
    std::ofstream(options.state_file) << text;
    return SimulatedHypervisor::open(options).ok();
  };
  for (std::size_t length = 0; length < good.size() - 1; ++length) {
    CAPTURE(length);
    CHECK_FALSE(opens_with(good.substr(0, length)));
  }
  CHECK_FALSE(opens_with(good + good));
  CHECK_FALSE(opens_with(std::string(10000, 'x')));
  CHECK_FALSE(opens_with(std::string("\0\xff\n", 3)));
  std::string other = good;
  other.replace(other.find("h0"), 2, "h2");
  CHECK_FALSE(opens_with(other));
  CHECK(opens_with(good));
}

TEST_CASE("a host started again listens where it did, and holds what it held") {
  Hosts hosts(true);
  hosts.migrate("v0", 0, 1);
  CHECK(hosts.next<MigrationEnded>(0).ok);
  const std::string before = hosts.uri(1);
  hosts.end(1);
  hosts.start(1);
  CHECK(hosts.uri(1) == before);
  CHECK(hosts.presence(1, "v0") == Presence::running);
  hosts.end(0);
  hosts.start(0);
  CHECK(hosts.presence(0, "v0") == Presence::absent);
  CHECK(hosts.presence(0, "v1") == Presence::running);
}

}  // namespace ballast::simulated

// The ledger never promises room that is not there, whatever it is told and in whatever order.

#include "ballast/ledger/ledger.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/random.h"

namespace ballast::ledger {
namespace {

const HostId a("a");
const HostId b("b");

HostRoom room_of(double cpu_carried, double memory_carried) {
  return HostRoom{
      {10000, 10000, unlimited}, {cpu_carried, memory_carried, 0}, {0.8, 0.9, 0.8}, true};
}

Ask move(const char* vm, const HostId& from, const HostId& to, double cpu, double memory) {
  return Ask{VmId(vm), from, to, {cpu, memory, 0}};
}

TimePoint at(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

TEST_CASE("a promise takes room until its lease ends") {
  Ledger ledger(HostId("m"), 7);
  ledger.set_host(b, room_of(5000, 1000));
  const auto lease = ledger.promise(move("v", a, b, 2000, 500), at(60));
  REQUIRE(lease.ok());
  CHECK(lease->id == LeaseId{HostId("m"), 7, 1});
  CHECK(ledger.room(b).cpu_mhz == doctest::Approx(1000));
  CHECK(ledger.room(b).network_mbit == unlimited);
  CHECK_FALSE(ledger.promise(move("w", a, b, 1500, 1), at(60)).ok());
  ledger.end(lease->id);
  ledger.end(lease->id);
  CHECK(ledger.room(b).cpu_mhz == doctest::Approx(3000));
  CHECK(ledger.promise(move("w", a, b, 1500, 1), at(60)).ok());
}

TEST_CASE("a refusal names the host and the figure that forbids it") {
  Ledger ledger(HostId("m"), 1);
  ledger.set_host(b, room_of(7000, 1000));
  CHECK(ledger.promise(move("v", a, b, 2000, 1), at(1)).error().message ==
        "host 'b' would carry 9000 MHz of cpu, its limit is 8000");
  CHECK(ledger.promise(move("v", a, HostId("x"), 1, 1), at(1)).error().message ==
        "host 'x' is not in the group");
  CHECK(ledger.promise(move("v", a, b, 1, 1), at(1)).ok());
  CHECK(ledger.promise(move("v", a, b, 1, 1), at(1)).error().message ==
        "vm 'v' has a lease already");
}

TEST_CASE("both halves of a swap get room, or neither does") {
  Ledger ledger(HostId("m"), 1);
  ledger.set_host(a, room_of(9500, 5000));
  ledger.set_host(b, room_of(7000, 5000));
  const Ask light = move("light", b, a, 1000, 1000);
  const Ask heavy = move("heavy", a, b, 3000, 1000);
  CHECK_FALSE(ledger.promise_swap(light, heavy, at(60)).ok());  // b would carry 9000
  CHECK(ledger.leases().empty());
  const Ask lighter = move("light", b, a, 2000, 1000);
  const auto both = ledger.promise_swap(lighter, heavy, at(60));
  REQUIRE(both.ok());  // b ends at 8000, a at 8500: less than before
  CHECK(both->first.partner == both->second.id);
  CHECK(ledger.leases().size() == 2);
}

TEST_CASE("when the first half has left, the second no longer counts on it twice") {
  Ledger ledger(HostId("m"), 1);
  ledger.set_host(a, room_of(9500, 5000));
  ledger.set_host(b, room_of(7000, 5000));
  const auto both =
      ledger.promise_swap(move("light", b, a, 2000, 1000), move("heavy", a, b, 3000, 1000), at(60));
  REQUIRE(both.ok());
  CHECK(ledger.room(b).cpu_mhz == doctest::Approx(0));  // 7000 + 3000 - 2000
  ledger.set_host(b, room_of(5000, 4000));              // light has left
  ledger.departed(both->first.id);
  CHECK(ledger.room(b).cpu_mhz == doctest::Approx(0));  // 5000 + 3000
}

TEST_CASE("a lease that has begun does not expire; one that has not is revoked, not forgotten") {
  Ledger ledger(HostId("m"), 1);
  ledger.set_host(b, room_of(0, 0));
  const auto begun = ledger.promise(move("v", a, b, 100, 100), at(10));
  const auto idle = ledger.promise(move("w", a, b, 100, 100), at(10));
  ledger.begun(begun->id);
  CHECK(ledger.next_expiry() == at(10));
  CHECK(ledger.expire(at(9)).empty());
  const auto expired = ledger.expire(at(10));
  REQUIRE(expired.size() == 1);
  CHECK(expired[0].id == idle->id);
  CHECK(ledger.find(idle->id)->phase == Phase::revoking);
  CHECK(ledger.room(b).cpu_mhz == doctest::Approx(7800));
  CHECK(ledger.expire(at(1000)).empty());
}

TEST_CASE("what a target makes up holds nobody's room and stops nobody") {
  Ledger ledger(NodeId("m"), 3, 100);
  const HostRoom room{{10000, 10000, 10000}, {}, {1, 1, 1}, true};
  for (const char* host : {"a", "b", "c"}) ledger.set_host(HostId(host), room);
  const Lease real = *ledger.promise({VmId("v"), HostId("a"), HostId("b"), {1, 1, 1}}, time_never);
  const auto claim = [&](std::uint64_t incarnation, std::uint64_t number, const char* vm,
                         const char* to) {
    Lease lease;
    lease.id = {NodeId("m"), incarnation, number};
    lease.vm = VmId(vm);
    lease.from = HostId("a");
    lease.to = HostId(to);
    lease.load = {1, 1, 1};
    return ledger.adopt(lease);
  };
  CHECK_FALSE(claim(3, 101, "w", "c"));  // the next that we would give
  CHECK_FALSE(claim(3, 1U << 31U, "w", "c"));
  CHECK_FALSE(claim(3, 100, "v", "c"));  // ours, but to another host
  CHECK_FALSE(claim(3, 100, "w", "b"));  // ours, but for another VM
  CHECK(ledger.leases().size() == 1);
  CHECK(ledger.find(real.id)->phase == Phase::promised);
  // Of a life before anything may be true. It ends no promise, and there are not many.
  CHECK(claim(2, 1, "v", "c"));
  CHECK(ledger.find(real.id) != nullptr);
  CHECK(ledger.find(VmId("v"))->id == real.id);
  std::size_t taken = 1;
  for (std::uint64_t number = 2; number < 1000; ++number) taken += claim(2, number, "x", "c");
  CHECK(taken == limits::leases_per_host_max);
  CHECK(ledger.promise({VmId("u"), HostId("a"), HostId("b"), {1, 1, 1}}, time_never).ok());
}

TEST_CASE("a lease of a master before is adopted even where nothing would fit") {
  Ledger ledger(HostId("m"), 2);
  ledger.set_host(b, room_of(8000, 9500));
  Lease old;
  old.id = LeaseId{HostId("m"), 1, 9};
  old.vm = VmId("v");
  old.from = a;
  old.to = b;
  old.load = {1000, 1000, 0};
  ledger.adopt(old);
  ledger.adopt(old);
  CHECK(ledger.leases().size() == 1);
  CHECK(ledger.find(VmId("v"))->phase == Phase::begun);
}

// Every promise that is given leaves the host within its limits, and its memory within what it has.
TEST_CASE("property: no sequence of calls gets a promise beyond the room") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Ledger ledger(HostId("m"), 1);
    std::vector<HostId> hosts = {HostId("a"), HostId("b"), HostId("c")};
    std::map<HostId, HostRoom> rooms;
    for (const HostId& host : hosts) {
      rooms[host] = room_of(random.between(0, 7000), random.between(0, 8000));
      ledger.set_host(host, rooms[host]);
    }
    std::vector<LeaseId> given;
    for (int n = 0; n < 200; ++n) {
      const HostId from = hosts[random.below(3)];
      const HostId to = hosts[random.below(3)];
      if (from == to) continue;
      const std::string vm = "v" + std::to_string(random.below(30));
      const Ask ask = move(vm.c_str(), from, to, random.between(0, 2000), random.between(0, 2000));
      const auto action = random.below(5);
      if (action < 2) {
        if (const auto lease = ledger.promise(ask, at(n + 10)); lease.ok())
          given.push_back(lease->id);
      } else if (action == 2) {
        const Ask back = move("back", to, from, random.between(0, 2000), random.between(0, 2000));
        if (const auto both = ledger.promise_swap(ask, back, at(n + 10)); both.ok()) {
          given.push_back(both->first.id);
          given.push_back(both->second.id);
        }
      } else if (!given.empty()) {
        const LeaseId id = given[random.below(given.size())];
        if (action == 3) ledger.begun(id);
        if (action == 4) {
          const Lease* lease = ledger.find(id);
          if (lease != nullptr && lease->partner) ledger.end(LeaseId(*lease->partner));
          ledger.end(id);
        }
      }
      ledger.expire(at(n));
      for (const HostId& host : hosts) {
        Resources net = rooms[host].carried;
        for (const auto& [id, lease] : ledger.leases()) {
          if (lease.to != host) continue;
          for (const Resource r : all_resources)
            net[r] += std::max(0.0, lease.load[r] - lease.swapped_out[r]);
        }
        // A swap may leave a host over its limit that was over before, but never further over.
        CHECK(net.cpu_mhz <= std::max(8000.0, rooms[host].carried.cpu_mhz) + 1);
        CHECK(net.memory_mib <= std::max(9000.0, rooms[host].carried.memory_mib) + 1);
      }
    }
  }
}

}  // namespace
}  // namespace ballast::ledger

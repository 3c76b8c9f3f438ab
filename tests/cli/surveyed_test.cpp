// What several hosts say, put together: each host once, each VM once, groups as rules.
#include "surveyed.h"

#include <doctest/doctest.h>

#include "ballast/files/snapshot_reader.h"
#include "ballast/files/snapshot_writer.h"

namespace ballast::cli {
namespace {

using libvirt::Survey;

VmSample vm(const std::string& id, Presence presence = Presence::running) {
  VmSample sample;
  sample.id = VmId(id);
  sample.presence = presence;
  sample.load = {1000.5, 2048, 3};
  return sample;
}

Survey host(const std::string& name, const std::string& uuid, std::vector<VmSample> vms) {
  Survey survey;
  survey.host = name;
  survey.uuid = uuid;
  survey.sample.capacity = {10000, 65536, unlimited};
  survey.sample.base = {200, 1024, 0};
  survey.sample.vms = std::move(vms);
  return survey;
}

std::vector<std::string> host_ids(const Surveyed& found) {
  std::vector<std::string> ids;
  for (const Host& one : found.snapshot.hosts) ids.push_back(one.id.str());
  return ids;
}

TEST_CASE("a host that is silent is told, the others come, and the file can be read") {
  Survey second = host("h2.example.org", "b", {vm("db"), vm("web")});
  second.sample.vms[0].movable = false;
  second.sample.vms[0].immovable_reason = "hostdev: a pci device is \"passed\" through";
  second.rules = {{VmId("web"), {"pair"}, {}, {HostId("h2")}}, {VmId("db"), {"pair"}, {}, {}}};
  const Surveyed found = join_surveys({{"qemu+ssh://h1/system", host("h1.example.org", "a", {})},
                                       {"qemu+ssh://h2/system", second},
                                       {"qemu+ssh://h3/system", Error{"refused"}}});
  CHECK(host_ids(found) == std::vector<std::string>{"h1", "h2"});
  CHECK(found.silent == std::vector<std::string>{"qemu+ssh://h3/system: refused"});
  REQUIRE(check(found.snapshot).ok());
  const std::string text = files::snapshot_json(found.snapshot, {"a \"note\"\n"});
  const Result<Snapshot> read = files::parse_snapshot(text, "t");
  REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message));
  CHECK(*read == found.snapshot);
  REQUIRE(read->rules.size() == 2);
  CHECK(read->rules[0] == Rule{RuleType::affinity, {0, 1}, {}});
  CHECK(read->rules[1] == Rule{RuleType::hosts, {1}, {1}});
}

TEST_CASE("the same host under two URIs counts once; two of one name are told apart") {
  const Surveyed found = join_surveys({{"qemu+ssh://10.0.0.1/system", host("kvm", "a", {vm("x")})},
                                       {"qemu+ssh://kvm.a/system", host("kvm", "a", {vm("x")})},
                                       {"qemu+ssh://10.0.0.2/system", host("kvm", "b", {})},
                                       {"qemu+ssh://s/system", host("s.a.org", "c", {})},
                                       {"qemu+ssh://t/system", host("s.b.org", "d", {})}});
  CHECK(host_ids(found) == std::vector<std::string>{"10.0.0.1", "10.0.0.2", "s.a.org", "s.b.org"});
  CHECK(found.snapshot.vms.size() == 1);
  REQUIRE(found.notes.size() == 1);
  CHECK(found.notes[0].find("is the same host as") != std::string::npos);
  CHECK(check(found.snapshot).ok());
}

TEST_CASE("a VM on its way counts where it runs; two of one name are both there, and one stays") {
  const Surveyed found =
      join_surveys({{"a", host("h1", "a", {vm("moving", Presence::outgoing), vm("twin")})},
                    {"b", host("h2", "b", {vm("moving", Presence::incoming), vm("twin")})}});
  REQUIRE(found.snapshot.vms.size() == 3);
  CHECK(found.snapshot.vms[0].id == VmId("moving"));
  CHECK(!found.snapshot.vms[0].movable);
  CHECK(found.snapshot.vms[1].movable);
  CHECK(found.snapshot.vms[2].id == VmId("twin on h2"));
  CHECK(!found.snapshot.vms[2].movable);
  CHECK(check(found.snapshot).ok());
}

TEST_CASE("a VM whose hosts are all elsewhere stays; what is missing everywhere is said once") {
  Survey first = host("h1", "a", {vm("v")});
  first.rules = {{VmId("v"), {}, {"alone"}, {HostId("h9")}}};
  first.missing = {"the network", "the clock"};
  Survey second = host("h2", "b", {});
  second.missing = {"the network"};
  const Surveyed found = join_surveys({{"a", first}, {"b", second}});
  CHECK(found.snapshot.rules.empty());
  CHECK(!found.snapshot.vms[0].movable);
  CHECK(found.notes == std::vector<std::string>{"every host: libvirt does not tell the network",
                                                "h1: libvirt does not tell the clock"});
}

}  // namespace
}  // namespace ballast::cli

// A host seen from afar: what libvirt alone tells, what it does not, and a libvirt that hangs.
#include "ballast/libvirt/survey.h"

#include <doctest/doctest.h>

#include "fake_libvirt.h"

namespace ballast::libvirt {
namespace {

const std::string afar = "qemu+ssh://h1/system";
constexpr Duration long_enough = std::chrono::seconds(30);

SurveyOptions quick() {
  SurveyOptions options;
  options.between_looks = Duration(0);
  return options;
}

std::unique_ptr<Surveyor> surveyor(const FakeHost& host, const std::string& uri = afar) {
  return std::make_unique<Surveyor>(uri, quick(), std::make_shared<FakeConnector>(host.libvirt));
}

Survey look(Surveyor& surveyor) {
  surveyor.begin();
  const auto found = surveyor.take(long_enough);
  REQUIRE(found);
  REQUIRE_MESSAGE(found->ok(), (found->ok() ? "" : found->error().message));
  return **found;
}

bool misses(const Survey& survey, const std::string& what) {
  for (const std::string& text : survey.missing)
    if (text.find(what) != std::string::npos) return true;
  return false;
}

TEST_CASE("capacity, own load, VMs and their rules come through libvirt alone") {
  FakeHost host;
  host.libvirt->change([](FakeLibvirt& all) {
    all.node.capabilities =
        "<capabilities><host><uuid>aa-bb</uuid><cpu><counter name='tsc' frequency='2500000000' "
        "scaling='no'/></cpu></host></capabilities>";
    all.counters.memory_total_mib = 16384;
    all.counters.memory_available_mib = 12288;
  });
  host.add(running("vm1"),
           plain_description("",
                             "<metadata><b:vm xmlns:b='urn:ballast' anti-affinity='db' "
                             "hosts='h1 h2'/></metadata>"));
  const Survey survey = look(*surveyor(host));
  CHECK(survey.host == "h1");
  CHECK(survey.uuid == "aa-bb");
  CHECK(survey.sample.capacity.cpu_mhz == doctest::Approx(4 * 2500));
  CHECK(survey.sample.capacity.network_mbit == unlimited);
  // A quarter of four CPUs is busy, and its one VM idles.
  CHECK(survey.sample.base.cpu_mhz == doctest::Approx(2500).epsilon(0.01));
  CHECK(survey.sample.base.memory_mib == doctest::Approx(16384 - 12288 - 600));
  REQUIRE(survey.sample.vms.size() == 1);
  CHECK(survey.sample.vms[0].movable);
  REQUIRE(survey.rules.size() == 1);
  CHECK(survey.rules[0].anti_affinity == std::vector<std::string>{"db"});
  CHECK(survey.rules[0].hosts == std::vector<HostId>{HostId("h1"), HostId("h2")});
  CHECK(misses(survey, "network"));
  CHECK(!misses(survey, "CPU"));
  CHECK(!misses(survey, "memory"));
}

TEST_CASE("what a driver does not tell is named, and stands for nothing") {
  FakeHost host;
  host.libvirt->change([](FakeLibvirt& all) { all.tells_counters = false; });
  host.add(running("vm1"));
  const Survey survey = look(*surveyor(host));
  CHECK(survey.sample.base == Resources{});
  CHECK(misses(survey, "its CPU use"));
  CHECK(misses(survey, "its memory in use"));
  CHECK(misses(survey, "2000 MHz"));
  CHECK(survey.sample.vms.size() == 1);
}

TEST_CASE("a file on another host may be shared or not: the VM stays unless the operator says so") {
  const std::string disk =
      "<disk type='file' device='disk'><driver type='qcow2' cache='none'/>"
      "<source file='/srv/images/a.qcow2'/><target dev='vda'/></disk>";
  FakeHost host;
  host.add(running("vm1"), plain_description(disk));
  const Survey unknown = look(*surveyor(host));
  CHECK(!unknown.sample.vms.at(0).movable);
  CHECK(misses(unknown, "/srv/images"));
  SurveyOptions told = quick();
  told.shared_paths = {"/srv"};
  Surveyor knowing(afar, told, std::make_shared<FakeConnector>(host.libvirt));
  const Survey known = look(knowing);
  CHECK(known.sample.vms.at(0).immovable_reason == "");
  CHECK(!misses(known, "/srv/images"));
}

TEST_CASE("a libvirt that hangs is not waited for, and answers when it can") {
  FakeHost host;
  host.libvirt->opens.shut();
  {
    // Left behind with its thread.
    const auto other = surveyor(host);
    other->begin();
    CHECK(eventually([&] { return host.libvirt->opens.is_waited_at(); }));
    CHECK(!other->take(Duration(0)));
  }
  const auto one = surveyor(host);
  one->begin();
  one->begin();
  CHECK(!one->take(Duration(0)));
  host.libvirt->opens.open();
  const auto found = one->take(long_enough);
  REQUIRE(found);
  CHECK(found->ok());
  // What is told once is taken once.
  CHECK(!one->take(Duration(0)));
}

TEST_CASE("a libvirt that refuses says so, and so does one that breaks in the midst") {
  FakeHost host;
  host.libvirt->change([](FakeLibvirt& all) { all.refuses_connections = true; });
  const auto one = surveyor(host);
  one->begin();
  const auto refused = one->take(long_enough);
  REQUIRE(refused);
  CHECK(refused->error().message.find("nobody listens") != std::string::npos);
  FakeHost broken;
  broken.libvirt->change([](FakeLibvirt& all) { all.broken_domains = "no such function"; });
  const auto other = surveyor(broken);
  other->begin();
  const auto failed = other->take(long_enough);
  REQUIRE(failed);
  CHECK(failed->error().message.find("no such function") != std::string::npos);
}

}  // namespace
}  // namespace ballast::libvirt

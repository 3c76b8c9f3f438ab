// A table of messages that somebody else might send us, each with the words that the error must
// hold: the field, what was found, what is expected.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <limits>

#include "ballast/base/limits.h"
#include "ballast/wire/codec.h"
#include "samples.h"

namespace ballast::wire {
namespace {

const Header header{"c", NodeId("a"), {1, 1}};

Report report_of_two() {
  Report report;
  report.report.vms.resize(2);
  report.report.vms[0].vm.id = VmId("v1");
  report.report.vms[1].vm.id = VmId("v2");
  return report;
}

using Change = std::function<void(Report&)>;

std::string error_after(const Change& change) {
  Report report = report_of_two();
  change(report);
  const Result<Message> message = decode(encode({header, report}));
  return message.ok() ? "no error" : message.error().message;
}

std::string error_of(const std::string& bytes) {
  const Result<Message> message = decode(bytes);
  return message.ok() ? "no error" : message.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// "[1, c, a, 1, 1, kind, ": what stands before a body.
std::string head(char kind) {
  return std::string(
             "\x97\x04\xA1"
             "c\xA1"
             "a\x01\x01",
             8) +
         kind;
}

}  // namespace

TEST_CASE("a value that makes no sense is refused with the name of its field") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const auto vm = [](Report& r) -> VmSample& { return r.report.vms[1].vm; };
  const struct {
    Change change;
    const char* expected;
  } cases[] = {
      {[](Report&) {}, "no error"},
      {[&](Report& r) { vm(r).load.cpu_mhz = nan; }, "Report: report.vms[1].load.cpu_mhz: found "},
      {[&](Report& r) { vm(r).load.cpu_mhz = infinite; }, "found inf, expected 0 to 1e+09"},
      {[&](Report& r) { vm(r).load.memory_mib = -1; }, "load.memory_mib: found -1, expected 0 to"},
      {[&](Report& r) { vm(r).load.memory_mib = 1e11; }, "load.memory_mib: found 1e+11"},
      {[&](Report& r) { vm(r).load.network_mbit = infinite; }, "load.network_mbit: found inf"},
      {[&](Report& r) { vm(r).dirty_rate_mib_s = 1e7; }, "dirty_rate_mib_s: found 10000000"},
      {[&](Report& r) { vm(r).id = VmId(""); }, "vms[1].id: found '', expected 1 to 128 bytes"},
      {[&](Report& r) { vm(r).id = VmId(std::string(200, 'x')); }, "(200 bytes), expected 1 to"},
      {[&](Report& r) { vm(r).id = VmId("a\x1B[31m"); }, "vms[1].id: found 'a?[31m'"},
      {[&](Report& r) { vm(r).id = VmId("\xC0\x80"); }, "vms[1].id: found '?\?'"},
      {[&](Report& r) { vm(r).id = VmId("v1"); },
       "report.vms: found 'v1' twice, expected each once"},
      {[&](Report& r) { vm(r).presence = static_cast<Presence>(6); },
       "presence: found 6, expected"},
      {[](Report& r) { r.report.vms[1].rest = std::chrono::hours(24 * 400); },
       "vms[1].rest: found"},
      {[](Report& r) { r.report.base.cpu_mhz = -0.5; }, "report.base.cpu_mhz: found -0.5"},
      {[](Report& r) { r.report.cpu_used_mhz = nan; }, "report.cpu_used_mhz: found"},
      {[](Report& r) { r.report.memory_free_mib = -3; }, "report.memory_free_mib: found -3"},
      {[](Report& r) { r.report.jobs.resize(1); }, "report.jobs[0].vm: found ''"},
      {[](Report& r) {
         r.report.jobs.assign(65, {std::nullopt, VmId("v"), {}});
       },
       "report.jobs: found 65 items"},
      {[](Report& r) { r.report.reservations.resize(1); },
       "report.reservations[0].lease.grantor: found ''"},
      {[](Report& r) { r.facts.emplace().thresholds.cpu = 0; }, "facts.thresholds.cpu: found 0"},
      {[](Report& r) { r.facts.emplace().thresholds.memory = 1.5; },
       "thresholds.memory: found 1.5"},
      {[](Report& r) { r.facts.emplace().capacity.cpu_mhz = 1e10; },
       "facts.capacity.cpu_mhz: found"},
      {[](Report& r) { r.facts.emplace().capacity.network_mbit = -infinite; },
       "facts.capacity.network_mbit: found -inf"},
  };
  for (const auto& one : cases) {
    const std::string found = error_after(one.change);
    CHECK_MESSAGE(holds(found, one.expected), found, " should hold: ", one.expected);
  }
}

TEST_CASE("bytes that are no message of ours are refused with what is wrong") {
  const struct {
    std::string bytes;
    const char* expected;
  } cases[] = {
      {"", "header: message: found the end of the message"},
      {"GET / HTTP/1.1\r\n\r\n", "header: message: found a whole number, expected an array"},
      {"\x80", "found a map, expected an array"},
      {"\xC1", "found binary data or an extension"},
      {"\x97\x01", "header: version: found 1, expected 4"},
      {"\x97\xA1v", "header: version: found a text, expected a whole number"},
      {"\x91\x04", "header: message: found 1 fields, expected 7"},
      {"\x97\x04\xA0", "header: cluster: found ''"},
      {"\x97\x04\xA1"
       "c\x93",
       "header: sender: found an array, expected a text"},
      {"\x97\x04\xA1"
       "c\xA1"
       "a\xFF\x01\x01",
       "header: incarnation: found a signed whole number"},
      {head('\x00') + "\x90", "header: kind: found 0, expected 1 to 48"},
      {head('\x31') + "\x90", "header: kind: found 49, expected 1 to 48"},
      {head('\x7F') + "\x90", "header: kind: found 127"},
      {head('\x04') + "\x93\x92\x01\x01\x01", "ReportAck: message: found 3 fields, expected 2"},
      {head('\x04') + "\x92\x91\x01", "ReportAck: slave_epoch: found 1 fields, expected 2"},
      {head('\x04') + "\x92\xC0\x01", "ReportAck: slave_epoch: found nil, expected an array"},
      {head('\x04') + "\x92\x92\x01\x01\xCA", "ReportAck: sequence: found a real number"},
      {head('\x0C') + "\x95\x93\xA1"
                      "g\x01\x01\xA1"
                      "v\x93\xC2\x01\x01",
       "Begin: load.cpu_mhz: found true or false, expected a number"},
      // A text of 4 GiB that is not there, and an array of 2^32-1 that is not there.
      {"\x97\x04\xDB\xFF\xFF\xFF\xFF", "header: cluster: found the end of the message"},
      {"\xDD\xFF\xFF\xFF\xFF\x04", "found 4294967295 fields, expected 7"},
  };
  for (const auto& one : cases) {
    const std::string found = error_of(one.bytes);
    CHECK_MESSAGE(holds(found, one.expected), found, " should hold: ", one.expected);
  }
}

TEST_CASE("nesting a million deep is refused at its first level") {
  const std::string deep(limits::message_bytes_max - 16, '\x91');
  CHECK(holds(error_of(deep), "version: found an array"));
  CHECK(holds(error_of(head('\x01') + deep), "Attach: message: found 1 fields"));
  const std::string over(limits::message_bytes_max + 1, '\x91');
  CHECK(holds(error_of(over), "message: found 1048577 bytes, expected at most 1048576"));
}

TEST_CASE("a list is refused when the bytes left cannot hold what it claims") {
  // A report up to its list of VMs, which claims 4096 of them in a few bytes.
  std::string bytes = encode({header, Report{}});
  const std::string tail = "\x90\x90\x90";  // no VMs, no jobs, no reservations
  REQUIRE(bytes.substr(bytes.size() - 3) == tail);
  bytes.replace(bytes.size() - 3, 1, std::string("\xDC\x10\x00", 3));
  CHECK(holds(error_of(bytes), "report.vms: found 4096 items in 2 bytes"));
}

}  // namespace ballast::wire

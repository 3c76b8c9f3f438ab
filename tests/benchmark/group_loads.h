// The slaves of a large group as their messages: every tenth host over its threshold, the others
// half full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ballast/base/random.h"
#include "ballast/wire/messages.h"

namespace ballast::benchmark {

class GroupLoads {
 public:
  static constexpr const char* cluster = "bench";

  GroupLoads(std::size_t slaves, std::size_t vms) : slaves_(slaves), vms_(vms) {}

  std::size_t slaves() const { return slaves_; }
  std::size_t hot() const { return (slaves_ + 9) / 10; }
  NodeId id(std::size_t slave) const { return NodeId("slave-" + std::to_string(slave)); }

  wire::HostFacts facts() const {
    wire::HostFacts facts;
    facts.capacity = {80'000, 262'144, 10'000};
    facts.endpoint = "tcp://127.0.0.1:1";
    return facts;
  }

  wire::HostReport report(std::size_t slave) const {
    Random random(slave + 1);
    wire::HostReport report;
    report.base = {800, 4096, 0};
    report.memory_free_mib = 100'000;
    const double share = slave % 10 == 0 ? 0.92 : random.between(0.4, 0.6);
    const double each = 80'000 * share / static_cast<double>(vms_);
    for (std::size_t i = 0; i < vms_; ++i) {
      // As long as a UUID.
      char uuid[40];
      std::snprintf(uuid, sizeof uuid, "%08x-5c1f-4c39-8f7e-%012x",
                    static_cast<unsigned>(random.below(1U << 31U)),
                    static_cast<unsigned>(slave * vms_ + i));
      wire::VmReport& item = report.vms.emplace_back();
      item.vm.id = VmId(uuid);
      // In pairs around the mean, so that the sum is what it is to be.
      const double off = i % 2 == 0 && i + 1 == vms_ ? 0 : (i % 2 == 0 ? 0.3 : -0.3);
      item.vm.load = {each * (1 + off), 4096, 20};
    }
    for (const wire::VmReport& item : report.vms) report.cpu_used_mhz += item.vm.load.cpu_mhz;
    report.cpu_used_mhz += report.base.cpu_mhz;
    return report;
  }

  wire::Message attach_message(std::size_t slave) const {
    wire::Attach attach;
    attach.facts = facts();
    attach.report = report(slave);
    attach.sequence = 1;
    return {header(slave), std::move(attach)};
  }

  // `over`: samples in a row in which a hot host was over its threshold.
  wire::Message report_message(std::size_t slave, std::uint32_t over,
                               std::uint64_t sequence = 2) const {
    wire::Report told;
    told.report = report(slave);
    told.report.over_samples = slave % 10 == 0 ? over : 0;
    told.sequence = sequence;
    return {header(slave), std::move(told)};
  }

 private:
  wire::Header header(std::size_t slave) const { return {cluster, id(slave), {1, 1}}; }

  std::size_t slaves_;
  std::size_t vms_;
};

}  // namespace ballast::benchmark

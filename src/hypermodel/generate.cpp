// Loads are drawn first, as shapes without a scale: a daily wave, slow noise, short bursts. Then
// each hot host is scaled to its peak, and the others together to what the group has left, so that
// the promise of the header holds by construction whatever was drawn.
#include "ballast/hypermodel/generate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "ballast/base/assert.h"
#include "ballast/base/random.h"

namespace ballast::hypermodel {
namespace {

using Series = std::vector<double>;

// A share of the group's peak, and of one host, that scaling keeps below.
constexpr double hot_part_max = 0.85;
constexpr double cool_host_share_max = 0.65;

std::string numbered(char letter, int digits, std::size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%c%0*zu", letter, digits, number);
  return text;
}

// One VM's day without a scale: between 0.3 and about 2, highest around `peak` (share of a day).
Series draw_day(Random& random, std::size_t intervals, double days_per_interval, double peak) {
  Series day(intervals);
  const double weight = random.between(0.5, 1.5);
  double drift = 0;
  std::size_t burst_left = 0;
  for (std::size_t i = 0; i < intervals; ++i) {
    const double angle = 2 * std::numbers::pi * (static_cast<double>(i) * days_per_interval - peak);
    const double wave = 0.35 + 0.65 * 0.5 * (1 + std::cos(angle));
    drift = 0.9 * drift + random.between(-0.06, 0.06);
    if (burst_left > 0)
      --burst_left;
    else if (random.chance(0.005))
      burst_left = 1 + random.below(4);
    day[i] = weight * std::max(0.1, wave + drift) * (burst_left > 0 ? 1.4 : 1.0);
  }
  return day;
}

struct Plan {
  std::vector<std::size_t> hosts;  // of the trace, hot ones first
  std::size_t hot = 0;
};

class Maker {
 public:
  explicit Maker(const DayShape& shape)
      : shape_(shape),
        random_(shape.seed),
        intervals_(
            static_cast<std::size_t>(std::max<Duration::rep>(1, shape.length / shape.interval))),
        days_per_interval_(seconds_of(shape.interval) / 86400.0) {}

  Trace make() {
    trace_.interval = shape_.interval;
    for (std::size_t h = 0; h < shape_.hosts; ++h)
      trace_.hosts.push_back({HostId(numbered('h', 3, h)),
                              shape_.host_capacity,
                              "g" + std::to_string(h % shape_.groups),
                              {}});
    for (std::size_t g = 0; g < shape_.groups; ++g) make_group(g);
    return std::move(trace_);
  }

 private:
  void make_group(std::size_t group) {
    Plan plan;
    for (std::size_t h = group; h < shape_.hosts; h += shape_.groups) plan.hosts.push_back(h);
    const auto count = static_cast<double>(plan.hosts.size());
    if (plan.hosts.size() > 1)
      plan.hot = std::max<std::size_t>(1, static_cast<std::size_t>(shape_.hot_share * count));
    // Which hosts are hot is drawn, so that it cannot be read off their names.
    for (std::size_t i = plan.hosts.size(); i > 1; --i)
      std::swap(plan.hosts[i - 1], plan.hosts[random_.below(i)]);

    std::vector<std::vector<Series>> days(plan.hosts.size());
    const std::size_t vms =
        shape_.vms / shape_.groups + (group < shape_.vms % shape_.groups ? 1 : 0);
    deal(plan, vms, days);
    scale(plan, days);
    for (std::size_t i = 0; i < days.size(); ++i)
      for (const Series& day : days[i]) add_vm(plan.hosts[i], days[i].size(), day);
  }

  // Hot hosts hold a third more VMs than the others, and peak one after the other over the day,
  // the first near its begin.
  void deal(const Plan& plan, std::size_t vms, std::vector<std::vector<Series>>& days) {
    const std::size_t cool = plan.hosts.size() - plan.hot;
    const auto hot_vms = static_cast<std::size_t>(
        static_cast<double>(vms) * 1.33 /
        (1.33 * static_cast<double>(plan.hot) + static_cast<double>(cool)));
    std::size_t dealt = 0;
    for (std::size_t i = 0; i < plan.hot; ++i) {
      const double peak = 0.04 + 0.6 * static_cast<double>(i) / static_cast<double>(plan.hot);
      for (std::size_t k = 0; k < hot_vms; ++k, ++dealt)
        days[i].push_back(
            draw_day(random_, intervals_, days_per_interval_, peak + random_.between(-0.04, 0.04)));
    }
    for (std::size_t k = 0; dealt < vms; ++k, ++dealt)
      days[plan.hot + k % cool].push_back(
          draw_day(random_, intervals_, days_per_interval_, random_.unit()));
  }

  void scale(const Plan& plan, std::vector<std::vector<Series>>& days) {
    const double host_mhz = shape_.host_capacity.cpu_mhz;
    const double group_mhz = shape_.peak_share * host_mhz * static_cast<double>(plan.hosts.size());
    const double hot_mhz_max =
        hot_part_max * group_mhz / static_cast<double>(std::max<std::size_t>(1, plan.hot));
    Series hot_sum(intervals_, 0.0);
    Series cool_sum(intervals_, 0.0);
    double cool_host_max = 0;
    for (std::size_t i = 0; i < days.size(); ++i) {
      if (i < plan.hot) {
        const double peak = std::min(random_.between(1.0, 1.2) * host_mhz, hot_mhz_max);
        multiply(days[i], peak / std::max(1e-9, peak_of(days[i])));
      } else {
        cool_host_max = std::max(cool_host_max, peak_of(days[i]));
      }
      add_to(i < plan.hot ? hot_sum : cool_sum, days[i]);
    }
    double factor = cool_host_share_max * host_mhz / std::max(1e-9, cool_host_max);
    for (std::size_t t = 0; t < intervals_; ++t)
      factor = std::min(factor, (group_mhz - hot_sum[t]) / std::max(1e-9, cool_sum[t]));
    for (std::size_t i = plan.hot; i < days.size(); ++i) multiply(days[i], factor);
  }

  static void multiply(std::vector<Series>& days, double factor) {
    for (Series& day : days)
      for (double& value : day) value *= factor;
  }
  static void add_to(Series& sum, const std::vector<Series>& days) {
    for (const Series& day : days)
      for (std::size_t t = 0; t < day.size(); ++t) sum[t] += day[t];
  }
  double peak_of(const std::vector<Series>& days) const {
    Series sum(intervals_, 0.0);
    add_to(sum, days);
    return *std::max_element(sum.begin(), sum.end());
  }

  // Memory and network: half of the host's at most, all its VMs together.
  void add_vm(std::size_t host, std::size_t neighbours, const Series& day) {
    const double share = 0.5 / static_cast<double>(neighbours);
    const double memory_max = std::min(8192.0, shape_.host_capacity.memory_mib * share);
    const double network_max = std::isfinite(shape_.host_capacity.network_mbit)
                                   ? shape_.host_capacity.network_mbit * share
                                   : 100.0;
    TraceVm vm;
    vm.id = VmId(numbered('v', 5, trace_.vms.size()));
    vm.host = static_cast<std::uint32_t>(host);
    vm.size.cpu_mhz = std::max(1.0, std::ceil(*std::max_element(day.begin(), day.end())));
    vm.size.memory_mib = std::max(1.0, std::floor(memory_max * random_.between(0.25, 1.0)));
    vm.size.network_mbit = std::floor(network_max * random_.between(0.1, 1.0));
    for (const double mhz : day)
      vm.cpu_percent.push_back(static_cast<float>(100 * mhz / vm.size.cpu_mhz));
    trace_.vms.push_back(std::move(vm));
  }

  const DayShape& shape_;
  Random random_;
  std::size_t intervals_;
  double days_per_interval_;
  Trace trace_;
};

}  // namespace

Trace generate_day(const DayShape& shape) {
  BALLAST_ASSERT(shape.groups > 0 && shape.groups <= shape.hosts, "groups of a made-up day");
  BALLAST_ASSERT(shape.interval > Duration::zero(), "an interval of no length");
  BALLAST_ASSERT(shape.peak_share > 0 && shape.peak_share <= 0.75, "peak share of a made-up day");
  BALLAST_ASSERT(shape.hot_share >= 0 && shape.hot_share <= 0.5, "hot share of a made-up day");
  BALLAST_ASSERT(shape.host_capacity.cpu_mhz > 0 && shape.host_capacity.memory_mib > 0,
                 "capacity of a made-up host");
  return Maker(shape).make();
}

}  // namespace ballast::hypermodel

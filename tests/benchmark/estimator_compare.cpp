// How well each estimator foresees the next interval, on recorded and on generated loads: writes
// the tables of docs/estimators.md.
//
//   estimator_compare [TRACE]      TRACE: a folder as `ballast replay` reads it
//
// Errors of VMs are in percent of the VM's own CPU. What matters is the sum on a host, in percent
// of the host: its error, its bias, and near the threshold how often the sum that came was over
// while the forecast was under (missed) or the other way round (false alarms, of what was under).
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/estimate/estimator.h"
#include "ballast/files/trace_folder.h"
#include "ballast/hypermodel/generate.h"
#include "estimator_candidates.h"

namespace ballast::benchmark {
namespace {

// Loads at even intervals, as shares (0 to 1) of the VM's CPU.
struct Loads {
  std::string name;
  Duration sample_interval{};
  std::vector<std::vector<double>> vms;
  std::vector<double> vm_mhz;
  std::vector<std::size_t> host_of;
  std::vector<double> host_mhz;
};

struct Task {
  int window = 1;  // samples
  int next = 1;    // samples that are foreseen
  int every = 1;   // samples between forecasts
};

using Forecast = std::function<double(Window, int next)>;
struct Candidate {
  std::string name;
  Forecast forecast;
};

// One of the three kinds, through its public door.
Forecast kind(EstimatorKind which, Duration interval) {
  return [=](Window window, int next) {
    estimate::LoadEstimator estimator(which, interval * static_cast<int>(window.size()));
    TimePoint now{};
    for (const double value : window) estimator.add(now += interval, {value, 0, 0});
    // The mean over the samples to come is taken half a sample after the middle of their span.
    return estimator.estimate(now, interval * (next + 1)).cpu_mhz;
  };
}

std::vector<Candidate> candidates(Duration interval) {
  return {
      {"latest", kind(EstimatorKind::latest, interval)},
      {"mean", kind(EstimatorKind::mean, interval)},
      {"trend", kind(EstimatorKind::trend, interval)},
      {"line", least_squares},
      {"shrunk line 1", [](Window w, int next) { return shrunk_line(w, next, 1); }},
      {"shrunk line 10", [](Window w, int next) { return shrunk_line(w, next, 10); }},
      {"loess", [](Window w, int next) { return loess(w, next, false); }},
      {"robust loess", [](Window w, int next) { return loess(w, next, true); }},
      {"Holt .5 .1", [](Window w, int next) { return holt(w, next, 0.5, 0.1, 1); }},
      {"Holt .5 .3", [](Window w, int next) { return holt(w, next, 0.5, 0.3, 1); }},
      {"damped .5 .3 .8", [](Window w, int next) { return holt(w, next, 0.5, 0.3, 0.8); }},
      {"damped .7 .2 .7", [](Window w, int next) { return holt(w, next, 0.7, 0.2, 0.7); }},
      {"smoothing .5", [](Window w, int) { return smoothed(w, 0.5); }},
      {"AR(1)", autoregression},
  };
}

struct Score {
  double vm_error = 0;
  double host_error = 0;
  double host_bias = 0;
  double over = 0;
  double missed = 0;
  double under = 0;
  double alarms = 0;
  double vm_count = 0;
  double host_count = 0;
};

constexpr double threshold = 0.8;

Score score(const Loads& loads, const Task& task, const Forecast& forecast) {
  Score s;
  const int end = static_cast<int>(loads.vms.front().size()) - task.next;
  std::vector<double> told(loads.host_mhz.size());
  std::vector<double> came(loads.host_mhz.size());
  for (int t = task.window; t <= end; t += task.every) {
    told.assign(told.size(), 0);
    came.assign(came.size(), 0);
    for (std::size_t v = 0; v < loads.vms.size(); ++v) {
      const Window all(loads.vms[v]);
      const auto at = static_cast<std::size_t>(t);
      const double expected =
          std::max(0.0, forecast(all.subspan(at - static_cast<std::size_t>(task.window),
                                             static_cast<std::size_t>(task.window)),
                                 task.next));
      const double truth = mean_of(all.subspan(at, static_cast<std::size_t>(task.next)));
      s.vm_error += std::abs(expected - truth);
      ++s.vm_count;
      told[loads.host_of[v]] += expected * loads.vm_mhz[v];
      came[loads.host_of[v]] += truth * loads.vm_mhz[v];
    }
    for (std::size_t h = 0; h < told.size(); ++h) {
      const double expected = told[h] / loads.host_mhz[h];
      const double truth = came[h] / loads.host_mhz[h];
      s.host_error += std::abs(expected - truth);
      s.host_bias += expected - truth;
      ++s.host_count;
      ++(truth > threshold ? s.over : s.under);
      if (truth > threshold && expected <= threshold) ++s.missed;
      if (truth <= threshold && expected > threshold) ++s.alarms;
    }
  }
  return s;
}

void compare(const Loads& loads, const std::vector<Task>& tasks) {
  for (const Task& task : tasks) {
    const auto seconds = seconds_of(loads.sample_interval);
    std::printf("\n%s: samples of %g s, window %g s, the next %g s\n\n", loads.name.c_str(),
                seconds, seconds * task.window, seconds * task.next);
    std::printf("| forecast | VM error | host error | host bias | missed | false alarms |\n");
    std::printf("|---|---|---|---|---|---|\n");
    for (const Candidate& candidate : candidates(loads.sample_interval)) {
      const Score s = score(loads, task, candidate.forecast);
      std::printf("| %s | %.2f | %.2f | %+.2f | %.1f %% | %.2f %% |\n", candidate.name.c_str(),
                  100 * s.vm_error / s.vm_count, 100 * s.host_error / s.host_count,
                  100 * s.host_bias / s.host_count, 100 * s.missed / std::max(1.0, s.over),
                  100 * s.alarms / std::max(1.0, s.under));
      std::fflush(stdout);
    }
  }
}

Loads from_trace(const std::string& name, const Trace& trace) {
  Loads loads{name, trace.interval, {}, {}, {}, {}};
  for (const TraceHost& host : trace.hosts) loads.host_mhz.push_back(host.capacity.cpu_mhz);
  for (const TraceVm& vm : trace.vms) {
    loads.host_of.push_back(vm.host);
    loads.vm_mhz.push_back(vm.size.cpu_mhz);
    std::vector<double>& series = loads.vms.emplace_back();
    for (const float percent : vm.cpu_percent) series.push_back(static_cast<double>(percent) / 100);
  }
  return loads;
}

// Samples of 10 s inside the intervals of a trace: a straight way from one interval's middle to the
// next, with slow noise (half of it gone after about 20 s) of a tenth of the load around it.
Loads within(const Loads& coarse, std::uint64_t seed) {
  Loads fine = coarse;
  fine.name = coarse.name + ", within the intervals";
  fine.sample_interval = std::chrono::seconds(10);
  const auto steps = static_cast<std::size_t>(coarse.sample_interval / fine.sample_interval);
  Random random(seed);
  for (std::size_t v = 0; v < coarse.vms.size(); ++v) {
    const std::vector<double>& from = coarse.vms[v];
    std::vector<double>& to = fine.vms[v];
    to.clear();
    double noise = 0;
    for (std::size_t i = 0; i + 1 < from.size(); ++i)
      for (std::size_t k = 0; k < steps; ++k) {
        const double part = static_cast<double>(k) / static_cast<double>(steps);
        const double level = from[i] * (1 - part) + from[i + 1] * part;
        noise = 0.7 * noise + random.between(-0.12, 0.12);
        to.push_back(std::max(0.0, level * (1 + noise)));
      }
  }
  return fine;
}

// Hosts of ten VMs each, every VM drawn by itself.
Loads drawn(const std::string& name, int samples,
            const std::function<void(Random&, std::vector<double>&)>& draw) {
  Loads loads{name, std::chrono::seconds(10), {}, {}, {}, {}};
  Random random(7);
  for (std::size_t h = 0; h < 20; ++h) {
    loads.host_mhz.push_back(10000);
    for (int k = 0; k < 10; ++k) {
      loads.host_of.push_back(h);
      loads.vm_mhz.push_back(2000);
      draw(random, loads.vms.emplace_back(static_cast<std::size_t>(samples)));
    }
  }
  return loads;
}

void daily(Random& random, std::vector<double>& series) {
  const double phase = random.between(0, 6.283);
  for (std::size_t t = 0; t < series.size(); ++t)
    series[t] = std::max(0.0, 0.4 + 0.25 * std::sin(phase + static_cast<double>(t) * 6.283 / 8640) +
                                  random.between(-0.15, 0.15));
}

void bursty(Random& random, std::vector<double>& series) {
  int left = 0;
  for (double& value : series) {
    if (left > 0)
      --left;
    else if (random.chance(0.01))
      left = 3 + static_cast<int>(random.below(60));
    value = (left > 0 ? 0.8 : 0.2) + random.between(-0.05, 0.05);
  }
}

void ramps(Random& random, std::vector<double>& series) {
  double level = random.unit();
  double slope = 0;
  for (double& value : series) {
    if (random.chance(0.01)) slope = random.between(-0.005, 0.005);
    level = std::clamp(level + slope, 0.05, 0.95);
    value = std::max(0.0, level + random.between(-0.05, 0.05));
  }
}

void run(const Loads& coarse) {
  compare(coarse, {{3, 1, 1}, {6, 1, 1}, {12, 1, 1}});
  compare(within(coarse, 3), {{6, 6, 6}, {18, 6, 6}, {18, 18, 18}, {30, 18, 18}});
}

}  // namespace
}  // namespace ballast::benchmark

int main(int count, char** arguments) {
  using namespace ballast;
  using namespace ballast::benchmark;
  if (count > 1) {
    const Result<Trace> trace = files::read_trace(arguments[1]);
    if (!trace) {
      std::fprintf(stderr, "%s\n", trace.error().message.c_str());
      return 2;
    }
    run(from_trace("recorded", *trace));
  }
  hypermodel::DayShape shape;
  shape.hosts = 20;
  shape.vms = 200;
  run(from_trace("made-up day", hypermodel::generate_day(shape)));
  const std::vector<Task> tasks = {{6, 6, 6}, {18, 18, 18}};
  compare(drawn("daily wave and white noise", 8640, daily), tasks);
  compare(drawn("bursts", 4000, bursty), tasks);
  compare(drawn("ramps", 4000, ramps), tasks);
  return 0;
}

#include "failures.h"

#include <algorithm>
#include <cmath>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"
#include "ballast/base/words.h"

namespace ballast::node {
namespace {

constexpr Duration first_rest = std::chrono::minutes(10);
constexpr Duration longest_rest_of_failed = std::chrono::hours(24);
// A refusal tells of a moment: what refuses for hours is looked at a few times a day, not once.
constexpr Duration longest_rest_of_refused = std::chrono::hours(4);
// What comes again within a day of its rest's end is the same trouble.
constexpr Duration remembered_for = std::chrono::hours(24);
constexpr Duration refusal_remembered_for = std::chrono::hours(2);
constexpr Duration target_remembered_for = std::chrono::hours(2);  // since the last failure there
constexpr Duration rest_of_target = first_rest / 2;
constexpr std::size_t targets_until_vm_rests = 3;
constexpr std::size_t vms_until_target_rests = 3;
// So that of some targets each is told, and all fits where reasons are told.
constexpr std::size_t reason_bytes_told = 200;
constexpr std::size_t text_bytes_told = 440;

std::string times_in_words(std::uint32_t times) {
  return times == 1 ? std::string() : ", " + std::to_string(times) + " times";
}

}  // namespace

void Failures::extend(TimePoint now, Rest& rest, const Failure& failure) const {
  const bool again = rest.times > 0 && now < rest.forgotten_at;
  const Duration first = failure.started ? first_rest : refused_rest_;
  const Duration longest = failure.started ? longest_rest_of_failed : longest_rest_of_refused;
  if (!again) rest = Rest{};
  const Duration doubled = std::min(2 * std::max(rest.span, first / 2), std::max(longest, first));
  rest.span = again ? doubled : first;
  if (planted::on(planted::Bug::failures_end_at_once)) rest.span = Duration(0);
  rest.until = now + rest.span;
  if (planted::on(planted::Bug::failures_never_end)) rest.until = time_never;
  rest.forgotten_at =
      rest.until == time_never
          ? time_never
          : rest.until + (failure.started ? remembered_for : refusal_remembered_for);
  ++rest.times;
  rest.reason = failure.reason;
  rest.from = failure.from;
  rest.started = failure.started;
}

// The VM whose rests end first gives way.
void Failures::make_place(const VmId& vm) {
  if (vms_.size() < limits::failed_rests_max || vms_.contains(vm)) return;
  const auto ends = [](const OfVm& known) {
    TimePoint last = known.own ? known.own->until : TimePoint();
    for (const auto& [to, rest] : known.targets) last = std::max(last, rest.until);
    return last;
  };
  vms_.erase(std::min_element(vms_.begin(), vms_.end(), [&](const auto& a, const auto& b) {
    return ends(a.second) < ends(b.second);
  }));
}

std::string Failures::failed(TimePoint now, const Failure& failure) {
  tidy(now);
  const std::string way = quoted(failure.from.str()) + " to " + quoted(failure.to.str());
  if (failure.fault == FaultOf::pair) {
    if (pairs_.size() >= limits::failed_rests_max && !pairs_.contains({failure.from, failure.to}))
      pairs_.erase(std::min_element(pairs_.begin(), pairs_.end(), [](const auto& a, const auto& b) {
        return a.second.until < b.second.until;
      }));
    Rest& rest = pairs_[{failure.from, failure.to}];
    const bool said = rest.times > 0 && rest.reason == failure.reason;
    extend(now, rest, failure);
    if (said) return {};
    return "no VM can go from " + way + ": " + failure.reason + "; not tried for " +
           in_words(rest.until - now);
  }
  make_place(failure.vm);
  OfVm& known = vms_[failure.vm];
  if (failure.too_slow) {
    if (!known.own) known.own.emplace();
    extend(now, *known.own, failure);
    return known.own->times == 2
               ? quoted(failure.vm.str()) + " took too long again, from " + way + ": " +
                     failure.reason + "; it rests for " + in_words(known.own->until - now)
               : std::string();
  }
  if (known.targets.size() >= limits::failed_targets_max && !known.targets.contains(failure.to))
    known.targets.erase(std::min_element(
        known.targets.begin(), known.targets.end(),
        [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  Rest& there = known.targets[failure.to];
  extend(now, there, failure);
  if (planted::on(planted::Bug::failures_block_others)) known.own = known.targets[failure.to];
  const std::string of_target = note_target(now, failure);
  const auto failing = std::count_if(
      known.targets.begin(), known.targets.end(),
      [&](const auto& target) { return target.second.started && now < target.second.until; });
  // Once may be chance, and another target takes it.
  const std::string again = !of_target.empty() ? of_target
                            : failure.started && there.times == 2
                                ? quoted(failure.vm.str()) + " failed again from " + way + ": " +
                                      failure.reason + "; not tried for " +
                                      in_words(there.until - now)
                                : std::string();
  if (static_cast<std::size_t>(failing) < targets_until_vm_rests || !failure.started) return again;
  const bool said = known.own.has_value() && known.own->reason == failure.reason;
  if (!known.own) known.own.emplace();
  extend(now, *known.own, failure);
  if (said) return again;
  return quoted(failure.vm.str()) + " failed at " + std::to_string(failing) +
         " targets and rests for " + in_words(known.own->until - now) + "; at the last, from " +
         way + ": " + failure.reason;
}

// Whether it is the target's fault nobody can tell: so this does not grow longer, and those that
// failed there rest longer than it does, which lets others have the next try.
std::string Failures::note_target(TimePoint now, const Failure& failure) {
  if (!failure.started) return {};
  if (targets_.size() >= limits::failed_rests_max && !targets_.contains(failure.to)) return {};
  OfTarget& known = targets_[failure.to];
  if (known.vms.size() < vms_until_target_rests) known.vms.insert(failure.vm);
  Rest& rest = known.rest;
  rest.forgotten_at = now + target_remembered_for;
  if (known.vms.size() < vms_until_target_rests) return {};
  const bool said = rest.times > 0;
  ++rest.times;
  rest.until = now + rest_of_target;
  rest.reason = failure.reason;
  rest.started = true;  // from wherever
  if (said) return {};
  return std::to_string(known.vms.size()) + " VMs failed at " + quoted(failure.to.str()) +
         ", none is sent there for " + in_words(rest_of_target) + "; the last was " +
         quoted(failure.vm.str()) + ": " + failure.reason;
}

void Failures::arrived(const VmId& vm, const HostId& from, const HostId& to) {
  pairs_.erase({from, to});
  targets_.erase(to);
  const auto known = vms_.find(vm);
  if (known == vms_.end()) return;
  known->second.targets.erase(to);
  known->second.own.reset();
  if (known->second.targets.empty()) vms_.erase(known);
}

void Failures::reachable(const HostId& host) {
  std::erase_if(pairs_, [&](const auto& pair) {
    return pair.first.first == host || pair.first.second == host;
  });
}

void Failures::changed(const HostId& host) {
  reachable(host);
  targets_.erase(host);
  for (auto& [vm, known] : vms_) {
    const std::size_t before = known.targets.size();
    std::erase_if(known.targets, [&](const auto& target) {
      return target.first == host || target.second.from == host;
    });
    const bool concerned = known.targets.size() != before || (known.own && known.own->from == host);
    if (concerned) known.own.reset();
  }
  std::erase_if(
      vms_, [](const auto& known) { return known.second.targets.empty() && !known.second.own; });
}

std::size_t Failures::retry(TimePoint now, const VmId& vm, const HostId& host) {
  std::size_t ended = 0;
  std::erase_if(pairs_, [&](const auto& pair) {
    const bool ends = pair.first.first == host;
    if (ends && now < pair.second.until) ++ended;
    return ends;
  });
  // He has mended something; what it was is not said.
  ended += static_cast<std::size_t>(
      std::count_if(targets_.begin(), targets_.end(),
                    [&](const auto& one) { return now < one.second.rest.until; }));
  targets_.clear();
  if (const auto known = vms_.find(vm); known != vms_.end()) {
    if (known->second.own && now < known->second.own->until) ++ended;
    for (const auto& [to, rest] : known->second.targets)
      if (now < rest.until) ++ended;
    vms_.erase(known);
  }
  return ended;
}

void Failures::tidy(TimePoint now) {
  const auto over = [&](const auto& known) { return now >= known.second.forgotten_at; };
  std::erase_if(pairs_, over);
  std::erase_if(targets_, [&](const auto& known) { return now >= known.second.rest.forgotten_at; });
  for (auto& [vm, known] : vms_) {
    std::erase_if(known.targets, over);
    if (known.own && now >= known.own->forgotten_at) known.own.reset();
  }
  std::erase_if(
      vms_, [](const auto& known) { return known.second.targets.empty() && !known.second.own; });
}

std::set<HostId> Failures::not_to(TimePoint now, const VmId& vm, const HostId& from) const {
  std::set<HostId> hosts;
  for (auto pair = pairs_.lower_bound({from, HostId()});
       pair != pairs_.end() && pair->first.first == from; ++pair)
    if (now < pair->second.until) hosts.insert(pair->first.second);
  for (const auto& [to, known] : targets_)
    if (now < known.rest.until && to != from) hosts.insert(to);
  if (const auto known = vms_.find(vm); known != vms_.end()) {
    for (const auto& [to, rest] : known->second.targets)
      if (now < rest.until) hosts.insert(to);
  }
  return hosts;
}

bool Failures::rests(TimePoint now, const VmId& vm) const {
  const auto known = vms_.find(vm);
  return known != vms_.end() && known->second.own && now < known->second.own->until;
}

Duration Failures::left(TimePoint now, const VmId& vm) const {
  return rests(now, vm) ? vms_.at(vm).own->until - now : Duration(0);
}

bool Failures::rests(TimePoint now, const VmId& vm, const HostId& from, const HostId& to) const {
  return rests(now, vm) || not_to(now, vm, from).contains(to);
}

std::string Failures::why(TimePoint now, const VmId& vm, const HostId& from) const {
  std::string text;
  std::size_t more = 0;
  const auto add = [&](const std::string& one) {
    if (text.size() + one.size() > text_bytes_told)
      ++more;
    else
      text += (text.empty() ? "" : "; ") + one;
  };
  const auto known = vms_.find(vm);
  if (known != vms_.end() && known->second.own && now < known->second.own->until) {
    const Rest& own = *known->second.own;
    add("its migrations failed, it rests for " + in_words(own.until - now) +
        (own.reason.empty() ? "" : ": " + cleaned_text(own.reason, reason_bytes_told)));
  }
  const auto add_target = [&](const HostId& to, const Rest& rest, const char* who) {
    if (now >= rest.until) return;
    add(who + quoted(to.str()) + (rest.started ? " failed" : " was refused") +
        times_in_words(rest.times) + ", not tried for " + in_words(rest.until - now) + ": " +
        cleaned_text(rest.reason, reason_bytes_told));
  };
  if (known != vms_.end()) {
    for (const auto& [to, rest] : known->second.targets) add_target(to, rest, "to ");
  }
  for (auto pair = pairs_.lower_bound({from, HostId()});
       pair != pairs_.end() && pair->first.first == from; ++pair)
    add_target(pair->first.second, pair->second, "every VM to ");
  for (const auto& [to, failing] : targets_)
    if (to != from) add_target(to, failing.rest, "one VM after the other to ");
  if (more > 0) text += "; and " + std::to_string(more) + " more";
  return cleaned_text(text, limits::text_bytes_max);
}

std::vector<FailureView> Failures::views(TimePoint now) const {
  std::vector<FailureView> views;
  const auto add = [&](const VmId& vm, const HostId& to, const Rest& rest) {
    if (now < rest.until && views.size() < limits::failures_shown_max)
      views.push_back({vm, rest.from, to, rest.times, rest.until - now, rest.reason});
  };
  for (const auto& [pair, rest] : pairs_) add({}, pair.second, rest);
  for (const auto& [to, failing] : targets_) add({}, to, failing.rest);
  for (const auto& [vm, known] : vms_) {
    if (known.own) add(vm, {}, *known.own);
    for (const auto& [to, rest] : known.targets) add(vm, to, rest);
  }
  return views;
}

}  // namespace ballast::node

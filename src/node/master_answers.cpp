// What a master answers when it is asked about a VM or about room: from its picture, its plan and
// the story of the VM. The order of the facts is that of the design: measurement, plan, request,
// grant, exchange, order, outcome; and the rule and the number where something was not done.

#include <algorithm>

#include "ballast/base/words.h"
#include "master.h"

namespace ballast::node {
namespace {

// "cpu 45.0 % (threshold 80.0 %), memory ..."
std::string uses(const Resources& load, const Resources& capacity, const Thresholds& thresholds) {
  std::string out;
  for (const Resource r : all_resources) {
    if (capacity[r] == unlimited || capacity[r] <= 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(name_of(r)) + " " +
           percent(load[r] / capacity[r]) + " (threshold " + percent(thresholds[r]) + ")";
  }
  return out;
}

wire::Fact fact(const char* kind, const HostId& host, std::string text) {
  wire::Fact made;
  made.kind = kind;
  made.host = host;
  made.text = cleaned_text(text, limits::text_bytes_max);
  return made;
}

}  // namespace

bool better_place(const wire::Fact& a, const wire::Fact& b) {
  if (a.heat != b.heat) return a.heat < b.heat;
  return a.master.empty() != b.master.empty() ? a.master.empty() : a.host < b.host;
}

bool Master::has(const VmId& vm) const {
  return std::any_of(group_.members().begin(), group_.members().end(),
                     [&](const auto& known) { return known.second.find(vm) != nullptr; });
}

std::vector<wire::Fact> Master::room_for(TimePoint now, const Resources& load) const {
  std::vector<wire::Fact> rooms;
  for (const market::Hole& hole : trade_.holes(now)) {
    const Resources room = market::whole_units(hole.room);
    const bool some = room.cpu_mhz >= 1 && room.memory_mib >= 1;
    if (!some || !market::fits(room, load)) continue;
    wire::Fact one = fact("host", hole.host, {});
    one.room = room;
    one.capacity = group_.find(hole.host)->facts.capacity;
    one.heat = std::min(hole.heat_with(load), limits::heat_max);
    rooms.push_back(std::move(one));
  }
  std::sort(rooms.begin(), rooms.end(), better_place);
  if (rooms.size() > limits::facts_max) rooms.resize(limits::facts_max);
  return rooms;
}

// Why the plan leaves a VM on its host, which it does not name as a source: nothing is wrong there,
// or something is and this VM is not needed to mend it.
std::string Master::why_it_stays(const HostId& host, const VmId& vm) const {
  const Member& member = *group_.find(host);
  if (member.report.over_samples == 0 && !member.report.maintenance)
    return "its host is under its thresholds: nothing has to leave it";
  if (!member.report.maintenance && member.report.over_samples < config_.plan.dwell)
    return "its host is over a threshold for " + counted(member.report.over_samples, "sample") +
           "; a plan is made after " + std::to_string(config_.plan.dwell) + " (dwell)";
  if (!member.report.maintenance && is_waited_for(member))
    return "its host is " + waited_for_in_words(member.report.passes_in);
  if (trade_.leaving().contains(vm)) return "it is promised to another group";
  return "the plan relieves its host by other VMs";
}

// The host that has it; of two, the one where it runs; of two of these, the one that said so first.
const Member* Master::home_of(const VmId& vm) const {
  const Member* home = nullptr;
  for (const auto& [id, member] : group_.members()) {
    const wire::VmReport* known = member.find(vm);
    if (known == nullptr) continue;
    const bool runs = known->vm.presence == Presence::running;
    const bool there = home != nullptr && home->find(vm)->vm.presence == Presence::running;
    if (home == nullptr || (runs && (!there || member.runs_since(vm) < home->runs_since(vm))))
      home = &member;
  }
  return home;
}

std::vector<wire::Fact> Master::why(TimePoint now, const VmId& vm) const {
  std::vector<wire::Fact> facts;
  const Member* home = home_of(vm);
  if (home != nullptr) tell_state(now, *home, vm, facts);
  if (const auto* story = out_.story().of(vm); story != nullptr) {
    for (const Story::Line& line : *story) {
      const std::string times = " (" + std::to_string(line.times) + " times, first " +
                                age_in_words(now - line.first) + " ago, last " +
                                age_in_words(now - line.at) + " ago)";
      facts.push_back(fact(line.kind, line.host, line.text + (line.times > 1 ? times : "")));
      facts.back().age = now - line.at;
    }
  }
  if (home != nullptr) tell_prospect(now, *home, vm, facts);
  if (home == nullptr) tell_of_the_gone(now, vm, facts);
  std::stable_sort(facts.begin(), facts.end(),
                   [](const wire::Fact& a, const wire::Fact& b) { return a.age > b.age; });
  return facts;
}

// It was on a host that is lost, and no other of the group has it.
void Master::tell_of_the_gone(TimePoint now, const VmId& vm, std::vector<wire::Fact>& facts) const {
  for (const auto& [id, member] : group_.gone()) {
    if (member.find(vm) == nullptr) continue;
    facts.push_back(fact("lost", id,
                         "it was on " + quoted(id.str()) + ", which is not heard of for " +
                             age_in_words(now - member.heard_at)));
    facts.back().age = now - member.heard_at;
  }
}

// What is measured, and what forbids a move whatever the plan.
void Master::tell_state(TimePoint now, const Member& home, const VmId& vm,
                        std::vector<wire::Fact>& facts) const {
  const wire::VmReport& report = *home.find(vm);
  const wire::HostReport& host = home.report;
  const std::string at = quoted(home.id.str());
  facts.push_back(fact("measurement", home.id,
                       (home.lost ? "it was " : "it is ") + presence_in_words(report.vm.presence) +
                           " on " + at + " and uses " + amounts(report.vm.load)));
  facts.push_back(fact("measurement", home.id,
                       at + ": " + uses(home.load(), home.facts.capacity, home.facts.thresholds) +
                           ", over for " + counted(host.over_samples, "sample") +
                           (host.maintenance ? "; " + drain_in_words(home) : "")));
  for (wire::Fact& measured : facts) measured.age = now - home.heard_at;
  const auto rule = [&](const std::string& text) { facts.push_back(fact("rule", home.id, text)); };
  const std::string stale = group_.why_unusable(now, home);
  if (!stale.empty()) rule("its host is left alone: " + stale);
  if (!report.vm.movable) rule("it cannot move: " + report.vm.immovable_reason);
  if (report.rest > Duration(0))
    rule("it moved lately and rests for " + whole_seconds(report.rest) +
         (host.maintenance ? "; the drain overrides that" : ""));
  const std::string failed = conductor_.failures().why(now, vm, home.id);
  if (!failed.empty()) rule(failed + "; `ballast retry " + vm.str() + "` ends that");
}

// What the last plan says of it, and what stands in the way of that.
void Master::tell_prospect(TimePoint now, const Member& home, const VmId& vm,
                           std::vector<wire::Fact>& facts) const {
  const std::string stage = trade_.stage_of(vm);
  if (!stage.empty()) facts.push_back(fact("exchange", home.id, "now: " + stage));
  for (const MoveView& move : conductor_.in_flight()) {
    if (move.vm == vm) facts.push_back(fact("order", move.to, "now: " + move.state));
  }
  if (!plan_) {
    facts.push_back(fact("plan", home.id, "no plan has been made yet"));
    return;
  }
  const auto planned = std::any_of(plan_->moves.begin(), plan_->moves.end(),
                                   [&](const PlannedMove& move) { return move.vm == vm; });
  const auto surplus = std::find_if(plan_->surplus.begin(), plan_->surplus.end(),
                                    [&](const SurplusView& one) { return one.vm == vm; });
  const bool is_left = surplus != plan_->surplus.end() && surplus->left;
  const bool no_place = surplus != plan_->surplus.end() && !is_left;
  facts.push_back(fact("plan", home.id,
                       "plan " + plan_->id +
                           (planned    ? " names it"
                            : is_left  ? " leaves it: " + surplus->reason
                            : no_place ? " finds no place for it: " + surplus->reason
                                       : " leaves it: " + why_it_stays(home.id, vm))));
  facts.back().age = now - plan_->made_at;
  if (no_place) facts.push_back(fact("rule", home.id, most_room(now, home.find(vm)->vm.load)));
  if (const std::string spared = why_not_searched(now); no_place && !spared.empty())
    facts.push_back(fact("plan", home.id, spared));
  if (const std::string pause = trade_.pause_of(now, vm); !pause.empty())
    facts.push_back(fact("request", home.id, pause));
  const std::string still = why_still(now);
  if (!still.empty() && (planned || no_place)) facts.push_back(fact("rule", home.id, still));
}

// What a VM needs, and the most that one host of the group gives away now.
std::string Master::most_room(TimePoint now, const Resources& needed) const {
  std::string left;
  const std::vector<market::Hole> holes = trade_.holes(now);
  for (const Resource r : all_resources) {
    const auto most =
        std::max_element(holes.begin(), holes.end(),
                         [&](const auto& a, const auto& b) { return a.room[r] < b.room[r]; });
    if (needed[r] <= 0 || most == holes.end() || most->room[r] == unlimited) continue;
    Resources one;
    one[r] = std::max(0.0, most->room[r]);
    left += (left.empty() ? "" : ", ") +
            std::string(one[r] < 0.5 ? std::string("no ") + name_of(r) : amounts(one)) +
            (one[r] < 0.5 ? "" : " on " + quoted(most->host.str()));
  }
  return "it needs " + amounts(needed) + "; the most room in this group is " +
         (left.empty() ? "none" : left);
}

// For `why`: what a plan means for each VM that it names. The same again is kept once.
void Master::tell_of_plan(TimePoint now, const MadePlan& plan) {
  for (const PlannedMove& move : plan.moves) {
    out_.tell(now, move.vm, "plan", move.to,
              "a plan moves it from " + quoted(move.from.str()) + " to " + quoted(move.to.str()) +
                  " in step " + std::to_string(move.step) + ": " + move.why);
  }
  for (const SurplusView& one : plan.surplus)
    out_.tell(now, one.vm, "plan", one.host,
              (one.left ? "a plan leaves it: " : "a plan finds no place for it: ") + one.reason);
}

}  // namespace ballast::node

// The target's side, and whoever else connects: a peer that asks, or a stranger. Who does not know
// the secret, or says what no host says, is cut off and counted.
#include "target.h"
#include <algorithm>
#include <memory>

#include "ballast/base/limits.h"
#include "machine.h"

namespace ballast::simulated {

void Machine::listen() {
  constexpr Duration spell = std::chrono::milliseconds(20);
  while (!stopping_) {
    bool stranger = false;
    std::optional<Descriptor> socket = accept_from(listener_, spell, stranger);
    if (stranger) ++rejected_;
    if (!socket || !reachable_) continue;
    const auto line = std::make_shared<Line>(std::move(*socket), stopping_);
    if (!incoming_.run([this, line] { serve(std::move(*line)); })) ++rejected_;
  }
}

void Machine::serve(Line line) {
  // A stranger who says nothing does not hold a thread for long.
  constexpr Duration greeting_max = std::chrono::seconds(1);
  const std::optional<Record> greeting = line.read(std::min(greeting_max, options_.io_timeout));
  const bool known = greeting && greeting->size() >= 6 && (*greeting)[0] == protocol_name &&
                     equal_secrets((*greeting)[1], options_.secret);
  if (known && (*greeting)[2] == "migrate") {
    Incoming incoming(*this, std::move(line));
    if (incoming.run(*greeting)) return;
  } else if (known && ((*greeting)[2] == "runs" || (*greeting)[2] == "holds") &&
             greeting->size() == 6 && is_valid_id((*greeting)[5])) {
    return answer(line, *greeting);
  }
  ++rejected_;
}

// "runs" comes from a source in doubt: a no is binding, so what is still incoming is given up with
// it, and a finish that was under way finds nothing to start.
void Machine::answer(Line& line, const Record& question) {
  if (question[3] != options_.host.str()) {
    (void)line.send({"other-host"});
    return;
  }
  const std::string& token = question[4];
  const VmId vm(question[5]);
  const bool asks_target = question[2] == "runs";
  bool yes = false;
  const Status looked = change([&](HostModel& model) -> Status {
    const Copy* copy = model.find(vm);
    if (copy == nullptr) return {};
    if (asks_target) {
      yes = hypermodel::runs(copy->state);
      return copy->state == CopyState::incoming && copy->token == token ? model.drop(vm) : Status();
    }
    yes = copy->token == token && copy->state != CopyState::incoming;
    return {};
  });
  if (looked) (void)line.send({yes ? "yes" : "no"});
}

bool Incoming::run(const Record& greeting) {
  const std::optional<double> memory_mib =
      greeting.size() == 9 ? number_from(greeting[5], limits::memory_mib_max) : std::nullopt;
  const std::optional<Peer> source = peer_from(greeting, 6);
  if (!memory_mib || !source || !is_valid_id(greeting[3]) || !is_valid_id(greeting[4]))
    return false;
  token_ = greeting[3];
  vm_ = VmId(greeting[4]);
  if (const Status prepared = prepare(*memory_mib, *source); !prepared) {
    (void)line_.send({"refused", prepared.error().message});
    return true;
  }
  const bool in_order = converse();
  if (!arrived_) (void)drop();
  const std::lock_guard lock(machine_.mutex_);
  machine_.conversations_.erase(token_);
  return in_order;
}

Status Incoming::prepare(double memory_mib, const Peer& source) {
  if (machine_.at(Moment::target_prepared) != Course::on) return Error{"prepare: interfered"};
  if (!machine_.loads_.load(vm_, Duration::zero()))
    return Error{"prepare: VM " + quoted(vm_.str()) + " is not in the trace of the target"};
  const Status prepared = machine_.change([&](HostModel& model) {
    return model.prepare(vm_, memory_mib, machine_.options_.timing.refuses_overcommit,
                         to_text(source), token_);
  });
  if (!prepared) return prepared;
  const std::lock_guard lock(machine_.mutex_);
  machine_.conversations_.insert(token_);
  return {};
}

// False when the source said what no source says.
bool Incoming::converse() {
  Record ready{"ready"};
  append(ready, machine_.self());
  if (!line_.send(ready)) return true;
  while (true) {
    const std::optional<Record> said = line_.read(machine_.options_.io_timeout);
    if (!said) return line_.silence() != Silence::garbage;
    if (*said == Record{"finish"}) return finish();
    if (*said != Record{"copying"}) return false;
  }
}

bool Incoming::finish() {
  const Course course = machine_.at(Moment::target_asked_to_finish);
  if (course == Course::cut) return true;
  const Status started = machine_.commit([&](HostModel& model) -> Status {
    if (course == Course::error) return Error{"finish: interfered"};
    return is_ours(model) ? model.finish(vm_) : Status(Error{"finish: no longer expected"});
  });
  if (!started) {
    if (drop()) (void)line_.send({"failed", started.error().message});
    return true;
  }
  arrived_ = true;
  if (machine_.at(Moment::target_started) != Course::on) return true;
  if (!line_.send({"started"})) return true;
  const std::optional<Record> said = line_.read(machine_.options_.io_timeout);
  if (!said) return line_.silence() != Silence::garbage;
  if (*said != Record{"confirmed"}) return false;
  if (machine_.at(Moment::target_confirmed) != Course::on) return true;
  (void)machine_.commit([&](HostModel& model) { return model.confirm(vm_); });
  return true;
}

// True when it is certain that this migration's copy will not run here.
bool Incoming::drop() {
  return machine_
      .change(
          [&](HostModel& model) -> Status { return is_ours(model) ? model.drop(vm_) : Status(); })
      .ok();
}

bool Incoming::is_ours(const HostModel& model) const {
  const Copy* copy = model.find(vm_);
  return copy != nullptr && copy->state == CopyState::incoming && copy->token == token_;
}

}  // namespace ballast::simulated

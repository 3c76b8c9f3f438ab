// The source's side of a migration, from the order to its end. Up to the hand-over whatever goes
// wrong brings the VM back to running here. After it, only the target's word decides; without one
// the copy stands still in doubt, and settle.cpp asks until it knows.
#include <algorithm>
#include <chrono>

#include "ballast/hypermodel/precopy.h"
#include "machine.h"
#include "source.h"

namespace ballast::simulated {
namespace {

using Clock = std::chrono::steady_clock;
using hypermodel::Precopy;

const char* text_of(Silence silence) {
  switch (silence) {
    case Silence::refused: return "nobody listens";
    case Silence::broken: return "the connection broke";
    case Silence::late: return "no answer in time";
    case Silence::garbage: return "the answer is no record";
  }
  return "?";
}

std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

}  // namespace

void Outgoing::run() {
  const std::string why = migrate();
  {
    const std::lock_guard lock(machine_.mutex_);
    machine_.orders_.erase(order_.vm);
    machine_.conversations_.erase(order_.token);
  }
  machine_.tell(MigrationEnded{order_.lease, order_.vm, why.empty(), why});
}

// Empty when the VM has arrived, else why not.
std::string Outgoing::migrate() {
  if (const std::string why = copy_over(); !why.empty()) {
    if (line_) line_->close();
    // Not when a killed host ends: then nothing is to change any more.
    const Status back =
        machine_.change([&](HostModel& model) { return model.roll_back(order_.vm); });
    return back ? why : why + "; " + back.error().message;
  }
  return hand_over();
}

std::string Outgoing::copy_over() {
  const std::optional<LoopbackAddress> address = address_from_uri(order_.target_uri);
  if (!address) return "no simulated hypervisor: " + quoted(order_.target_uri);
  if (!machine_.reachable_) return "the target cannot be reached";
  Connected connected = connect_to(*address, machine_.options_.io_timeout, machine_.stopping_);
  if (!connected.line) return std::string("connect: ") + text_of(connected.silence);
  line_ = std::move(connected.line);
  if (disturbed(Moment::source_connected)) return "interfered";
  if (const std::string why = prepare(); !why.empty()) return why;
  if (disturbed(Moment::source_prepared)) return "interfered";
  if (const std::string why = copy_memory(); !why.empty()) return why;
  return disturbed(Moment::source_copied) ? "interfered" : "";
}

std::string Outgoing::prepare() {
  const std::optional<Copy> copy = machine_.find(order_.vm);
  Record greeting{std::string(protocol_name),
                  machine_.options_.secret,
                  "migrate",
                  order_.token,
                  order_.vm.str(),
                  decimal(copy ? copy->memory_mib : 0)};
  append(greeting, machine_.self());
  if (!line_->send(greeting)) return "prepare: the connection broke";
  const std::optional<Record> answer = line_->read(machine_.options_.io_timeout);
  if (!answer) return std::string("prepare: ") + text_of(line_->silence());
  if (answer->size() == 2 && answer->front() == "refused") return (*answer)[1];
  const std::optional<Peer> peer = peer_from(*answer, 1);
  if (answer->front() != "ready" || !peer) return "prepare: the answer makes no sense";
  if (!order_.target_host.empty() && peer->host != order_.target_host)
    return "the hypervisor at " + quoted(order_.target_uri) + " is that of " + quoted(peer->host) +
           ", the order is for " + quoted(order_.target_host);
  target_ = *peer;
  target_.uri = order_.target_uri;
  return {};
}

// Lasts as long as the model says, on a clock that `migration_speed` makes faster; the copies that
// this host sends share its bandwidth.
std::string Outgoing::copy_memory() {
  const hypermodel::Timing& timing = machine_.options_.timing;
  const std::optional<Copy> held = machine_.find(order_.vm);
  const double cpu_mhz =
      machine_.loads_.load(order_.vm, machine_.since_start()).value_or(Resources{}).cpu_mhz;
  Precopy copy(held ? held->memory_mib : 0, cpu_mhz / 1000 * timing.dirty_mib_s_per_ghz,
               timing.downtime_limit);
  const SendingSlot slot(machine_);
  const auto started = Clock::now();
  auto copied_until = started;
  auto said = started;
  const Duration sign_of_life = machine_.options_.io_timeout / 4;
  while (!copy.done()) {
    const double rate = slot.rate_mib_s(order_.bandwidth_mib_s);
    Duration spell = std::chrono::milliseconds(20);
    if (copy.converges(rate))
      spell = std::min(spell, scaled(copy.left(rate), 1 / machine_.options_.migration_speed));
    if (!line_->is_quiet_for(spell)) return "the connection to the target broke";
    if (slot.aborted(order_.vm)) return "aborted";
    const auto now = Clock::now();
    copy.advance(scaled(now - copied_until, machine_.options_.migration_speed), rate);
    copied_until = now;
    if (scaled(now - started, machine_.options_.migration_speed) > timing.perform_max)
      return "the copy did not end in time";
    if (now - said > sign_of_life) {
      if (!line_->send({"copying"})) return "the connection to the target broke";
      said = now;
    }
  }
  return {};
}

std::string Outgoing::hand_over() {
  const Status handed = machine_.commit([&](HostModel& model) -> Status {
    if (const Status over = model.hand_over(order_.vm); !over) return over;
    return model.name_peer(order_.vm, to_text(target_));
  });
  if (!handed) {
    line_->close();
    const Status back =
        machine_.change([&](HostModel& model) { return model.roll_back(order_.vm); });
    return handed.error().message + (back ? "" : "; " + back.error().message);
  }
  if (disturbed(Moment::source_handed_over)) return doubt("the connection broke in finish");
  if (!line_->send({"finish"})) return doubt("the connection broke in finish");
  if (disturbed(Moment::source_finish_sent)) return doubt("the connection broke in finish");
  const std::optional<Record> answer = line_->read(machine_.options_.io_timeout);
  if (answer && answer->size() == 2 && answer->front() == "failed") return take_back((*answer)[1]);
  if (!answer || *answer != Record{"started"})
    return doubt(std::string("finish: ") +
                 (answer ? "the answer makes no sense" : text_of(line_->silence())));
  return confirm();
}

std::string Outgoing::confirm() {
  if (const Course course = machine_.at(Moment::source_heard); course == Course::error) {
    (void)machine_.change([&](HostModel& model) { return model.leave_over(order_.vm); });
    return "the copy at the source could not be removed";
  } else if (course == Course::cut) {
    return doubt("the connection broke in confirm");
  }
  const Status removed = machine_.commit([&](HostModel& model) { return model.remove(order_.vm); });
  if (!removed) {
    (void)machine_.change([&](HostModel& model) { return model.leave_over(order_.vm); });
    return removed.error().message;
  }
  // From here the VM has moved, whether or not the target hears of it now.
  if (!disturbed(Moment::source_removed)) (void)line_->send({"confirmed"});
  return {};
}

std::string Outgoing::take_back(const std::string& why) {
  const Status back = machine_.commit([&](HostModel& model) { return model.roll_back(order_.vm); });
  return back ? why : doubt(why + "; " + back.error().message);
}

std::string Outgoing::doubt(const std::string& why) {
  line_->close();
  (void)machine_.change([&](HostModel& model) { return model.doubt(order_.vm); });
  return why;
}

bool Outgoing::disturbed(Moment moment) {
  if (machine_.at(moment) == Course::on) return false;
  line_->close();
  return true;
}

SendingSlot::SendingSlot(Machine& machine) : machine_(machine) {
  const std::lock_guard lock(machine_.mutex_);
  ++machine_.sending_;
}

SendingSlot::~SendingSlot() {
  const std::lock_guard lock(machine_.mutex_);
  --machine_.sending_;
}

double SendingSlot::rate_mib_s(double limit_mib_s) const {
  const std::lock_guard lock(machine_.mutex_);
  const double share = machine_.options_.timing.link_mib_s / static_cast<double>(machine_.sending_);
  return limit_mib_s > 0 ? std::min(share, limit_mib_s) : share;
}

bool SendingSlot::aborted(const VmId& vm) const {
  const std::lock_guard lock(machine_.mutex_);
  const auto order = machine_.orders_.find(vm);
  return order != machine_.orders_.end() && order->second;
}

Duration scaled(std::chrono::nanoseconds span, double factor) {
  return duration_of_seconds(std::chrono::duration<double>(span).count() * factor);
}

}  // namespace ballast::simulated

#include "attachment.h"

#include <algorithm>

#include "ballast/base/planted.h"

namespace ballast::node {
namespace {

constexpr Duration backoff_min = std::chrono::milliseconds(500);
constexpr Duration backoff_max = std::chrono::seconds(10);
constexpr Duration repeat_after = std::chrono::seconds(5);
constexpr int unanswered_max = 3;

// A node that lost its small state lives its first life again. Its epochs must not be those that
// masters know from the first time: they would take its reports for old ones.
std::uint64_t first_attachment(std::uint64_t incarnation, std::uint64_t seed) {
  return incarnation > 1 ? 1 : 1 + (seed >> 48U);
}

}  // namespace

Attachment::Attachment(TimePoint now, const Config& config, const NodeId& self,
                       std::uint64_t incarnation, std::uint64_t seed)
    : settings_(config.sample),
      random_(seed),
      epoch_{incarnation, first_attachment(incarnation, seed)},
      next_attach_(now),
      backoff_(backoff_min) {
  if (config.node.role == Role::master) {
    master_ = PeerAddress{self, {}};
  } else if (config.node.master) {
    master_ = *config.node.master;
  }
}

void Attachment::set_master(TimePoint now, const PeerAddress& master) {
  if (attached_ && master.id == master_.id) return;
  if (!master_.id.empty() && master.id != master_.id) previous_ = master_.id;
  master_ = master;
  attached_ = false;
  ++epoch_.attachment;
  unanswered_ = 0;
  repeat_at_ = time_never;
  next_attach_ = now;
  backoff_ = backoff_min;
  last_refusal_.clear();
}

Attachment::Due Attachment::tick(TimePoint now, Outbox& out) {
  if (!attached_) {
    if (now < next_attach_ || master_.id.empty()) return Due::nothing;
    // The wait grows and is never the same twice, so that a thousand slaves whose master comes back
    // do not all knock at once.
    next_attach_ = now + duration_of_seconds(seconds_of(backoff_) * random_.between(0.75, 1.25));
    backoff_ = std::min(backoff_ * 2, backoff_max);
    return Due::attach;
  }
  if (now >= repeat_at_) {
    if (++unanswered_ >= unanswered_max) {
      lose(now, "it did not acknowledge " + std::to_string(unanswered_) + " reports", out);
      return Due::nothing;
    }
    repeat_at_ = now + repeat_after;
    return Due::report;
  }
  return now >= next_report_ ? Due::report : Due::nothing;
}

TimePoint Attachment::next_deadline() const {
  if (master_.id.empty()) return time_never;
  return attached_ ? std::min(next_report_, repeat_at_) : next_attach_;
}

std::uint64_t Attachment::sent(TimePoint now, Due what) {
  if (what == Due::report) {
    next_report_ = now + settings_.report_interval;
    // However many follow: what counts is how long none was answered.
    if (repeat_at_ == time_never) repeat_at_ = now + repeat_after;
  }
  return ++sequence_;
}

bool Attachment::take(TimePoint now, const NodeId& from, const wire::AttachAnswer& answer,
                      Outbox& out) {
  if (from != master_.id || answer.slave_epoch != epoch_) {
    out.count("answers_from_the_past");
    return false;
  }
  if (!answer.accepted) {
    if (attached_) {
      lose(now, answer.reason, out);
      return false;
    }
    if (answer.reason != last_refusal_) {
      out.event(now, EventKind::alarm, {}, from, "the master refuses us: " + answer.reason);
    }
    last_refusal_ = answer.reason;
    backoff_ = backoff_max;
    return false;
  }
  if (attached_) return false;
  attached_ = true;
  last_refusal_.clear();
  backoff_ = backoff_min;
  unanswered_ = 0;
  acknowledged_ = sequence_;
  repeat_at_ = time_never;
  next_report_ = now + settings_.report_interval;
  out.event(now, EventKind::attached, {}, from, "attached to master " + quoted(from.str()));
  return true;
}

void Attachment::take(const NodeId& from, const wire::ReportAck& ack) {
  if (from != master_.id || ack.slave_epoch != epoch_ || !attached_) return;
  const std::uint64_t heard = std::min(ack.sequence, sequence_);
  if (heard <= acknowledged_) return;
  acknowledged_ = heard;
  unanswered_ = 0;
  if (acknowledged_ == sequence_) repeat_at_ = time_never;
}

bool Attachment::lose(TimePoint now, const std::string& why, Outbox& out) {
  if (!attached_) return false;
  attached_ = false;
  ++epoch_.attachment;
  unanswered_ = 0;
  repeat_at_ = time_never;
  next_attach_ = planted::on(planted::Bug::slave_stays_lost) ? time_never : now;
  out.event(now, EventKind::lost, {}, master_.id,
            "lost master " + quoted(master_.id.str()) + ": " + why);
  return true;
}

}  // namespace ballast::node

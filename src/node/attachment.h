// How a node belongs to a master: attaches, reports, and notices when nobody listens any more. Each
// new attachment raises the epoch, so that whatever the old master still had under way is refused.
// Which master that is, is decided elsewhere: by the configuration, by discovery, by promotion.
#pragma once

#include <string>

#include "ballast/base/random.h"
#include "ballast/base/time.h"
#include "ballast/model/config.h"
#include "outbox.h"

namespace ballast::node {

class Attachment {
 public:
  Attachment(TimePoint now, const Config& config, const NodeId& self, std::uint64_t incarnation,
             std::uint64_t seed);

  // What is due now. The holder then writes it, since it knows the jobs.
  enum class Due : unsigned char { nothing, attach, report };
  Due tick(TimePoint now, Outbox& out);
  TimePoint next_deadline() const;

  // The next Attach or Report has gone out, with this sequence.
  std::uint64_t sent(TimePoint now, Due what);
  void report_soon(TimePoint now) { next_report_ = now; }

  // True when this answer attached us anew.
  bool take(TimePoint now, const NodeId& from, const wire::AttachAnswer& answer, Outbox& out);
  void take(const NodeId& from, const wire::ReportAck& ack);
  // The link to the master broke, or the master does not answer: attach again. True when we were
  // attached until now.
  bool lose(TimePoint now, const std::string& why, Outbox& out);

  // Belongs to this one from now on; the same again, while attached, changes nothing.
  void set_master(TimePoint now, const PeerAddress& master);

  bool attached() const { return attached_; }
  // The master before this one, if it was another; empty: none in this life.
  const NodeId& previous() const { return previous_; }
  // Orders are obeyed from this node, while attached and of this epoch.
  const NodeId& master() const { return master_.id; }
  const std::string& master_endpoint() const { return master_.endpoint; }
  const Epoch& epoch() const { return epoch_; }
  // Reports up to this one have been written.
  std::uint64_t sequence() const { return sequence_; }

 private:
  PeerAddress master_;  // its id is empty while there is none
  NodeId previous_;
  SampleSettings settings_;
  Random random_;
  Epoch epoch_;
  bool attached_ = false;
  std::uint64_t sequence_ = 0;
  std::uint64_t acknowledged_ = 0;
  int unanswered_ = 0;
  TimePoint next_attach_;
  TimePoint next_report_ = time_never;
  TimePoint repeat_at_ = time_never;  // the last report is repeated unless heard by then
  Duration backoff_;
  std::string last_refusal_;
};

}  // namespace ballast::node

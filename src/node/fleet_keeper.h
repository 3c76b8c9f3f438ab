// Keeps the book of the fleet in step with the nodes around: what is news here is told at once to
// our master, our slaves and the masters that we are linked with; short hashes, told now and then,
// find what was lost on the way. Nothing is believed because of who tells it: each record carries
// the signature of the fleet's key. A node whose keys are trusted by hand alone has no book, and
// nothing happens here. Source: docs/protocol.md, "The fleet".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ballast/base/random.h"
#include "ballast/fleet/book.h"
#include "ballast/model/config.h"
#include "outbox.h"

namespace ballast::node {

class FleetKeeper {
 public:
  // Who is told: id, and endpoint where it is not on a session of theirs.
  using Neighbours = std::vector<std::pair<NodeId, std::string>>;

  FleetKeeper(const Config& config, const wire::FleetVerifier* verifier, std::uint64_t seed,
              Outbox& out)
      : report_interval_(config.sample.report_interval),
        verifier_(verifier),
        random_(seed),
        out_(out) {}

  // What this node's own files say.
  void load(TimePoint now, const FleetLoaded& loaded);

  void take(TimePoint now, const NodeId& from, const wire::Introduce& word);
  void take(TimePoint now, const NodeId& from, const wire::FleetRecords& word);
  void take(TimePoint now, const NodeId& from, const wire::FleetDigest& word);
  // Who was asked does not take our certificate, and says why.
  void take(TimePoint now, const NodeId& from, const wire::JoinAnswer& word);

  bool has_book() const { return book_.has_value(); }
  // Something is to be told: tick() wants to know to whom.
  bool is_due(TimePoint now) const { return next_deadline() <= now; }
  void tick(TimePoint now, const Neighbours& neighbours);
  // This node has another master, or is linked with one more: they are told at once.
  void met_master(TimePoint now);
  void met(TimePoint now, const NodeId& node);
  TimePoint next_deadline() const;

 private:
  // What is news is kept, and passed on.
  fleet::Heard learn(TimePoint now, const wire::FleetRecordPtr& record, const NodeId& from);
  void tell_of_own(TimePoint now, const wire::FleetRecord& record);
  void ask_again(TimePoint at, const NodeId& node);
  // False when this one asks too often.
  bool may_ask(TimePoint now, const NodeId& node);
  wire::FleetDigest digest(bool with_buckets, bool answer) const;
  void send_records(const NodeId& to, const std::string& endpoint,
                    const std::vector<wire::FleetRecordPtr>& records);
  void send_what_differs(const NodeId& to, const std::vector<std::uint64_t>& buckets);

  const Duration report_interval_;
  const wire::FleetVerifier* verifier_;
  Random random_;
  Outbox& out_;
  std::optional<fleet::Book> book_;
  std::vector<std::pair<wire::FleetRecordPtr, NodeId>> news_;  // with who has told it
  TimePoint next_news_ = time_never;
  TimePoint next_digest_ = time_never;
  // To be told what we know: it told us news, so that there may be more, or it is new here.
  struct Again {
    TimePoint at;
    int tries = 0;  // it was no neighbour yet
  };
  std::map<NodeId, Again> again_;
  struct Asked {
    TimePoint since;
    std::size_t times = 0;
  };
  std::map<NodeId, Asked> asked_;
  bool told_of_revocation_ = false;
  std::map<NodeId, TimePoint> refused_by_;
};

}  // namespace ballast::node

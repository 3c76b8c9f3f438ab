// Who may lead, as far as this node's trust file says, and what it tells people when masters do not
// believe one another. A master that nobody believes is an island: its orders are dropped without a
// word on the wire, so both ends raise an alarm that names the command which mends it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ballast/discovery/second_master.h"
#include "ballast/model/config.h"
#include "ballast/node/node.h"
#include "outbox.h"

namespace ballast::node {

class Leaders {
 public:
  Leaders(const Config& config, Outbox& out) : role_(config.node.role), out_(out) {}

  // Until then everybody is believed, as without security.
  void loaded(TimePoint now, TrustLoaded trust);

  // Its key is trusted as a master's here.
  bool may_lead(const NodeId& node) const;
  // Why this node may not lead, or may not begin to by itself, with what mends it; empty: it may.
  std::string why_not_here() const;
  std::string why_not_by_itself() const;
  void set_demoted(bool demoted) { demoted_ = demoted; }
  // "`ballast trust add h2 --master` on host 'h1'"
  std::string mended_by(const NodeId& node, const NodeId& at) const;
  const char* everywhere() const;

  // There are too few masters (`is_short`), and these are the slaves of this one: when none may be
  // made one, that is said once.
  void tell_of_candidates(TimePoint now, bool is_short,
                          const std::vector<discovery::PromotionCandidate>& slaves);

  // A node says what only masters may say, and is not trusted as one here; `proven`: it holds its
  // key. True: it should be told so.
  bool not_believed(TimePoint now, const NodeId& node, bool proven);
  // A node says that it does not believe us.
  void disbelieved_by(TimePoint now, const NodeId& node);
  // A node does not take our key.
  void refused_by(TimePoint now, const NodeId& node);
  // What it does shows that it takes our key, or believes us.
  void taken_by(TimePoint now, const NodeId& node) { end(now, refused_, node, "takes our key"); }
  void believed_by(TimePoint now, const NodeId& node) {
    end(now, disbelief_, node, "trusts this node as a master");
  }

 private:
  using Alarms = std::map<NodeId, TimePoint>;  // when it was heard last

  bool is_news(TimePoint now, Alarms& alarms, const NodeId& node) const;
  void end(TimePoint now, Alarms& alarms, const NodeId& node, const char* what);

  const Role role_;
  Outbox& out_;
  bool demoted_ = false;
  bool told_of_none_ = false;
  TrustLoaded trust_;
  Alarms strangers_;  // that are not believed here
  Alarms told_back_;  // ... and when they were told so
  Alarms disbelief_;  // that do not believe us
  Alarms refused_;    // that do not take our key
};

}  // namespace ballast::node

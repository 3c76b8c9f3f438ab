// Where a node takes what operators ask, and sees to the answer. A slave passes it to its master. A
// master answers for its group; what is about a host or a VM of another group it passes to the
// other masters, who answer for theirs; and where it needs to know what room others have, it asks
// them for that first. Nothing here decides what moves: a drain is checked, then ordered from the
// host's own node, and the rest is the planner's and the market's. Source: design, sections 7
// and 8.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ballast/model/config.h"
#include "holder.h"
#include "leaders.h"
#include "master.h"
#include "masters.h"
#include "outbox.h"

namespace ballast::node {

class Desk {
 public:
  // The parts of the node that it asks; the last two where the node leads.
  struct House {
    Holder& holder;
    Master* master;
    Masters* masters;
  };

  Desk(TimePoint now, const Config& config, std::uint64_t seed, const Leaders& leaders,
       Outbox& out);

  // From an operator at this node; the ticket names the answer.
  std::uint64_t ask(TimePoint now, const Question& question);
  // This node is to lead from now on: what it was asked for, and may.
  bool take_promotion() { return std::exchange(promotion_, false); }
  // A node that leads from now on, with what this master has said.
  NodeId take_promoted() { return std::exchange(promoted_, NodeId()); }
  std::vector<Answer> take_answers() { return std::exchange(answers_, {}); }

  // Messages; `from` is proven.
  void take(TimePoint now, const NodeId& from, const wire::Inquiry& inquiry);
  void take(TimePoint now, const NodeId& from, const wire::Reply& reply);

  // To be called after whatever happened: what is waited for may have come about.
  void tick(TimePoint now, const House& house);
  TimePoint next_deadline() const;

 private:
  static constexpr Duration host_patience = std::chrono::seconds(12);
  static constexpr Duration ask_again_every = std::chrono::seconds(2);
  static wire::Reply yes(std::string text, std::vector<wire::Fact> facts = {});
  static wire::Reply no(std::string text, std::vector<wire::Fact> facts = {});

  enum class Stage : unsigned char {
    fresh,
    at_master,
    at_slave,
    at_others,
    at_rooms,
    at_nodes,
    ordered
  };
  struct Task {
    NodeId asker;              // empty: an operator here
    std::uint64_t number = 0;  // the asker's
    Question question;
    bool forwarded = false;
    Stage stage = Stage::fresh;
    TimePoint next;                         // something is repeated, or tried again
    TimePoint until;                        // then it is given up
    std::map<NodeId, std::string> awaited;  // endpoint
    std::size_t asked = 0;
    std::vector<std::pair<NodeId, wire::Reply>> heard;
    Master::DrainCheck check;  // of a drain that is ordered
  };
  using Done = std::optional<wire::Reply>;

  Task* add(TimePoint now, const NodeId& asker, std::uint64_t number, Question question);
  Done advance(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done begin(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done begin_at_master(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done own_drain(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done own_promotion(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done promotion_of_slave(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done own_forget(TimePoint now, const House& house, Task& task);
  Done ask_master(TimePoint now, const House& house, std::uint64_t id, Task& task);
  wire::Reply lead_now();
  Done own_why(TimePoint now, const House& house, std::uint64_t id, Task& task);
  Done order(TimePoint now, const House& house, Task& task);
  Done ordered(TimePoint now, const House& house, Task& task);
  wire::Reply heard_one(Task& task);
  Done heard_all(TimePoint now, const House& house, Task& task);
  Done with_rooms(TimePoint now, const House& house, Task& task);
  std::vector<wire::Fact> nodes_heard(TimePoint now, const House& house) const;
  wire::Reply with_nodes(TimePoint now, const House& house, const Task& task) const;
  Done best_host(TimePoint now, const House& house, const Task& task) const;
  Done ask_others(TimePoint now, const House& house, std::uint64_t id, Task& task, Stage stage);
  void send_to_awaited(std::uint64_t id, Task& task);
  bool another_drain_is_decided(std::uint64_t id) const;
  wire::Reply events(TimePoint now) const;
  bool is_of_start(const Event& event) const;
  void finish(const Task& task, wire::Reply reply);

  const TimePoint started_;
  const Config& config_;  // of the node: some of it changes while it runs
  const Leaders& leaders_;
  Outbox& out_;
  bool promotion_ = false;
  NodeId promoted_;
  std::uint64_t last_id_;
  std::map<std::uint64_t, Task> tasks_;
  std::vector<Answer> answers_;
};

}  // namespace ballast::node

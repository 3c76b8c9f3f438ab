#include "desk.h"

#include <algorithm>

#include "ballast/base/limits.h"
#include "ballast/base/words.h"

namespace ballast::node {
namespace {

using wire::Answered;
using wire::Subject;

// Each within the patience of the one who waits for it: an operator 30 s, his node 25 s, the first
// master 20 s, the host's own master 12 s for the host.
constexpr Duration master_patience = std::chrono::seconds(25);
constexpr Duration others_patience = std::chrono::seconds(20);
constexpr Duration rooms_patience = std::chrono::seconds(4);
constexpr Duration try_again_after = std::chrono::milliseconds(200);
constexpr Duration start_lasts = std::chrono::seconds(60);
constexpr std::size_t room_asked_max = 32;  // masters, those with the most spare

wire::Reply reply_of(Answered answered, std::string text, std::vector<wire::Fact> facts = {}) {
  wire::Reply reply;
  reply.answered = answered;
  reply.text = cleaned_text(text, limits::text_bytes_max);
  reply.facts = std::move(facts);
  if (reply.facts.size() > limits::facts_max) reply.facts.resize(limits::facts_max);
  return reply;
}

bool is_about_a_host(Subject subject) {
  return subject == Subject::drain || subject == Subject::undrain || subject == Subject::promote ||
         subject == Subject::forget;
}

// What it is about, for messages.
std::string name_of(const Question& question) {
  return is_about_a_host(question.subject) ? "host " + quoted(question.host.str())
                                           : "VM " + quoted(question.vm.str());
}

std::string silent(const std::map<NodeId, std::string>& awaited, std::size_t asked) {
  if (awaited.empty()) return {};
  return "; " + std::to_string(awaited.size()) + " of " + std::to_string(asked) +
         " other masters did not answer";
}

}  // namespace

Desk::Desk(TimePoint now, const Config& config, std::uint64_t seed, const Leaders& leaders,
           Outbox& out)
    : started_(now), config_(config), leaders_(leaders), out_(out), last_id_(seed >> 16U) {}

wire::Reply Desk::no(std::string text, std::vector<wire::Fact> facts) {
  return reply_of(Answered::no, std::move(text), std::move(facts));
}
wire::Reply Desk::yes(std::string text, std::vector<wire::Fact> facts) {
  return reply_of(Answered::yes, std::move(text), std::move(facts));
}

// --- what comes in ------------------------------------------------------------------------------

Desk::Task* Desk::add(TimePoint now, const NodeId& asker, std::uint64_t number, Question question) {
  const auto of_asker = std::count_if(
      tasks_.begin(), tasks_.end(), [&](const auto& known) { return known.second.asker == asker; });
  // Whoever sits at this node has places of his own, however much others ask.
  const auto most = asker.empty() ? limits::inquiries_here_max : limits::inquiries_of_asker_max;
  const auto here = std::count_if(tasks_.begin(), tasks_.end(),
                                  [](const auto& known) { return known.second.asker.empty(); });
  const std::size_t of_others = tasks_.size() - static_cast<std::size_t>(here);
  const bool too_many = static_cast<std::size_t>(of_asker) >= most ||
                        (!asker.empty() && of_others >= limits::inquiries_max);
  if (too_many) {
    out_.count("inquiries_refused");
    return nullptr;
  }
  Task task;
  task.asker = asker;
  task.number = number;
  task.question = std::move(question);
  task.next = now;
  task.until = now + others_patience;
  ++last_id_;
  if (asker.empty()) task.number = last_id_;  // the ticket
  return &tasks_.emplace(last_id_, std::move(task)).first->second;
}

std::uint64_t Desk::ask(TimePoint now, const Question& question) {
  if (add(now, {}, 0, question) != nullptr) return last_id_;
  answers_.push_back({++last_id_, no("too much is asked of this node at a time: ask again")});
  return last_id_;
}

void Desk::take(TimePoint now, const NodeId& from, const wire::Inquiry& inquiry) {
  const bool known = std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& task) {
    return task.second.asker == from && task.second.number == inquiry.number;
  });
  if (known) return;
  Task* task = add(now, from, inquiry.number,
                   {inquiry.subject, inquiry.host, inquiry.vm, inquiry.load, false});
  if (task != nullptr) task->forwarded = inquiry.forwarded;
}

void Desk::take(TimePoint, const NodeId& from, const wire::Reply& reply) {
  const auto found = tasks_.find(reply.number);
  if (found == tasks_.end() || found->second.awaited.erase(from) == 0) {
    out_.count("replies_unasked");
    return;
  }
  found->second.heard.emplace_back(from, reply);
}

// --- time ---------------------------------------------------------------------------------------

void Desk::tick(TimePoint now, const House& house) {
  std::vector<std::uint64_t> open;
  for (const auto& [id, task] : tasks_) open.push_back(id);
  for (const std::uint64_t id : open) {
    Done done = advance(now, house, id, tasks_.at(id));
    if (!done) continue;
    const Task task = std::move(tasks_.at(id));
    tasks_.erase(id);
    finish(task, std::move(*done));
  }
}

TimePoint Desk::next_deadline() const {
  TimePoint next = time_never;
  for (const auto& [id, task] : tasks_) next = std::min({next, task.next, task.until});
  return next;
}

void Desk::finish(const Task& task, wire::Reply reply) {
  reply.number = task.number;
  if (!task.asker.empty()) return out_.send(task.asker, {}, std::move(reply));
  answers_.push_back({task.number, std::move(reply)});
}

Desk::Done Desk::advance(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  const bool by_others = task.stage == Stage::fresh || task.stage == Stage::at_master;
  if (!by_others && house.master == nullptr)
    return no("this node is no master any more: ask again");
  switch (task.stage) {
    case Stage::fresh:
      if (now >= task.until) return no("too much else is being decided: ask again");
      return now >= task.next ? begin(now, house, id, task) : Done();
    case Stage::at_master:
    case Stage::at_slave:
      if (!task.heard.empty()) return heard_one(task);
      if (now >= task.until)
        return no(quoted(task.awaited.begin()->first.str()) +
                  " does not answer; whether it was done, `ballast status` there shows");
      break;
    case Stage::at_others:
      for (const auto& [from, reply] : task.heard) {
        if (reply.answered != Answered::not_mine) return heard_all(now, house, task);
      }
      if (task.awaited.empty() || now >= task.until) return heard_all(now, house, task);
      break;
    case Stage::at_rooms:
      if (task.awaited.empty() || now >= task.until) return with_rooms(now, house, task);
      break;
    case Stage::at_nodes:
      if (task.awaited.empty() || now >= task.until) return with_nodes(now, house, task);
      break;
    case Stage::ordered: return ordered(now, house, task);
  }
  if (now >= task.next) {
    task.next = now + ask_again_every;
    send_to_awaited(id, task);
  }
  return {};
}

// --- where it is answered -----------------------------------------------------------------------

Desk::Done Desk::begin(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  task.next = time_never;
  const Question& question = task.question;
  if (question.subject == Subject::promote && question.host == out_.self())
    return own_promotion(now, house, id, task);
  if (house.master != nullptr) return begin_at_master(now, house, id, task);
  if (!task.asker.empty()) return reply_of(Answered::not_mine, "this node is not a master");
  if (question.here) return events(now);
  if (house.holder.attachment().attached()) return ask_master(now, house, id, task);
  if (question.subject == Subject::undrain && question.host == out_.self()) {
    house.holder.set_maintenance(now, false, "asked for by an operator here");
    return yes(quoted(out_.self().str()) + " takes VMs again, as soon as it has a master");
  }
  return no("this node has no master at the moment: ask another, or later");
}

Desk::Done Desk::ask_master(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  const Attachment& attachment = house.holder.attachment();
  task.stage = Stage::at_master;
  task.until = now + master_patience;
  task.next = now + ask_again_every;
  task.awaited.emplace(attachment.master(), attachment.master_endpoint());
  send_to_awaited(id, task);
  return {};
}

Desk::Done Desk::begin_at_master(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  Master& master = *house.master;
  switch (task.question.subject) {
    case Subject::drain:
    case Subject::undrain:
      if (master.knows(task.question.host)) return own_drain(now, house, id, task);
      return ask_others(now, house, id, task, Stage::at_others);
    case Subject::promote:
      if (master.knows(task.question.host)) return promotion_of_slave(now, house, id, task);
      return ask_others(now, house, id, task, Stage::at_others);
    case Subject::forget:
      if (master.knows(task.question.host) || master.has_lost(task.question.host))
        return own_forget(now, house, task);
      return ask_others(now, house, id, task, Stage::at_others);
    case Subject::why: return own_why(now, house, id, task);
    case Subject::nodes:
      if (task.forwarded) return yes("", nodes_heard(now, house));
      return ask_others(now, house, id, task, Stage::at_nodes);
    case Subject::retry:
      if (master.has(task.question.vm)) return yes(master.retry(now, task.question.vm));
      return ask_others(now, house, id, task, Stage::at_others);
    case Subject::events: return events(now);
    case Subject::best_host: return ask_others(now, house, id, task, Stage::at_rooms);
    case Subject::room:
      return reply_of(master.trades() ? Answered::yes : Answered::no,
                      master.trades() ? "" : "this master takes no VMs of other groups now",
                      master.room_for(now, task.question.load));
  }
  return no("an unknown subject");
}

Desk::Done Desk::ask_others(TimePoint now, const House& house, std::uint64_t id, Task& task,
                            Stage stage) {
  task.stage = stage;
  const bool brief = stage == Stage::at_rooms || stage == Stage::at_nodes;
  task.until = now + (brief ? rooms_patience : others_patience);
  task.next = now + ask_again_every;
  std::vector<MasterView> others;
  if (house.masters != nullptr && !task.forwarded) others = house.masters->views();
  std::erase_if(others, [](const MasterView& one) { return one.withdrawn; });
  if (stage == Stage::at_rooms) {
    std::stable_sort(others.begin(), others.end(), [](const MasterView& a, const MasterView& b) {
      return a.spare.cpu_mhz > b.spare.cpu_mhz;
    });
    if (others.size() > room_asked_max) others.resize(room_asked_max);
  }
  for (const MasterView& one : others) {
    if (one.id != out_.self() && task.awaited.size() < limits::masters_asked_max)
      task.awaited.emplace(one.id, one.endpoint);
  }
  task.asked = task.awaited.size();
  send_to_awaited(id, task);
  if (!task.awaited.empty()) return {};
  if (stage == Stage::at_nodes) return with_nodes(now, house, task);
  return stage == Stage::at_rooms ? with_rooms(now, house, task) : heard_all(now, house, task);
}

void Desk::send_to_awaited(std::uint64_t id, Task& task) {
  wire::Inquiry inquiry;
  inquiry.number = id;
  inquiry.subject = task.stage == Stage::at_rooms ? Subject::room : task.question.subject;
  inquiry.host = task.question.host;
  inquiry.vm = task.question.vm;
  inquiry.load = task.question.load;
  inquiry.forwarded = task.stage != Stage::at_master && task.stage != Stage::at_slave;
  for (const auto& [to, endpoint] : task.awaited) out_.send(to, endpoint, inquiry);
}

// The other masters have said what they know, or one has said enough.
Desk::Done Desk::heard_all(TimePoint now, const House& house, Task& task) {
  const bool is_why = task.question.subject == Subject::why;
  std::vector<wire::Fact> past;
  if (is_why) past = house.master->why(now, task.question.vm);
  const wire::Reply* answer = nullptr;
  for (const auto& [from, reply] : task.heard) {
    if (reply.answered == Answered::not_mine) {
      past.insert(past.end(), reply.facts.begin(), reply.facts.end());
    } else if (answer == nullptr) {
      answer = &reply;
    }
  }
  if (answer != nullptr && !is_why) return *answer;
  if (answer != nullptr) past.insert(past.end(), answer->facts.begin(), answer->facts.end());
  std::stable_sort(past.begin(), past.end(),
                   [](const auto& a, const auto& b) { return a.age > b.age; });
  if (answer != nullptr) return reply_of(answer->answered, answer->text, std::move(past));
  // A master that is asked by another knows of its own group alone.
  if (task.forwarded) return reply_of(Answered::not_mine, "", std::move(past));
  const bool was_lost = std::any_of(past.begin(), past.end(),
                                    [](const wire::Fact& fact) { return fact.kind == "lost"; });
  return no(
      (was_lost ? "no host has " + name_of(task.question) + ", and the last that had it is lost"
                : "no master knows " + name_of(task.question)) +
          silent(task.awaited, task.asked),
      std::move(past));
}

// --- why, events, best-host ---------------------------------------------------------------------

Desk::Done Desk::own_why(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  if (house.master->has(task.question.vm)) return yes("", house.master->why(now, task.question.vm));
  return ask_others(now, house, id, task, Stage::at_others);
}

// A group that comes together: news only to who looks for it.
bool Desk::is_of_start(const Event& event) const {
  return event.kind == EventKind::attached && event.at < started_ + start_lasts;
}

wire::Reply Desk::events(TimePoint now) const {
  std::vector<wire::Fact> facts;
  const std::size_t skipped =
      out_.recent().size() - std::min(out_.recent().size(), limits::facts_max);
  std::size_t number = 0;
  for (const Event& event : out_.recent()) {
    if (number++ < skipped) continue;
    wire::Fact fact;
    fact.kind = is_of_start(event) ? "start" : node::name_of(event.kind);
    fact.age = now - event.at;
    fact.vm = event.vm;
    fact.host = event.host;
    fact.text = cleaned_text(event.text, limits::text_bytes_max);
    facts.push_back(std::move(fact));
  }
  return yes("", std::move(facts));
}

// The members of our group, and of us the masters.
std::vector<wire::Fact> Desk::nodes_heard(TimePoint now, const House& house) const {
  std::vector<wire::Fact> facts;
  for (const HostView& host : house.master->hosts(now)) {
    wire::Fact fact;
    fact.kind = "node";
    fact.age = host.age;
    fact.host = host.id;
    fact.master = out_.self();
    fact.text = host.state.starts_with("lost") ? "lost" : "";
    facts.push_back(std::move(fact));
  }
  return facts;
}

wire::Reply Desk::with_nodes(TimePoint now, const House& house, const Task& task) const {
  std::vector<wire::Fact> facts = nodes_heard(now, house);
  for (const auto& [from, reply] : task.heard)
    facts.insert(facts.end(), reply.facts.begin(), reply.facts.end());
  const std::string unheard = silent(task.awaited, task.asked);
  return yes(unheard.empty() ? "" : unheard.substr(2), std::move(facts));
}

Desk::Done Desk::best_host(TimePoint now, const House& house, const Task& task) const {
  const Resources& load = task.question.load;
  std::vector<wire::Fact> places = house.master->room_for(now, load);
  for (const auto& [from, reply] : task.heard) {
    for (wire::Fact fact : reply.facts) {
      if (fact.kind != "host" || !market::fits(fact.room, load)) continue;
      fact.master = from;
      places.push_back(std::move(fact));
    }
  }
  std::sort(places.begin(), places.end(), better_place);
  const std::string unheard = silent(task.awaited, task.asked);
  if (!places.empty()) return yes("room for " + amounts(load) + unheard, std::move(places));
  return no("no host has room for " + amounts(load) + ": " + house.master->most_room(now, load) +
            ", and no other master has more" + unheard);
}

// --- drain --------------------------------------------------------------------------------------

// Two drains that are checked at the same moment would count on the same room.
bool Desk::another_drain_is_decided(std::uint64_t id) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& known) {
    const Task& task = known.second;
    const bool decided = task.stage == Stage::at_rooms || task.stage == Stage::ordered;
    return known.first != id && task.question.subject == Subject::drain && decided;
  });
}

Desk::Done Desk::own_drain(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  const HostId& host = task.question.host;
  const Member& member = *house.master->group().find(host);
  if (task.question.subject == Subject::undrain)
    return member.report.maintenance ? order(now, house, task)
                                     : yes(quoted(host.str()) + " takes VMs already");
  if (member.report.maintenance) {
    std::vector<wire::Fact> left = house.master->left_over(now, host);
    if (left.empty())
      return yes(quoted(host.str()) + " is " + drain_state(member.report.vms.size()) + " already");
    house.master->drain_anew(now, host);
    return yes("the drain of " + quoted(host.str()) + " had stopped, " +
                   counted_left(member.report.vms.size()) + ": it is tried again",
               std::move(left));
  }
  if (another_drain_is_decided(id)) {
    task.next = now + try_again_after;
    return {};
  }
  task.check = house.master->check_drain(now, host, {});
  if (task.check.refusal.empty()) return order(now, house, task);
  if (!task.check.lacks_room || !house.master->trades())
    return no(task.check.refusal, task.check.facts);
  task.forwarded = false;  // it is ours to ask for room
  task.question.load = {};
  return ask_others(now, house, id, task, Stage::at_rooms);
}

Desk::Done Desk::with_rooms(TimePoint now, const House& house, Task& task) {
  if (task.question.subject == Subject::best_host) return best_host(now, house, task);
  const HostId& host = task.question.host;
  if (!house.master->knows(host)) return no(quoted(host.str()) + " has left the group: ask again");
  std::vector<OtherRoom> rooms;
  for (const auto& [from, reply] : task.heard) {
    if (reply.answered != Answered::yes) continue;
    for (const wire::Fact& fact : reply.facts) {
      if (fact.kind == "host") rooms.push_back({from, fact.host, market::whole_units(fact.room)});
    }
  }
  task.check = house.master->check_drain(now, host, rooms);
  if (task.check.refusal.empty()) return order(now, house, task);
  return no(task.check.refusal + silent(task.awaited, task.asked), task.check.facts);
}

Desk::Done Desk::order(TimePoint now, const House& house, Task& task) {
  task.stage = Stage::ordered;
  task.until = now + host_patience;
  task.next = now;
  return ordered(now, house, task);
}

// Until the host's own report says so: it has it on its disk then.
Desk::Done Desk::ordered(TimePoint now, const House& house, Task& task) {
  const HostId& host = task.question.host;
  const bool wanted = task.question.subject == Subject::drain;
  const Member* member = house.master->group().find(host);
  if (member == nullptr) return no(quoted(host.str()) + " has left the group: ask again");
  if (member->report.maintenance == wanted) {
    const std::string still = house.master->why_still(now);
    if (!wanted) return yes(quoted(host.str()) + " takes VMs again");
    return yes(quoted(host.str()) + " is being drained: " + counted(task.check.at_home, "VM") +
                   (task.check.at_home == 1 ? " goes" : " go") + " to hosts of its group, " +
                   std::to_string(task.check.elsewhere) + " to other groups" +
                   (task.check.silent == 0
                        ? ""
                        : "; " + std::to_string(task.check.silent) +
                              " whose hypervisor cannot say how they are stay until it can") +
                   (still.empty() ? "" : ". But " + still),
               task.check.facts);
  }
  if (now >= task.until)
    return no(quoted(host.str()) + " does not answer; whether it was told, `ballast status` shows");
  if (now >= task.next) {
    task.next = now + ask_again_every;
    const std::string by = task.asker.empty() ? out_.self().str() : task.asker.str();
    out_.send(host, {},
              wire::Drain{member->epoch, wanted, "an operator asked for it at " + quoted(by)});
  }
  return {};
}

}  // namespace ballast::node

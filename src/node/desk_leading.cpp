// What operators ask about nodes rather than VMs: promotion, and hosts that are lost.

#include "desk.h"

namespace ballast::node {

using wire::Answered;
using wire::Subject;

// --- promotion ----------------------------------------------------------------------------------

wire::Reply Desk::lead_now() {
  promotion_ = true;
  return yes(quoted(out_.self().str()) + " leads a group now, of itself to begin with");
}

// Of this node. Whether others would believe it, its master knows; whether it wants to, it says
// itself.
Desk::Done Desk::own_promotion(TimePoint now, const House& house, std::uint64_t id, Task& task) {
  const Attachment& attachment = house.holder.attachment();
  const std::string self = quoted(out_.self().str());
  const bool by_hand_here = task.asker.empty();
  if (!by_hand_here && (!attachment.attached() || task.asker != attachment.master()))
    return house.master != nullptr ? yes(self + " is a master")
                                   : no(self + " has another master, which has to ask it");
  if (house.master != nullptr && attachment.master() == out_.self())
    return by_hand_here ? no(self + " is a master already") : yes(self + " is a master");
  if (const std::string why = leaders_.why_not_here(); !why.empty())
    return no(self + " does not become a master: " + why);
  if (by_hand_here && attachment.attached() && house.master == nullptr)
    return ask_master(now, house, id, task);
  return lead_now();
}

Desk::Done Desk::promotion_of_slave(TimePoint now, const House& house, std::uint64_t id,
                                    Task& task) {
  const HostId& host = task.question.host;
  if (!leaders_.may_lead(host))
    return no(quoted(host.str()) +
              " does not become a master: its key is not trusted as a "
              "master's by its own master. Mend it by " +
              leaders_.mended_by(host, out_.self()) + ", and on every other host");
  if (task.asker == host) {
    promoted_ = host;
    return yes("its master trusts it as one");
  }
  if (house.master->group().find(host)->lost)
    return no(quoted(host.str()) + " is lost: it cannot be told");
  task.stage = Stage::at_slave;
  task.until = now + host_patience;
  task.next = now + ask_again_every;
  task.awaited.emplace(host, std::string());
  send_to_awaited(id, task);
  return {};
}

// One has answered for all: the master of this node, or the slave that it was about.
wire::Reply Desk::heard_one(Task& task) {
  wire::Reply reply = std::move(task.heard.front().second);
  const bool own = task.question.subject == Subject::promote && task.question.host == out_.self() &&
                   task.stage == Stage::at_master;
  if (task.stage == Stage::at_slave && reply.answered == Answered::yes)
    promoted_ = task.question.host;
  return own && reply.answered == Answered::yes ? lead_now() : reply;
}

// --- hosts that are lost ------------------------------------------------------------------------

Desk::Done Desk::own_forget(TimePoint now, const House& house, Task& task) {
  const HostId& host = task.question.host;
  const Status forgotten = house.master->forget_lost(now, host);
  if (!forgotten) return no(forgotten.error().message);
  return yes(quoted(host.str()) + " is forgotten; should it come back, it joins anew");
}

}  // namespace ballast::node

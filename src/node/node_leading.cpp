// Who leads, as the node sees to it: promotion and demotion, the second master that stands by and
// stands in, and what is said when nobody leads. Whether it may is decided in leaders.h.

#include <algorithm>

#include "node_impl.h"

namespace ballast::node {

// Some other node could lead in our place.
bool Node::Impl::another_can_lead() const {
  if (masters && masters->others() > 0) return true;
  const auto& members = master->group().members();
  return std::any_of(members.begin(), members.end(), [&](const auto& known) {
    return known.first != config.node.id && !known.second.lost && known.second.facts.automatic &&
           leaders.may_lead(known.first);
  });
}

Status Node::Impl::demote(TimePoint now) {
  if (!master) return Error{"this node is no master"};
  if (config.node.role == Role::master)
    return Error{"its role is \"master\": change the configuration to \"auto\" or \"slave\""};
  if (!another_can_lead())
    return Error{
        "no other master is linked with this one, and no host of its group may lead (role "
        "\"auto\", and a key trusted as a master's here): nobody would balance the fleet. Let "
        "another one lead first: `ballast promote NODE`"};
  out.event(now, EventKind::lost, {}, config.node.id,
            "demoted by an operator: this node leads no group until `ballast promote " +
                config.node.id.str() + "`");
  set_demoted(now, true);
  step_down(now);
  return {};
}

// What it leads by, its key, may not lead any more: others hear it no longer as a master, and its
// hosts are better off with one that they do.
void Node::Impl::step_down_if_it_may_not(TimePoint now) {
  if (!master || config.node.role != Role::automatic) return;
  const std::string why = leaders.why_not_here();
  if (why.empty() || planted::on(planted::Bug::leads_untrusted)) return;
  out.event(now, EventKind::lost, {}, config.node.id, "this node leads no more: " + why);
  stood_in_for = {};
  step_down(now);
}

void Node::Impl::step_down(TimePoint now) {
  dismiss_slaves("its master steps down");
  PeerAddress next = configured_master_but({});
  if (masters) {
    for (const MasterView& one : masters->views()) {
      if (!one.peer) continue;
      out.send(one.id, one.endpoint, wire::Disconnect{});
      if (one.hosts > 0) next = {one.id, one.endpoint};
    }
  }
  const bool followed_itself = leads_itself();
  master.reset();
  masters.reset();
  stand_by.end();
  if (!followed_itself && holder.attachment().attached()) return;
  holder.set_master(now, next);
  seeker.start(now);
}

void Node::Impl::promoted(TimePoint now, const NodeId& from, const wire::Promote& order) {
  if (masters) return masters->hint(now, {order.master});
  if (master || from != holder.attachment().master() || !holder.attachment().attached()) return;
  remember(order.master);
  if (!leaders.why_not_by_itself().empty()) {
    out.count("promotions_refused");
    return;
  }
  out.event(now, EventKind::attached, {}, from,
            "made a second master by " + quoted(from.str()) + ", and stands by: " + order.why);
  lead(now, true);
}

void Node::Impl::dismissed(TimePoint now, const NodeId& from, const wire::Dismiss& word) {
  const Attachment& attachment = holder.attachment();
  if (leads_itself() || from != attachment.master() || word.slave_epoch != attachment.epoch())
    return;
  out.event(now, EventKind::lost, {}, from, "dismissed by " + quoted(from.str()) + ": " + word.why);
  holder.set_master(now, master ? PeerAddress{} : configured_master_but(from));
  if (master) return;  // it stands by, and sees for itself whom to follow: see stand()
  seeker.start(now);
  seeker.refused(now, from);
}

void Node::Impl::stand(TimePoint now, bool attached) {
  if (!stand_by.active()) return;
  const bool decides = stand_by.next_deadline() <= now;
  const Attachment& attachment = holder.attachment();
  const NodeId& first = attachment.master().empty() ? attachment.previous() : attachment.master();
  const StandBy::Next next =
      stand_by.tick(now, first, attached, master->slaves(),
                    decides && masters ? masters->views() : std::vector<MasterView>{});
  if (next.follow) return holder.set_master(now, *next.follow);
  if (!next.lead) return;
  out.event(
      now, EventKind::attached, {}, config.node.id,
      quoted(first.str()) + " does not answer: this node, which stood by, leads in its place");
  stood_in_for = attachment.master();  // nobody, when that one has sent it away
  lead(now);
}

// The master in whose place it leads is back, and stays: a small fleet is one group again. First
// its own host goes there, then its slaves look for a master, which is that one.
void Node::Impl::give_back(TimePoint now) {
  if (stood_in_for.empty()) return;
  const Attachment& attachment = holder.attachment();
  if (stand_by.active()) {
    if (!attachment.attached() || attachment.master() != stood_in_for) return;
    dismiss_slaves(quoted(stood_in_for.str()) + ", in whose place it led, is back");
    stood_in_for = {};
    return;
  }
  const std::vector<MasterView> others = masters->views();
  const auto back = std::find_if(others.begin(), others.end(),
                                 [&](const MasterView& one) { return one.id == stood_in_for; });
  const bool leads =
      back != others.end() && back->peer && !back->lost && !back->withdrawn && back->hosts > 0;
  if (!leads) {
    back_since = time_never;
    return;
  }
  back_since = std::min(back_since, now);
  const std::size_t hosts = back->hosts + master->group().members().size();
  const bool busy =
      master->draining() || !master->in_flight().empty() || !master->ledger().leases().empty();
  if (now < back_since + given_back_after || busy || hosts > limits::small_fleet_hosts) return;
  out.event(now, EventKind::attached, {}, stood_in_for,
            quoted(stood_in_for.str()) + " leads again: this node stands by once more");
  stand_by.begin();
  holder.set_master(now, PeerAddress{back->id, back->endpoint});
}

void Node::Impl::dismiss_slaves(const std::string& why) {
  for (const auto& [id, member] : master->group().members()) {
    if (id != config.node.id) out.send(id, {}, wire::Dismiss{member.epoch, why});
  }
}

// Nothing is lost by it at once, so it is said when it lasts.
void Node::Impl::tell_of_no_master(TimePoint now, bool attached) {
  if (attached || leads_itself()) {
    if (std::exchange(told_of_no_master, false))
      out.self_alarm(now, EventKind::recovered, config.node.id, "a master answers again");
    unattached_since = time_never;
    return;
  }
  unattached_since = std::min(unattached_since, now);
  if (told_of_no_master || now < unattached_since + no_master_told_after) return;
  told_of_no_master = true;
  const std::string why = leaders.why_not_by_itself();
  out.self_alarm(now, EventKind::alarm, config.node.id,
                 "no master answers for " + whole_seconds(now - unattached_since) +
                     ": VMs run on, and nothing here is balanced" +
                     (why.empty() || config.node.role == Role::master
                          ? ""
                          : "; this node does not lead, as " + why));
}

// Also to one that leads by an operator's word: it cannot link with a master that it cannot find.
void Node::Impl::tell_to_lead(const NodeId& node, const char* why) {
  if (!masters) return;
  const wire::Peer self{config.node.id, holder.facts().endpoint, access.feed};
  out.send(node, {}, wire::Promote{self, why});
}

void Node::Impl::promote_another(TimePoint now) {
  if (masters->others() + 1 >= config.mesh.min_masters) {
    (void)masters->to_promote(now, {});
    return leaders.tell_of_candidates(now, false, {});
  }
  if (stand_by.active() && holder.attachment().attached()) return;  // the first one sees to it
  std::vector<discovery::PromotionCandidate> slaves;
  for (const auto& [id, member] : master->group().members()) {
    if (id == config.node.id || member.lost || masters->knows(id)) continue;
    slaves.push_back({id, member.facts.automatic, leaders.may_lead(id), member.report.maintenance});
  }
  if (const auto chosen = masters->to_promote(now, slaves))
    tell_to_lead(*chosen, "there are fewer masters than min_masters");
  leaders.tell_of_candidates(now, masters->is_short(now), slaves);
}

// Where to turn to while the beacons are asked, which may reach nobody.
PeerAddress Node::Impl::configured_master_but(const NodeId& not_this) const {
  const auto& master_of_old = config.node.master;
  const bool usable =
      master_of_old && master_of_old->id != not_this && master_of_old->id != config.node.id;
  return usable ? *master_of_old : PeerAddress{};
}

// A slave was asked for what only a master does.
Error Node::Impl::not_here() const {
  const Attachment& attachment = holder.attachment();
  if (!attachment.attached()) return Error{"this node is no master, and none answers it now"};
  return Error{"this node is no master: ask " + quoted(attachment.master().str()) + ", its master"};
}

}  // namespace ballast::node

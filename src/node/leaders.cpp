#include "leaders.h"

#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::node {
namespace {

// What is not heard of again for so long is said anew when it comes back.
constexpr Duration forgotten_after = std::chrono::minutes(10);
constexpr Duration told_back_every = std::chrono::seconds(30);

}  // namespace

bool Leaders::may_lead(const NodeId& node) const {
  if (!trust_.nodes) return true;
  const auto known = trust_.nodes->find(node);
  return known != trust_.nodes->end() && known->second;
}

std::string Leaders::mended_by(const NodeId& node, const NodeId& at) const {
  if (trust_.by_certificate)
    return "`ballast invite --master` on the host with the fleet's key, and `ballast join TOKEN` "
           "on host " +
           quoted(node.str());
  const bool known = !trust_.nodes || trust_.nodes->contains(node);
  return "`ballast trust add " + node.str() + (known ? "" : " KEY") + " --master` on host " +
         quoted(at.str()) + (known ? "" : " (KEY: what `ballast keygen` printed on its host)");
}

// Where a trust file has to say so, each one has to.
const char* Leaders::everywhere() const {
  return trust_.by_certificate ? "" : ", and on every other host";
}

std::string Leaders::why_not_here() const {
  if (planted::on(planted::Bug::leads_untrusted)) return {};
  if (role_ == Role::slave)
    return trust_.by_certificate && !may_lead(out_.self())
               ? "its certificate does not say that it may lead: " +
                     mended_by(out_.self(), out_.self())
               : "its role is \"slave\": with `role = \"auto\"` in its configuration it may lead";
  if (!may_lead(out_.self()))
    return (trust_.by_certificate ? "its certificate does not say that it may lead: "
                                  : "its own trust file does not hold its key as a master's: ") +
           mended_by(out_.self(), out_.self()) + everywhere();
  return {};
}

std::string Leaders::why_not_by_itself() const {
  if (std::string why = why_not_here(); !why.empty()) return why;
  if (demoted_)
    return "an operator demoted it: `ballast promote " + out_.self().str() + "` lets it lead again";
  return {};
}

void Leaders::loaded(TimePoint now, TrustLoaded trust) {
  trust_ = std::move(trust);
  std::erase_if(strangers_, [&](const auto& one) {
    if (!may_lead(one.first)) return false;
    out_.self_alarm(now, EventKind::recovered, one.first,
                    "the key of " + quoted(one.first.str()) + " is trusted as a master's here now");
    return true;
  });
}

void Leaders::tell_of_candidates(TimePoint now, bool is_short,
                                 const std::vector<discovery::PromotionCandidate>& slaves) {
  const bool none = std::none_of(
      slaves.begin(), slaves.end(),
      [](const discovery::PromotionCandidate& one) { return one.automatic && one.may_be_master; });
  if (!is_short || slaves.empty() || !none) {
    if (!is_short || !none) {
      if (std::exchange(told_of_none_, false))
        out_.self_alarm(now, EventKind::recovered, out_.self(),
                        "there are masters enough, or a host that may become one");
    }
    return;
  }
  if (std::exchange(told_of_none_, true)) return;
  const auto lacks_trust =
      std::find_if(slaves.begin(), slaves.end(),
                   [](const discovery::PromotionCandidate& one) { return one.automatic; });
  out_.self_alarm(
      now, EventKind::alarm, out_.self(),
      "no other master lives, and no host of this group may become one: should this one die, "
      "nothing is balanced until it is back. " +
          (lacks_trust != slaves.end()
               ? quoted(lacks_trust->id.str()) + " may once its key is trusted as a master's: " +
                     mended_by(lacks_trust->id, out_.self()) + everywhere()
           : trust_.by_certificate
               ? "One may with `ballast invite --master` on the host with the fleet's key, and "
                 "`ballast join TOKEN` there"
               : "One may with `role = \"auto\"` in its configuration and `ballast trust add "
                 "NODE --master` on every host") +
          "; `[mesh] min_masters = 1` says that one master is enough");
}

bool Leaders::is_news(TimePoint now, Alarms& alarms, const NodeId& node) const {
  std::erase_if(alarms, [&](const auto& one) { return now >= one.second + forgotten_after; });
  if (alarms.size() >= limits::disbelieved_max && !alarms.contains(node)) {
    out_.count("disbeliefs_not_told");
    return false;
  }
  const auto [known, added] = alarms.try_emplace(node, now);
  known->second = now;
  return added;
}

bool Leaders::not_believed(TimePoint now, const NodeId& node, bool proven) {
  if (may_lead(node) || node == out_.self()) return false;
  if (is_news(now, strangers_, node))
    out_.self_alarm(now, EventKind::alarm, node,
                    quoted(node.str()) + (proven ? " acts as a master" : " calls itself a master") +
                        ", and its key is not trusted as a master's here: nothing that it says is "
                        "done. If it is to lead, " +
                        mended_by(node, out_.self()) + " lets it; if not, `ballast demote` there");
  if (!proven || !strangers_.contains(node)) return false;
  std::erase_if(told_back_, [&](const auto& one) { return now >= one.second + told_back_every; });
  return told_back_.emplace(node, now).second;
}

void Leaders::disbelieved_by(TimePoint now, const NodeId& node) {
  if (!is_news(now, disbelief_, node)) return;
  out_.self_alarm(now, EventKind::alarm, node,
                  quoted(node.str()) +
                      " does not trust this node as a master: it does nothing that this one "
                      "says. " +
                      (trust_.by_certificate ? mended_by(out_.self(), node)
                                             : "`ballast trust add " + out_.self().str() +
                                                   " --master` on host " + quoted(node.str())) +
                      " mends that");
}

void Leaders::refused_by(TimePoint now, const NodeId& node) {
  if (!is_news(now, refused_, node)) return;
  out_.self_alarm(
      now, EventKind::alarm, node,
      quoted(node.str()) + " does not take the key of this node, or has another key than " +
          "the one trusted here: compare " +
          (trust_.by_certificate
               ? "`ballast fleet` on both hosts; `ballast join` with a new token takes "
                 "a host in again"
               : "`ballast trust list` on both hosts; `ballast trust add " + out_.self().str() +
                     " KEY` on host " + quoted(node.str()) + " adds it"));
}

void Leaders::end(TimePoint now, Alarms& alarms, const NodeId& node, const char* what) {
  if (alarms.empty() || alarms.erase(node) == 0) return;
  out_.self_alarm(now, EventKind::recovered, node, quoted(node.str()) + " " + what + " now");
}

}  // namespace ballast::node

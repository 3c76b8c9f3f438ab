#include "fleet_office.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "ballast/base/words.h"
#include "ballast/files/nodes.h"

namespace ballast::daemon {
namespace {

constexpr std::uint64_t lent_for_max_s = 31 * 24 * 3600;

}  // namespace

FleetOffice::FleetOffice(const Config& config, trust::TrustStore& trust)
    : config_(config), trust_(trust) {}

wire::JoinAnswer FleetOffice::answer(const zmq::Knock& knock, std::uint64_t now_s) {
  wire::JoinAnswer refusal;
  if (trust_.book() == nullptr) {
    refusal.refusal = "this host belongs to no fleet: `ballast init` or `ballast join` there first";
    return refusal;
  }
  forget_if_over(now_s);
  std::optional<trust::Identity> key = lent_;
  if (!key || key->public_key() != trust_.book()->fleet_key()) {
    if (Result<trust::Identity> kept =
            trust::Identity::read(fleet_key_file(), trust::KeyKind::fleet))
      key = *std::move(kept);
  }
  const bool is_of_use = key && key->public_key() == trust_.book()->fleet_key();
  const trust::Registry registry{config_.node.state_dir + "/invitations",
                                 config_.node.cluster,
                                 trust_.identity().public_key(),
                                 *trust_.book(),
                                 is_of_use ? &*key : nullptr,
                                 now_s};
  return trust::answer_to({knock.ask, knock.key}, registry);
}

Status FleetOffice::lend(std::string_view words, std::uint64_t now_s) {
  const Error wrong{"lend-fleet-key: expected the seconds since 1970 until when, and a key"};
  const std::size_t blank = words.find(' ');
  std::uint64_t until_s = 0;
  const auto read =
      std::from_chars(words.data(), words.data() + std::min(blank, words.size()), until_s);
  if (blank == std::string_view::npos || read.ec != std::errc() ||
      read.ptr != words.data() + blank || until_s > now_s + lent_for_max_s)
    return wrong;
  const std::optional<trust::Identity> key =
      trust::Identity::from_secret_text(words.substr(blank + 1));
  if (!key) return wrong;
  if (trust_.book() == nullptr)
    return Error{"the node has not seen yet that this host has joined a fleet: try again"};
  if (key->public_key() != trust_.book()->fleet_key())
    return Error{"this is not the fleet's present key: its public half is " +
                 trust::text_of(key->public_key()) + ", expected " +
                 trust::text_of(trust_.book()->fleet_key())};
  lent_ = key;
  lent_until_s_ = std::max(lent_until_s_, until_s);
  return {};
}

void FleetOffice::forget_if_over(std::uint64_t now_s) {
  if (lent_ && now_s > lent_until_s_) lent_.reset();
}

std::string FleetOffice::in_words() const {
  if (trust_.book() == nullptr)
    return "trust: by hand, " + counted(trust_.by_hand(), "node") + " in the trust file";
  std::size_t certified = 0;
  std::size_t by_hand = 0;
  for (const auto& [node, member] : trust_.book()->members())
    certified += member.certificate != nullptr;
  const auto nodes = trust_.nodes();
  for (const auto& [node, leads] : *nodes)
    by_hand += trust_.book()->certificate_of(node) == nullptr;
  std::string text = "trust: by certificates of the fleet, " + counted(certified, "node");
  if (!trust_.certificate()) text += ", this one not among them";
  if (by_hand > 0)
    text += "; and by hand alone, " + counted(by_hand, "node") + " in the trust file";
  return text;
}

std::string FleetOffice::nodes_json(const wire::Reply& heard) const {
  std::map<NodeId, const wire::Fact*> heard_of;
  for (const wire::Fact& fact : heard.facts) {
    const wire::Fact*& known = heard_of[fact.host];
    if (known == nullptr || fact.age < known->age) known = &fact;
  }
  files::FleetNodes fleet;
  fleet.trust = in_words();
  fleet.unheard = heard.text;
  const fleet::Book* book = trust_.book();
  if (book != nullptr) {
    fleet.fleet_key = trust::text_of(book->fleet_key());
    fleet.generation = book->generation();
  }
  const auto add = [&](const NodeId& id, const char* by, std::optional<std::uint64_t> since_s) {
    files::FleetNode node{id.str(), trust_.may_be_master(id), by, since_s, {}, {}, false};
    if (const auto word = heard_of.find(id); word != heard_of.end()) {
      node.heard = word->second->age;
      node.master = word->second->master.str();
      node.lost = word->second->text == "lost";
    }
    fleet.nodes.push_back(std::move(node));
  };
  if (book != nullptr) {
    for (const auto& [id, member] : book->members()) {
      if (member.certificate)
        add(id, trust_.is_by_hand(id) ? "both" : "certificate", member.certificate->issued_s);
      else
        add(id, "revoked", member.revocation->issued_s);
    }
  }
  const auto nodes = trust_.nodes();
  for (const auto& [id, may_lead] : *nodes)
    if (book == nullptr || !book->members().contains(id)) add(id, "hand", std::nullopt);
  return files::nodes_json(fleet);
}

}  // namespace ballast::daemon

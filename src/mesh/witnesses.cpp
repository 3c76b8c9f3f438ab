// Opinions on who is gone, kept as small lists.

#include "witnesses.h"

#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/base/planted.h"

namespace ballast::mesh {

void Witnesses::testify(TimePoint now, std::uint64_t witness, const Suspect& suspect) {
  if (witness == suspect.key) return;
  auto found = cases_.find(suspect.key);
  if (found == cases_.end()) {
    if (cases_.size() >= limits::summaries_kept_max) return;
    found = cases_.emplace(suspect.key, Case{}).first;
  }
  Case& open = found->second;
  if (suspect.incarnation < open.incarnation) return;
  if (suspect.incarnation > open.incarnation) {
    open.incarnation = suspect.incarnation;
    open.testimonies.clear();
  }
  const std::size_t needed = planted::on(planted::Bug::mesh_believes_one_witness) ? 1 : enough;
  if (open.testimonies.size() >= needed) return;
  open.testimonies.push_back({witness, now});
  if (open.testimonies.size() == needed) agreed_.push_back(suspect);
}

void Witnesses::hear(TimePoint now, std::uint64_t witness, const std::vector<Suspect>& suspects) {
  for (auto& [key, open] : cases_)
    std::erase_if(open.testimonies, [&](const Testimony& t) { return t.witness == witness; });
  for (const Suspect& suspect : suspects) testify(now, witness, suspect);
}

void Witnesses::cleared(std::uint64_t key) {
  reached(key);
  cases_.erase(key);
}

std::vector<Witnesses::Suspect> Witnesses::take_agreed() { return std::exchange(agreed_, {}); }

void Witnesses::doubt(TimePoint now, const NodeId& master, std::uint64_t key,
                      std::uint64_t incarnation) {
  reached(key);
  if (doubts_.size() >= limits::suspicions_max) {
    changed_ |= doubts_.front().told;
    doubts_.erase(doubts_.begin());
  }
  doubts_.push_back({{master, incarnation}, key, now, false});
}

void Witnesses::reached(std::uint64_t key) {
  const auto found = std::find_if(doubts_.begin(), doubts_.end(),
                                  [&](const Doubt& doubt) { return doubt.key == key; });
  if (found == doubts_.end()) return;
  changed_ |= found->told;
  doubts_.erase(found);
}

bool Witnesses::tick(TimePoint now, std::uint64_t own_key) {
  for (Doubt& doubt : doubts_) {
    if (doubt.told || now - doubt.since < settings_.suspect_after) continue;
    doubt.told = true;
    changed_ = true;
  }
  changed_ |= std::erase_if(doubts_, [&](const Doubt& doubt) {
                return now - doubt.since > settings_.suspicion_lasts;
              }) > 0;
  for (auto at = cases_.begin(); at != cases_.end();) {
    std::vector<Testimony>& testimonies = at->second.testimonies;
    std::erase_if(testimonies,
                  [&](const Testimony& t) { return now - t.at > settings_.suspicion_lasts; });
    at = testimonies.empty() ? cases_.erase(at) : std::next(at);
  }
  if (!std::exchange(changed_, false)) return false;
  std::vector<Suspect> suspects;
  for (const Doubt& doubt : doubts_)
    if (doubt.told) suspects.push_back({doubt.key, doubt.suspicion.incarnation});
  hear(now, own_key, suspects);
  return true;
}

std::vector<wire::Suspicion> Witnesses::mine() const {
  std::vector<wire::Suspicion> told;
  for (const Doubt& doubt : doubts_)
    if (doubt.told) told.push_back(doubt.suspicion);
  return told;
}

bool Witnesses::suspects(std::uint64_t key) const {
  return std::any_of(doubts_.begin(), doubts_.end(),
                     [&](const Doubt& doubt) { return doubt.told && doubt.key == key; });
}

}  // namespace ballast::mesh

#include "fleet_keeper.h"

#include <algorithm>

#include "ballast/base/limits.h"

namespace ballast::node {
namespace {

using fleet::Heard;
using wire::FleetRecordPtr;
using wire::RecordKind;

constexpr Duration news_wait = std::chrono::milliseconds(100);  // so that many go in one message
constexpr Duration again_after = std::chrono::seconds(1);
constexpr int again_tries = 10;
constexpr Duration asked_window = std::chrono::seconds(1);
constexpr std::size_t asked_max = 8;  // digests of one node in that time
constexpr Duration refusal_told_every = std::chrono::minutes(10);

}  // namespace

void FleetKeeper::load(TimePoint now, const FleetLoaded& loaded) {
  if (verifier_ == nullptr) return;
  if (!book_ && !loaded.anew) return;
  if (loaded.anew) {
    book_.emplace(loaded.fleet_key, loaded.generation);
    if (!book_->set_past(loaded.chain)) out_.count("fleet_chains_refused");
    news_.clear();
    next_digest_ = now;
  }
  for (const FleetRecordPtr& record : loaded.records) learn(now, record, out_.self());
}

void FleetKeeper::tell_of_own(TimePoint now, const wire::FleetRecord& record) {
  const bool is_in = book_->certificate_of(out_.self()) != nullptr;
  if (record.kind == RecordKind::revocation && !is_in) {
    told_of_revocation_ = true;
    out_.self_alarm(now, EventKind::alarm, out_.self(),
                    "this node's certificate was revoked: the fleet hears it no more; `ballast "
                    "join` with a new token takes it back");
  } else if (is_in && std::exchange(told_of_revocation_, false)) {
    out_.self_alarm(now, EventKind::recovered, out_.self(), "this node has a new certificate");
  }
}

Heard FleetKeeper::learn(TimePoint now, const FleetRecordPtr& record, const NodeId& from) {
  const Heard heard = book_->take(record, *verifier_);
  switch (heard) {
    case Heard::known: return heard;
    case Heard::foreign: out_.count("fleet_records_foreign"); return heard;
    case Heard::other_generation: out_.count("fleet_records_of_other_keys"); return heard;
    case Heard::full: out_.count("fleet_records_too_many"); return heard;
    case Heard::news: break;
  }
  if (from != out_.self()) out_.learned(record);
  if (record->node == out_.self()) tell_of_own(now, *record);
  // What does not fit is found by the digests.
  if (news_.size() < limits::fleet_news_max) {
    news_.emplace_back(record, from);
    next_news_ = std::min(next_news_, now + news_wait);
  }
  return heard;
}

void FleetKeeper::take(TimePoint now, const NodeId& from, const wire::Introduce& word) {
  if (book_) learn(now, word.certificate, from);
}

void FleetKeeper::take(TimePoint now, const NodeId& from, const wire::FleetRecords& word) {
  if (!book_) return;
  bool news = false;
  for (const FleetRecordPtr& record : word.records) {
    const Heard heard = learn(now, record, from);
    news |= heard == Heard::news;
    // Nobody honest tells such a one, and the rest may be as many looks at signatures for nothing.
    if (heard == Heard::foreign) break;
  }
  if (news) ask_again(now + again_after, from);
}

bool FleetKeeper::may_ask(TimePoint now, const NodeId& node) {
  if (asked_.size() >= limits::slaves_max)
    std::erase_if(asked_, [&](const auto& one) { return now >= one.second.since + asked_window; });
  Asked& asked = asked_[node];
  if (now >= asked.since + asked_window) asked = {now, 0};
  if (++asked.times <= asked_max) return true;
  out_.count("fleet_digests_too_often");
  return false;
}

void FleetKeeper::take(TimePoint now, const NodeId& from, const wire::FleetDigest& word) {
  if (!book_ || !may_ask(now, from)) return;
  const bool has_buckets = word.buckets.size() == limits::fleet_buckets;
  if (word.generation < book_->generation()) {
    // It was away while the key changed: with the words that lead to ours it can follow.
    send_records(from, {}, book_->chain_from(word.generation));
    out_.send(from, {}, digest(true, false));
  } else if (word.generation > book_->generation()) {
    // With buckets it has told us the way there already, and we did not believe it.
    if (has_buckets) {
      out_.count("fleet_keys_not_followed");
    } else {
      out_.send(from, {}, digest(false, false));
    }
  } else if (word.hash != book_->hash()) {
    if (has_buckets) send_what_differs(from, word.buckets);
    if (!has_buckets || !word.answer) out_.send(from, {}, digest(true, has_buckets));
  }
}

void FleetKeeper::take(TimePoint now, const NodeId& from, const wire::JoinAnswer& word) {
  if (word.refusal.empty() || !book_) return;
  std::erase_if(refused_by_,
                [&](const auto& one) { return now >= one.second + refusal_told_every; });
  if (refused_by_.size() >= limits::disbelieved_max || !refused_by_.emplace(from, now).second)
    return;
  out_.self_alarm(now, EventKind::alarm, from,
                  quoted(from.str()) + " does not take this node's certificate: " + word.refusal);
}

wire::FleetDigest FleetKeeper::digest(bool with_buckets, bool answer) const {
  wire::FleetDigest digest{book_->generation(), book_->hash(), {}, answer};
  if (with_buckets) digest.buckets.assign(book_->buckets().begin(), book_->buckets().end());
  return digest;
}

void FleetKeeper::send_records(const NodeId& to, const std::string& endpoint,
                               const std::vector<FleetRecordPtr>& records) {
  for (std::size_t at = 0; at < records.size(); at += limits::fleet_records_max) {
    const std::size_t end = std::min(records.size(), at + limits::fleet_records_max);
    out_.send(to, endpoint,
              wire::FleetRecords{{records.begin() + static_cast<std::ptrdiff_t>(at),
                                  records.begin() + static_cast<std::ptrdiff_t>(end)}});
  }
}

// From one bucket on that chance draws: what is too much now is part of the next answers.
void FleetKeeper::send_what_differs(const NodeId& to, const std::vector<std::uint64_t>& buckets) {
  std::vector<FleetRecordPtr> records;
  const std::size_t start = random_.below(buckets.size());
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const std::size_t bucket = (start + i) % buckets.size();
    if (buckets[bucket] == book_->buckets().at(bucket)) continue;
    const std::vector<FleetRecordPtr> here = book_->records_in(bucket);
    records.insert(records.end(), here.begin(), here.end());
    if (records.size() >= limits::fleet_answers_max * limits::fleet_records_max) break;
  }
  if (records.size() > limits::fleet_answers_max * limits::fleet_records_max)
    records.resize(limits::fleet_answers_max * limits::fleet_records_max);
  send_records(to, {}, records);
}

void FleetKeeper::met_master(TimePoint now) {
  if (book_) next_digest_ = now;
}

void FleetKeeper::met(TimePoint now, const NodeId& node) { ask_again(now, node); }

void FleetKeeper::ask_again(TimePoint at, const NodeId& node) {
  if (book_ && again_.size() < limits::slaves_max) again_.try_emplace(node, Again{at, 0});
}

void FleetKeeper::tick(TimePoint now, const Neighbours& neighbours) {
  if (!book_) return;
  if (next_news_ <= now) {
    next_news_ = time_never;
    const auto news = std::exchange(news_, {});
    for (const auto& [node, endpoint] : neighbours) {
      std::vector<FleetRecordPtr> untold;
      for (const auto& [record, from] : news)
        if (from != node) untold.push_back(record);
      send_records(node, endpoint, untold);
    }
  }
  const bool all = next_digest_ <= now;
  if (all) next_digest_ = now + report_interval_;
  for (const auto& [node, endpoint] : neighbours) {
    const auto again = again_.find(node);
    const bool once_more = again != again_.end() && again->second.at <= now;
    if (once_more) again_.erase(again);
    if (all || once_more) out_.send(node, endpoint, digest(false, false));
  }
  for (auto& [node, again] : again_) {
    if (again.at > now) continue;
    again.at = now + again_after;
    ++again.tries;
  }
  std::erase_if(again_, [](const auto& one) { return one.second.tries >= again_tries; });
}

TimePoint FleetKeeper::next_deadline() const {
  TimePoint next = std::min(next_news_, next_digest_);
  for (const auto& [node, again] : again_) next = std::min(next, again.at);
  return next;
}

}  // namespace ballast::node

#include "strangers.h"

#include <iterator>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/wire/codec.h"
#include "guests.h"

namespace ballast::zmq {
namespace {

constexpr std::size_t said_max = 8;  // one that joins repeats itself every 2 s
constexpr std::size_t knocks_max = 64;

}  // namespace

std::optional<wire::Message> Strangers::hear(::zmq::socket_t& router, std::string_view session,
                                             ::zmq::message_t& frame, const port::CurveKey& key) {
  const auto connection = connection_of(frame);
  const auto end = [&](std::uint64_t& counter) {
    ++counter;
    if (connection) cut(*connection);
    return std::nullopt;
  };
  if (!trust_->takes_strangers()) return end(counters_.untrusted);
  const std::size_t said = connection ? doorman_.heard(connection->descriptor) : 0;
  if (said == 0 || said > said_max) return end(counters_.strangers_cut);
  std::optional<wire::Message> message = gate_.admit(frame.to_string_view(), nullptr);
  if (!message) return end(counters_.strangers_cut);
  if (const auto* ask = std::get_if<wire::JoinAsk>(&message->body)) {
    knock(session, key, *ask);
    return std::nullopt;
  }
  const auto* word = std::get_if<wire::Introduce>(&message->body);
  // The first word, or none: looking at signatures costs us more than making them up.
  if (word == nullptr || said > 1) return end(counters_.strangers_cut);
  const std::string why = trust_->why_not_believed(word->certificate, message->header.sender, key);
  if (why.empty()) return message;
  ++counters_.certificates_refused;
  wire::Message refusal;
  refusal.header.cluster = settings_.cluster;
  refusal.header.sender = trust_->certificate() ? trust_->certificate()->node : NodeId("?");
  wire::JoinAnswer answer_body;
  answer_body.refusal = why;
  refusal.body = std::move(answer_body);
  answer(router, session, std::move(refusal));
  return std::nullopt;
}

void Strangers::knock(std::string_view session, const port::CurveKey& key,
                      const wire::JoinAsk& ask) {
  if (knocks_.size() >= knocks_max) {
    ++counters_.knocks_too_many;
    return;
  }
  knocks_.push_back({std::string(session), key, ask});
}

std::vector<Knock> Strangers::take_knocks() {
  std::vector<Knock> all(std::make_move_iterator(knocks_.begin()),
                         std::make_move_iterator(knocks_.end()));
  knocks_.clear();
  return all;
}

void Strangers::answer(::zmq::socket_t& router, std::string_view session, wire::Message message) {
  const std::string bytes = wire::encode(message);
  try {
    const auto now = ::zmq::send_flags::dontwait;
    if (!router.send(::zmq::buffer(session), now | ::zmq::send_flags::sndmore)) return;
    router.send(::zmq::buffer(bytes), now);
    ++counters_.sent;
  } catch (const ::zmq::error_t&) {
    ++counters_.no_session;  // it has gone
  }
}

}  // namespace ballast::zmq

#include "feed.h"

#include <algorithm>

#include "ballast/wire/tenure.h"
#include "frames.h"
#include "options.h"

namespace ballast::zmq {
namespace {

// Of one connection within a second: all topics taken and left several times over.
constexpr std::size_t changes_max = 64;

}  // namespace

Feed::Feed(::zmq::context_t& context, const TransportSettings& settings, const port::Trust* trust,
           TransportCounters& counters)
    : settings_(settings),
      trust_(trust),
      counters_(counters),
      socket_(context, ::zmq::socket_type::xpub),
      monitor_(context, socket_),
      doorman_(2 * limits::master_guests_max) {
  set_up_feed(socket_, settings.security ? trust : nullptr);
  socket_.bind(settings.bind_feed);
  endpoint_ = socket_.get(::zmq::sockopt::last_endpoint);
}

bool Feed::knows(std::string_view topic) const {
  return std::find(settings_.topics.begin(), settings_.topics.end(), topic) !=
         settings_.topics.end();
}

bool Feed::may_stay(const Proven& who) const {
  return !settings_.security ||
         (trust_->key_of(who.node) == who.key && trust_->may_be_master(who.node));
}

void Feed::publish(std::string_view topic, std::string_view bytes) {
  if (!knows(topic)) {
    ++counters_.bad_publication;
    return;
  }
  // A subscriber that is slow loses messages, and pulls what it lacks.
  const auto now = ::zmq::send_flags::dontwait;
  if (!socket_.send(::zmq::buffer(topic), now | ::zmq::send_flags::sndmore) ||
      !socket_.send(::zmq::buffer(bytes), now)) {
    ++counters_.queue_full;
    return;
  }
  ++counters_.published;
}

void Feed::note_connections() {
  const Doorman::Clock::time_point now = Doorman::Clock::now();
  while (const auto event = monitor_.take()) {
    if (event->kind == ConnectionEvent::accepted)
      doorman_.accepted(now, event->descriptor, guests_.size());
    if (event->kind == ConnectionEvent::down) {
      doorman_.closed(event->descriptor);
      (void)guests_.closed(event->descriptor);
    }
    if (event->kind == ConnectionEvent::refused || event->kind == ConnectionEvent::failed)
      ++counters_.failed_handshakes;
  }
}

void Feed::watch(std::size_t count_max) {
  if (doorman_.is_watching()) doorman_.look(Doorman::Clock::now());
  for (std::size_t i = 0; i < count_max; ++i) {
    ::zmq::message_t change;
    const Taken taken = take_frame(socket_, change);
    if (taken == Taken::none) return;
    // libzmq itself takes back the subscriptions of a connection that ends: nobody says it.
    const std::optional<Proven> who =
        settings_.security ? ZapHandler::proven_by(change, *trust_) : std::nullopt;
    if (settings_.security && !who) continue;
    Guest* guest = guests_.note(change, who.value_or(Proven{}));
    if (guest == nullptr) continue;
    doorman_.spoke(guest->connection.descriptor);
    // "\1topic" and "\0topic".
    const std::string_view text = change.to_string_view();
    const bool known = taken == Taken::one && !text.empty() &&
                       (text[0] == '\1' || text[0] == '\0') && knows(text.substr(1));
    if (!known || guest->said > changes_max) {
      ++(known ? counters_.subscriptions_too_many : counters_.unknown_topic);
      guests_.cut(*guest);
      continue;
    }
    const bool crowded =
        guests_.size() > limits::master_guests_max ||
        (settings_.security && guests_.count(guest->who.node) > limits::connections_of_key_max);
    if (crowded || !may_stay(guest->who)) {
      ++(crowded ? counters_.subscribers_too_many : counters_.cut_connections);
      guests_.cut(*guest);
    }
  }
}

void Feed::tidy() {
  counters_.cut_connections +=
      guests_.tidy([this](const Guest& guest) { return may_stay(guest.who); });
}

void Feed::append_sockets(std::vector<void*>& sockets) const {
  sockets.push_back(const_cast<::zmq::socket_t&>(socket_).handle());
  sockets.push_back(monitor_.socket());
}

}  // namespace ballast::zmq

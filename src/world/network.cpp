// Messages: which connection carries them, what becomes of them on the way.
#include "network.h"

#include <algorithm>
#include <utility>

#include "ballast/base/limits.h"
#include "ballast/wire/beacon.h"
#include "ballast/wire/codec.h"

namespace ballast::world {
namespace {

constexpr std::size_t datagrams = std::variant_size_v<wire::Body>;
constexpr double datagram_overhead_bytes = 28;  // IP and UDP

std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ (word >> 30U)) * 0xBF58476D1CE4E5B9U;
  word = (word ^ (word >> 27U)) * 0x94D049BB133111EBU;
  return word ^ (word >> 31U);
}

}  // namespace

Network::Network(const NetworkSettings& settings, std::size_t nodes, std::uint64_t seed,
                 bool through_bytes, Hooks hooks)
    : settings_(settings),
      seed_(seed),
      through_bytes_(through_bytes),
      hooks_(std::move(hooks)),
      random_(seed),
      places_(nodes),
      bytes_by_kind_(datagrams + 1),
      kinds_(datagrams + 1, nullptr),
      other_random_(seed ^ 0x07E2U) {
  node_of_.reserve(nodes);
}

void Network::introduce(std::uint32_t node, const NodeId& id, std::string endpoint,
                        std::string feed) {
  places_[node].id = id;
  places_[node].endpoint = std::move(endpoint);
  places_[node].feed = std::move(feed);
  const bool added = node_of_.emplace(id, node).second;
  BALLAST_ASSERT(added, "two nodes of one id in a world");
}

Duration Network::delay(std::uint32_t a, std::uint32_t b) const {
  const auto [low, high] = std::minmax(a, b);
  const std::uint64_t drawn = mixed(seed_ ^ (std::uint64_t{low} << 32U) ^ high);
  const auto span = static_cast<std::uint64_t>((settings_.delay_max - settings_.delay_min).count());
  return settings_.delay_min + Duration(static_cast<std::int64_t>(drawn % (span + 1)));
}

bool Network::way_is_open(std::uint32_t from, std::uint32_t to) const {
  if (places_[from].side != places_[to].side) return false;
  return blocked_.empty() || !blocked_.contains({from, to});
}

// The message as the input of whoever hears it, and its size if somebody wants to know that.
InputPtr Network::carried(std::uint32_t from, wire::Message&& message, bool measure,
                          double& bytes) {
  bytes = 0;
  if (measure || through_bytes_) {
    const std::string written = wire::encode(message);
    bytes = static_cast<double>(written.size()) + settings_.overhead_bytes;
    if (through_bytes_) {
      Result<wire::Message> read = wire::decode(written);
      if (!read || !(*read == message)) {
        hooks_.complain(std::string(wire::name_of(message.body)) + " from " +
                        quoted(places_[from].id.str()) + " did not survive the wire" +
                        (read ? "" : ": " + read.error().message));
      } else {
        message = *std::move(read);
      }
    }
  }
  return std::make_shared<const node::Input>(
      wire::TransportEvent(wire::Delivered{places_[from].id, std::move(message)}));
}

void Network::hear(TimePoint at, std::uint32_t node, wire::TransportEvent event) {
  if (places_[node].life == 0) return;
  hooks_.deliver(at, node, places_[node].life,
                 std::make_shared<const node::Input>(std::move(event)));
}

void Network::send(TimePoint now, std::uint32_t from, wire::Envelope&& envelope) {
  const auto known = node_of_.find(envelope.to);
  if (known == node_of_.end()) return;
  const std::uint32_t to = known->second;
  Link* own = find(from, to, false);
  if (envelope.endpoint.empty()) {
    // An answer goes back on the session that the other has opened to us.
    const Link* session = find(to, from, false);
    const bool usable = session != nullptr && session->state != LinkState::connecting &&
                        session->peer_life == places_[from].life;
    if (usable) own = links_.data() + index_of(*session);
    if (own == nullptr) {
      if (hooks_.sent) hooks_.sent(from, to, envelope.message.body, true);
      return;
    }
  } else if (own == nullptr) {
    if (envelope.endpoint != places_[to].endpoint) return;
    if (is_full(from, false) && places_[from].master && places_[to].master) return;
    own = &open(now, from, to, false);
  }
  own->last_used = now;
  const bool is_ours = own->opener == from;
  if (is_ours && std::holds_alternative<wire::Attach>(envelope.message.body)) {
    // Only the last one that it attached to is kept open however idle it is.
    for (const LinkIndex index : places_[from].opened) links_[index].kept = false;
    own->kept = true;
  }
  wire::Tenure tenure = own->tenure;
  is_ours ? tenure.sent(envelope.message.body) : tenure.heard(envelope.message.body);
  const bool waits = is_ours && own->state == LinkState::connecting;
  if (waits && own->waiting.size() >= limits::waiting_for_link_max) return;
  double bytes = 0;
  const bool measure = places_[from].master && places_[to].master;
  const InputPtr input = carried(from, std::move(envelope.message), measure, bytes);
  if (waits) {
    own->tenure = tenure;
    own->waiting.push_back({input, bytes});
  } else if (const auto arrives = transmit(now, from, to, input, bytes); is_ours || arrives) {
    own->tenure = tenure;
    mind_stay(*own, arrives.value_or(now));
  }
}

void Network::count_bytes(std::uint32_t from, std::uint32_t to, std::size_t kind, double bytes) {
  if (bytes == 0) return;
  places_[from].traffic.out_bytes += bytes;
  places_[to].traffic.in_bytes += bytes;
  bytes_by_kind_[kind] += bytes;
}

std::map<std::string, double> Network::bytes_by_kind() const {
  std::map<std::string, double> named;
  for (std::size_t kind = 0; kind < datagrams; ++kind)
    if (kinds_[kind] != nullptr && bytes_by_kind_[kind] > 0)
      named[kinds_[kind]] = bytes_by_kind_[kind];
  named["beacon"] = bytes_by_kind_[datagrams];
  return named;
}

bool Network::loses(std::uint32_t from, std::uint32_t to) {
  return !way_is_open(from, to) || (faults.loss > 0 && other_random_.chance(faults.loss));
}

std::optional<TimePoint> Network::transmit(TimePoint now, std::uint32_t from, std::uint32_t to,
                                           const InputPtr& input, double bytes) {
  ++messages_;
  std::optional<TimePoint> arrives;
  const wire::Body& body =
      std::get<wire::Delivered>(std::get<wire::TransportEvent>(*input)).message.body;
  const int copies = faults.doubling > 0 && random_.chance(faults.doubling) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    const bool lost = !way_is_open(from, to) || (faults.loss > 0 && random_.chance(faults.loss));
    if (hooks_.sent) hooks_.sent(from, to, body, lost);
    if (lost) {
      if (copy == 0) places_[from].traffic.out_bytes += bytes;
      continue;
    }
    TimePoint at = now + delay(from, to);
    if (faults.late > 0 && random_.chance(faults.late))
      at += duration_of_seconds(random_.between(0, seconds_of(faults.late_max)));
    if (!clogged_.empty()) {
      const auto clog = clogged_.find({from, to});
      if (clog != clogged_.end()) at = std::max(at, clog->second);
    }
    count_bytes(from, to, body.index(), bytes);
    if (kinds_[body.index()] == nullptr) kinds_[body.index()] = wire::name_of(body);
    if (InputPtr taken = as_believed(from, to, input)) hooks_.deliver(at, to, 0, std::move(taken));
    arrives = at;
  }
  return arrives;
}

// As the gate and the beacons of the real transport do.
InputPtr Network::as_believed(std::uint32_t from, std::uint32_t to, const InputPtr& input) const {
  if (!believes_ || believes_(to, from)) return input;
  if (const auto* heard = std::get_if<wire::BeaconHeard>(input.get())) {
    if (std::holds_alternative<wire::Hello>(heard->body))
      return std::make_shared<const node::Input>(
          wire::BeaconHeard{heard->from, heard->body, false});
    return std::holds_alternative<wire::Seek>(heard->body) ? input : nullptr;
  }
  const auto& delivered = std::get<wire::Delivered>(std::get<wire::TransportEvent>(*input));
  if (!wire::is_for_masters_only(delivered.message.body)) return input;
  return std::make_shared<const node::Input>(
      wire::TransportEvent(wire::NotBelieved{delivered.from}));
}

void Network::publish(TimePoint now, std::uint32_t from, wire::Publication&& publication) {
  InputPtr input;
  double bytes = 0;
  for (std::size_t i = 0; i < places_[from].accepted.size(); ++i) {
    Link& link = links_[places_[from].accepted[i]];
    if (!link.feed || link.state == LinkState::connecting) continue;
    if (link.peer_life != places_[from].life) continue;
    if (std::find(link.topics.begin(), link.topics.end(), publication.topic) == link.topics.end())
      continue;
    if (!input) {
      input = carried(from, std::move(publication.message), true, bytes);
      bytes += static_cast<double>(publication.topic.size()) + settings_.overhead_bytes;
    }
    transmit(now, from, link.opener, input, bytes);
  }
}

void Network::subscribe(TimePoint now, std::uint32_t from, wire::Subscription&& subscription) {
  const auto known = node_of_.find(subscription.peer);
  if (known == node_of_.end()) return;
  Link* link = find(from, known->second, true);
  if (subscription.topics.empty()) {
    if (link != nullptr) close(*link);
    return;
  }
  if (link == nullptr) {
    if (subscription.feed != places_[known->second].feed) return;
    if (places_[from].traffic.feeds >= limits::master_feeds_max) return;
    link = &open(now, from, known->second, true);
  }
  link->topics.assign(subscription.topics.begin(), subscription.topics.end());
}

// Addresses of datagrams are indices of nodes.
void Network::call(TimePoint now, std::uint32_t from, wire::BeaconSend&& beacon) {
  double bytes = 0;
  if (places_[from].master) {
    const Result<std::string> written = wire::encode_beacon({{}, beacon.body});
    if (written) bytes = static_cast<double>(written->size()) + datagram_overhead_bytes;
  }
  const auto input =
      std::make_shared<const node::Input>(wire::BeaconHeard{{from, 1}, std::move(beacon.body)});
  const auto reach = [&](std::uint32_t to) {
    if (to == from || places_[to].life == 0 || !way_is_open(from, to)) return;
    if (faults.loss > 0 && random_.chance(faults.loss)) return;
    if (places_[to].master) count_bytes(from, to, datagrams, bytes);
    if (InputPtr taken = as_believed(from, to, input))
      hooks_.deliver(now + delay(from, to), to, 0, std::move(taken));
  };
  if (beacon.to) {
    if (beacon.to->ipv4 < places_.size()) reach(beacon.to->ipv4);
    return;
  }
  const auto domain = static_cast<std::uint32_t>(settings_.broadcast_domain);
  const std::uint32_t first = from / domain * domain;
  const auto last = static_cast<std::uint32_t>(
      std::min<std::size_t>(places_.size(), std::size_t{first} + domain));
  for (std::uint32_t to = first; to < last; ++to) reach(to);
  for (const std::uint32_t seed : seeds_) {
    if (seed < first || seed >= last) reach(seed);
  }
}

void Network::clog(std::uint32_t from, std::uint32_t to, TimePoint until) {
  clogged_[{from, to}] = until;
}

}  // namespace ballast::world

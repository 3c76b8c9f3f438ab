#include "ballast/zmq/beacon.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "ballast/base/assert.h"
#include "ballast/base/limits.h"
#include "udp.h"

namespace ballast::zmq {

// How often each address is listened to: counted anew each second, so that the count stays small
// however many addresses somebody makes up.
class BeaconPatience {
 public:
  bool has_for(std::uint32_t ipv4) {
    const std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
    if (now >= counted_until_) {
      heard_.clear();
      counted_until_ = now + std::chrono::seconds(1);
    }
    const auto found = heard_.find(ipv4);
    if (found == heard_.end())
      return heard_.size() < limits::beacon_sources_max && heard_.emplace(ipv4, 1).second;
    return ++found->second <= limits::beacons_of_source_max;
  }

 private:
  std::map<std::uint32_t, std::size_t> heard_;
  std::chrono::steady_clock::time_point counted_until_;
};

namespace {

constexpr std::size_t nonces_kept = 8;

bool equal_in_constant_time(const wire::BeaconMac& a, const wire::BeaconMac& b) {
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) different |= a[i] ^ unsigned { b[i] };
  return different == 0;
}

}  // namespace

struct Beacon::Parts {
  Parts(const BeaconSettings& given, const port::Trust* trust_given, UdpSocket socket_given)
      : settings(given), trust(trust_given), socket(std::move(socket_given)) {}

  void send_to(const wire::BeaconAddress& to, const std::string& bytes) {
    ++(socket.send(to, bytes) ? counters.sent : counters.not_sent);
  }
  bool may_be_master(const NodeId& node) const {
    return !settings.security || trust->may_be_master(node);
  }
  bool is_known(const NodeId& node) const {
    return !settings.security || trust->key_of(node).has_value();
  }
  // Our own broadcasts come back to us.
  bool is_own(const wire::BeaconBody& body) const {
    const auto* seek = std::get_if<wire::Seek>(&body);
    const auto* hello = std::get_if<wire::Hello>(&body);
    return (seek != nullptr && seek->seeker == settings.self) ||
           (hello != nullptr && hello->master.id == settings.self);
  }
  // The bytes of a beacon, an offer with its keyed hash; nothing (and counted) when it cannot be.
  std::optional<std::string> bytes_of(const wire::BeaconBody& body);
  // Whether what came in may be handed up; else it is counted.
  bool admits(const wire::BeaconBody& body, std::string_view bytes);
  bool admits(const wire::Offer& offer, std::string_view bytes);

  const BeaconSettings settings;
  const port::Trust* const trust;
  UdpSocket socket;
  std::string address;
  std::vector<wire::BeaconAddress> seeds;
  std::deque<wire::Nonce> nonces;  // of our last seeks
  BeaconPatience patience;
  BeaconCounters counters;
};

std::optional<std::string> Beacon::Parts::bytes_of(const wire::BeaconBody& body) {
  Result<std::string> bytes = wire::encode_beacon({settings.cluster, body});
  if (!bytes) {
    ++counters.not_sent;
    return std::nullopt;
  }
  const auto* offer = std::get_if<wire::Offer>(&body);
  if (offer == nullptr || !settings.security) return std::move(bytes).value();
  const std::string_view text = wire::authenticated_part(*bytes);
  const std::optional<wire::BeaconMac> mac = trust->shared_hash(offer->seeker, text);
  if (!mac) {
    ++counters.stranger;
    return std::nullopt;
  }
  std::string whole(text);
  whole.append(mac->begin(), mac->end());
  return whole;
}

bool Beacon::Parts::admits(const wire::BeaconBody& body, std::string_view bytes) {
  if (const auto* offer = std::get_if<wire::Offer>(&body)) return admits(*offer, bytes);
  bool good = false;
  if (const auto* hello = std::get_if<wire::Hello>(&body)) good = may_be_master(hello->master.id);
  // Also of one that calls itself a master and is not trusted as one: it learns of that when it
  // connects.
  if (const auto* seek = std::get_if<wire::Seek>(&body)) good = is_known(seek->seeker);
  if (!good) ++counters.stranger;
  return good;
}

bool Beacon::Parts::admits(const wire::Offer& offer, std::string_view bytes) {
  if (offer.seeker != settings.self ||
      std::find(nonces.begin(), nonces.end(), offer.nonce) == nonces.end()) {
    ++counters.not_asked_for;
    return false;
  }
  if (!may_be_master(offer.master.id)) {
    ++counters.stranger;
    return false;
  }
  if (!settings.security) return true;
  const auto mac = trust->shared_hash(offer.master.id, wire::authenticated_part(bytes));
  if (mac && equal_in_constant_time(*mac, offer.mac)) return true;
  ++counters.bad_mac;
  return false;
}

Result<std::unique_ptr<Beacon>> Beacon::open(const BeaconSettings& settings,
                                             const port::Trust* trust) {
  BALLAST_ASSERT(trust != nullptr || !settings.security, "security without a trust store");
  if (Status good = wire::check_beacon_bounds(settings.cluster, settings.self, {}, {}); !good)
    return good.error();
  const Result<wire::BeaconAddress> where = look_up(settings.bind);
  if (!where) return Error{"beacon: " + where.error().message};
  Result<UdpSocket> socket = UdpSocket::bind(*where);
  if (!socket) return Error{"beacon: " + socket.error().message};
  auto parts = std::make_unique<Parts>(settings, trust, std::move(socket).value());
  parts->address = text_of(parts->socket.address());
  for (const std::string& seed : settings.seeds) {
    const Result<wire::BeaconAddress> found = look_up(seed);
    if (!found) return Error{"seeds: " + found.error().message};
    if (*found != parts->socket.address()) parts->seeds.push_back(*found);
  }
  return std::unique_ptr<Beacon>(new Beacon(std::move(parts)));
}

Beacon::Beacon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Beacon::~Beacon() = default;

void Beacon::send(const wire::BeaconSend& beacon) {
  const std::optional<std::string> bytes = parts_->bytes_of(beacon.body);
  if (!bytes) return;
  if (const auto* seek = std::get_if<wire::Seek>(&beacon.body)) {
    const auto& kept = parts_->nonces;
    if (std::find(kept.begin(), kept.end(), seek->nonce) == kept.end()) {
      if (parts_->nonces.size() >= nonces_kept) parts_->nonces.pop_front();
      parts_->nonces.push_back(seek->nonce);
    }
  }
  if (beacon.to) return parts_->send_to(*beacon.to, *bytes);
  if (parts_->settings.broadcast)
    for (const std::uint32_t network : broadcast_addresses())
      parts_->send_to({network, parts_->socket.address().port}, *bytes);
  for (const wire::BeaconAddress& seed : parts_->seeds) parts_->send_to(seed, *bytes);
}

std::vector<wire::BeaconHeard> Beacon::take(std::size_t count_max) {
  Parts& parts = *parts_;
  std::vector<wire::BeaconHeard> heard;
  for (std::size_t i = 0; i < count_max; ++i) {
    const std::optional<UdpSocket::Datagram> datagram = parts.socket.receive();
    if (!datagram) break;
    if (!parts.patience.has_for(datagram->from.ipv4)) {
      ++parts.counters.too_often;
      continue;
    }
    Result<wire::Beacon> beacon = wire::decode_beacon(datagram->bytes);
    if (!beacon) {
      ++parts.counters.undecodable;
    } else if (beacon->cluster != parts.settings.cluster) {
      ++parts.counters.wrong_cluster;
    } else if (!parts.is_own(beacon->body)) {
      const bool believed = parts.admits(beacon->body, datagram->bytes);
      if (believed) ++parts.counters.received;
      if (believed || std::holds_alternative<wire::Hello>(beacon->body))
        heard.push_back({datagram->from, std::move(beacon->body), believed});
    }
  }
  return heard;
}

int Beacon::descriptor() const { return parts_->socket.descriptor(); }
const std::string& Beacon::address() const { return parts_->address; }
const BeaconCounters& Beacon::counters() const { return parts_->counters; }

}  // namespace ballast::zmq

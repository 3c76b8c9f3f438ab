// The beacon's socket on loopback: what it lets through, and from whom it takes nothing.
#include "ballast/zmq/beacon.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ballast/base/random.h"
#include "net.h"

namespace ballast::zmq {
namespace {

constexpr std::size_t a_turn = 64;

wire::Peer peer(const std::string& id) {
  return {NodeId(id), "tcp://127.0.0.1:1", "tcp://127.0.0.1:2"};
}

wire::BeaconAddress address_of(const Beacon& beacon) {
  const std::string& text = beacon.address();
  return {0x7F000001, static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)))};
}

// A plain UDP socket, for those who do not behave.
class Plain {
 public:
  Plain() : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  ~Plain() { close(socket_); }
  void send(const Beacon& to, const std::string& bytes) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(address_of(to).port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(sendto(socket_, bytes.data(), bytes.size(), 0,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0);
  }

 private:
  int socket_;
};

// A master and a slave that know each other's address, and an enemy whose key may be known.
struct Street {
  Street() {
    members.admit("m", keys[0], true);
    members.admit("s", keys[1]);
    members.admit("e", keys[2]);
    master = open("m", 0, {});
    slave = open("s", 1, {master->address()});
  }
  std::unique_ptr<Beacon> open(const std::string& id, std::size_t key,
                               const std::vector<std::string>& seeds) {
    trusts.push_back(std::make_unique<TestTrust>(members, keys[key]));
    auto opened = Beacon::open({.self = NodeId(id),
                                .cluster = "test",
                                .bind = "127.0.0.1:0",
                                .broadcast = false,
                                .seeds = seeds},
                               trusts.back().get());
    REQUIRE_MESSAGE(opened.ok(), opened.error().message);
    return std::move(opened).value();
  }
  // Takes from this one until something has come; loopback does not lose what fits.
  static std::vector<wire::BeaconHeard> heard_by(Beacon& beacon) {
    std::vector<wire::BeaconHeard> heard;
    until({}, [&] {
      for (wire::BeaconHeard& one : beacon.take(a_turn)) heard.push_back(std::move(one));
      return !heard.empty();
    });
    return heard;
  }
  static std::string bytes_of(const wire::BeaconBody& body, const std::string& cluster = "test") {
    Result<std::string> bytes = wire::encode_beacon({cluster, body});
    REQUIRE(bytes.ok());
    return std::move(bytes).value();
  }
  wire::Nonce seek() {
    wire::Nonce nonce{};
    nonce[0] = ++seeks;
    slave->send({std::nullopt, wire::Seek{NodeId("s"), nonce, wire::Wanted::group}});
    return nonce;
  }
  // A seek is heard and its offer comes back.
  void check_slave_is_served() {
    const wire::Nonce nonce = seek();
    std::optional<wire::BeaconAddress> from;
    REQUIRE(until({}, [&] {
      for (const wire::BeaconHeard& one : master->take(a_turn))
        if (std::get<wire::Seek>(one.body).nonce == nonce) from = one.from;
      return from.has_value();
    }));
    master->send({from, wire::Offer{NodeId("s"), nonce, peer("m"), 3, 1, {}}});
    const auto offers = heard_by(*slave);
    REQUIRE(offers.size() == 1);
    CHECK(std::get<wire::Offer>(offers[0].body).master == peer("m"));
    CHECK(offers[0].from == address_of(*master));
  }

  Members members;
  KeyPair keys[3] = {fresh_keys(), fresh_keys(), fresh_keys()};
  std::vector<std::unique_ptr<TestTrust>> trusts;
  std::unique_ptr<Beacon> master;
  std::unique_ptr<Beacon> slave;
  std::uint8_t seeks = 0;
};

}  // namespace

TEST_CASE("a seek reaches a seed address, and the offer comes back to the seeker") {
  Street street;
  street.check_slave_is_served();
  CHECK(street.slave->counters().sent == 1);
  CHECK(street.slave->counters().received == 1);
}

TEST_CASE("an offer counts only with the keyed hash of the master that it names") {
  Street street;
  const Plain enemy;
  const wire::Nonce nonce = street.seek();
  wire::Offer offer{NodeId("s"), nonce, peer("m"), 64, 0, {}};
  enemy.send(*street.slave, Street::bytes_of(offer));
  CHECK(until({}, [&] {
    CHECK(street.slave->take(a_turn).empty());
    return street.slave->counters().bad_mac == 1;
  }));
  street.check_slave_is_served();
}

TEST_CASE("an offer that was changed on its way is dropped") {
  Street street;
  const Plain enemy;
  const wire::Nonce nonce = street.seek();
  const wire::Offer offer{NodeId("s"), nonce, peer("m"), 3, 1, {}};
  std::string bytes = Street::bytes_of(offer);
  const auto mac = street.trusts[0]->shared_hash(NodeId("s"), wire::authenticated_part(bytes));
  bytes = std::string(wire::authenticated_part(bytes));
  bytes.append(mac->begin(), mac->end());
  std::string changed = bytes;
  changed[changed.find("127.0.0.1") + 8] = '2';
  enemy.send(*street.slave, changed);
  enemy.send(*street.slave, bytes);
  const auto heard = Street::heard_by(*street.slave);
  REQUIRE(heard.size() == 1);
  CHECK(street.slave->counters().bad_mac == 1);
}

TEST_CASE("an offer that is replayed for a later seek, or meant for another, is not asked for") {
  Street street;
  const Plain enemy;
  const wire::Nonce old = street.seek();
  wire::Offer offer{NodeId("s"), old, peer("m"), 3, 1, {}};
  std::string recorded = Street::bytes_of(offer);
  for (int i = 0; i < 8; ++i) street.seek();
  enemy.send(*street.slave, recorded);
  offer.seeker = NodeId("e");
  enemy.send(*street.slave, Street::bytes_of(offer));
  CHECK(until({}, [&] {
    CHECK(street.slave->take(a_turn).empty());
    return street.slave->counters().not_asked_for == 2;
  }));
}

TEST_CASE("of those who are no masters only a hello is handed up, as one that is not believed") {
  Street street;
  const Plain enemy;
  const wire::Nonce nonce = street.seek();
  enemy.send(*street.slave, Street::bytes_of(wire::Offer{NodeId("s"), nonce, peer("e"), 3, 1, {}}));
  enemy.send(*street.slave, Street::bytes_of(wire::Hello{peer("e")}));
  enemy.send(*street.slave, Street::bytes_of(wire::Hello{peer("nobody")}));
  enemy.send(*street.slave,
             Street::bytes_of(wire::Seek{NodeId("nobody"), {}, wire::Wanted::group_or_lead}));
  enemy.send(*street.slave, Street::bytes_of(wire::Seek{NodeId("e"), {}, wire::Wanted::masters}));
  std::vector<wire::BeaconHeard> heard;
  CHECK(until({}, [&] {
    for (wire::BeaconHeard& one : street.slave->take(a_turn))
      if (!std::holds_alternative<wire::Seek>(one.body)) heard.push_back(std::move(one));
    return street.slave->counters().stranger == 4;
  }));
  CHECK(heard.size() == 2);
  for (const wire::BeaconHeard& one : heard) {
    CHECK_FALSE(one.believed);
    CHECK(std::holds_alternative<wire::Hello>(one.body));
  }
  CHECK(Street::heard_by(*street.master).size() == 1);
  street.check_slave_is_served();
}

TEST_CASE("garbage, giants and other clusters are counted, and a slave is served after") {
  Street street;
  const Plain enemy;
  Random random(5);
  std::uint64_t sent = 0;
  for (int i = 0; i < 40; ++i) {
    std::string bytes(random.below(400), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    enemy.send(*street.master, i % 2 == 0 ? bytes : "BAL\x01" + bytes);
    ++sent;
  }
  enemy.send(*street.master, std::string(60'000, 'x'));
  enemy.send(*street.master, "");
  CHECK(until({}, [&] {
    CHECK(street.master->take(a_turn).empty());
    return street.master->counters().undecodable == sent + 2;
  }));
  enemy.send(*street.master, Street::bytes_of(wire::Hello{peer("m")}, "other"));
  CHECK(until({}, [&] {
    CHECK(street.master->take(a_turn).empty());
    return street.master->counters().wrong_cluster == 1;
  }));
  street.check_slave_is_served();
}

TEST_CASE(
    "a flood from one address is not listened to beyond a bound, a turn looks at so many, and "
    "a second later all is well") {
  Street street;
  const Plain enemy;
  const std::string seek = Street::bytes_of(wire::Seek{NodeId("e"), {}, wire::Wanted::group});
  std::size_t heard = 0;
  CHECK(until({}, [&] {
    for (int i = 0; i < 50; ++i) enemy.send(*street.master, seek);
    const std::size_t taken = street.master->take(10).size();
    CHECK(taken <= 10);
    heard += taken;
    return street.master->counters().too_often > 0;
  }));
  CHECK(heard >= 100);
  // The flood ends; what it left in the socket is passed over, and the next second is another one.
  CHECK(until({}, [&] {
    street.seek();
    for (const wire::BeaconHeard& one : street.master->take(a_turn))
      if (std::get<wire::Seek>(one.body).seeker == NodeId("s")) return true;
    return false;
  }));
}

TEST_CASE("a node does not hear itself, however it is reached") {
  Street street;
  street.master->send({address_of(*street.master), wire::Hello{peer("m")}});
  street.master->send({address_of(*street.master), wire::Seek{NodeId("m"), {}, {}}});
  street.check_slave_is_served();
  CHECK(street.master->counters().received == 1);
}

TEST_CASE("an offer to one whose key we lack is not sent") {
  Street street;
  street.master->send(
      {address_of(*street.slave), wire::Offer{NodeId("nobody"), {}, peer("m"), 1, 0, {}}});
  CHECK(street.master->counters().stranger == 1);
  CHECK(street.master->counters().sent == 0);
}

TEST_CASE("what cannot be opened is an error that names it") {
  const auto error_of = [](const BeaconSettings& settings) {
    const auto opened = Beacon::open(settings, nullptr);
    return opened.ok() ? std::string("no error") : opened.error().message;
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text, " should hold: ", part);
  };
  BeaconSettings settings{.self = NodeId("a"),
                          .cluster = "c",
                          .bind = "127.0.0.1:0",
                          .broadcast = false,
                          .security = false};
  holds(error_of(settings), "no error");
  BeaconSettings bad = settings;
  bad.self = NodeId(std::string(50, 'x'));
  holds(error_of(bad), "id: found");
  bad = settings;
  bad.bind = "127.0.0.1";
  holds(error_of(bad), "beacon: found '127.0.0.1', expected");
  bad.bind = "203.0.113.1:1";
  holds(error_of(bad), "beacon: cannot listen at 203.0.113.1:1: ");
  bad = settings;
  bad.seeds = {"127.0.0.1:1", ":2"};
  holds(error_of(bad), "seeds: found ':2'");
}

}  // namespace ballast::zmq

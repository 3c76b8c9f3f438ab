// Whoever is on the machine can connect. Without the secret, or with nonsense, nothing happens but
// that it is counted.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ballast/base/random.h"
#include "simulated_fixture.h"

namespace ballast::simulated {
namespace {

// What a client that says this hears until the host closes.
std::string say(const std::string& uri, const std::string& bytes) {
  const int port = std::stoi(uri.substr(uri.rfind(':') + 1));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
  std::string heard;
  std::array<char, 256> buffer{};
  for (ssize_t got = 1; got > 0;) {
    got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got > 0) heard.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return heard;
}

const std::string good =
    "ballast-sim/1 a%20secret%20of%20this%20test migrate t-1 v0 1024 sim://127.0.0.1:9 h0 0\n";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = good;
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("who knows the secret and speaks in order is heard, and leaves nothing when it goes") {
  Hosts hosts(false);
  CHECK(say(hosts.uri(1), good).starts_with("ready sim://127.0.0.1:"));
  CHECK(hosts.becomes(1, "v0", Presence::absent));
  CHECK(hosts[1].rejected_connections() == 0);
}

TEST_CASE("who does not know the secret, or says what no host says, is dropped and counted") {
  Hosts hosts(false);
  const std::vector<std::string> hostile = {
      "",
      "\n",
      "GET / HTTP/1.1\r\n\r\n",
      replaced("a%20secret", "another"),
      replaced("a%20secret%20of%20this%20test", "%"),
      replaced("a%20secret%20of%20this%20test ", ""),
      replaced("ballast-sim/1", "ballast-sim/2"),
      replaced("migrate", "destroy"),
      replaced("1024", "nan"),
      replaced("1024", "-5"),
      replaced("1024", "1e300"),
      replaced("1024", ""),
      replaced("v0", "%00"),
      replaced("v0", std::string(500, 'v')),
      replaced("sim://127.0.0.1:9", "sim://10.1.2.3:9"),
      replaced(" h0 0", " h0 2"),
      replaced(" h0 0", ""),
      replaced(" h0 0", " h0 0 0 0 0 0 0 0"),
      replaced("%20", "%2"),
      std::string(1 << 20, 'x'),
      std::string(5000, ' ') + "\n",
      good + "started\n",
      good + "finish finish\n",
      good + std::string("\0\0\0\n", 4),
  };
  std::uint64_t counted = 0;
  for (const std::string& bytes : hostile) {
    CAPTURE(bytes.substr(0, 120));
    const std::string heard = say(hosts.uri(1), bytes);
    CHECK((heard.empty() || heard.starts_with("ready")));
    ++counted;
    CHECK(eventually([&] { return hosts[1].rejected_connections() == counted; }));
    CHECK(hosts.becomes(1, "v0", Presence::absent));
  }
  hosts.migrate("v0", 0, 1);
  CHECK(hosts.next<MigrationEnded>(0).ok);
}

TEST_CASE("a VM that the trace does not name, or that is here already, is refused") {
  Hosts hosts(false);
  CHECK(say(hosts.uri(1), replaced("v0", "v7")).starts_with("refused"));
  CHECK(say(hosts.uri(0), good).starts_with("refused"));
  CHECK(hosts.presence(0, "v0") == Presence::running);
}

TEST_CASE("random bytes and random changes of a good greeting do no harm") {
  Hosts hosts(false);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string bytes = good;
    for (std::uint64_t changes = 1 + random.below(6); changes > 0; --changes)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    (void)say(hosts.uri(1), bytes);
  }
  for (const char* vm : {"v0", "v1", "v2"}) {
    CHECK(hosts.becomes(1, vm, Presence::absent));
    CHECK(hosts.presence(0, vm) == Presence::running);
  }
}

TEST_CASE("strangers who hold many connections open do not stop a migration for good") {
  Hosts hosts(false);
  std::vector<int> open;
  const int port = std::stoi(hosts.uri(1).substr(hosts.uri(1).rfind(':') + 1));
  for (int i = 0; i < 12; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    open.push_back(fd);
  }
  hosts.migrate("v0", 0, 1);
  CHECK(hosts.next<MigrationEnded>(0).ok);
  for (const int fd : open) ::close(fd);
}

}  // namespace ballast::simulated

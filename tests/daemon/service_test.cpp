// What the service manager hears, at a socket of the test's own: the right words, at the right
// times, and nothing where the environment names no socket or nonsense.
#include "service.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace ballast;
using daemon::ServiceManager;
using namespace std::chrono_literals;

const std::string name = "@ballast-service-test-" + std::to_string(getpid());

class Manager {
 public:
  Manager() : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length) == 0);
  }
  ~Manager() { close(descriptor_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::vector<std::string> heard() {
    std::vector<std::string> all;
    char bytes[256];
    for (ssize_t got = 0; (got = recv(descriptor_, bytes, sizeof bytes, 0)) > 0;)
      all.emplace_back(bytes, static_cast<std::size_t>(got));
    return all;
  }

 private:
  int descriptor_;
};

TimePoint at(Duration since_start) { return TimePoint(1h + since_start); }

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("the manager hears that the node is ready, and that it stops") {
  Manager manager;
  ServiceManager service(name.c_str(), nullptr, nullptr);
  service.ready();
  CHECK(manager.heard() == Words{"READY=1"});
  service.turned(at(0s));
  CHECK(service.next_deadline() == time_never);
  CHECK(manager.heard().empty());
  service.stopping();
  CHECK(manager.heard() == Words{"STOPPING=1"});
}

TEST_CASE("each third of the watchdog's interval it hears that the loop turns, and no more often") {
  Manager manager;
  const std::string self = std::to_string(getpid());
  ServiceManager service(name.c_str(), "30000000", self.c_str());
  service.turned(at(0s));
  CHECK(manager.heard() == Words{"WATCHDOG=1"});
  CHECK(service.next_deadline() == at(10s));
  service.turned(at(9s));
  CHECK(manager.heard().empty());
  service.turned(at(12s));
  CHECK(manager.heard() == Words{"WATCHDOG=1"});
  CHECK(service.next_deadline() == at(22s));
}

TEST_CASE("a watchdog of another process, or an interval that is none, is not ours to feed") {
  Manager manager;
  const std::string other = std::to_string(getpid() + 1);
  for (const auto& [interval, process] :
       std::vector<std::pair<const char*, const char*>>{{"30000000", other.c_str()},
                                                        {"30000000", "x"},
                                                        {"", nullptr},
                                                        {"-5", nullptr},
                                                        {"1e9", nullptr},
                                                        {"99999999999999999999", nullptr}}) {
    const char* const said = interval;
    CAPTURE(said);
    ServiceManager service(name.c_str(), interval, process);
    service.turned(at(0s));
    CHECK(service.next_deadline() == time_never);
    CHECK(manager.heard().empty());
  }
}

TEST_CASE(
    "without a manager, with an address that is none, or with one that has gone, it runs on") {
  const std::string too_long = "/" + std::string(200, 'x');
  for (const char* address : {static_cast<const char*>(nullptr), "", "/", "relative",
                              too_long.c_str(), "/nobody/is/here", name.c_str()}) {
    ServiceManager service(address, "3000000", nullptr);
    service.ready();
    service.turned(at(0s));
    service.stopping();
  }
}

TEST_CASE("a manager that does not listen does not hold the loop up") {
  Manager manager;
  ServiceManager service(name.c_str(), "3", nullptr);
  // More than a socket's queue holds.
  for (int turn = 0; turn < 100'000; ++turn) service.turned(at(turn * 1s));
  CHECK(!manager.heard().empty());
}

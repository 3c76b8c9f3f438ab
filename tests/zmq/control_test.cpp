// Commands and a node over the control socket, and the one place where a node sleeps.
#include "ballast/zmq/control.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>

#include "ballast/base/limits.h"
#include "ballast/zmq/wait.h"
#include "common/folder.h"
#include "control_frames.h"
#include "unix_path.h"

namespace ballast::zmq {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::unique_ptr<ControlServer> server_at(const std::string& path) {
  auto server = ControlServer::open(path);
  REQUIRE_MESSAGE(server.ok(), server.error().message);
  return std::move(server).value();
}

std::string server_error(const std::string& path) {
  const auto server = ControlServer::open(path);
  return server.ok() ? "no error" : server.error().message;
}

std::string client_error(const std::string& path) {
  const auto client = ControlClient::open(path);
  return client.ok() ? "no error" : client.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

// Answers requests with the same text in brackets until `count` were answered.
void serve(ControlServer& server, int count) {
  for (int turn = 0; turn < 2000 && count > 0; ++turn) {
    wait(nullptr, &server, {}, milliseconds(10));
    for (const ControlRequest& request : server.take_requests()) {
      server.reply(request.id, "[" + request.text + "]");
      --count;
    }
  }
}

}  // namespace

TEST_CASE("commands ask, one after another, and each gets its own reply") {
  const Folder folder;
  const std::string path = folder.at("run/control.sock");
  const auto server = server_at(path);
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(folder.at("run")) == 0700);
  auto asked = std::async(std::launch::async, [&] {
    const auto one = ControlClient::open(path);
    const auto two = ControlClient::open(path);
    std::string replies;
    for (const char* text : {"a", "b", ""}) {
      for (ControlClient* client : {one->get(), two->get()}) {
        const auto reply = client->ask(text, seconds(20));
        replies += reply.ok() ? *reply : reply.error().message;
      }
    }
    return replies;
  });
  serve(*server, 6);
  CHECK(asked.get() == "[a][a][b][b][][]");
}

TEST_CASE("a reply may be long, a request may not") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  auto asked = std::async(std::launch::async, [&] {
    const auto client = ControlClient::open(folder.at("s"));
    const auto too_long =
        client->get()->ask(std::string(limits::control_bytes_max + 1, 'x'), seconds(1));
    CHECK(holds(too_long.error().message, "found 65537 bytes, expected at most 65536"));
    return client->get()->ask("status", seconds(20))->size();
  });
  std::vector<ControlRequest> requests;
  for (int turn = 0; turn < 2000 && requests.empty(); ++turn) {
    wait(nullptr, server.get(), {}, milliseconds(10));
    requests = server->take_requests();
  }
  REQUIRE(requests.size() == 1);
  server->reply(requests[0].id, std::string(10'000'000, 'r'));
  for (int turn = 0; turn < 2000 && asked.wait_for(seconds(0)) != std::future_status::ready;
       ++turn) {
    wait(nullptr, server.get(), {}, milliseconds(10));
    CHECK(server->take_requests().empty());
  }
  CHECK(asked.get() == 10'000'000);
  server->reply(requests[0].id, "twice");
  server->reply(12345, "nobody");
}

TEST_CASE("no reply in time is an error") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  const auto client = ControlClient::open(folder.at("s"));
  const auto reply = (*client)->ask("hello", milliseconds(5));
  REQUIRE_FALSE(reply.ok());
  CHECK(holds(reply.error().message, "no reply within 5 ms"));
}

TEST_CASE("a second node at the same path is refused, and the first goes on") {
  const Folder folder;
  const auto first = server_at(folder.at("s"));
  CHECK(holds(server_error(folder.at("s")), "another node lives there"));
  auto asked = std::async(std::launch::async, [&] {
    return *(*ControlClient::open(folder.at("s")))->ask("x", seconds(20));
  });
  serve(*first, 1);
  CHECK(asked.get() == "[x]");
}

TEST_CASE("what a node that was killed left behind is taken over") {
  const Folder folder;
  const std::string path = folder.at("s");
  const pid_t killed = fork();
  if (killed == 0) {
    const auto server = ControlServer::open(path);
    _exit(server.ok() ? 0 : 1);  // without closing anything, as a kill would
  }
  int status = 0;
  REQUIRE(waitpid(killed, &status, 0) == killed);
  REQUIRE(status == 0);
  REQUIRE(std::filesystem::exists(path));
  CHECK(holds(client_error(path), "no node answers there"));
  CHECK(server_error(path) == "no error");
}

TEST_CASE("paths that cannot be or are not ours are errors that say why") {
  const Folder folder;
  CHECK(holds(server_error(""), "found a path of 0 bytes, expected 1 to 107"));
  CHECK(holds(server_error(std::string(108, 'x')), "found a path of 108 bytes"));
  CHECK(holds(server_error(folder.at("no/such/s")), "cannot make the folder"));
  std::ofstream(folder.at("file")) << "precious";
  CHECK(holds(server_error(folder.at("file")), "not a socket; remove it, or give another path"));
  CHECK(std::filesystem::file_size(folder.at("file")) == 8);
  CHECK(holds(server_error(folder.at("file/s")), "is not a folder"));
  std::filesystem::create_directory(folder.at("open"));
  chmod(folder.at("open").c_str(), 0777);
  CHECK(holds(server_error(folder.at("open/s")), "other users may write in the folder"));
  CHECK(holds(client_error(folder.at("nothing")), "no node answers there"));
}

namespace {

// One who speaks to the control socket in his own way.
class Raw {
 public:
  explicit Raw(const std::string& path) {
    auto connected = connect_to(path);
    REQUIRE_MESSAGE(connected.ok(), connected.error().message);
    descriptor_ = *connected;
  }
  ~Raw() { close(descriptor_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  void say(const std::string& bytes) const {
    CHECK(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  }
  bool is_cut() const {
    char byte = 0;
    const ssize_t got = recv(descriptor_, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  int descriptor_ = -1;
};

// Turns until it is so; false when it never is.
bool turn_until(ControlServer& server, std::vector<ControlRequest>& taken,
                const std::function<bool()>& so) {
  for (int turn = 0; turn < 2000; ++turn) {
    for (ControlRequest& request : server.take_requests()) taken.push_back(std::move(request));
    if (so()) return true;
    wait(nullptr, &server, {}, milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("what is no request ends its connection, is counted, and harms nobody else") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  std::vector<ControlRequest> taken;
  const Raw slow(folder.at("s"));
  const std::string whole = control_frame("slow");
  slow.say(whole.substr(0, 6));
  const std::string bad[] = {
      std::string("\xff\0\0\0\0\0\0\0\x01\x7f", 10),  // ZMTP, of a command of before
      "status\n", control_frame("a") + control_frame("b"), std::string(9, '\xff')};
  std::size_t cut = 0;
  for (const std::string& bytes : bad) {
    const Raw asker(folder.at("s"));
    asker.say(bytes);
    CHECK(turn_until(*server, taken, [&] { return asker.is_cut(); }));
    CHECK(server->dropped() == ++cut);
  }
  CHECK(taken.empty());
  slow.say(whole.substr(6));
  CHECK(turn_until(*server, taken, [&] { return !taken.empty(); }));
  CHECK(taken[0].text == "slow");
}

TEST_CASE("idle connections give way, those that wait for an answer do not") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  std::vector<ControlRequest> taken;
  std::vector<std::unique_ptr<Raw>> askers;
  for (std::size_t i = 0; i < limits::control_requests_max; ++i) {
    askers.push_back(std::make_unique<Raw>(folder.at("s")));
    if (i > 0) askers.back()->say(control_frame("wait"));
    CHECK(turn_until(*server, taken, [&] { return taken.size() == i; }));
  }
  const Raw takes_its_place(folder.at("s"));
  CHECK(turn_until(*server, taken, [&] { return askers[0]->is_cut(); }));
  takes_its_place.say(control_frame("wait"));
  CHECK(turn_until(*server, taken, [&] { return taken.size() == limits::control_requests_max; }));
  const Raw too_many(folder.at("s"));
  CHECK(turn_until(*server, taken, [&] { return too_many.is_cut(); }));
  CHECK(server->dropped() == 1);
  for (std::size_t i = 1; i < askers.size(); ++i) CHECK_FALSE(askers[i]->is_cut());
}

TEST_CASE("without a descriptor left nobody is served, and afterwards everybody is") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  std::vector<ControlRequest> taken;
  const Raw waits(folder.at("s"));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  for (int turn = 0; turn < 50; ++turn) CHECK(server->take_requests().empty());
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  waits.say(control_frame("status"));
  CHECK(turn_until(*server, taken, [&] { return !taken.empty(); }));
}

TEST_CASE("one wait hears sockets and descriptors, and otherwise the time") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  auto opened =
      ZmqTransport::open({.cluster = "t", .bind = "tcp://127.0.0.1:*", .security = false}, nullptr);
  REQUIRE(opened.ok());
  const ZmqTransport* transport = opened->get();
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  const int descriptors[] = {pipe_ends[0]};

  Ready ready = wait(transport, server.get(), descriptors, milliseconds(1));
  CHECK_FALSE(ready.network);
  CHECK_FALSE(ready.control);
  CHECK(ready.descriptors.empty());
  CHECK(wait(transport, server.get(), descriptors, milliseconds(-5)).descriptors.empty());

  REQUIRE(write(pipe_ends[1], "x", 1) == 1);
  ready = wait(transport, server.get(), descriptors, seconds(20));
  CHECK(ready.descriptors == std::vector<int>{pipe_ends[0]});
  close(pipe_ends[0]);
  close(pipe_ends[1]);

  auto asked = std::async(std::launch::async, [&] {
    return *(*ControlClient::open(folder.at("s")))->ask("x", seconds(20));
  });
  ready = wait(transport, server.get(), {}, seconds(20));
  CHECK(ready.control);
  serve(*server, 1);
  CHECK(asked.get() == "[x]");
}

}  // namespace ballast::zmq

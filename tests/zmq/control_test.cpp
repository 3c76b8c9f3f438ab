// Commands and a node over the control socket, and the one place where a node sleeps.
#include "ballast/zmq/control.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <zmq.hpp>

#include "ballast/base/limits.h"
#include "ballast/zmq/wait.h"
#include "common/folder.h"

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

TEST_CASE("requests of many frames, and more than are answered, are dropped and counted") {
  const Folder folder;
  const auto server = server_at(folder.at("s"));
  ::zmq::context_t context;
  ::zmq::socket_t dealer(context, ::zmq::socket_type::dealer);
  dealer.set(::zmq::sockopt::linger, 0);
  dealer.connect("ipc://" + folder.at("s"));
  dealer.send(::zmq::str_buffer("a"), ::zmq::send_flags::sndmore);
  dealer.send(::zmq::str_buffer("b"), ::zmq::send_flags::none);
  const std::size_t sent = limits::control_requests_max + 9;
  for (std::size_t i = 0; i < sent; ++i)
    dealer.send(::zmq::str_buffer("x"), ::zmq::send_flags::none);
  std::size_t taken = 0;
  for (int turn = 0; turn < 2000 && server->dropped() < 10; ++turn) {
    wait(nullptr, server.get(), {}, milliseconds(10));
    taken += server->take_requests().size();
  }
  CHECK(server->dropped() == 10);
  CHECK(taken == limits::control_requests_max);
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

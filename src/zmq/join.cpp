#include "ballast/zmq/join.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <zmq.hpp>

#include "ballast/base/limits.h"
#include "ballast/wire/codec.h"
#include "monitor.h"
#include "options.h"

namespace ballast::zmq {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Duration repeated_every = std::chrono::seconds(2);

// The key pair of the one who asks; he trusts nobody but the inviter.
class OwnKeys final : public port::Trust {
 public:
  OwnKeys(const port::CurveKey& open, const port::CurveKey& secret)
      : open_(open), secret_(secret) {}
  const port::CurveKey& public_key() const override { return open_; }
  const port::CurveKey& secret_key() const override { return secret_; }
  std::optional<NodeId> node_of(const port::CurveKey&) const override { return std::nullopt; }
  std::optional<port::CurveKey> key_of(const NodeId&) const override { return std::nullopt; }
  bool may_be_master(const NodeId&) const override { return false; }
  std::optional<wire::BeaconMac> shared_hash(const NodeId&, std::string_view) const override {
    return std::nullopt;
  }

 private:
  port::CurveKey open_;
  port::CurveKey secret_;
};

// The answer, or why there is none.
Result<wire::JoinAnswer> ask_at(const std::string& address, const JoinCall& call) {
  const OwnKeys keys(call.public_key, call.secret_key);
  ::zmq::context_t context;
  set_up(context);
  ::zmq::socket_t socket(context, ::zmq::socket_type::dealer);
  set_up_dealer(socket, &keys, call.inviter);
  Monitor monitor(context, socket);
  socket.connect("tcp://" + address);
  const std::string bytes = wire::encode(call.question);
  const Clock::time_point end = Clock::now() + call.patience;
  Clock::time_point next = Clock::now();
  bool connected = false;
  for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
    if (now >= next) {
      (void)socket.send(::zmq::buffer(bytes), ::zmq::send_flags::dontwait);
      next = now + repeated_every;
    }
    while (const auto event = monitor.take()) {
      connected |= event->kind == ConnectionEvent::up;
      if (event->kind == ConnectionEvent::refused)
        return Error{
            "the node there has not the key that the token names, or takes no strangers: "
            "is it the host that has printed the token?"};
    }
    ::zmq::message_t frame;
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min<Clock::duration>(end - now, std::chrono::milliseconds(100)));
    socket.set(::zmq::sockopt::rcvtimeo, static_cast<int>(wait.count()));
    if (!socket.recv(frame)) continue;
    Result<wire::Message> message = wire::decode(frame.to_string_view());
    if (!message) return Error{"the answer is no message of ours: " + message.error().message};
    if (auto* answer = std::get_if<wire::JoinAnswer>(&message->body)) return std::move(*answer);
  }
  return Error{connected ? "a node is there, and does not answer"
                         : "nobody answers: does `ballast run` run there, and does the firewall "
                           "let this port in?"};
}

}  // namespace

Result<JoinReply> ask_to_join(const JoinCall& call) {
  std::string problems;
  for (const std::string& address : call.addresses) {
    Result<wire::JoinAnswer> answer = [&]() -> Result<wire::JoinAnswer> {
      try {
        return ask_at(address, call);
      } catch (const ::zmq::error_t& error) {
        return Error{error.what()};
      }
    }();
    if (answer)
      return JoinReply{*std::move(answer), address,
                       own_address_towards(address.substr(0, address.rfind(':')))};
    problems += (problems.empty() ? "" : "; ") + address + ": " + answer.error().message;
  }
  return Error{problems};
}

std::string own_address_towards(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);  // a datagram socket connects without a word
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return {};
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};
  sockaddr_in own{};
  socklen_t size = sizeof own;
  char text[INET_ADDRSTRLEN] = {};
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) == 0)
    inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
  close(descriptor);
  return text;
}

}  // namespace ballast::zmq

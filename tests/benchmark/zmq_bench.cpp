// Reports that a master takes in per second, through the transport and decoded, against the rate of
// a bare ROUTER for messages of that size, in the same run and with the same senders. With CURVE in
// both, and without in both.
//
//   zmq_bench [VMS [SECONDS]]        default: reports of 100 VMs, 1 s a measurement
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "ballast/wire/codec.h"
#include "ballast/zmq/transport.h"
#include "ballast/zmq/wait.h"
#include "samples.h"

namespace {

using namespace ballast;
using Clock = std::chrono::steady_clock;
namespace option = ::zmq::sockopt;

// Everyone has the same key pair here, under the name that the reports carry.
class OnePair final : public port::Trust {
 public:
  explicit OnePair(NodeId node) : node_(std::move(node)) {
    randombytes_buf(secret_.data(), secret_.size());
    crypto_scalarmult_base(open_.data(), secret_.data());
  }
  const port::CurveKey& public_key() const override { return open_; }
  const port::CurveKey& secret_key() const override { return secret_; }
  std::optional<NodeId> node_of(const port::CurveKey& key) const override {
    return key == open_ ? std::optional(node_) : std::nullopt;
  }
  std::optional<port::CurveKey> key_of(const NodeId&) const override { return open_; }
  bool may_be_master(const NodeId&) const override { return false; }
  std::optional<wire::BeaconMac> shared_hash(const NodeId&, std::string_view) const override {
    return std::nullopt;
  }

 private:
  NodeId node_;
  port::CurveKey open_{};
  port::CurveKey secret_{};
};

void set_bounds(::zmq::socket_t& socket) {
  socket.set(option::linger, 0);
  socket.set(option::sndhwm, static_cast<int>(limits::send_queue_messages_max));
  socket.set(option::rcvhwm, static_cast<int>(limits::receive_queue_messages_max));
}

// Sends the same bytes as fast as they are taken, until told to stop.
class Sender {
 public:
  Sender(const std::string& endpoint, const std::string& bytes, const port::Trust* trust)
      : thread_([=, this] { run(endpoint, bytes, trust); }) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run(const std::string& endpoint, const std::string& bytes, const port::Trust* trust) {
    ::zmq::context_t context;
    ::zmq::socket_t socket(context, ::zmq::socket_type::dealer);
    set_bounds(socket);
    socket.set(option::sndtimeo, 100);
    if (trust != nullptr) {
      socket.set(option::curve_serverkey, ::zmq::buffer(trust->public_key()));
      socket.set(option::curve_publickey, ::zmq::buffer(trust->public_key()));
      socket.set(option::curve_secretkey, ::zmq::buffer(trust->secret_key()));
    }
    socket.connect(endpoint);
    while (!stop_) (void)socket.send(::zmq::buffer(bytes), ::zmq::send_flags::none);
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Processor time of this process: senders and receiver, on both sides of the comparison.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Rate {
  double per_second = 0;
  double cpu_us = 0;  // a message; steadier than the rate on a machine that does other things
};

// What `take` takes: it is called again and again, and says how many it took.
template <class Take>
Rate rate_of(Take take, double seconds) {
  while (take() == 0) {
  }
  const auto start = Clock::now();
  const double cpu_start = cpu_seconds();
  std::chrono::duration<double> passed{};
  double count = 0;
  do {
    count += static_cast<double>(take());
    passed = Clock::now() - start;
  } while (passed.count() < seconds);
  return {count / passed.count(), 1e6 * (cpu_seconds() - cpu_start) / count};
}

Rate bare_rate(const std::string& bytes, const port::Trust* trust, double seconds) {
  ::zmq::context_t context;
  ::zmq::socket_t router(context, ::zmq::socket_type::router);
  set_bounds(router);
  if (trust != nullptr) {
    router.set(option::curve_server, true);
    router.set(option::curve_secretkey, ::zmq::buffer(trust->secret_key()));
  }
  router.bind("tcp://127.0.0.1:*");
  const Sender sender(router.get(option::last_endpoint), bytes, trust);
  return rate_of(
      [&] {
        ::zmq::message_t session;
        ::zmq::message_t message;
        (void)router.recv(session);
        (void)router.recv(message);
        return std::size_t{1};
      },
      seconds);
}

Rate transport_rate(const std::string& bytes, const std::string& cluster, const port::Trust* trust,
                    double seconds) {
  auto transport = ballast::zmq::ZmqTransport::open(
      {.cluster = cluster, .bind = "tcp://127.0.0.1:*", .security = trust != nullptr}, trust);
  if (!transport.ok()) std::abort();
  const Sender sender((*transport)->endpoint(), bytes, trust);
  return rate_of(
      [&] {
        ballast::zmq::wait(transport->get(), nullptr, {}, std::chrono::seconds(1));
        return (*transport)->take_events(32).size();
      },
      seconds);
}

Rate median(const std::vector<Rate>& turns) {
  const auto middle = [&](double Rate::*part) {
    std::vector<double> numbers;
    for (const Rate& turn : turns) numbers.push_back(turn.*part);
    std::sort(numbers.begin(), numbers.end());
    return numbers[numbers.size() / 2];
  };
  return {middle(&Rate::per_second), middle(&Rate::cpu_us)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t vms = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 1.0;
  if (sodium_init() < 0) return 1;
  const wire::Message report = wire::busy_report(vms);
  const std::string bytes = wire::encode(report);
  const OnePair pair(report.header.sender);
  std::printf("reports of %zu VMs, %zu bytes, from one sender; medians of 5 turns\n", vms,
              bytes.size());
  for (const bool security : {true, false}) {
    const port::Trust* trust = security ? &pair : nullptr;
    std::vector<Rate> bare_turns;
    std::vector<Rate> our_turns;
    for (int turn = 0; turn < 5; ++turn) {
      bare_turns.push_back(bare_rate(bytes, trust, seconds));
      our_turns.push_back(transport_rate(bytes, report.header.cluster, trust, seconds));
    }
    const Rate bare = median(bare_turns);
    const Rate ours = median(our_turns);
    std::printf("%s\n", security ? "with CURVE" : "without CURVE");
    std::printf("  bare libzmq           %8.0f /s %8.1f us of CPU each\n", bare.per_second,
                bare.cpu_us);
    std::printf("  transport and decode  %8.0f /s %8.1f us of CPU each\n", ours.per_second,
                ours.cpu_us);
    std::printf("  of bare               %8.2f    %8.2f by CPU\n",
                ours.per_second / bare.per_second, bare.cpu_us / ours.cpu_us);
  }
  return 0;
}

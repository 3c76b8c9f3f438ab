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

// Messages a second that `take` takes: it is called again and again, and says how many it took.
template <class Take>
double rate_of(Take take, double seconds) {
  while (take() == 0) {
  }
  const auto start = Clock::now();
  std::chrono::duration<double> passed{};
  std::size_t count = 0;
  do {
    count += take();
    passed = Clock::now() - start;
  } while (passed.count() < seconds);
  return static_cast<double>(count) / passed.count();
}

double bare_rate(const std::string& bytes, const port::Trust* trust, double seconds) {
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

double transport_rate(const std::string& bytes, const std::string& cluster,
                      const port::Trust* trust, double seconds) {
  auto transport = ballast::zmq::ZmqTransport::open(
      {.cluster = cluster, .bind = "tcp://127.0.0.1:*", .security = trust != nullptr}, trust);
  if (!transport.ok()) std::abort();
  const Sender sender((*transport)->endpoint(), bytes, trust);
  return rate_of(
      [&] {
        ballast::zmq::wait(transport->get(), nullptr, {}, std::chrono::seconds(1));
        return (*transport)->take_events(256).size();
      },
      seconds);
}

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t vms = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 1.0;
  if (sodium_init() < 0) return 1;
  const wire::Message report = wire::busy_report(vms);
  const std::string bytes = wire::encode(report);
  const OnePair pair(report.header.sender);
  std::printf("reports of %zu VMs, %zu bytes, from one sender; medians of 3 turns\n", vms,
              bytes.size());
  for (const bool security : {true, false}) {
    const port::Trust* trust = security ? &pair : nullptr;
    std::vector<double> bare;
    std::vector<double> taken;
    std::vector<double> ratios;
    for (int turn = 0; turn < 3; ++turn) {
      bare.push_back(bare_rate(bytes, trust, seconds));
      taken.push_back(transport_rate(bytes, report.header.cluster, trust, seconds));
      ratios.push_back(taken.back() / bare.back());
    }
    std::printf("%-14s bare libzmq %8.0f /s   transport and decode %8.0f /s   %.2f of bare\n",
                security ? "with CURVE" : "without CURVE", median(bare), median(taken),
                median(ratios));
  }
  return 0;
}

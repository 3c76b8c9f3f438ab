// What keeps state: a sequence of messages to the nodes of a group that is balancing itself, all
// from one slave of it whose key is trusted, h2. Whatever it says, no VM is lost or runs twice, no
// host holds more memory than it has, and what the master keeps stays bounded.
//
// The input is a row of records: whom it goes to (even: the master h0, odd: the slave h1), how long
// after the one before (in half seconds), the length (two bytes, the larger first), the message.
#include <algorithm>

#include "ballast/base/assert.h"
#include "ballast/base/limits.h"
#include "ballast/wire/codec.h"
#include "gate.h"
#include "group_world.h"
#include "samples.h"
#include "targets.h"

namespace ballast::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t head_bytes = 4;
constexpr std::size_t records_max = 64;
constexpr std::size_t hostile = 2;

test::GroupWorld balancing_group() {
  const auto quick = [](Config& config) {
    config.plan.plan_interval = 15s;
    config.plan.effort = 100;
    config.sample.sample_interval = 5s;
    config.sample.report_interval = 10s;
  };
  hypermodel::Timing timing;
  timing.refuses_overcommit = false;
  return {1, test::trace_of({{0.5, 0.3, 0.3}, {0.2, 0.1}, {0.1, 0.1}}), timing, quick};
}

std::string record(std::size_t to, std::size_t half_seconds, const wire::Message& message) {
  const std::string bytes = wire::encode(message);
  std::string text;
  if (bytes.size() > 0xFFFF) return text;
  text += static_cast<char>(to);
  text += static_cast<char>(half_seconds);
  text += static_cast<char>(bytes.size() >> 8U);
  text += static_cast<char>(bytes.size() & 0xFFU);
  return text + bytes;
}

void inject(test::GroupWorld& world, std::size_t to, std::string_view bytes) {
  Result<wire::Message> message = wire::decode(bytes);
  // As the transport does: a key proves who sends, and that it is no master's.
  if (!message || wire::is_for_masters_only(message->body)) return;
  const NodeId& from = world.trace().hosts[hostile].id;
  message->header.sender = from;
  world.inject(to, from, *message);
}

void check(const test::GroupWorld& world) {
  for (const std::string& finding : world.findings())
    BALLAST_ASSERT(finding.find("'h2' holds") != std::string::npos, finding.c_str());
  const node::View view = world.view(0);
  BALLAST_ASSERT(view.leases.size() <= world.hosts() * limits::leases_per_host_max,
                 "a slave fills the ledger");
  BALLAST_ASSERT(view.events.size() <= limits::events_kept, "a slave fills the past");
}

void run_node(std::string_view bytes) {
  test::GroupWorld world = balancing_group();
  for (std::size_t n = 0; n < records_max && bytes.size() >= head_bytes; ++n) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const std::size_t to = byte(0) % hostile;
    world.run_for(byte(1) * 500ms);
    const std::size_t length =
        std::min<std::size_t>(std::size_t{byte(2)} << 8U | byte(3), bytes.size() - head_bytes);
    inject(world, to, bytes.substr(head_bytes, length));
    bytes.remove_prefix(head_bytes + length);
  }
  world.run_for(20s);
  check(world);
}

// What a true h2 says in the first minutes, and messages of each kind in between.
std::vector<std::string> good_sequences(Random& random) {
  std::vector<std::string> all;
  std::string true_words;
  test::GroupWorld world = balancing_group();
  TimePoint last = world.now();
  world.on_send = [&](const NodeId& from, const wire::Envelope& envelope) {
    if (from != world.trace().hosts[hostile].id || true_words.size() > 8192) return;
    const auto waited = static_cast<std::size_t>((world.now() - last) / 500ms);
    true_words += record(envelope.to == world.trace().hosts[0].id ? 0 : 1,
                         std::min<std::size_t>(waited, 255), envelope.message);
    last = world.now();
  };
  world.run_for(3min);
  all.push_back(true_words);
  for (int sequence = 0; sequence < 4; ++sequence) {
    std::string mixed = true_words.substr(0, true_words.size() / 2);
    for (int n = 0; n < 12; ++n) {
      const std::size_t kind = random.below(std::variant_size_v<wire::Body>);
      mixed += record(random.below(2), random.below(20), wire::random_message(random, kind));
    }
    all.push_back(mixed);
  }
  return all;
}

}  // namespace

std::vector<Target> node_targets() { return {{"node", run_node, good_sequences}}; }

}  // namespace ballast::fuzz

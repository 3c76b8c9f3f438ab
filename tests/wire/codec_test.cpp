// Round trips, truncations and mutations of every kind of message, through the public door.
#include "ballast/wire/codec.h"

#include <doctest/doctest.h>

#include "ballast/base/limits.h"
#include "samples.h"

namespace ballast::wire {
namespace {

constexpr std::size_t kinds = std::variant_size_v<Body>;

// The message in these bytes, for those that must be good.
Message decoded(const std::string& bytes) {
  Result<Message> message = decode(bytes);
  REQUIRE_MESSAGE(message.ok(), message.error().message);
  return std::move(message).value();
}

}  // namespace

TEST_CASE("every kind of message comes back as it was sent") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      CAPTURE(seed);
      Random random(seed);
      const Message message = random_message(random, kind);
      CAPTURE(name_of(message.body));
      CHECK(decoded(encode(message)) == message);
    }
  }
}

TEST_CASE("every truncation of every kind of message is an error, and so is a byte too many") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      CAPTURE(seed);
      Random random(seed);
      const std::string bytes = encode(random_message(random, kind));
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        // A buffer of exactly that size, so that the address sanitizer sees a read past its end.
        const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
        CAPTURE(size);
        CHECK_FALSE(decode(std::string_view(cut.data(), cut.size())).ok());
      }
      const Result<Message> longer = decode(bytes + '\0');
      REQUIRE_FALSE(longer.ok());
      CHECK(longer.error().message.find("1 bytes after the end") != std::string::npos);
    }
  }
}

TEST_CASE("mutated bytes are an error, or a message that means the same when sent on") {
  std::size_t good = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string bytes = encode(random_message(random, seed % kinds));
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0: bytes[at] = static_cast<char>(random.next()); break;
        case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
        case 2: bytes.erase(at, 1 + random.below(4)); break;
        default: bytes.insert(at, 1, static_cast<char>(random.next())); break;
      }
      if (bytes.empty()) bytes = "x";
    }
    const Result<Message> message = decode(bytes);
    if (!message.ok()) continue;
    ++good;
    CHECK(decoded(encode(*message)) == *message);
  }
  // Else the second half of the sentence was never tried.
  CHECK(good > 1000);
}

TEST_CASE("random bytes are an error") {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string bytes(random.below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    if (!bytes.empty() && random.chance(0.5)) bytes[0] = '\x97';
    CHECK_FALSE(decode(bytes).ok());
  }
}

TEST_CASE("the largest report that our limits allow fits into one message") {
  const std::string id_tail(limits::id_bytes_max - 4, 'i');
  const auto id_of = [&](std::size_t i) { return std::to_string(1000 + i) + id_tail; };
  const NodeId node(id_of(0));
  const LeaseId lease{node, ~0ULL, ~0ULL};
  Attach attach;
  attach.facts.endpoint = std::string(limits::endpoint_bytes_max, 'e');
  attach.sequence = ~0ULL;
  HostReport& report = attach.report;
  report.over_samples = ~0U;
  report.distrust = std::string(limits::text_bytes_max, 'd');
  for (std::size_t i = 0; i < limits::vms_per_host_max; ++i) {
    VmReport& item = report.vms.emplace_back();
    item.vm.id = VmId(id_of(i));
    item.vm.immovable_reason = std::string(limits::vm_text_bytes_max, 'r');
    item.rest = duration_of_seconds(limits::rest_s_max);
  }
  for (std::size_t i = 0; i < limits::jobs_per_host_max; ++i) {
    report.jobs.push_back({lease, VmId(id_of(i)), node});
  }
  for (std::size_t i = 0; i < limits::leases_per_host_max; ++i) {
    report.reservations.push_back({lease, VmId(id_of(i)), node, {}});
  }
  const Message message{{id_of(0), node, {~0ULL, ~0ULL}}, attach};
  const std::string bytes = encode(message);
  CHECK(bytes.size() <= limits::message_bytes_max);
  CHECK(decoded(bytes) == message);
}

TEST_CASE("a text that a library gave us is sent clean and no longer than its bound") {
  const std::string raw = "line\nbell\a \xFF " + std::string(1000, 'x');
  const Message message{{"c", NodeId("a"), {1, 1}}, AttachAnswer{{1, 2}, false, raw}};
  const Message heard = decoded(encode(message));
  const std::string& reason = std::get<AttachAnswer>(heard.body).reason;
  CHECK(reason.substr(0, 12) == "line?bell? ?");
  CHECK(reason.size() == limits::text_bytes_max);
}

TEST_CASE("the network of a capacity may be unlimited, that of a load may not") {
  Attach attach;
  attach.facts.capacity = {1000, 1024, unlimited};
  const Header header{"c", NodeId("a"), {1, 1}};
  CHECK(decode(encode({header, attach})).ok());
  attach.report.base.network_mbit = unlimited;
  CHECK_FALSE(decode(encode({header, attach})).ok());
}

}  // namespace ballast::wire

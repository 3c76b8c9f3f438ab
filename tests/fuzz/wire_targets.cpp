// Messages of each kind, items, beacons: what is read must be written and read again as the same.
#include "ballast/base/assert.h"
#include "ballast/wire/beacon.h"
#include "ballast/wire/codec.h"
#include "samples.h"
#include "targets.h"

namespace ballast::fuzz {
namespace {

using Bytes = std::vector<std::string>;

void run_message(std::string_view bytes) {
  const Result<wire::Message> message = wire::decode(bytes);
  if (!message) {
    BALLAST_ASSERT(!message.error().message.empty(), "an error without a word");
    return;
  }
  const Result<wire::Message> again = wire::decode(wire::encode(*message));
  BALLAST_ASSERT(again.ok(), "what was read cannot be read again");
  BALLAST_ASSERT(*again == *message, "what was read changes when it is written");
}

void run_item(std::string_view bytes) {
  const Result<wire::ItemPtr> item = wire::parse_item(std::string(bytes), {});
  if (item.ok()) BALLAST_ASSERT((*item)->bytes == bytes, "an item is not relayed as it came");
}

void run_beacon(std::string_view bytes) {
  const Result<wire::Beacon> beacon = wire::decode_beacon(bytes);
  if (!beacon) return;
  const Result<std::string> again = wire::encode_beacon(*beacon);
  BALLAST_ASSERT(again.ok() && *again == bytes, "a beacon has one form only");
}

void run_fleet_record(std::string_view bytes) {
  const Result<wire::FleetRecordPtr> record = wire::parse_fleet_record(bytes, {});
  if (record.ok())
    BALLAST_ASSERT(wire::bytes_of(**record) == bytes, "a record of the fleet has one form only");
}

Bytes good_fleet_records(Random& random) {
  const auto kind = wire::Body(wire::FleetRecords{}).index();
  Bytes all;
  while (all.size() < 3) {
    const wire::Message message = wire::random_message(random, kind);
    for (const auto& one : std::get<wire::FleetRecords>(message.body).records)
      all.push_back(wire::bytes_of(*one));
  }
  return all;
}

Bytes good_beacons(Random& random) {
  const wire::Peer master{NodeId("3f2b8c1e-5c1f-4c39-8f7e-0a1b2c3d4e5f"), "tcp://10.0.0.1:7720",
                          "tcp://10.0.0.1:7721"};
  wire::Nonce nonce{};
  for (std::uint8_t& byte : nonce) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  const wire::BeaconBody bodies[] = {wire::Seek{NodeId("s"), nonce, wire::Wanted::group_or_lead},
                                     wire::Offer{NodeId("s"), nonce, master, 7, 57, {}},
                                     wire::Hello{master}};
  Bytes all;
  for (const wire::BeaconBody& body : bodies)
    all.push_back(wire::encode_beacon({"ballast", body}).value());
  return all;
}

Target message_target(std::size_t kind) {
  Random any(kind);
  const std::string name = wire::name_of(wire::random_message(any, kind).body);
  return {"message-" + name, run_message, [kind](Random& random) {
            Bytes all;
            for (int i = 0; i < 3; ++i)
              all.push_back(wire::encode(wire::random_message(random, kind)));
            return all;
          }};
}

}  // namespace

std::vector<Target> wire_targets() {
  std::vector<Target> targets;
  for (std::size_t kind = 0; kind < std::variant_size_v<wire::Body>; ++kind)
    targets.push_back(message_target(kind));
  targets.push_back(
      {"item", run_item, [](Random& random) {
         return Bytes{wire::random_item(random)->bytes, wire::random_item(random)->bytes};
       }});
  targets.push_back({"beacon", run_beacon, good_beacons});
  targets.push_back({"fleet-record", run_fleet_record, good_fleet_records});
  return targets;
}

}  // namespace ballast::fuzz

// Records of the fleet: one form each, so that what was signed can be made again from what was
// read, and need not be kept beside it.
#include "ballast/wire/fleet_messages.h"

#include <algorithm>

#include "packer.h"
#include "reader.h"

namespace ballast::wire {
namespace {

bool same(const FleetRecordPtr& a, const FleetRecordPtr& b) {
  return a == b || (a && b && *a == *b);
}
bool same(const std::vector<FleetRecordPtr>& a, const std::vector<FleetRecordPtr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

// What the reader cannot tell from the fields alone.
const char* wrong_in(const FleetRecord& record) {
  if (record.generation == 0) return "generation 0, expected 1 or more";
  if (record.node.empty() != (record.kind == RecordKind::succession))
    return "a node where there is none to name, or none where there is one";
  return nullptr;
}

}  // namespace

std::string bytes_of(const FleetRecord& record) {
  ByteSink sink(limits::fleet_record_bytes_max);
  Packer out(sink);
  fields(out, "record", record);
  return sink.take();
}

Result<FleetRecordPtr> parse_fleet_record(std::string_view bytes, const Signature& signature) {
  if (bytes.size() > limits::fleet_record_bytes_max)
    return Error{std::to_string(bytes.size()) + " bytes, expected at most " +
                 std::to_string(limits::fleet_record_bytes_max)};
  FleetRecord record;
  Reader in(bytes);
  fields(in, "record", record);
  in.finish();
  if (in.failed()) return in.error();
  if (const char* wrong = wrong_in(record)) return Error{wrong};
  // Numbers and lengths can be written in several ways.
  if (bytes_of(record) != bytes) return Error{"bytes in another form than the usual one"};
  record.signature = signature;
  return std::make_shared<const FleetRecord>(std::move(record));
}

bool Introduce::operator==(const Introduce& other) const {
  return same(certificate, other.certificate);
}
bool FleetRecords::operator==(const FleetRecords& other) const {
  return same(records, other.records);
}
bool JoinAnswer::operator==(const JoinAnswer& other) const {
  return refusal == other.refusal && same(certificate, other.certificate) &&
         fleet_key == other.fleet_key && generation == other.generation &&
         same(chain, other.chain) && same(others, other.others) && master == other.master &&
         master_endpoint == other.master_endpoint && mode == other.mode && clock_s == other.clock_s;
}

}  // namespace ballast::wire

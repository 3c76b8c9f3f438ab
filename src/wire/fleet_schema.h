// The fields of what the fleet's key signs, and of the messages that carry it; see schema.h.
#pragma once

#include "ballast/wire/fleet_messages.h"
#include "schema.h"

namespace ballast::wire {

// What is signed of a record.
void fields(auto& io, const char* name, Of<FleetRecord> auto& record) {
  io.record(name, 8, [&] {
    io.choice("kind", record.kind, RecordKind::succession);
    io.whole("generation", record.generation);
    io.id_or_none("node", record.node);
    io.key("identity", record.identity);
    io.key("curve", record.curve);
    io.flag("may_lead", record.may_lead);
    io.whole("serial", record.serial);
    io.whole("issued_s", record.issued_s);
  });
}

void fields(auto& io, const char* name, Of<FleetRecordPtr> auto& record) {
  io.fleet_record(name, record);
}

// A record is at least the array of its bytes, two keys among them, and 64 bytes of signature.
inline constexpr std::size_t fleet_record_bytes_min = 140;
inline constexpr std::size_t bucket_bytes_min = 1;

void fields(auto& io, const char* name, Of<Introduce> auto& body) {
  io.record(name, 1, [&] { fields(io, "certificate", body.certificate); });
}

void fields(auto& io, const char* name, Of<FleetDigest> auto& body) {
  io.record(name, 4, [&] {
    io.whole("generation", body.generation);
    io.whole("hash", body.hash);
    io.list_of("buckets", body.buckets, limits::fleet_buckets, bucket_bytes_min,
               [](auto& inner, auto& bucket) { inner.whole("", bucket); });
    io.flag("answer", body.answer);
  });
}

void fields(auto& io, const char* name, Of<FleetRecords> auto& body) {
  io.record(name, 1, [&] {
    io.list("records", body.records, limits::fleet_records_max, fleet_record_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<JoinAsk> auto& body) {
  io.record(name, 4, [&] {
    io.whole("invitation", body.invitation);
    io.id("node", body.node);
    io.key("identity", body.identity);
    io.key("proof", body.proof);
  });
}

void fields(auto& io, const char* name, Of<JoinAnswer> auto& body) {
  io.record(name, 10, [&] {
    io.text("refusal", body.refusal, limits::text_bytes_max);
    io.list("certificate", body.certificate, 1, fleet_record_bytes_min);
    io.key("fleet_key", body.fleet_key);
    io.whole("generation", body.generation);
    io.list("chain", body.chain, limits::fleet_chain_max, fleet_record_bytes_min);
    io.list("others", body.others, limits::join_records_max, fleet_record_bytes_min);
    io.id_or_none("master", body.master);
    io.text("master_endpoint", body.master_endpoint, limits::endpoint_bytes_max);
    io.whole("mode", body.mode);
    io.whole("clock_s", body.clock_s);
  });
}

}  // namespace ballast::wire

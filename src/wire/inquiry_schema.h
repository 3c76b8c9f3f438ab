// The fields of what operators ask, in order; see schema.h.
#pragma once

#include "ballast/wire/inquiry_messages.h"
#include "schema.h"

namespace ballast::wire {

inline constexpr std::size_t fact_bytes_min = 17;

void fields(auto& io, const char* name, Of<Inquiry> auto& body) {
  io.record(name, 6, [&] {
    io.whole("number", body.number);
    io.choice("subject", body.subject, Subject::nodes);
    io.id_or_none("host", body.host);
    io.id_or_none("vm", body.vm);
    fields(io, "load", body.load);
    io.flag("forwarded", body.forwarded);
  });
}

void fields(auto& io, const char* name, Of<Fact> auto& fact) {
  io.record(name, 9, [&] {
    io.text("kind", fact.kind, limits::fact_kind_bytes_max);
    io.span("age", fact.age, duration_of_seconds(limits::rest_s_max));
    io.id_or_none("vm", fact.vm);
    io.id_or_none("host", fact.host);
    io.id_or_none("master", fact.master);
    capacity_fields(io, "room", fact.room);
    capacity_fields(io, "capacity", fact.capacity);
    io.number("heat", fact.heat, 0, limits::heat_max);
    io.text("text", fact.text, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Reply> auto& body) {
  io.record(name, 4, [&] {
    io.whole("number", body.number);
    io.choice("answered", body.answered, Answered::not_mine);
    io.text("text", body.text, limits::text_bytes_max);
    io.list("facts", body.facts, limits::facts_max, fact_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<Drain> auto& body) {
  io.record(name, 3, [&] {
    fields(io, "slave_epoch", body.slave_epoch);
    io.flag("maintenance", body.maintenance);
    io.text("why", body.why, limits::text_bytes_max);
  });
}

}  // namespace ballast::wire

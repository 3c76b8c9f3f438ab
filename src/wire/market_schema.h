// The fields of requests, grants and plan exchange, in order; see schema.h.
#pragma once

#include "ballast/wire/market_messages.h"
#include "mesh_schema.h"

namespace ballast::wire {

inline constexpr std::size_t want_bytes_min = 13;
inline constexpr std::size_t grant_bytes_min = 12;
inline constexpr std::size_t small_bytes_min = 3;
inline constexpr std::size_t move_bytes_min = 12;

void fields(auto& io, const char* name, Of<Want> auto& want) {
  io.record(name, 9, [&] {
    io.id("vm", want.vm);
    fields(io, "load", want.load);
    io.id("from", want.from);
    io.text("from_endpoint", want.from_endpoint, limits::endpoint_bytes_max);
    io.flag("drain", want.drain);
    io.optional_of("takes_back", want.takes_back,
                   [](auto& inner, auto& room) { rounded_fields(inner, "takes_back", room); });
    io.number("takes_back_first_mib", want.takes_back_first_mib, 0, limits::memory_mib_max);
    io.list_of("not_to", want.not_to, limits::want_not_to_max, 2,
               [](auto& inner, auto& host) { inner.id("", host); });
    io.number("heat_max", want.heat_max, 0, limits::heat_max);
  });
}

void fields(auto& io, const char* name, Of<Request> auto& body) {
  io.record(name, 2, [&] {
    io.whole("number", body.number);
    io.list("wants", body.wants, limits::wants_max, want_bytes_min);
    io.unique("wants", body.wants, [](const Want& want) -> const VmId& { return want.vm; });
  });
}

void fields(auto& io, const char* name, Of<Counterpart> auto& back) {
  io.record(name, 4, [&] {
    io.id("vm", back.vm);
    fields(io, "load", back.load);
    io.text("from_endpoint", back.from_endpoint, limits::endpoint_bytes_max);
    io.flag("first", back.first);
  });
}

void fields(auto& io, const char* name, Of<Grant> auto& grant) {
  io.record(name, 6, [&] {
    io.id("vm", grant.vm);
    fields(io, "lease", grant.lease);
    io.id("target", grant.target);
    io.text("target_endpoint", grant.target_endpoint, limits::endpoint_bytes_max);
    io.optional("back", grant.back);
    io.text("target_hypervisor", grant.target_hypervisor, limits::id_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Refusal> auto& refusal) {
  io.record(name, 3, [&] {
    io.id("vm", refusal.vm);
    io.choice("reason", refusal.reason, RefusalReason::quiet);
    io.span("wait", refusal.wait, duration_of_seconds(limits::rest_s_max));
  });
}

void fields(auto& io, const char* name, Of<RequestAnswer> auto& body) {
  io.record(name, 4, [&] {
    io.whole("number", body.number);
    io.list("grants", body.grants, limits::wants_max, grant_bytes_min);
    io.list("refusals", body.refusals, limits::wants_max, small_bytes_min);
    io.list_of("holes", body.holes, limits::summary_holes_max, 4,
               [](auto& inner, auto& hole) { rounded_fields(inner, "", hole); });
  });
}

void fields(auto& io, const char* name, Of<Release> auto& body) {
  io.record(name, 1, [&] { fields(io, "lease", body.lease); });
}

void fields(auto& io, const char* name, Of<ReleaseAck> auto& body) {
  io.record(name, 1, [&] { fields(io, "lease", body.lease); });
}

void fields(auto& io, const char* name, Of<SwapBack> auto& body) {
  io.record(name, 5, [&] {
    fields(io, "lease", body.lease);
    fields(io, "back", body.back);
    io.id("target", body.target);
    io.text("target_endpoint", body.target_endpoint, limits::endpoint_bytes_max);
    io.text("target_hypervisor", body.target_hypervisor, limits::id_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<SwapOver> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "lease", body.lease);
    io.text("reason", body.reason, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<SwapOverAck> auto& body) {
  io.record(name, 1, [&] { fields(io, "lease", body.lease); });
}

void fields(auto& io, const char* name, Of<ProposedMove> auto& move) {
  io.record(name, 6, [&] {
    fields(io, "lease", move.lease);
    io.id("vm", move.vm);
    io.id("from", move.from);
    fields(io, "from_epoch", move.from_epoch);
    io.id("to", move.to);
    io.number("heat", move.heat, 0, limits::heat_max);
  });
}

void fields(auto& io, const char* name, Of<Proposal> auto& body) {
  io.record(name, 5, [&] {
    io.whole("number", body.number);
    io.choice("kind", body.kind, PlanKind::drain);
    io.whole("rounds_lost", body.rounds_lost);
    io.whole("stamp", body.stamp);
    io.list("moves", body.moves, limits::proposed_max, move_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<MoveVerdict> auto& verdict) {
  io.record(name, 4, [&] {
    fields(io, "lease", verdict.lease);
    io.choice("conflict", verdict.conflict, Conflict::ping_pong);
    io.span("wait", verdict.wait, duration_of_seconds(limits::rest_s_max));
    io.text("detail", verdict.detail, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Verdict> auto& body) {
  io.record(name, 3, [&] {
    io.whole("number", body.number);
    io.whole("stamp", body.stamp);
    io.list("moves", body.moves, limits::proposed_max, small_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<Promote> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "master", body.master);
    io.text("why", body.why, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Disbelief> auto&) {
  io.record(name, 0, [] {});
}

void fields(auto& io, const char* name, Of<Dismiss> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "slave_epoch", body.slave_epoch);
    io.text("why", body.why, limits::text_bytes_max);
  });
}

}  // namespace ballast::wire

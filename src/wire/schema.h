// The one description of what stands in every message: its fields, in order, each with its name and
// its bound. packer.h walks it to write a message, reader.h to read one, so that both directions
// cannot drift apart. docs/protocol.md tells the same to people.
//
// An `io` has: record, list, optional, id, id_or_none, text, number, capacity, whole, flag, choice,
// span, unique. A record is a msgpack array with exactly the named number of fields.
#pragma once

#include <concepts>
#include <type_traits>

#include "ballast/base/limits.h"
#include "ballast/wire/messages.h"

namespace ballast::wire {

template <class T, class Plain>
concept Of = std::same_as<std::remove_const_t<T>, Plain>;

// The least bytes that one item of a list takes: a list that claims more items than the bytes left
// can hold is refused before anything is allocated for it.
inline constexpr std::size_t vm_bytes_min = 15;
inline constexpr std::size_t job_bytes_min = 4;
inline constexpr std::size_t reservation_bytes_min = 11;

void fields(auto& io, const char* name, Of<Epoch> auto& epoch) {
  io.record(name, 2, [&] {
    io.whole("incarnation", epoch.incarnation);
    io.whole("attachment", epoch.attachment);
  });
}

void fields(auto& io, const char* name, Of<LeaseId> auto& lease) {
  io.record(name, 3, [&] {
    io.id("grantor", lease.grantor);
    io.whole("incarnation", lease.incarnation);
    io.whole("number", lease.number);
  });
}

// A load, or a capacity whose network nobody measured.
void fields(auto& io, const char* name, Of<Resources> auto& resources) {
  io.record(name, 3, [&] {
    io.number("cpu_mhz", resources.cpu_mhz, 0, limits::cpu_mhz_max);
    io.number("memory_mib", resources.memory_mib, 0, limits::memory_mib_max);
    io.number("network_mbit", resources.network_mbit, 0, limits::network_mbit_max);
  });
}

void capacity_fields(auto& io, const char* name, Of<Resources> auto& resources) {
  io.record(name, 3, [&] {
    io.number("cpu_mhz", resources.cpu_mhz, 0, limits::cpu_mhz_max);
    io.number("memory_mib", resources.memory_mib, 0, limits::memory_mib_max);
    io.capacity("network_mbit", resources.network_mbit, limits::network_mbit_max);
  });
}

void fields(auto& io, const char* name, Of<Thresholds> auto& thresholds) {
  // Above 0: a threshold of nothing would make every host overloaded.
  constexpr double least = 1e-9;
  io.record(name, 3, [&] {
    io.number("cpu", thresholds.cpu, least, limits::threshold_max);
    io.number("memory", thresholds.memory, least, limits::threshold_max);
    io.number("network", thresholds.network, least, limits::threshold_max);
  });
}

void fields(auto& io, const char* name, Of<HostFacts> auto& facts) {
  io.record(name, 6, [&] {
    capacity_fields(io, "capacity", facts.capacity);
    fields(io, "thresholds", facts.thresholds);
    io.text("endpoint", facts.endpoint, limits::endpoint_bytes_max);
    io.flag("automatic", facts.automatic);
    io.text("hypervisor", facts.hypervisor, limits::id_bytes_max);
    io.text("environment", facts.environment, limits::id_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<VmReport> auto& report) {
  io.record(name, 8, [&] {
    io.id("id", report.vm.id);
    io.choice("presence", report.vm.presence, Presence::unknown);
    fields(io, "load", report.vm.load);
    io.flag("movable", report.vm.movable);
    io.text("immovable_reason", report.vm.immovable_reason, limits::vm_text_bytes_max);
    io.number("dirty_rate_mib_s", report.vm.dirty_rate_mib_s, 0, limits::dirty_rate_mib_s_max);
    io.span("rest", report.rest, duration_of_seconds(limits::rest_s_max));
    fields(io, "swing", report.swing);
  });
}

void fields(auto& io, const char* name, Of<Job> auto& job) {
  io.record(name, 3, [&] {
    io.optional("lease", job.lease);
    io.id("vm", job.vm);
    io.id_or_none("target", job.target);
  });
}

void fields(auto& io, const char* name, Of<Reservation> auto& reservation) {
  io.record(name, 4, [&] {
    fields(io, "lease", reservation.lease);
    io.id("vm", reservation.vm);
    io.id("from", reservation.from);
    fields(io, "load", reservation.load);
  });
}

void fields(auto& io, const char* name, Of<HostReport> auto& report) {
  io.record(name, 10, [&] {
    fields(io, "base", report.base);
    io.number("cpu_used_mhz", report.cpu_used_mhz, 0, limits::cpu_mhz_max);
    io.number("memory_free_mib", report.memory_free_mib, 0, limits::memory_mib_max);
    io.flag("maintenance", report.maintenance);
    io.whole("over_samples", report.over_samples);
    io.span("passes_in", report.passes_in, duration_of_seconds(limits::rest_s_max));
    io.text("distrust", report.distrust, limits::text_bytes_max);
    io.list("vms", report.vms, limits::vms_per_host_max, vm_bytes_min);
    io.unique("vms", report.vms, [](const VmReport& item) -> const VmId& { return item.vm.id; });
    io.list("jobs", report.jobs, limits::jobs_per_host_max, job_bytes_min);
    io.list("reservations", report.reservations, limits::leases_per_host_max,
            reservation_bytes_min);
  });
}

// --- bodies -------------------------------------------------------------------------------------

void fields(auto& io, const char* name, Of<Attach> auto& body) {
  io.record(name, 4, [&] {
    fields(io, "facts", body.facts);
    fields(io, "report", body.report);
    io.whole("sequence", body.sequence);
    io.id_or_none("previous", body.previous);
  });
}

void fields(auto& io, const char* name, Of<Leave> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "left", body.left);
    io.text("why", body.why, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<ReportAsk> auto& body) {
  io.record(name, 1, [&] { fields(io, "slave_epoch", body.slave_epoch); });
}

void fields(auto& io, const char* name, Of<LeaveAck> auto& body) {
  io.record(name, 1, [&] { fields(io, "left", body.left); });
}

inline constexpr std::size_t alarm_bytes_min = 5;

void fields(auto& io, const char* name, Of<AlarmNote> auto& note) {
  io.record(name, 4, [&] {
    io.whole("number", note.number);
    io.flag("over", note.over);
    io.span("age", note.age, duration_of_seconds(limits::rest_s_max));
    io.text("text", note.text, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Alarms> auto& body) {
  io.record(name, 1,
            [&] { io.list("notes", body.notes, limits::alarms_told_max, alarm_bytes_min); });
}

void fields(auto& io, const char* name, Of<Paused> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "slave_epoch", body.slave_epoch);
    io.flag("paused", body.paused);
  });
}

void fields(auto& io, const char* name, Of<AttachAnswer> auto& body) {
  io.record(name, 3, [&] {
    fields(io, "slave_epoch", body.slave_epoch);
    io.flag("accepted", body.accepted);
    io.text("reason", body.reason, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Report> auto& body) {
  io.record(name, 3, [&] {
    io.whole("sequence", body.sequence);
    io.optional("facts", body.facts);
    fields(io, "report", body.report);
  });
}

void fields(auto& io, const char* name, Of<ReportAck> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "slave_epoch", body.slave_epoch);
    io.whole("sequence", body.sequence);
  });
}

void fields(auto& io, const char* name, Of<Order> auto& body) {
  io.record(name, 7, [&] {
    fields(io, "lease", body.lease);
    fields(io, "holder_epoch", body.holder_epoch);
    io.id("vm", body.vm);
    io.id("target", body.target);
    io.text("target_endpoint", body.target_endpoint, limits::endpoint_bytes_max);
    io.text("why", body.why, limits::text_bytes_max);
    io.text("target_hypervisor", body.target_hypervisor, limits::id_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Outcome> auto& body) {
  io.record(name, 6, [&] {
    fields(io, "lease", body.lease);
    io.id("vm", body.vm);
    io.choice("kind", body.kind, OutcomeKind::unknown);
    io.whole("sequence", body.sequence);
    io.text("detail", body.detail, limits::text_bytes_max);
    io.choice("fault", body.fault, FaultOf::pair);
  });
}

void fields(auto& io, const char* name, Of<OutcomeAck> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "lease", body.lease);
    io.choice("kind", body.kind, OutcomeKind::unknown);
  });
}

void fields(auto& io, const char* name, Of<LeaseTell> auto& body) {
  io.record(name, 6, [&] {
    fields(io, "lease", body.lease);
    fields(io, "target_epoch", body.target_epoch);
    io.id("vm", body.vm);
    io.id("from", body.from);
    io.text("from_endpoint", body.from_endpoint, limits::endpoint_bytes_max);
    fields(io, "load", body.load);
  });
}

void fields(auto& io, const char* name, Of<LeaseRevoke> auto& body) {
  io.record(name, 4, [&] {
    fields(io, "lease", body.lease);
    io.id("vm", body.vm);
    io.flag("holder_is_done", body.holder_is_done);
    io.flag("departed", body.departed);
  });
}

void fields(auto& io, const char* name, Of<LeaseState> auto& body) {
  io.record(name, 4, [&] {
    fields(io, "lease", body.lease);
    io.choice("phase", body.phase, LeasePhase::absent);
    io.whole("sequence", body.sequence);
    io.text("detail", body.detail, limits::text_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<LeaseStateAck> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "lease", body.lease);
    io.choice("phase", body.phase, LeasePhase::absent);
  });
}

void fields(auto& io, const char* name, Of<Begin> auto& body) {
  io.record(name, 5, [&] {
    fields(io, "lease", body.lease);
    io.id("vm", body.vm);
    fields(io, "load", body.load);
    io.flag("autostart", body.autostart);
    fields(io, "swing", body.swing);
  });
}

void fields(auto& io, const char* name, Of<BeginAnswer> auto& body) {
  io.record(name, 4, [&] {
    fields(io, "lease", body.lease);
    io.flag("yes", body.yes);
    io.text("reason", body.reason, limits::text_bytes_max);
    io.text("migration_uri", body.migration_uri, limits::endpoint_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Settle> auto& body) {
  io.record(name, 3, [&] {
    fields(io, "lease", body.lease);
    io.id("vm", body.vm);
    io.flag("departed", body.departed);
  });
}

void fields(auto& io, const char* name, Of<SettleAnswer> auto& body) {
  io.record(name, 4, [&] {
    fields(io, "lease", body.lease);
    io.id("vm", body.vm);
    io.choice("presence", body.presence, Presence::unknown);
    io.text("detail", body.detail, limits::text_bytes_max);
  });
}

// The header stands in the outermost array itself: cluster, sender, incarnation, attachment.
void header_fields(auto& io, Of<Header> auto& header) {
  io.id("cluster", header.cluster);
  io.id("sender", header.sender);
  io.whole("incarnation", header.epoch.incarnation);
  io.whole("attachment", header.epoch.attachment);
}

// version, the header's four, kind, body.
inline constexpr std::uint32_t message_fields = 7;

}  // namespace ballast::wire

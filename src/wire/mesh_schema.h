// The fields of what masters say to each other about themselves, in order; see schema.h. Everything
// here is small on purpose: it is repeated to thousands.
#pragma once

#include "ballast/wire/mesh_messages.h"
#include "schema.h"

namespace ballast::wire {

void fields(auto& io, const char* name, Of<Peer> auto& peer) {
  io.record(name, 3, [&] {
    io.short_id("id", peer.id);
    io.text("endpoint", peer.endpoint, limits::endpoint_bytes_max);
    io.text("feed", peer.feed, limits::endpoint_bytes_max);
  });
}

void fields(auto& io, const char* name, Of<Suspicion> auto& suspicion) {
  io.record(name, 2, [&] {
    io.short_id("master", suspicion.master);
    io.small("incarnation", suspicion.incarnation);
  });
}

void fields(auto& io, const char* name, Of<Announced> auto& announced) {
  io.record(name, 3, [&] {
    io.short_id("vm", announced.vm);
    io.short_id("from", announced.from);
    io.short_id("to", announced.to);
  });
}

// Room or load in whole units, rounded down.
void rounded_fields(auto& io, const char* name, Of<Resources> auto& resources) {
  io.record(name, 3, [&] {
    io.rounded("cpu_mhz", resources.cpu_mhz, limits::cpu_mhz_max);
    io.rounded("memory_mib", resources.memory_mib, limits::memory_mib_max);
    io.rounded("network_mbit", resources.network_mbit, limits::network_mbit_max);
  });
}

void fields(auto& io, const char* name, Of<Summary> auto& summary) {
  io.record(name, 10, [&] {
    fields(io, "self", summary.self);
    io.small("hosts", summary.hosts);
    io.small("surplus_vms", summary.surplus_vms);
    rounded_fields(io, "surplus", summary.surplus);
    rounded_fields(io, "spare", summary.spare);
    io.list_of("holes", summary.holes, limits::summary_holes_max, 4,
               [](auto& inner, auto& hole) { rounded_fields(inner, "", hole); });
    io.list("suspicions", summary.suspicions, limits::suspicions_max, 3);
    io.list("plans", summary.plans, limits::announced_max, 4);
    io.small("pause_stamp", summary.pause_stamp);
    io.flag("paused", summary.paused);
  });
}

// What is signed of an item.
void fields(auto& io, const char* name, Of<Item> auto& item) {
  io.record(name, 3, [&] {
    io.small("incarnation", item.incarnation);
    io.small("version", item.version);
    fields(io, "summary", item.summary);
  });
}

void fields(auto& io, const char* name, Of<ItemPtr> auto& item) { io.item(name, item); }

void fields(auto& io, const char* name, Of<DigestEntry> auto& entry) {
  io.record(name, 3, [&] {
    io.small("key", entry.key);
    io.small("incarnation", entry.incarnation);
    io.small("version", entry.version);
  });
}

// An item is at least an array of its bytes and 64 bytes of signature.
inline constexpr std::size_t sealed_bytes_min = 80;
inline constexpr std::size_t entry_bytes_min = 4;
inline constexpr std::size_t peer_bytes_min = 5;

void fields(auto& io, const char* name, Of<Gossip> auto& body) {
  io.record(name, 2, [&] {
    io.list("items", body.items, limits::gossip_items_max, sealed_bytes_min);
    io.list("digest", body.digest, limits::digest_entries_max, entry_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<Neighbor> auto& body) {
  io.record(name, 3, [&] {
    fields(io, "self", body.self);
    io.flag("urgent", body.urgent);
    io.flag("picture_wanted", body.picture_wanted);
  });
}

void fields(auto& io, const char* name, Of<NeighborAnswer> auto& body) {
  io.record(name, 3, [&] {
    fields(io, "self", body.self);
    io.flag("accepted", body.accepted);
    io.list("others", body.others, limits::peers_told_max, peer_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<Disconnect> auto& body) {
  io.record(name, 1,
            [&] { io.list("others", body.others, limits::peers_told_max, peer_bytes_min); });
}

void fields(auto& io, const char* name, Of<Shuffle> auto& body) {
  io.record(name, 2, [&] {
    fields(io, "self", body.self);
    io.list("others", body.others, limits::peers_told_max, peer_bytes_min);
  });
}

void fields(auto& io, const char* name, Of<ShuffleAnswer> auto& body) {
  io.record(name, 1,
            [&] { io.list("others", body.others, limits::peers_told_max, peer_bytes_min); });
}

void fields(auto& io, const char* name, Of<Pull> auto& body) {
  io.record(name, 1,
            [&] { io.list("lacking", body.lacking, limits::digest_entries_max, entry_bytes_min); });
}

void fields(auto& io, const char* name, Of<Pulled> auto& body) {
  io.record(name, 1,
            [&] { io.list("items", body.items, limits::gossip_items_max, sealed_bytes_min); });
}

}  // namespace ballast::wire

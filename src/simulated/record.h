// Records of the simulated hypervisors' conversation: one line of ASCII each, at most
// `record_bytes_max`, fields separated by one blank; bytes that are not plain are written %XX.
//
//   source -> target                                  target -> source
//   ballast-sim/1 SECRET migrate TOKEN VM MIB PEER
//                                                     ready PEER | refused WHY
//   copying (at times, as a sign of life)
//   finish
//                                                     started | failed WHY
//   confirmed
//
// A source in doubt asks the target, a target whose arrival nobody confirmed asks the source, each
// on a new connection:
//   ballast-sim/1 SECRET runs HOST TOKEN VM           yes | no | other-host
//   ballast-sim/1 SECRET holds HOST TOKEN VM          yes | no | other-host
// TOKEN names one migration. PEER is three fields: URI, host id, and 1 if the host outlives its
// process (a state file), else 0.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::simulated {

inline constexpr std::string_view protocol_name = "ballast-sim/1";
inline constexpr std::size_t record_bytes_max = 4096;
inline constexpr std::size_t fields_max = 12;

using Record = std::vector<std::string>;

// Without the line's end.
std::string to_line(const Record& record);

// Nothing if the line is not what to_line() writes.
std::optional<Record> from_line(std::string_view line);

// A decimal number within [0, max], nothing else.
std::optional<double> number_from(std::string_view text, double max);

// Takes the same time wherever the texts differ.
bool equal_secrets(std::string_view a, std::string_view b);

// The other end of a migration.
struct Peer {
  std::string uri;
  std::string host;
  bool outlives_process = false;

  bool operator==(const Peer&) const = default;
};

// Three fields of a record, beginning at `first`.
std::optional<Peer> peer_from(const Record& record, std::size_t first);
void append(Record& record, const Peer& peer);
// As one text, for the model's copies.
std::string to_text(const Peer& peer);
std::optional<Peer> peer_from_text(std::string_view text);

// The port of "sim://127.a.b.c:PORT" and the address; nothing for what is not loopback.
struct LoopbackAddress {
  std::string ip;
  int port = 0;
};
std::optional<LoopbackAddress> address_from_uri(std::string_view uri);
std::optional<LoopbackAddress> address_from(std::string_view text);  // without "sim://"

}  // namespace ballast::simulated

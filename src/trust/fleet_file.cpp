#include "ballast/trust/fleet_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "ballast/trust/fleet_key.h"
#include "base64.h"
#include "small_file.h"

namespace ballast::trust {
namespace {

using wire::FleetRecordPtr;

constexpr std::string_view fleet_line = "ballast-fleet/1";
constexpr std::size_t record_line_bytes_max = 512;
// Certificates and revocations of all, twice: one that is replaced stays until the next start.
constexpr std::size_t fleet_bytes_max = 4 * limits::fleet_nodes_max * record_line_bytes_max;

std::string record_line(std::string_view word, const wire::FleetRecord& record) {
  return std::string(word) + " " + base64_of(wire::bytes_of(record)) + " " +
         base64_of(
             {reinterpret_cast<const char*>(record.signature.data()), record.signature.size()}) +
         "\n";
}

Result<FleetRecordPtr> record_in(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return Error{"found no signature"};
  const auto bytes = bytes_of_base64_text(text.substr(0, blank));
  const auto seal = bytes_of_base64_text(text.substr(blank + 1));
  wire::Signature signature{};
  if (!bytes || !seal || seal->size() != signature.size())
    return Error{"found no base64 of a record and of 64 bytes"};
  std::copy(seal->begin(), seal->end(), signature.begin());
  return wire::parse_fleet_record(*bytes, signature);
}

Status take_fleet_line(FleetFile& fleet, std::size_t number, std::string_view line) {
  if (number == 1)
    return line == fleet_line ? Status{}
                              : Error{"found " + quoted(line) + ", expected " + quoted(fleet_line)};
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  if (word == "cluster" && is_valid_id(rest)) {
    fleet.cluster = rest;
    return {};
  }
  if (word == "key") {
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), fleet.generation);
    const std::size_t after = static_cast<std::size_t>(read.ptr - rest.data());
    if (read.ec == std::errc() && fleet.generation > 0 && after < rest.size() &&
        rest[after] == ' ') {
      const Result<IdentityKey> key = parse_key(rest.substr(after + 1));
      if (!key) return key.error();
      fleet.key = *key;
      return {};
    }
  }
  if (word == "past" || word == "record") {
    Result<FleetRecordPtr> record = record_in(rest);
    if (!record) return record.error();
    (word == "past" ? fleet.past : fleet.records).push_back(*std::move(record));
    return {};
  }
  return Error{"found " + quoted(line.substr(0, 64)) +
               ", expected 'cluster NAME', 'key NUMBER KEY', 'past RECORD SIGNATURE' or 'record "
               "RECORD SIGNATURE'"};
}

}  // namespace

Result<FleetFile> parse_fleet(std::string_view text, const std::string& name) {
  FleetFile fleet;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    if (const Status good = take_fleet_line(fleet, ++number, text.substr(0, end)); !good)
      return Error{name + ":" + std::to_string(number) + ": " + good.error().message};
    text.remove_prefix(end + 1);
  }
  if (number == 0 || fleet.cluster.empty() || fleet.key == IdentityKey{})
    return Error{name + ": found no cluster or no key, expected " + quoted(fleet_line) +
                 " and a line of each"};
  return fleet;
}

bool has_fleet(const std::string& file) {
  struct stat status {};
  return lstat(file.c_str(), &status) == 0;
}

Result<FleetFile> read_fleet(const std::string& file) {
  const Result<std::string> text = read_small(file, fleet_bytes_max, false);
  if (!text) return text.error();
  return parse_fleet(*text, file);
}

Status write_fleet(const std::string& file, const FleetFile& fleet) {
  const Result<FileLock> lock = FileLock::take(file);
  if (!lock) return lock.error();
  std::string text = std::string(fleet_line) + "\ncluster " + fleet.cluster + "\nkey " +
                     std::to_string(fleet.generation) + " " + text_of(fleet.key) + "\n";
  for (const FleetRecordPtr& one : fleet.past) text += record_line("past", *one);
  for (const FleetRecordPtr& one : fleet.records) text += record_line("record", *one);
  return replace(file, text);
}

Status append_to_fleet(const std::string& file, const std::vector<FleetRecordPtr>& records) {
  const Result<FileLock> lock = FileLock::take(file);
  if (!lock) return lock.error();
  std::string text;
  for (const FleetRecordPtr& one : records) text += record_line("record", *one);
  return append(file, text);
}

std::unique_ptr<fleet::Book> book_of(const FleetFile& fleet) {
  const RecordVerifier verifier(fleet.cluster);
  auto book = std::make_unique<fleet::Book>(fleet.key, fleet.generation);
  (void)book->set_past(fleet.past);
  for (const FleetRecordPtr& one : fleet.records) (void)book->take(one, verifier);
  return book;
}

FleetFile file_of(const std::string& cluster, const fleet::Book& book) {
  FleetFile fleet{cluster, book.fleet_key(), book.generation(), book.chain(), {}};
  for (const auto& [node, member] : book.members()) {
    for (const FleetRecordPtr& one : {member.revocation, member.certificate})
      if (one && one->generation == book.generation()) fleet.records.push_back(one);
  }
  return fleet;
}

}  // namespace ballast::trust

// What a node knows of its fleet, on its disk: the file `fleet` in its state folder. One fact a
// line, so that one more costs one write:
//
//   ballast-fleet/1
//   cluster NAME
//   key GENERATION KEY        the fleet's public key, base64
//   past RECORD SIGNATURE     the words by which the keys before it have named the next one
//   record RECORD SIGNATURE   as docs/protocol.md has them, base64
//
// Nothing in it is secret; who may write it decides who is believed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/fleet/book.h"
#include "ballast/trust/keys.h"

namespace ballast::trust {

struct FleetFile {
  std::string cluster;
  IdentityKey key{};
  std::uint32_t generation = 1;
  std::vector<wire::FleetRecordPtr> past;
  std::vector<wire::FleetRecordPtr> records;
};

// Errors name file, line, what was found and what is expected. A last line without its end is one
// that a crash has cut, and is left out; the signatures are not looked at.
Result<FleetFile> parse_fleet(std::string_view text, const std::string& name);
Result<FleetFile> read_fleet(const std::string& file);
bool has_fleet(const std::string& file);  // it is there, whatever it says

// Puts a new one in its place, atomically.
Status write_fleet(const std::string& file, const FleetFile& fleet);
// Adds these lines, on disk when it returns.
Status append_to_fleet(const std::string& file, const std::vector<wire::FleetRecordPtr>& records);

// The book that the file amounts to: what the fleet's key has not signed is left out.
std::unique_ptr<fleet::Book> book_of(const FleetFile& fleet);
// And the file that a book amounts to.
FleetFile file_of(const std::string& cluster, const fleet::Book& book);

}  // namespace ballast::trust

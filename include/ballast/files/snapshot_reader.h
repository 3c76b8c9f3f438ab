// `ballast-snapshot/1`: a group of hosts, their VMs and rules as JSON. docs/formats.md describes
// the format; source: design, section 8.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/model/snapshot.h"

namespace ballast::files {

// The snapshot in the file (plain or .xz; "-" is standard input). It satisfies check(snapshot). A
// host whose figures cannot be trusted (model/plausible.h) comes back with usable == false;
// whatever is wrong with the text itself is an Error of one line: file, line, key, what was found
// and expected.
Result<Snapshot> read_snapshot(const std::string& path);

// The same, from text that is already in memory; `name` is what errors call it.
Result<Snapshot> parse_snapshot(std::string_view text, const std::string& name);

}  // namespace ballast::files

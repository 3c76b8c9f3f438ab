// The trust file: whose key is whose, and who may be master. A text that people edit and tools pass
// on, like known_hosts:
//
//   # the first rack
//   3f2b8c1e-5c1f-4c39-8f7e-0a1b2c3d4e5f 3pNK...= master,slave
//   h2 9xQv...= slave
//
// One node a line: id, key, roles; the id may hold blanks, the others may not. `slave` may report,
// hold and receive VMs; `master` may also order and grant. Lines that are empty or begin with #
// stay as they are. Source: design, section 4, "Security".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/result.h"
#include "ballast/port/trust.h"
#include "ballast/trust/keys.h"

namespace ballast::trust {

struct TrustedNode {
  NodeId id;
  IdentityKey key{};
  bool master = false;
  port::CurveKey curve{};  // made from `key`; filled by reading
  bool operator==(const TrustedNode& other) const {
    return id == other.id && key == other.key && master == other.master;
  }
};

// What the file says, in its order. Errors name file, line, what was found and what is expected: a
// line that is none, an id twice, a key under two ids, more than limits::trusted_keys_max nodes.
// `name` stands for the file in errors. A file that others may write to is refused.
Result<std::vector<TrustedNode>> parse_trust(std::string_view text, const std::string& name,
                                             const CurveKeys& known = {});
Result<std::vector<TrustedNode>> read_trust(const std::string& file, const CurveKeys& known = {});

// Adds a node to the file (makes the file when it is missing). The same node again with other roles
// changes its line; its id with another key, or its key under another id, is refused. Written
// atomically: a reader sees the old text or the new one.
enum class Added : unsigned char { anew, other_roles, nothing };
Result<Added> add_node(const std::string& file, const TrustedNode& node);

// Takes a node out; comments stay. False when it was not there.
Result<bool> revoke_node(const std::string& file, const NodeId& id);

}  // namespace ballast::trust

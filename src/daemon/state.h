// The small state of a node as text, one fact a line:
//
//   incarnation 7
//   maintenance 0
//   rest 1200.5 web-3        (seconds, VM)
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/node/node.h"

namespace ballast::daemon {

std::string state_text(const node::StoredState& state);

// An error names the line. A state that cannot be read must not be guessed: an incarnation that was
// used before would let old orders pass for new ones.
Result<node::StoredState> parse_state(std::string_view text, const std::string& name);

}  // namespace ballast::daemon

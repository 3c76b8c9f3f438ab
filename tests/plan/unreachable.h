// Why no order of safe steps reaches what a final placement could have.
#pragma once

#include <optional>
#include <string>

#include "ballast/model/snapshot.h"

namespace ballast::test {

// A reason why overload must remain in any plan that moves affine VMs as one, or nothing when this
// proof does not apply. As one: while a group is on its way, nothing else leaves or arrives at the
// two hosts it moves between.
std::optional<std::string> proof_that_overload_remains(const Snapshot& snapshot);

}  // namespace ballast::test

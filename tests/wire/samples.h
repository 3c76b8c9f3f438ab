// Messages for tests: seeded random ones of every kind, within the bounds of the schema.
#pragma once

#include <string>

#include "ballast/base/random.h"
#include "ballast/wire/messages.h"

namespace ballast::wire {

// A message of the kind number `index` (its place in Body).
Message random_message(Random& random, std::size_t index);

// One version of somebody's summary.
ItemPtr random_item(Random& random);

// A report of a host with this many VMs, as a busy host would send it.
Message busy_report(std::size_t vms);

}  // namespace ballast::wire

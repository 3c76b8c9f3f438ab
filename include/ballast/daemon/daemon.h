// The daemon behind `ballast run`: one thread that owns all sockets and drives the node. What it
// does for the node is told in node/node.h, "the caller's duties".
#pragma once

#include <functional>
#include <string>

#include "ballast/base/result.h"
#include "ballast/model/config.h"

namespace ballast::daemon {

// Runs until SIGINT or SIGTERM, then leaves in order: ok. An error says why it could not start, or
// go on. `log` takes one line at a time, without a newline.
Status run(Config config, const std::function<void(const std::string&)>& log);

}  // namespace ballast::daemon

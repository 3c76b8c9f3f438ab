// The daemon behind `ballast run`: one thread that owns all sockets and drives the node. What it
// does for the node is told in node/node.h, "the caller's duties".
#pragma once

#include <functional>

#include "ballast/base/result.h"
#include "ballast/daemon/line_log.h"
#include "ballast/files/config.h"
#include "ballast/model/config.h"

namespace ballast::daemon {

// Runs until SIGINT or SIGTERM, then leaves in order: ok. An error says why it could not start, or
// go on. A log that nobody reads does not hold it up.
// At SIGHUP, and when `ballast reload` asks, `reread` gives the configuration of now, of which the
// node takes over what it can while it runs (files::change_of). One with errors changes nothing.
using Reread = std::function<files::ConfigReading()>;
Status run(Config config, LineLog& log, const Reread& reread);

}  // namespace ballast::daemon

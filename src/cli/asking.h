// What the commands share that ask a running node: which one, how long, and how its answer is
// shown.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "ballast/base/time.h"
#include "ballast/cli/command.h"
#include "ballast/model/config.h"
#include "ballast/wire/inquiry_messages.h"

namespace ballast::cli {

// A node answers within less, whomever it asks itself.
inline constexpr Duration node_patience = std::chrono::seconds(30);

struct AskOptions {
  std::string control = NodeSettings().control;
  bool json = false;
};

// Declares --control; the environment's BALLAST_CONTROL stands for it where it is not given.
CLI::Option* add_control_option(CLI::App& command, std::string& control, const char* help);

using Show = std::function<std::string(const wire::Reply&)>;

// Asks the node and prints what it answers: text of a "no" goes to standard error as any complaint,
// what it rests on to standard output.
ExitCode ask_node(const AskOptions& options, const std::string& request, const Show& show);

}  // namespace ballast::cli

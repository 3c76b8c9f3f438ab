// What every command of the binary shares. A command is one file, src/cli/<name>_command.cpp, with
// one function that declares its options; main.cpp lists those functions, one a line.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace ballast::cli {

// Source: design, section 8.
enum class ExitCode : int {
  done = 0,   // also with a surplus left
  no = 1,     // the answer is no
  wrong = 2,  // wrong usage or input
};

// The command that the user chose, ready to run. Set by the callback of its subcommand; what it
// returns is the exit code of the process.
using Action = std::function<ExitCode()>;

// Declares one command on `app`: its name, help and options, and a callback that sets `action`.
// `action` outlives the parse.
using AddCommand = void (*)(CLI::App& app, Action& action);

}  // namespace ballast::cli

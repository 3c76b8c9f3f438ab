// The two streams of a command: answers on standard output, one line on standard error when
// something is wrong.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/cli/command.h"

namespace ballast::cli {

// Makes the three standard streams safe to use: descriptors 0 to 2 that were closed at start are
// taken, so that no file of ours lands on them, and a reader that went away (`| head`) is an error
// of write() and not a signal. Call it once, before anything is opened.
void prepare_streams();

// Writes all of it on standard output. A reader that stopped reading is no error: it has what it
// wanted. A full disk or a closed stream is reported on standard error and gives `wrong`.
ExitCode answer(std::string_view text);

// Prints "ballast: message" on standard error, as one line whatever the message holds, and gives
// `wrong`.
ExitCode complain(std::string_view message);
inline ExitCode complain(const Error& error) { return complain(error.message); }

// A number with so many decimals; at most 63 characters of it.
std::string fixed(double number, int decimals);
// With blanks behind it, up to that width in bytes.
std::string padded(std::string text, std::size_t width);

}  // namespace ballast::cli

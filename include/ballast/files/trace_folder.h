// A trace as a folder of CSV files and a trace.toml, each plain or .xz. docs/formats.md describes
// the files; source: design, section 8.
#pragma once

#include <string>

#include "ballast/base/result.h"
#include "ballast/model/trace.h"

namespace ballast::files {

// The recorded loads in `folder`. Every VM has one row in cpu.csv, all series are of one length,
// ids are unique and refer to what is there. An error is one line: file, line, column, what was
// found and what is expected.
Result<Trace> read_trace(const std::string& folder);

// Writes the trace as plain files, and makes the folder where it is missing. Files of an earlier
// trace in it are replaced. Numbers are written so that they read back the same. An error names
// what could not be written, or the id that a CSV file cannot hold (with a comma or a quote in it).
Status write_trace(const std::string& folder, const Trace& trace);

}  // namespace ballast::files

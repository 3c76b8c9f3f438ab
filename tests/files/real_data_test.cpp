// Real files, where they are at hand: named by BALLAST_DATA, or in ../shared/data beside the
// checkout.
#include <filesystem>

#include "ballast/files/snapshot_reader.h"
#include "ballast/files/trace_folder.h"
#include "common/folder.h"

namespace ballast::files {
namespace {

std::filesystem::path data_folder() {
  for (const char* name : {"BALLAST_DATA", "BALLAST_DATA_BESIDE"}) {
    const char* folder = std::getenv(name);
    if (folder != nullptr && std::filesystem::is_directory(folder)) return folder;
  }
  return {};
}

TEST_CASE("every real snapshot reads, and keeps the promises of a snapshot") {
  const std::filesystem::path folder = data_folder() / "snapshots";
  if (!std::filesystem::is_directory(folder)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path());
    const Result<Snapshot> snapshot = read_snapshot(entry.path());
    REQUIRE_MESSAGE(snapshot.ok(), snapshot.error().message);
    CHECK(check(*snapshot).ok());
    CHECK_FALSE(snapshot->vms.empty());
  }
}

TEST_CASE("every real trace reads, and survives being written and read again") {
  const std::filesystem::path folder = data_folder() / "traces";
  if (!std::filesystem::is_directory(folder)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CAPTURE(entry.path());
    const Result<Trace> trace = read_trace(entry.path());
    REQUIRE_MESSAGE(trace.ok(), trace.error().message);
    const Folder copy;
    REQUIRE(write_trace(copy.path(), *trace).ok());
    const Result<Trace> back = read_trace(copy.path());
    REQUIRE_MESSAGE(back.ok(), back.error().message);
    REQUIRE(back->vms.size() == trace->vms.size());
    for (std::size_t v = 0; v < trace->vms.size(); ++v)
      CHECK(back->vms[v].cpu_percent == trace->vms[v].cpu_percent);
  }
}

}  // namespace
}  // namespace ballast::files

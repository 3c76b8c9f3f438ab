#include "state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "ballast/base/limits.h"
#include "record.h"
#include "socket.h"

namespace ballast::simulated {
namespace {

using hypermodel::Copy;
using hypermodel::CopyState;

constexpr const char* format_name = "ballast-simulated/1";

// As it is to be read back: a copy that was on its way still runs here; one that was handed over
// must ask.
const char* kept_state(CopyState state) { return hypermodel::runs(state) ? "running" : "in-doubt"; }

std::string text_of(const HostState& state) {
  std::string text = to_line({format_name, state.host.str(), std::to_string(state.port)}) + "\n";
  std::size_t count = 0;
  for (const auto& [vm, copy] : state.copies) {
    if (copy.state == CopyState::incoming) continue;
    char memory[64];
    std::snprintf(memory, sizeof memory, "%.17g", copy.memory_mib);
    // What an outgoing copy says of its migration ends with the process.
    const bool open = copy.unconfirmed || !hypermodel::runs(copy.state);
    text += to_line({vm.str(), kept_state(copy.state), memory, copy.unconfirmed ? "1" : "0",
                     open ? copy.peer : "", open ? copy.token : ""}) +
            "\n";
    ++count;
  }
  return text + to_line({"end", std::to_string(count)}) + "\n";
}

std::optional<std::string> read_head(const Record& record, HostState& state) {
  if (record.size() != 3 || record[0] != format_name)
    return std::string("expected \"") + format_name + " HOST PORT\"";
  const std::optional<double> port = number_from(record[2], 65535);
  if (!is_valid_id(record[1]) || !port) return "expected a host id and a port";
  state.host = HostId(record[1]);
  state.port = static_cast<int>(*port);
  return std::nullopt;
}

std::optional<std::string> read_copy(const Record& record, HostState& state) {
  if (record.size() != 6) return "expected VM STATE MIB UNCONFIRMED PEER TOKEN";
  if (!is_valid_id(record[0])) return "no valid VM id: " + quoted(record[0]);
  Copy copy;
  if (record[1] == "in-doubt")
    copy.state = CopyState::in_doubt;
  else if (record[1] != "running")
    return "expected running or in-doubt, found " + quoted(record[1]);
  const std::optional<double> memory = number_from(record[2], limits::memory_mib_max);
  if (!memory) return "expected memory in MiB, found " + quoted(record[2]);
  copy.memory_mib = *memory;
  if (record[3] != "0" && record[3] != "1") return "expected 0 or 1, found " + quoted(record[3]);
  copy.unconfirmed = record[3] == "1";
  copy.peer = record[4];
  copy.token = record[5];
  if ((copy.unconfirmed || copy.state == CopyState::in_doubt) && !peer_from_text(copy.peer))
    return "expected a peer, found " + quoted(copy.peer);
  if (!state.copies.emplace(VmId(record[0]), copy).second)
    return "VM " + quoted(record[0]) + " is named twice";
  return std::nullopt;
}

Status failed(const char* what, const std::string& path) {
  return Error{std::string(what) + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

Result<std::optional<HostState>> load_state(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<HostState>();
  std::ifstream file(path);
  HostState state;
  std::string line;
  std::size_t number = 0;
  bool ended = false;
  const auto wrong = [&](const std::string& what) {
    return Error{path + ":" + std::to_string(number) + ": " + what};
  };
  while (std::getline(file, line)) {
    ++number;
    const std::optional<Record> record = from_line(line);
    if (!record) return wrong("no line of a state file");
    if (ended) return wrong("text after the end");
    std::optional<std::string> why;
    if (number == 1)
      why = read_head(*record, state);
    else if (record->size() == 2 && record->front() == "end")
      ended = (*record)[1] == std::to_string(state.copies.size());
    else
      why = read_copy(*record, state);
    if (why) return wrong(*why);
    if (state.copies.size() > limits::vms_per_host_max) return wrong("too many VMs");
  }
  if (!ended) return wrong("the end is missing or counts other VMs than there are");
  return std::optional<HostState>(std::move(state));
}

Status save_state(const std::string& path, const HostState& state) {
  const std::string text = text_of(state);
  const std::string fresh = path + ".new";
  {
    const Descriptor file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.get() < 0) return failed("open", fresh);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      return failed("write", fresh);
    if (::fsync(file.get()) != 0) return failed("sync", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed("rename to", path);
  return {};
}

}  // namespace ballast::simulated

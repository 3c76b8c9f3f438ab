#include "state.h"

#include <charconv>
#include <cstdio>

#include "ballast/base/limits.h"

namespace ballast::daemon {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool parse_line(std::string_view line, node::StoredState& state) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view word = line.substr(0, blank);
  const std::string_view rest = line.substr(blank + 1);
  if (word == "incarnation") return read_number(rest, state.incarnation) && state.incarnation > 0;
  if (word == "maintenance") {
    state.maintenance = rest == "1";
    return rest == "0" || rest == "1";
  }
  if (word == "demoted") {
    state.demoted = rest == "1";
    return rest == "1";
  }
  if (word == "master") {
    const std::size_t next = rest.find(' ');
    if (next == std::string_view::npos || next > limits::endpoint_bytes_max) return false;
    state.master = {NodeId(std::string(rest.substr(next + 1))), std::string(rest.substr(0, next))};
    return is_valid_id(rest.substr(next + 1));
  }
  if (word == "autostart") {
    // Of a VM that comes, or has come: to be given back to it.
    if (!is_valid_id(rest) || state.kept.size() >= limits::moves_remembered_max) return false;
    state.kept.push_back({VmId(std::string(rest)), true});
    return true;
  }
  if (word != "rest" || state.rests.size() >= limits::moves_remembered_max) return false;
  const std::size_t next = rest.find(' ');
  double seconds = 0;
  if (next == std::string_view::npos || !read_number(rest.substr(0, next), seconds)) return false;
  const std::string_view vm = rest.substr(next + 1);
  if (!(seconds >= 0 && seconds < 1e9) || !is_valid_id(vm)) return false;
  state.rests.push_back({VmId(std::string(vm)), duration_of_seconds(seconds)});
  return true;
}

}  // namespace

std::string state_text(const node::StoredState& state) {
  std::string out = "incarnation " + std::to_string(state.incarnation) + "\nmaintenance " +
                    (state.maintenance ? "1" : "0") + "\n" + (state.demoted ? "demoted 1\n" : "");
  if (!state.master.id.empty())
    out += "master " + state.master.endpoint + " " + state.master.id.str() + "\n";
  for (const node::StoredState::Rest& rest : state.rests) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", seconds_of(rest.remaining));
    out += std::string("rest ") + seconds + " " + rest.vm.str() + "\n";
  }
  for (const node::StoredState::Kept& kept : state.kept) {
    if (kept.autostart) out += "autostart " + kept.vm.str() + "\n";
  }
  return out;
}

Result<node::StoredState> parse_state(std::string_view text, const std::string& name) {
  node::StoredState state;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !parse_line(text.substr(0, end), state)) {
      return Error{name + ":" + std::to_string(number) + ": found " + quoted(text.substr(0, end)) +
                   ", expected 'incarnation N', 'maintenance 0|1', 'demoted 1', 'master ENDPOINT "
                   "NODE', 'rest SECONDS VM' or "
                   "'autostart VM'"};
    }
    text.remove_prefix(end + 1);
  }
  if (state.incarnation == 0)
    return Error{name + ": found no incarnation, expected a line 'incarnation N'"};
  return state;
}

}  // namespace ballast::daemon

#include "ballast/daemon/control.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "ballast/base/limits.h"
#include "ballast/files/json_writer.h"
#include "ballast/files/status.h"
#include "ballast/zmq/control.h"

namespace ballast::daemon {
namespace {

std::string verdict(const Status& status) {
  std::string out;
  files::JsonWriter json(out);
  json.begin_object();
  json.field("ok", status.ok());
  if (!status.ok()) json.field("error", status.error().message);
  json.end_object();
  return out + "\n";
}

std::string status_of(TimePoint now, const node::Node& node, std::uint64_t events_above,
                      const Counters& counters) {
  node::View view = node.view(now);
  view.counters.insert(counters.begin(), counters.end());
  std::erase_if(view.events,
                [&](const node::Event& event) { return event.number <= events_above; });
  return files::status_json(view, now);
}

// The three figures of best-host.
Result<Resources> load_of(std::string_view words) {
  Resources load;
  const char* at = words.data();
  const char* const end = at + words.size();
  for (const Resource r : all_resources) {
    const double most = r == Resource::cpu      ? limits::cpu_mhz_max
                        : r == Resource::memory ? limits::memory_mib_max
                                                : limits::network_mbit_max;
    const auto read = std::from_chars(at, end, load[r], std::chars_format::fixed);
    const bool last = r == Resource::network;
    const bool ends = last ? read.ptr == end : read.ptr != end && *read.ptr == ' ';
    if (read.ec != std::errc() || !ends || !(load[r] >= 0 && load[r] <= most))
      return Error{"best-host: found " + quoted(words) +
                   ", expected MHz, MiB and Mbit/s, each 0 or more"};
    at = last ? read.ptr : read.ptr + 1;
  }
  return load;
}

}  // namespace

std::optional<Result<node::Question>> question_of(std::string_view request) {
  const std::size_t blank = request.find(' ');
  const std::string_view word = request.substr(0, blank);
  const std::string rest(blank == std::string_view::npos ? "" : request.substr(blank + 1));
  node::Question question;
  const std::pair<std::string_view, wire::Subject> about_hosts[] = {
      {"drain", wire::Subject::drain},
      {"undrain", wire::Subject::undrain},
      {"promote", wire::Subject::promote},
      {"forget", wire::Subject::forget}};
  const auto about = std::find_if(std::begin(about_hosts), std::end(about_hosts),
                                  [&](const auto& one) { return one.first == word; });
  if (about != std::end(about_hosts)) {
    question.subject = about->second;
    question.host = HostId(rest);
  } else if (word == "why" || word == "retry") {
    question.subject = word == "why" ? wire::Subject::why : wire::Subject::retry;
    question.vm = VmId(rest);
  } else if (word == "events") {
    question.here = rest == "here";
    if (!rest.empty() && !question.here)
      return Error{"events: found " + quoted(rest) + ", expected nothing or 'here'"};
    return question;
  } else if (word == "fleet" && rest.empty()) {
    question.subject = wire::Subject::nodes;
    return question;
  } else if (word == "best-host") {
    question.subject = wire::Subject::best_host;
    const Result<Resources> load = load_of(rest);
    if (!load) return load.error();
    question.load = *load;
    return question;
  } else {
    return std::nullopt;
  }
  if (!is_valid_id(rest))
    return Error{std::string(word) + ": found " + quoted(rest) + ", expected the id of a " +
                 (word == "why" || word == "retry" ? "VM" : "host")};
  return question;
}

std::string refusal_of(const Error& error) { return verdict(error); }

std::string answer_control(TimePoint now, std::string_view request, node::Node& node,
                           const Counters& counters) {
  const std::size_t blank = request.find(' ');
  const std::string_view word = request.substr(0, blank);
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view() : request.substr(blank + 1);
  if (word == "status" && rest.empty()) return status_of(now, node, UINT64_MAX, counters);
  if (word == "watch") {
    std::uint64_t above = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), above);
    if (read.ec == std::errc() && read.ptr == rest.data() + rest.size())
      return status_of(now, node, above, counters);
    return verdict(Error{"watch: found " + quoted(rest) + ", expected the number of an event"});
  }
  if (word == "approve") return verdict(node.approve(now, std::string(rest)));
  if (word == "demote" && rest.empty()) return verdict(node.demote(now));
  if ((word == "pause" || word == "resume") && rest.empty())
    return verdict(node.pause(now, word == "pause"));
  return verdict(Error{"found request " + quoted(word) +
                       ", expected status, watch, approve, promote, demote, forget, pause, "
                       "resume, reload, drain, undrain, why, retry, events, best-host or fleet"});
}

Result<std::string> ask_control(const std::string& path, const std::string& request,
                                Duration patience) {
  Result<std::unique_ptr<zmq::ControlClient>> client = zmq::ControlClient::open(path);
  if (!client) return client.error();
  return (*client)->ask(request, patience);
}

Result<node::View> ask_status(const std::string& path, const std::string& request,
                              Duration patience) {
  Result<std::string> reply = ask_control(path, request, patience);
  if (!reply) return reply.error();
  return files::parse_status(*reply, "the node at " + path);
}

}  // namespace ballast::daemon

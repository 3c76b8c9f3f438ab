#include "ballast/daemon/control.h"

#include <charconv>

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

}  // namespace

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
  if (word == "promote" && is_valid_id(rest))
    return verdict(node.promote(now, NodeId(std::string(rest))));
  if (word == "demote" && rest.empty()) return verdict(node.demote(now));
  if ((word == "pause" || word == "resume") && rest.empty())
    return verdict(node.pause(now, word == "pause"));
  return verdict(Error{"found request " + quoted(word) +
                       ", expected status, watch, approve, promote, demote, pause or resume"});
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

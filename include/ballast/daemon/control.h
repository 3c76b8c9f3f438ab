// What can be asked of a running node over its control socket. A request is one line of words, a
// reply is JSON:
//
//   status          ballast-status/1
//   watch N         the same, with the events numbered above N
//   approve ID      {"ok":true} or {"ok":false,"error":"..."}; so do promote ID, demote, pause and
//                   resume
//   drain HOST, undrain HOST, why VM, events [here], best-host MHZ MIB MBIT
//                   ballast-drain/1, -why/1, -events/1, -best-host/1: see files/answer.h. Others
//                   may have to be asked, so the answer comes later.
//
// Source: design, sections 4 and 8.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/node/node.h"

namespace ballast::daemon {

using Counters = std::map<std::string, std::uint64_t>;

// The question in such a request of the second kind; nothing when it is of the first, an Error when
// it is malformed. Its answer is written by files::answer_json.
std::optional<Result<node::Question>> question_of(std::string_view request);

// {"ok":false,"error":"..."}
std::string refusal_of(const Error& error);

// Answers one request of the first kind; `counters` are shown beside the node's own. The node must
// be stepped afterwards.
std::string answer_control(TimePoint now, std::string_view request, node::Node& node,
                           const Counters& counters);

inline constexpr Duration ask_patience = std::chrono::seconds(5);

// Asks the node that listens at `path`, and waits for at most so long.
Result<std::string> ask_control(const std::string& path, const std::string& request,
                                Duration patience = ask_patience);

// The status of the node at `path`, waited for at most so long.
Result<node::View> ask_status(const std::string& path, const std::string& request = "status",
                              Duration patience = ask_patience);

}  // namespace ballast::daemon

// `ballast-status/1`: how a node stands, as JSON. The daemon writes it, commands read it back.
// Source: design, section 8.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/node/view.h"

namespace ballast::files {

// `now` is the time of the view: ages are told relative to it. Events are written only where the
// view holds some.
std::string status_json(const node::View& view, TimePoint now);

// The view in such a text, with times relative to zero. Errors name `name` and what was found.
Result<node::View> parse_status(std::string_view text, const std::string& name);

// A node's answer to a request: ok, or why not.
Status parse_verdict(std::string_view text, const std::string& name);

}  // namespace ballast::files

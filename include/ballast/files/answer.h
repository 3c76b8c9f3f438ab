// What a node answers to an operator, as JSON: `ballast-drain/1`, `ballast-why/1`,
// `ballast-events/1`, `ballast-best-host/1`. The daemon writes it, commands read it back.
// docs/formats.md tells the fields.
#pragma once

#include <string>
#include <string_view>

#include "ballast/base/result.h"
#include "ballast/node/node.h"

namespace ballast::files {

std::string answer_json(const node::Question& question, const wire::Reply& reply);

// The reply in such a text. Errors name `name` and what was found; that the answer is no is none.
Result<wire::Reply> parse_answer(std::string_view text, const std::string& name);

}  // namespace ballast::files

// What `ballast status` says to people.
#pragma once

#include <string>

#include "ballast/node/view.h"

namespace ballast::cli {

std::string status_text(const node::View& view, bool colour);

}  // namespace ballast::cli

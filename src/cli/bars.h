// Loads as bars against their threshold, for a terminal or a plain text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ballast/node/view.h"

namespace ballast::cli {

// "[#########    |  ]  52.1 %": the mark is the threshold. With `colour`, what is over it is red.
std::string bar(double load, double capacity, double threshold, std::size_t width, bool colour);

// One line a host: id, role, bars for CPU and memory, VMs, state.
std::vector<std::string> host_lines(const std::vector<node::HostView>& hosts, bool colour);

// "v1: h1 -> h2, running: why".
std::string move_line(const node::MoveView& move);

}  // namespace ballast::cli

// What an auditor found wrong. A world that keeps its promises has none.
#pragma once

#include <cstdint>
#include <string>

namespace ballast::world {

struct Finding {
  std::string auditor;  // "runs twice", "lease above room", ...
  std::uint64_t seed = 0;
  double at_s = 0;  // virtual time since the world began
  std::string detail;
};

}  // namespace ballast::world

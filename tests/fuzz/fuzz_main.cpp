// libFuzzer's door to one target, whose name is in the program's own: fuzz-NAME (a link to the one
// program serves for each), or in BALLAST_FUZZ_TARGET.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "targets.h"

namespace {

const ballast::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static const std::vector<ballast::fuzz::Target> targets = ballast::fuzz::all_targets();
  const char* named = std::getenv("BALLAST_FUZZ_TARGET");
  const std::string program = *argc > 0 ? (*argv)[0] : "";
  const std::string name = named != nullptr ? named : program.substr(program.rfind("fuzz-") + 5);
  for (const ballast::fuzz::Target& target : targets)
    if (target.name == name) chosen = &target;
  if (chosen != nullptr) return 0;
  std::fprintf(stderr, "no target '%s'; there are:", name.c_str());
  for (const ballast::fuzz::Target& target : targets)
    std::fprintf(stderr, " %s", target.name.c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}

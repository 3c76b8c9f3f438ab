#include "ballast/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace ballast {

void assertion_failed(const char* condition, const char* file, int line, const char* why) {
  std::fprintf(stderr, "ballast: broken invariant at %s:%d: %s (%s)\n", file, line, condition, why);
  std::abort();
}

}  // namespace ballast

// Assertions that stay on in production. They guard invariants of our own code; what comes from
// outside is an Error value instead (result.h).
#pragma once

namespace ballast {

// Prints where and what on standard error, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const char* why);

}  // namespace ballast

#define BALLAST_ASSERT(condition, why)                                  \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::ballast::assertion_failed(#condition, __FILE__, __LINE__, why); \
  } while (false)

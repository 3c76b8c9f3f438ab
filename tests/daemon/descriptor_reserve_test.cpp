#include "descriptor_reserve.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace ballast::daemon {
namespace {

// The limit of this process while the test runs; what stood before comes back.
class Limited {
 public:
  explicit Limited(rlim_t soft) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit lower = before_;
    lower.rlim_cur = soft;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lower) == 0);
  }
  ~Limited() { (void)setrlimit(RLIMIT_NOFILE, &before_); }
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;

 private:
  rlimit before_{};
};

rlim_t soft_limit() {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit.rlim_cur;
}

bool can_open() {
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

TEST_CASE("what others use up is not what the reserve keeps") {
  const Limited limited(128);
  std::vector<int> used;
  {
    const DescriptorReserve reserve(16);
    for (int one = open("/dev/null", O_RDONLY | O_CLOEXEC); one >= 0;
         one = open("/dev/null", O_RDONLY | O_CLOEXEC))
      used.push_back(one);
    CHECK(errno == EMFILE);
    CHECK_FALSE(can_open());
    {
      const DescriptorReserve::Use use(reserve);
      CHECK(can_open());
    }
    CHECK_FALSE(can_open());
  }
  CHECK(can_open());
  CHECK(soft_limit() == 128);
  for (const int one : used) close(one);
}

TEST_CASE("of a low limit no more than a quarter is kept") {
  const Limited limited(64);
  const DescriptorReserve reserve(64);
  CHECK(soft_limit() == 48);
}

}  // namespace
}  // namespace ballast::daemon

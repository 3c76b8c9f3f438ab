// Results, the bounded containers, durations: what all modules stand on. A broken invariant ends
// the process, so those cases run in a child.
#include "ballast/base/result.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <memory>
#include <vector>

#include "ballast/base/bounded.h"
#include "ballast/base/time.h"

using namespace ballast;

namespace {

// True when `act` ends a child process by SIGABRT. Its words on standard error are dropped.
template <class Act>
bool aborts(Act act) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core_file{0, 0};
    setrlimit(RLIMIT_CORE, &no_core_file);
    std::signal(SIGABRT, SIG_DFL);  // else doctest reports the abort as a failure of its own
    close(STDERR_FILENO);
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

Result<int> half(int number) {
  if (number % 2 != 0) return Error{"odd"};
  return number / 2;
}

}  // namespace

TEST_CASE("a result holds a value or an error") {
  CHECK(half(4).ok());
  CHECK(half(4).value() == 2);
  CHECK_FALSE(half(3));
  CHECK(half(3).error().message == "odd");
  Result<std::string> text = std::string("abc");
  CHECK(text->size() == 3);
  *text += "d";
  CHECK(std::move(text).value() == "abcd");
}

TEST_CASE("a result carries what can only be moved") {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(made).value();
  CHECK(*taken == 5);
}

TEST_CASE("a status is done or an error") {
  CHECK(Status().ok());
  CHECK(Status(Error{"no"}).error().message == "no");
}

TEST_CASE("taking what is not there is a bug and aborts") {
  CHECK(aborts([] { (void)half(3).value(); }));
  CHECK(aborts([] { (void)half(4).error(); }));
  CHECK(aborts([] { (void)Status().error(); }));
  CHECK(aborts([] { (void)BoundedQueue<int>(1).pop(); }));
  CHECK(aborts([] { (void)BoundedQueue<int>(0); }));
  CHECK_FALSE(aborts([] { (void)half(4).value(); }));
}

TEST_CASE("a full queue refuses the new item and counts it") {
  BoundedQueue<int> queue(2);
  CHECK(queue.push(1));
  CHECK(queue.push(2));
  CHECK_FALSE(queue.push(3));
  CHECK(queue.dropped() == 1);
  CHECK(queue.pop() == 1);
  CHECK(queue.push(4));
  CHECK(queue.pop() == 2);
  CHECK(queue.pop() == 4);
  CHECK(queue.empty());
}

TEST_CASE("a full ring forgets its oldest item and counts it") {
  BoundedRing<int> ring(3);
  for (int n = 1; n <= 5; ++n) ring.push(n);
  CHECK(std::vector<int>(ring.begin(), ring.end()) == std::vector<int>{3, 4, 5});
  CHECK(ring.forgotten() == 2);
}

TEST_CASE("seconds become the nearest duration, and hostile numbers saturate") {
  CHECK(duration_of_seconds(1.5) == Duration(1'500'000));
  CHECK(duration_of_seconds(2.01) == Duration(2'010'000));  // 2.01 * 1e6 is 2009999.99..
  CHECK(duration_of_seconds(-2.01) == Duration(-2'010'000));
  CHECK(duration_of_seconds(0) == Duration(0));
  CHECK(duration_of_seconds(std::nan("")) == Duration(0));
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(duration_of_seconds(infinity) == duration_of_seconds(1e300));
  CHECK(duration_of_seconds(-infinity) == duration_of_seconds(-1e300));
  CHECK(duration_of_seconds(infinity) > duration_of_seconds(1e9));
  CHECK(seconds_of(Duration(2'500'000)) == 2.5);
}

// What `ballast why` keeps of a VM.

#include "story.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "ballast/base/limits.h"

namespace ballast::node {
namespace {

using namespace std::chrono_literals;

const VmId vm("v");
const HostId h1("h1");
TimePoint at(int seconds) { return TimePoint(1h) + std::chrono::seconds(seconds); }

TEST_CASE("the same again is one line, which keeps the first time and the last words") {
  Story story;
  for (int n = 0; n < 13; ++n)
    story.add(at(n), vm, "plan", h1,
              "no place for it: 'h1' is at 85." + std::to_string(n % 10) + " % of its cpu");
  const auto& lines = *story.of(vm);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].times == 13);
  CHECK(lines[0].first == at(0));
  CHECK(lines[0].at == at(12));
  CHECK(lines[0].text == "no place for it: 'h1' is at 85.2 % of its cpu");
}

TEST_CASE("another host, another kind or a whole number that differs is another line") {
  Story story;
  story.add(at(0), vm, "plan", h1, "in step 1");
  story.add(at(1), vm, "plan", h1, "in step 2");
  story.add(at(2), vm, "plan", HostId("h2"), "in step 1");
  story.add(at(3), vm, "refusal", h1, "in step 1");
  CHECK(story.of(vm)->size() == 4);
}

TEST_CASE("each move is a step of its own, though it goes the same way again") {
  Story story;
  for (int n = 0; n < 3; ++n) story.add(at(n), vm, "moved", h1, "'v' arrived on 'h1'");
  CHECK(story.of(vm)->size() == 3);
}

TEST_CASE("however often others are asked, what they are asked for stays") {
  Story story;
  story.add(at(0), vm, "plan", h1, "a plan finds no place for it");
  story.add(at(1), vm, "not_moved", h1, "'v' did not move to 'h1': no network 'net7'");
  for (int n = 0; n < 1000; ++n) {
    const HostId master("m" + std::to_string(n));
    story.add(at(2 + n), vm, "request", master, "asked master '" + master.str() + "' for room");
    story.add(at(2 + n), vm, "refusal", master, "master '" + master.str() + "' refuses");
  }
  const auto& lines = *story.of(vm);
  CHECK(lines.size() == limits::story_lines_max);
  CHECK(lines[0].text == "a plan finds no place for it");
  CHECK(lines[1].text == "'v' did not move to 'h1': no network 'net7'");
  CHECK(std::is_sorted(lines.begin(), lines.end(),
                       [](const Story::Line& a, const Story::Line& b) { return a.at < b.at; }));
}

}  // namespace
}  // namespace ballast::node

// Every target over the corpus that the generator makes, in the ordinary build: what libFuzzer
// starts from must pass already. A target that fails ends the program; the name is printed before.
#include <doctest/doctest.h>

#include <set>

#include "targets.h"

namespace ballast::fuzz {

TEST_CASE("every target survives its corpus of good and damaged inputs") {
  constexpr std::uint64_t seed = 1;
  constexpr std::size_t inputs = 400;
  std::set<std::string> names;
  for (const Target& target : all_targets()) {
    MESSAGE("target ", target.name, ", seed ", seed);
    CHECK(names.insert(target.name).second);
    for (const std::string& input : corpus_of(target, seed, inputs)) target.run(input);
    target.run("");
  }
  CHECK(names.size() >= 7);
}

TEST_CASE("every target survives the inputs of all the others") {
  const std::vector<Target> targets = all_targets();
  std::vector<std::string> inputs;
  for (const Target& target : targets)
    for (std::string& input : corpus_of(target, 2, 5)) inputs.push_back(std::move(input));
  for (const Target& target : targets)
    for (const std::string& input : inputs) target.run(input);
}

TEST_CASE("the corpus is the same for the same seed, and another for another") {
  for (const Target& target : all_targets()) {
    CHECK(corpus_of(target, 7, 20) == corpus_of(target, 7, 20));
    CHECK(corpus_of(target, 7, 20) != corpus_of(target, 8, 20));
  }
}

}  // namespace ballast::fuzz

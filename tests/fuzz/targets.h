// What takes bytes from outside, one target a decoder. A target must survive any bytes: it ends the
// program only when a promise is broken. libFuzzer drives them (option `fuzz`), and the ordinary
// build replays over them what the generator makes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ballast/base/random.h"

namespace ballast::fuzz {

struct Target {
  std::string name;
  std::function<void(std::string_view)> run;
  // Good inputs to begin with, made anew from the seed.
  std::function<std::vector<std::string>(Random&)> good_inputs;
};

// Each in its room: bytes of the network, files and texts of people, what a node makes of many.
std::vector<Target> wire_targets();
std::vector<Target> text_targets();
std::vector<Target> node_targets();

std::vector<Target> all_targets();

// The input with some bytes changed, cut, doubled, moved or joined with another one.
std::string damaged(std::string input, const std::string& other, Random& random);

// The corpus of a target: good inputs, and damaged ones.
std::vector<std::string> corpus_of(const Target& target, std::uint64_t seed, std::size_t count);

}  // namespace ballast::fuzz

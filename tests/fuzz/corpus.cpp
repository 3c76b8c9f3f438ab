#include <algorithm>
#include <utility>

#include "targets.h"

namespace ballast::fuzz {

std::vector<Target> all_targets() {
  std::vector<Target> all = wire_targets();
  for (Target& one : text_targets()) all.push_back(std::move(one));
  for (Target& one : node_targets()) all.push_back(std::move(one));
  return all;
}

std::string damaged(std::string input, const std::string& other, Random& random) {
  const std::string tokens[] = {"\xDD\xFF\xFF\xFF\xFF",
                                "\xDB\xFF\xFF\xFF\xFF",
                                "\xC1",
                                "\xC0",
                                std::string("\xCB\x7F\xF8\x00\x00\x00\x00\x00\x01", 9),
                                "{",
                                "]",
                                "\"",
                                "1e999",
                                "NaN",
                                "-",
                                ",",
                                "\n",
                                "\xFF",
                                "99999999999999999999"};
  for (std::uint64_t times = 1 + random.below(6); times > 0 && !input.empty(); --times) {
    const std::size_t at = random.below(input.size());
    const std::size_t length = random.below(std::min<std::size_t>(40, input.size() - at) + 1);
    switch (random.below(8)) {
      case 0: input[at] = static_cast<char>(random.next() & 0xFFU); break;
      case 1: input[at] = static_cast<char>(input[at] ^ (1 << random.below(8))); break;
      case 2: input.resize(at); break;
      case 3: input.erase(at, length); break;
      case 4: input.insert(at, input.substr(random.below(input.size()), length)); break;
      case 5: input.insert(at, tokens[random.below(std::size(tokens))]); break;
      case 6: input.insert(at, length, input[at]); break;
      default: input = input.substr(0, at) + other.substr(std::min(at, other.size())); break;
    }
  }
  return input;
}

std::vector<std::string> corpus_of(const Target& target, std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<std::string> all = target.good_inputs(random);
  const std::size_t good = all.size();
  while (all.size() < count)
    all.push_back(damaged(all[random.below(good)], all[random.below(all.size())], random));
  return all;
}

}  // namespace ballast::fuzz

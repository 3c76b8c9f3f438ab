// Writes the corpus that libFuzzer starts from: a folder a target, made from a seed, so that none
// of it needs to be kept.
//
// usage: write_corpus FOLDER [SEED [COUNT]]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "targets.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [SEED [COUNT]]\n", argv[0]);
    return 2;
  }
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const std::size_t count = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 64;
  for (const ballast::fuzz::Target& target : ballast::fuzz::all_targets()) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
    std::filesystem::create_directories(folder);
    std::size_t number = 0;
    for (const std::string& input : ballast::fuzz::corpus_of(target, seed, count))
      std::ofstream(folder / std::to_string(number++), std::ios::binary) << input;
  }
  return 0;
}

// Encode and decode of a report against a memcpy of its bytes, in the same run.
//
//   wire_bench [VMS]        default: a report of 100 VMs
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ballast/wire/codec.h"
#include "samples.h"

namespace {

using Clock = std::chrono::steady_clock;

// Tells the compiler that this memory is looked at.
void look_at(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

// Nanoseconds of one call: the best of many rounds, each short enough to run undisturbed now and
// then, since noise only ever adds.
template <class Call>
double nanoseconds_of(Call call, int calls_per_round) {
  double best = 1e18;
  for (int round = 0; round < 500; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < calls_per_round; ++i) call();
    const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
    best = std::min(best, passed.count() / calls_per_round);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ballast::wire;
  const std::size_t vms = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const Message report = busy_report(vms);
  const std::string bytes = encode(report);
  const auto decoded = decode(bytes);
  if (!decoded.ok() || !(*decoded == report)) return 1;

  std::string copy(bytes.size(), '\0');
  const double copied = nanoseconds_of(
      [&] {
        look_at(bytes.data());
        std::memcpy(copy.data(), bytes.data(), bytes.size());
        look_at(copy.data());
      },
      2'000);
  const double encoded = nanoseconds_of([&] { look_at(encode(report).data()); }, 20);
  const double read = nanoseconds_of(
      [&] {
        const auto message = decode(bytes);
        look_at(&message);
      },
      20);
  const auto row = [&](const char* name, double nanoseconds) {
    std::printf("%-8s %10.0f ns %8.0f MB/s %8.1f x memcpy\n", name, nanoseconds,
                1e3 * static_cast<double>(bytes.size()) / nanoseconds, nanoseconds / copied);
  };
  std::printf("report of %zu VMs, %zu bytes\n", vms, bytes.size());
  row("memcpy", copied);
  row("encode", encoded);
  row("decode", read);
  return 0;
}

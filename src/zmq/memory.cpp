#include "memory.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>

namespace ballast::zmq {

std::size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long all = 0;
  unsigned long resident = 0;
  const bool read = std::fscanf(file, "%lu %lu", &all, &resident) == 2;
  std::fclose(file);
  return read ? resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) : 0;
}

void return_large_blocks() { mallopt(M_MMAP_THRESHOLD, 128 << 10); }

void give_memory_back() { malloc_trim(0); }

}  // namespace ballast::zmq

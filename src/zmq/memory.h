// How large the process is, and what the allocator may give back.
#pragma once

#include <cstddef>

namespace ballast::zmq {

// Resident bytes of this process; 0 when they cannot be read.
std::size_t resident_bytes();

// From now on a block of 128 KiB or more goes back to the system when it is freed. Left alone,
// malloc keeps larger and larger ones once some have been freed, and a flood would stay with us.
void return_large_blocks();

// Gives unused memory back to the system. Takes some milliseconds.
void give_memory_back();

}  // namespace ballast::zmq

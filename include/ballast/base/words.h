// Figures in words, for messages to people: one way to write each, everywhere.
#pragma once

#include <cstddef>
#include <string>

#include "ballast/base/time.h"

namespace ballast {

// "1 VM", "3 VMs": the noun in the singular, of those that take an s.
std::string counted(std::size_t number, const char* noun);
// "40 s", "3 min", "2 h": rounded up, at least 1 s.
std::string in_words(Duration span);
// How long ago: "95 s", "41 min", "3 h", rounded down.
std::string age_in_words(Duration age);
// "95 s", rounded down.
std::string whole_seconds(Duration span);
// "80.0 %" of a share of 0.8.
std::string percent(double share);

}  // namespace ballast

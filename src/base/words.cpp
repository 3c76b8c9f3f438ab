#include "ballast/base/words.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ballast {
namespace {

std::string whole(double number, const char* unit) {
  return std::to_string(static_cast<long>(number)) + " " + unit;
}

}  // namespace

std::string counted(std::size_t number, const char* noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string in_words(Duration span) {
  const double seconds = std::max(1.0, seconds_of(span));
  if (seconds < 60) return whole(std::ceil(seconds), "s");
  if (seconds <= 5400) return whole(std::ceil(seconds / 60), "min");
  return whole(std::ceil(seconds / 3600), "h");
}

std::string age_in_words(Duration age) {
  const double seconds = seconds_of(age);
  if (seconds < 120) return whole(seconds, "s");
  return seconds < 7200 ? whole(seconds / 60, "min") : whole(seconds / 3600, "h");
}

std::string whole_seconds(Duration span) { return whole(seconds_of(span), "s"); }

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

}  // namespace ballast

// What the answers of a node to `ballast drain`, `why`, `events` and their like say to people.
#pragma once

#include <ctime>
#include <string>

#include "ballast/wire/inquiry_messages.h"

namespace ballast::cli {

std::string drain_text(const wire::Reply& reply);
std::string facts_text(const wire::Reply& reply);
std::string places_text(const wire::Reply& reply);

struct EventsShown {
  std::time_t now = 0;   // when the answer came
  bool utc = false;      // clock times: else local
  bool verbose = false;  // also what is of the start of a node
};
std::string events_text(const wire::Reply& reply, const EventsShown& shown);

}  // namespace ballast::cli

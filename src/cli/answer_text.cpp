#include "answer_text.h"

#include <algorithm>
#include <cstdio>

#include "ballast/base/words.h"
#include "ballast/cli/output.h"

namespace ballast::cli {
namespace {

std::string age_of(const wire::Fact& fact) {
  const double seconds = seconds_of(fact.age);
  char text[32];
  if (seconds < 120) {
    std::snprintf(text, sizeof text, "%4.0f s", seconds);
  } else if (seconds < 7200) {
    std::snprintf(text, sizeof text, "%4.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%4.0f h", seconds / 3600);
  }
  return text;
}

// "not_moved", as programs read it, is "not moved" to people.
std::string in_text(std::string kind) {
  std::replace(kind.begin(), kind.end(), '_', ' ');
  return kind;
}

// "14:03:12  "; of another day with its date.
std::string clock_of(std::time_t at, std::time_t now, bool utc) {
  std::tm then{};
  std::tm today{};
  (utc ? gmtime_r : localtime_r)(&at, &then);
  (utc ? gmtime_r : localtime_r)(&now, &today);
  const bool same_day = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
  char text[40];
  (void)std::strftime(text, sizeof text, same_day ? "%H:%M:%S  " : "%Y-%m-%d %H:%M:%S  ", &then);
  return text;
}

}  // namespace

std::string drain_text(const wire::Reply& reply) {
  std::string out;
  for (const wire::Fact& fact : reply.facts) {
    out += "  " + padded(fact.kind == "move" ? "goes" : fact.kind, 7) + fact.vm.str();
    if (fact.kind == "move" && !fact.host.empty()) out += " to " + fact.host.str();
    if (fact.kind != "move") out += " on " + fact.host.str();
    out += ": " + fact.text + "\n";
  }
  return out;
}

std::string facts_text(const wire::Reply& reply) {
  std::string out;
  for (const wire::Fact& fact : reply.facts)
    out += padded(age_of(fact), 10) + padded(in_text(fact.kind), 14) + fact.text + "\n";
  return out;
}

std::string events_text(const wire::Reply& reply, const EventsShown& shown) {
  std::string out;
  std::size_t left_out = 0;
  for (const wire::Fact& fact : reply.facts) {
    if (fact.kind == "start" && !shown.verbose) {
      ++left_out;
      continue;
    }
    const auto at = shown.now - static_cast<std::time_t>(seconds_of(fact.age));
    out += clock_of(at, shown.now, shown.utc) + padded(age_of(fact), 10) +
           padded(in_text(fact.kind), 11) + fact.text + "\n";
  }
  if (left_out > 0)
    out += counted(left_out, "line") + " about the start left out (-v shows " +
           (left_out == 1 ? "it" : "them") + ")\n";
  return out;
}

std::string places_text(const wire::Reply& reply) {
  std::string out;
  for (const wire::Fact& fact : reply.facts) {
    char room[128];
    std::snprintf(room, sizeof room,
                  "room for %.0f MHz, %.0f MiB, at %.0f %% of its limits with it",
                  fact.room.cpu_mhz, fact.room.memory_mib, 100 * fact.heat);
    out += "  " + fact.host.str() + ": " + room +
           (fact.master.empty() ? std::string() : ", in the group of " + fact.master.str()) + "\n";
  }
  return out;
}

}  // namespace ballast::cli

#include "demo_screen.h"

#include <unistd.h>

#include <cstdio>

#include "bars.h"

namespace ballast::cli {
namespace {

constexpr std::size_t events_shown = 10;

// Another screen buffer, no cursor, no wrapped lines; and back.
constexpr const char* enter_picture = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr const char* leave_picture = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr const char* start_over = "\x1b[H";
constexpr const char* end_of_line = "\x1b[K\n";
constexpr const char* end_of_picture = "\x1b[J";

// What a watcher wants to read: plans, what became of each migration with its reason, and whatever
// the demo itself does (number 0). Who joins whom at the start is no news.
bool is_of_interest(const node::Event& event) {
  return event.kind != node::EventKind::attached || event.number == 0;
}

}  // namespace

DemoScreen::DemoScreen(bool silent)
    : kind_(silent                       ? Kind::silent
            : isatty(STDOUT_FILENO) == 1 ? Kind::picture
                                         : Kind::lines) {
  if (kind_ == Kind::picture) std::fputs(enter_picture, stdout);
}

DemoScreen::~DemoScreen() {
  if (kind_ != Kind::picture) return;
  std::fputs(leave_picture, stdout);
  std::fflush(stdout);
}

void DemoScreen::show(const std::string& headline, const node::View& view) {
  for (const node::Event& event : view.events) {
    if (!is_of_interest(event)) continue;
    const std::string line = node::in_text(event.kind) + ": " + event.text;
    if (kind_ == Kind::lines) std::printf("%s\n", line.c_str());
    last_events_.push_back(line);
    if (last_events_.size() > events_shown) last_events_.pop_front();
  }
  if (kind_ == Kind::lines && headline != last_headline_) std::printf("-- %s\n", headline.c_str());
  last_headline_ = headline;
  if (kind_ == Kind::picture) {
    std::string out = start_over;
    out += "Ballast demo: " + headline + end_of_line + end_of_line;
    for (const std::string& line : host_lines(view.hosts, true)) out += line + end_of_line;
    out += std::string(end_of_line) + "moving now:" + end_of_line;
    for (const node::MoveView& move : view.in_flight) out += "  " + move_line(move) + end_of_line;
    if (view.in_flight.empty()) out += std::string("  nothing") + end_of_line;
    out += std::string(end_of_line) + "what happened, and why:" + end_of_line;
    for (const std::string& line : last_events_) out += "  " + line + end_of_line;
    out += end_of_picture;
    std::fputs(out.c_str(), stdout);
  }
  std::fflush(stdout);
}

}  // namespace ballast::cli

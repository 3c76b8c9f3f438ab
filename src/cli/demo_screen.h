// What the demo shows: in a terminal a picture of hosts, migrations and reasons that is drawn anew,
// elsewhere one plain line for each thing that happens.
#pragma once

#include <deque>
#include <string>

#include "ballast/node/view.h"

namespace ballast::cli {

class DemoScreen {
 public:
  enum class Kind : unsigned char { picture, lines, silent };

  // A picture where standard output is a terminal, unless `silent`.
  explicit DemoScreen(bool silent);
  ~DemoScreen();  // gives the terminal back as it was
  DemoScreen(const DemoScreen&) = delete;
  DemoScreen& operator=(const DemoScreen&) = delete;

  // `headline` says in which phase the demo is.
  void show(const std::string& headline, const node::View& view);

 private:
  Kind kind_;
  std::deque<std::string> last_events_;
  std::string last_headline_;
};

}  // namespace ballast::cli

// Most of what a daemon with libvirt has in memory is code of some fifty libraries that runs once,
// at the start. It is clean and comes back from the page cache by itself when it is run again.
#pragma once

namespace ballast::daemon {

// Lets the process's hold on all code go; what still runs is back after some page faults. Call it
// once, when the start is over. Code that was changed in memory (text relocations) is left alone.
void let_go_of_start_up_code();

}  // namespace ballast::daemon

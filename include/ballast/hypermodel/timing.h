// What a migration costs in time: settings of the model.
#pragma once

#include "ballast/base/time.h"

namespace ballast::hypermodel {

struct Timing {
  // Of one host, in each direction, shared evenly by its migrations. The default is what CloudSim
  // gives migrations, half of 1 Gbit/s (design, section 8, replay).
  double link_mib_s = 62.5;
  Duration downtime_limit = std::chrono::milliseconds(300);  // QEMU's default

  // The phases around the copy: each takes as long as its message and its work.
  Duration begin = std::chrono::milliseconds(5);
  Duration prepare = std::chrono::milliseconds(200);  // the target starts an empty VM
  Duration finish = std::chrono::milliseconds(20);
  Duration confirm = std::chrono::milliseconds(10);

  Duration keepalive = std::chrono::milliseconds(8500);  // until a cut link is noticed
  Duration ask_again = std::chrono::seconds(1);          // between questions of a source in doubt
  Duration perform_max = std::chrono::hours(2);          // a copy that takes longer is given up

  // Memory that a VM dirties per second and GHz it uses. 0: none, a copy is one round.
  double dirty_mib_s_per_ghz = 0;

  // True: a target without free memory refuses in prepare. libvirt itself does not; a simulation
  // that wants to find such orders sets it to false and audits.
  bool refuses_overcommit = true;
};

}  // namespace ballast::hypermodel

// The rule of worth (Options::min_gain) counted by code that the planner does not share.
#pragma once

#include <string>
#include <vector>

#include "ballast/model/plan.h"
#include "ballast/model/snapshot.h"

namespace ballast::test {

// Where every VM is when the plan is done.
std::vector<HostIndex> places_after(const Snapshot& snapshot, const Plan& plan);

// Overload of these places, without the CPU of hosts that are over by their own load, and min_gain
// for each VM that left or entered a host which stays over.
double cost_of(const Snapshot& snapshot, const std::vector<HostIndex>& places, double min_gain);

// Each VM, or two VMs, that the plan moves and better had not; and each that could have gone
// straight to a host with room, and would have paid. VMs in affinity rules are left aside.
enum class Judged : unsigned char { singly, in_pairs };
std::vector<std::string> faults_of_worth(const Snapshot& snapshot, const Plan& plan,
                                         double min_gain, Judged judged = Judged::in_pairs);

}  // namespace ballast::test

// What operators ask of the fleet, from any node: the node passes it to its master, and a master to
// the other masters when it is about a host or a VM of another group. The answer is for people: a
// list of facts, each with a word for its kind and a line of text.
// Source: design, sections 7 and 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/lease.h"
#include "ballast/model/resources.h"

namespace ballast::wire {

enum class Subject : unsigned char {
  drain,      // empty `host`
  undrain,    // `host` takes VMs again
  why,        // what became of `vm`, and why
  events,     // what happened lately
  best_host,  // where a new VM of `load` fits best
  retry,      // what failed with `vm` is tried again
  room,       // between masters: the hosts of your group with room for `load`
  promote,    // `host` becomes a master; of itself to its master: may it?
  forget,     // `host`, which is lost, leaves the table
  nodes,      // when each node of the fleet was heard last
};
const char* name_of(Subject subject);

// node -> its master, master -> master, of promote also master -> its slave. Repeated until
// answered; it may be carried out twice.
struct Inquiry {
  std::uint64_t number = 0;
  Subject subject = Subject::events;
  HostId host;  // of drain, undrain, promote and forget
  VmId vm;      // of why and retry
  Resources load;
  bool forwarded = false;  // by a master: answer for your own group only
  bool operator==(const Inquiry&) const = default;
};

// What is not about a VM, a host or a master leaves that empty.
struct Fact {
  std::string kind;  // a word: "measurement", "plan", "move", "stays", "host", ...
  Duration age{0};
  VmId vm;
  HostId host;
  NodeId master;       // of the group of `host`, where that is another
  Resources room;      // of "host" and "stays": what is free, or needed
  Resources capacity;  // of "host"
  double heat = 0;     // of "host": once the load that was asked for is there (model/heat.h)
  std::string text;
  bool operator==(const Fact&) const = default;
};

enum class Answered : unsigned char {
  yes,
  no,        // and the text says why
  not_mine,  // nothing known of that host or VM
};

// The answer to an Inquiry.
struct Reply {
  std::uint64_t number = 0;
  Answered answered = Answered::no;
  std::string text;
  std::vector<Fact> facts;
  bool operator==(const Reply&) const = default;
};

// master -> slave: your host is to be emptied, or no longer. Repeated until its report says so.
struct Drain {
  Epoch slave_epoch;
  bool maintenance = false;
  std::string why;
  bool operator==(const Drain&) const = default;
};

}  // namespace ballast::wire

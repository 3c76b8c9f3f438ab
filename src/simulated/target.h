// The target's side of one migration.
#pragma once

#include <string>
#include <utility>

#include "machine.h"

namespace ballast::simulated {

class Incoming {
 public:
  Incoming(Machine& machine, Line line) : machine_(machine), line_(std::move(line)) {}
  // False when the other end is no source.
  bool run(const Record& greeting);

 private:
  Status prepare(double memory_mib, const Peer& source);
  bool converse();
  bool finish();
  bool drop();
  bool is_ours(const HostModel& model) const;

  Machine& machine_;
  Line line_;
  std::string token_;
  VmId vm_;
  bool arrived_ = false;
};

}  // namespace ballast::simulated

// The source's side of one migration.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "machine.h"

namespace ballast::simulated {

class Outgoing {
 public:
  Outgoing(Machine& machine, Order order) : machine_(machine), order_(std::move(order)) {}
  void run();

 private:
  // Each: empty when it went well, else why not.
  std::string migrate();
  std::string copy_over();
  std::string prepare();
  std::string copy_memory();
  std::string hand_over();
  std::string confirm();
  std::string take_back(const std::string& why);
  std::string doubt(const std::string& why);
  bool disturbed(Moment moment);

  Machine& machine_;
  Order order_;
  Peer target_;
  std::optional<Line> line_;
};

// This copy's share of what its host can send, for as long as it lives.
class SendingSlot {
 public:
  explicit SendingSlot(Machine& machine);
  SendingSlot(const SendingSlot&) = delete;
  SendingSlot& operator=(const SendingSlot&) = delete;
  ~SendingSlot();
  double rate_mib_s(double limit_mib_s) const;
  bool aborted(const VmId& vm) const;

 private:
  Machine& machine_;
};

Duration scaled(std::chrono::nanoseconds span, double factor);

}  // namespace ballast::simulated

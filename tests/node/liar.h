// A slave that lies, by mistake or on purpose: what its node says is changed on its way out. It may
// claim anything a message can carry, and then some; the keys it does not have it cannot use.
#pragma once

#include <memory>

#include "ballast/base/random.h"
#include "ballast/model/trace.h"
#include "ballast/wire/envelope.h"

namespace ballast::test {

class Liar {
 public:
  Liar(std::shared_ptr<const Trace> trace, std::uint64_t seed)
      : trace_(std::move(trace)), random_(seed) {}

  // Changes about half of all messages; true when it did.
  bool twist(wire::Envelope& envelope);

 private:
  void lie(wire::Attach& body);
  void lie(wire::Report& body);
  void lie(wire::Outcome& body);
  void lie(wire::LeaseState& body);
  void lie(wire::Begin& body);
  void lie(wire::BeginAnswer& body);
  void lie(wire::SettleAnswer& body);
  template <class Body>
  void lie(Body&) {}
  void lie(wire::HostFacts& facts);
  void lie(wire::HostReport& report);

  double absurd();
  Resources absurd_load();
  std::uint64_t absurd_number(std::uint64_t near);
  VmId some_vm();
  HostId some_host();
  LeaseId some_lease();

  std::shared_ptr<const Trace> trace_;
  Random random_;
};

}  // namespace ballast::test

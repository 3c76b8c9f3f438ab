// Host names that the operator has written into the configuration. They are asked for here, in a
// thread of their own, and never by libzmq, which would do it where all connections are served.
#pragma once

#include <memory>
#include <string>

#include "ballast/base/result.h"

namespace ballast::zmq {

// "tcp://HOST:PORT" with the address in the place of the name. Blocks while it is asked for; the
// Error says what was not found.
Result<std::string> looked_up(const std::string& endpoint);

// One such endpoint that is asked for again and again, as names come to stand for other addresses.
class NamedEndpoint {
 public:
  explicit NamedEndpoint(std::string endpoint);
  ~NamedEndpoint();
  NamedEndpoint(const NamedEndpoint&) = delete;
  NamedEndpoint& operator=(const NamedEndpoint&) = delete;

  const std::string& name() const { return name_; }
  // Numeric; empty while it is not known. Never blocks.
  std::string address() const;

 private:
  struct Shared;
  std::string name_;
  std::shared_ptr<Shared> shared_;  // outlives us where the nameserver does not answer
};

}  // namespace ballast::zmq

// A real master process, and its slaves as sockets of this one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "ballast/trust/keys.h"
#include "group_loads.h"

namespace ballast::benchmark {

double wall_ms();

// `ballast run --role master` in a folder of its own, which trusts all slaves. Ended and cleaned up
// with the object. Whatever fails ends the benchmark with a message.
class MasterProcess {
 public:
  MasterProcess(const std::string& binary, const GroupLoads& loads);
  ~MasterProcess();
  MasterProcess(const MasterProcess&) = delete;
  MasterProcess& operator=(const MasterProcess&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  const trust::Identity& identity() const { return identity_; }
  const std::vector<trust::Identity>& slaves() const { return slaves_; }

  double rss_mib() const;
  double cpu_ms() const;  // of all its threads
  std::uint64_t plans_made() const;
  // Waits until it has made no plan for longer than it must wait between two; the number made.
  std::uint64_t wait_until_quiet() const;

 private:
  void write_files(const GroupLoads& loads);
  void start(const std::string& binary);

  std::string folder_;
  pid_t pid_ = -1;
  std::string endpoint_;
  trust::Identity identity_;
  std::vector<trust::Identity> slaves_;
};

class Swarm {
 public:
  Swarm(const MasterProcess& master, const GroupLoads& loads);

  // Connects, attaches and waits until each is taken.
  void attach_all();
  void report(std::size_t slave, std::uint32_t over);
  // Until each report so far is acknowledged.
  void wait_for_acks();

 private:
  struct Slave {
    ::zmq::socket_t socket;
    std::uint64_t sequence = 1;
    std::uint64_t acknowledged = 0;
    bool attached = false;
  };
  void take_answers();
  template <class Done>
  void wait_until(const char* what, Done done);

  const GroupLoads& loads_;
  ::zmq::context_t context_;
  std::vector<Slave> slaves_;
};

}  // namespace ballast::benchmark

// The real hypervisor: KVM hosts through libvirt. All calls into libvirt are made on worker
// threads, so that the loop of the node never waits for it; answers come back as events.
//
//   lane      what it does                         connection
//   looks     samples, one at a time               its own
//   questions presence of a VM, aborts             its own: a slow sample does not hold them up
//   moves     migrations, side by side             one each, for as long as the migration lasts
//
// A call that hangs holds up its lane, never the node: on destruction a thread that does not come
// back within a moment is left to itself, with all that it may still touch. A migration goes on
// without us in any case: it is libvirtd that does it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/model/config.h"
#include "ballast/port/hypervisor.h"

namespace ballast::libvirt {

struct Options {
  std::string uri = "qemu:///system";  // of this host's own libvirtd: a URI that names no host
  std::string address;  // where other hosts migrate to: a name or an address, no port
  Carrier carrier = Carrier::tls;
  std::string interface;  // whose speed and use are this host's network; empty: the default route's
  bool opt_in = false;    // only VMs whose metadata say so may move
  bool force_shared_paths = false;        // below, also where libvirt takes a file for local
  std::vector<std::string> shared_paths;  // folders and devices that all hosts of the fleet share
  // As configured; what is measured is used where these are not set.
  std::optional<double> cpu_mhz;
  std::optional<double> memory_mib;
  std::optional<double> base_memory_mib;

  Duration between_looks = std::chrono::seconds(1);  // the least over which a rate is taken
  // A question about all domains that is silent for longer is left to itself, and asked anew: one
  // of them hangs. Doubles while that helps nothing: see census.h.
  Duration look_patience = std::chrono::milliseconds(3500);
  std::string root;  // of /proc, /sys and /etc; for tests
  // Of another host: nothing but libvirt tells of it.
  bool afar = false;
  // Whoever plans knows the rules of the VMs' metadata: what they bind need not stay.
  bool knows_rules = false;
};

// The UUID of this host as its libvirtd tells it: the one by which hypervisors know each other.
// Waits for the answer, but no longer than `patience`.
Result<std::string> host_uuid(const std::string& uri, Duration patience = std::chrono::seconds(10));

class Machine;
class Connector;

class LibvirtHypervisor final : public port::Hypervisor {
 public:
  // Starts the lanes; does not wait for libvirtd, which may come later. Errors: a uri that names
  // another host, an address that is none.
  static Result<std::unique_ptr<LibvirtHypervisor>> open(const Options& options);
  // The same on another libvirt than the real one: for tests.
  static Result<std::unique_ptr<LibvirtHypervisor>> open(const Options& options,
                                                         std::shared_ptr<Connector> connector);
  ~LibvirtHypervisor() override;

  void submit(const HypervisorCommand& command) override;
  std::vector<HypervisorEvent> take_events() override;
  int event_descriptor() const override;
  std::string migration_uri() const override;  // "qemu+tls://ADDRESS/system"
  // Samples taken and failed, how long the last one took, and how the host's own pressure stands.
  std::map<std::string, std::uint64_t> counters() const override;

 private:
  explicit LibvirtHypervisor(std::shared_ptr<Machine> machine);
  std::shared_ptr<Machine> machine_;
};

}  // namespace ballast::libvirt

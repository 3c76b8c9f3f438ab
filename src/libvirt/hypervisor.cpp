#include "ballast/libvirt/hypervisor.h"

#include <utility>

#include "machine.h"
#include "real_connection.h"
#include "uri.h"

namespace ballast::libvirt {

LibvirtHypervisor::LibvirtHypervisor(std::shared_ptr<Machine> machine)
    : machine_(std::move(machine)) {}

LibvirtHypervisor::~LibvirtHypervisor() { Machine::end(machine_); }

Result<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::open(const Options& options) {
  return open(options, real_connector(options.uri));
}

Result<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::open(
    const Options& options, std::shared_ptr<Connector> connector) {
  if (const Status local = check_local(options.uri); !local) return local.error();
  if (!is_address(options.address))
    return Error{"[migrate] address: found " + quoted(options.address) +
                 ", expected the name or address of this host that others migrate to"};
  auto machine = std::make_shared<Machine>(options, std::move(connector));
  if (machine->mailbox().descriptor() < 0)
    return Error{"libvirt: no descriptor is left for its events"};
  return std::unique_ptr<LibvirtHypervisor>(new LibvirtHypervisor(std::move(machine)));
}

void LibvirtHypervisor::submit(const HypervisorCommand& command) { machine_->submit(command); }

std::vector<HypervisorEvent> LibvirtHypervisor::take_events() { return machine_->mailbox().take(); }

int LibvirtHypervisor::event_descriptor() const { return machine_->mailbox().descriptor(); }

std::map<std::string, std::uint64_t> LibvirtHypervisor::counters() const {
  return machine_->counters();
}

std::string LibvirtHypervisor::migration_uri() const {
  return migration_uri_of(machine_->options().carrier, machine_->options().address);
}

}  // namespace ballast::libvirt

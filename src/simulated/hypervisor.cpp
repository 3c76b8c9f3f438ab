// Opening a simulated host, and the commands of its node. None of them blocks: looks are taken from
// memory, migrations go to threads.
#include "ballast/simulated/hypervisor.h"
#include "ballast/base/words.h"

#include <chrono>
#include <random>

#include "ballast/base/limits.h"
#include "machine.h"
#include "source.h"
#include "state_file.h"

namespace ballast::simulated {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::string fresh_instance() {
  std::random_device device;
  char text[32];
  std::snprintf(text, sizeof text, "%08x%08x", device(), device());
  return text;
}

double unix_now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Status check(const Options& options) {
  if (!options.trace) return Error{"simulated host: no trace"};
  if (options.trace->interval <= Duration::zero())
    return Error{"simulated host: intervals of the trace have no length"};
  if (options.secret.empty() || options.secret.size() > limits::id_bytes_max)
    return Error{"simulated host: secret of " + std::to_string(options.secret.size()) +
                 " bytes, expected 1 to " + std::to_string(limits::id_bytes_max)};
  if (!(options.speed > 0) || !(options.migration_speed > 0) || !(options.timing.link_mib_s > 0))
    return Error{"simulated host: speeds and bandwidth must be above 0"};
  return {};
}

// The host of the trace, with the VMs that the trace places on it.
Result<HostModel> host_from_trace(const Options& options) {
  const Trace& trace = *options.trace;
  for (std::uint32_t h = 0; h < trace.hosts.size(); ++h) {
    if (trace.hosts[h].id != options.host) continue;
    HostModel model(options.capacity.value_or(trace.hosts[h].capacity), options.base);
    for (const TraceVm& vm : trace.vms)
      if (vm.host == h)
        model.place(
            vm.id,
            {CopyState::running, load_at(trace, vm, Duration::zero()).memory_mib, false, {}, {}});
    return model;
  }
  return Error{"simulated host: " + quoted(options.host.str()) +
               " is not in the trace, which names " + counted(trace.hosts.size(), "host")};
}

Status restore(const HostState& state, const Options& options, HostModel& model) {
  if (state.host != options.host)
    return Error{options.state_file + ": is of host " + quoted(state.host.str()) + ", expected " +
                 quoted(options.host.str())};
  model.clear();
  for (const auto& [vm, copy] : state.copies) model.place(vm, copy);
  return {};
}

}  // namespace

Result<std::unique_ptr<SimulatedHypervisor>> SimulatedHypervisor::open(const Options& options) {
  if (const Status good = check(options); !good) return good.error();
  Result<HostModel> model = host_from_trace(options);
  if (!model) return model.error();
  std::optional<LoopbackAddress> address = address_from(options.listen);
  if (!address)
    return Error{"simulated host: listen address " + quoted(options.listen) +
                 ", expected 127.x.y.z:PORT"};
  int former_port = 0;
  if (!options.state_file.empty()) {
    Result<std::optional<HostState>> state = load_state(options.state_file);
    if (!state) return state.error();
    if (state->has_value()) {
      if (const Status done = restore(**state, options, *model); !done) return done.error();
      former_port = (*state)->port;
    }
  }
  const int port = address->port != 0 ? address->port : former_port;
  Result<Listener> listener =
      port != 0 ? listen_on({address->ip, port}) : listen_on_any_port(address->ip);
  if (!listener && address->port == 0) listener = listen_on_any_port(address->ip);
  if (!listener) return listener.error();
  // The port must be known from the first moment: a peer in doubt will ask there.
  if (!options.state_file.empty()) {
    const Status saved =
        save_state(options.state_file, {options.host, listener->address.port, model->copies()});
    if (!saved) return saved.error();
  }
  const double started = options.started_unix_s > 0 ? options.started_unix_s : unix_now_s();
  auto machine = std::make_unique<Machine>(options, std::move(*listener), std::move(*model),
                                           started, fresh_instance());
  machine->start();
  return std::unique_ptr<SimulatedHypervisor>(new SimulatedHypervisor(std::move(machine)));
}

void Machine::submit(const HypervisorCommand& command) {
  std::visit(
      Overloaded{
          [&](const SampleHost&) {
            std::unique_lock lock(mutex_);
            HostSample sample = model_.sample(loads_, since_start(), options_.timing);
            lock.unlock();
            sample.host = options_.host.str();
            tell(HostSampled{std::move(sample)});
          },
          [&](const QueryVm& query) {
            const std::optional<Copy> copy = find(query.vm);
            tell(VmQueried{query.vm, copy ? hypermodel::presence_of(*copy) : Presence::absent});
          },
          [&](const StartMigration& order) { start_migration(order); },
          [&](const SetAutostart& order) {
            const std::lock_guard lock(mutex_);
            model_.set_autostart(order.vm, order.autostart);
          },
          [&](const AbortMigration& order) {
            const std::lock_guard lock(mutex_);
            const auto open = orders_.find(order.vm);
            if (open != orders_.end()) open->second = true;
          }},
      command);
}

void Machine::start_migration(const StartMigration& command) {
  Order order{command.lease,           command.vm, command.target_uri,
              command.bandwidth_mib_s, {},         command.target_host};
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    order.token = options_.host.str() + "-" + instance_ + "-" + std::to_string(++last_order_);
    if (!is_valid_id(order.token)) order.token = instance_ + "-" + std::to_string(last_order_);
    if (order.target_uri == self().uri)
      why = "the target is the source";
    else if (const Status begun = model_.begin(order.vm, order.target_uri, order.token); !begun)
      why = begun.error().message;
    else
      orders_[order.vm] = false;
    if (why.empty()) conversations_.insert(order.token);
  }
  if (why.empty() && !outgoing_.run([this, order] { Outgoing(*this, order).run(); })) {
    const std::lock_guard lock(mutex_);
    why = "too many migrations wait already";
    (void)model_.roll_back(order.vm);
    orders_.erase(order.vm);
    conversations_.erase(order.token);
  }
  if (!why.empty()) tell(MigrationEnded{order.lease, order.vm, false, why});
}

SimulatedHypervisor::SimulatedHypervisor(std::unique_ptr<Machine> machine)
    : machine_(std::move(machine)) {}
SimulatedHypervisor::~SimulatedHypervisor() = default;

void SimulatedHypervisor::submit(const HypervisorCommand& command) { machine_->submit(command); }
std::vector<HypervisorEvent> SimulatedHypervisor::take_events() { return machine_->take_events(); }
int SimulatedHypervisor::event_descriptor() const { return machine_->event_descriptor(); }
std::string SimulatedHypervisor::migration_uri() const { return machine_->self().uri; }
std::uint64_t SimulatedHypervisor::rejected_connections() const { return machine_->rejected(); }
std::uint64_t SimulatedHypervisor::dropped_events() const { return machine_->dropped_events(); }
double SimulatedHypervisor::memory_used_mib() const { return machine_->memory_used_mib(); }

void SimulatedHypervisor::interfere(Moment moment, Interference with) {
  machine_->interfere(moment, with);
}
bool SimulatedHypervisor::is_held(Moment moment) const { return machine_->is_held(moment); }
void SimulatedHypervisor::release() { machine_->release(); }
void SimulatedHypervisor::set_reachable(bool reachable) { machine_->set_reachable(reachable); }
void SimulatedHypervisor::kill() { machine_->kill(); }
bool SimulatedHypervisor::is_dead() const { return machine_->is_dead(); }

}  // namespace ballast::simulated

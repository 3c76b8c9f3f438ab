#include "machine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <thread>
#include <utility>

#include "ballast/base/limits.h"
#include "uri.h"

namespace ballast::libvirt {
namespace {

constexpr std::size_t question_threads = 4;  // libvirtd serves five calls of a connection at a time
// As many VMs may hang before no dirty rate is measured any more.
constexpr std::size_t measure_threads = 4;
constexpr std::size_t questions_waiting_max = 1024;
constexpr Duration patience_at_end = std::chrono::milliseconds(500);

// As it may be told to others.
std::string tellable(const std::string& text) { return cleaned_text(text, limits::text_bytes_max); }

}  // namespace

Machine::Machine(const Options& options, std::shared_ptr<Connector> connector)
    : options_(options),
      connector_(std::move(connector)),
      looking_(connector_, {}),
      measuring_(connector_, {}),
      census_(connector_, options_.look_patience),
      asking_(connector_, [this](const std::string& name) { heard_of(name); }),
      looker_(options_, census_),
      looks_(1, 1),
      questions_(question_threads, questions_waiting_max),
      moves_(limits::jobs_per_host_max, limits::jobs_per_host_max),
      measures_(measure_threads, measure_threads) {}

void Machine::submit(const HypervisorCommand& command) {
  std::visit([this](const auto& what) { on(what); }, command);
}

void Machine::on(const SampleHost&) {
  // One that waits already will serve for this one, too.
  (void)looks_.run([self = shared_from_this()](Lane::Life& life) { self->take_sample(life); });
  // A connection that was lost while nobody asked anything is opened again, and its events with it.
  (void)questions_.run([self = shared_from_this()](Lane::Life&) { (void)self->asking_.get(); });
}

void Machine::take_sample(Lane::Life& life) {
  Result<std::shared_ptr<Connection>> connection = looking_.get();
  {
    const std::lock_guard lock(mutex_);
    looker_.set_block_jobs(block_jobs_);
  }
  Result<HostSample> sample =
      connection ? looker_.sample(**connection, life) : Result<HostSample>(connection.error());
  {
    const std::lock_guard lock(mutex_);
    ++counters_[sample ? "libvirt_samples" : "libvirt_samples_failed"];
    for (const auto& [name, value] : looker_.gauges()) counters_[name] = value;
    if (sample) forced_ = looker_.forced();
  }
  if (sample) {
    if (const std::string next = looker_.next_to_measure(*sample); !next.empty())
      measure_dirty_rate(next);
    ask_for_block_jobs(looker_.disks());
    mailbox_.put(HostSampled{std::move(*sample)});
  } else {
    mailbox_.put(SampleFailed{tellable(sample.error().message)});
  }
}

// On a lane of its own: it waits for the QEMU of this VM, which may hang. What it finds a later
// look tells; one that cannot be measured has no known rate, and is no reason to distrust its host.
void Machine::measure_dirty_rate(const std::string& uuid) {
  (void)measures_.run([self = shared_from_this(), uuid](Lane::Life&) {
    if (const auto connection = self->measuring_.get(); connection)
      (void)(*connection)->measure_dirty_rate(uuid);
  });
}

// On the lane of the dirty rates, for the same reason. A QEMU that hangs keeps the answers that are
// known, and libvirt still refuses what is not.
void Machine::ask_for_block_jobs(std::map<std::string, std::vector<std::string>> disks) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(block_jobs_, [&](const auto& known) { return !disks.contains(known.first); });
    if (disks.empty() || asks_for_block_jobs_) return;
    asks_for_block_jobs_ = true;
  }
  const bool runs =
      measures_.run([self = shared_from_this(), disks = std::move(disks)](Lane::Life&) {
        const auto connection = self->measuring_.get();
        for (const auto& [uuid, of_domain] : disks) {
          if (!connection) break;
          std::string busy;
          bool known = true;
          for (const std::string& disk : of_domain) {
            const Result<bool> has = (*connection)->has_block_job(uuid, disk);
            known = known && has.ok();
            if (has && *has) busy = disk;
          }
          const std::lock_guard lock(self->mutex_);
          if (!busy.empty()) {
            self->block_jobs_[uuid] = busy;
          } else if (known) {
            self->block_jobs_.erase(uuid);
          }
        }
        const std::lock_guard lock(self->mutex_);
        self->asks_for_block_jobs_ = false;
      });
  if (runs) return;
  const std::lock_guard lock(mutex_);
  asks_for_block_jobs_ = false;
}

// Whether that helped the next look shows; it is asked for again if not.
void Machine::on(const SetAutostart& command) {
  (void)questions_.run([self = shared_from_this(), command](Lane::Life&) {
    if (const auto connection = self->asking_.get(); connection)
      (void)(*connection)->set_autostart(command.vm, command.autostart);
  });
}

std::map<std::string, std::uint64_t> Machine::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void Machine::on(const QueryVm& command) { ask(command.vm); }

void Machine::ask(const VmId& vm) {
  {
    const std::lock_guard lock(mutex_);
    if (!asked_.insert(vm).second) return;
  }
  const bool taken = questions_.run([self = shared_from_this(), vm](Lane::Life&) {
    {
      // From here on a new question is not answered by this one.
      const std::lock_guard lock(self->mutex_);
      self->asked_.erase(vm);
    }
    Presence presence = Presence::unknown;
    std::string detail;
    if (const auto connection = self->asking_.get(); connection) {
      const Result<Standing> standing = (*connection)->standing(vm);
      if (standing) presence = presence_of(*standing);
      if (standing && presence == Presence::paused) detail = paused_why(*standing);
    }
    self->mailbox_.put(VmQueried{vm, presence, detail});
  });
  if (taken) return;
  const std::lock_guard lock(mutex_);
  asked_.erase(vm);
}

// On a thread of libvirt's own: looks for itself what the event may have changed.
void Machine::heard_of(const std::string& name) {
  if (is_valid_id(name)) ask(VmId(name));
}

void Machine::on(const StartMigration& command) {
  {
    const std::lock_guard lock(mutex_);
    starting_.insert(command.vm);
    called_off_.erase(command.vm);
  }
  const bool taken =
      moves_.run([self = shared_from_this(), command](Lane::Life&) { self->migrate(command); });
  if (taken) return;
  {
    const std::lock_guard lock(mutex_);
    starting_.erase(command.vm);
  }
  mailbox_.put(MigrationEnded{command.lease, command.vm, false, "too many migrations at a time"});
}

void Machine::migrate(const StartMigration& command) {
  const std::optional<MigrationProblem> problem = why_not_migrated(command);
  {
    const std::lock_guard lock(mutex_);
    starting_.erase(command.vm);
    called_off_.erase(command.vm);
  }
  MigrationEnded ended{command.lease, command.vm, !problem, {}};
  if (problem) {
    ended.detail = tellable(problem->message);
    ended.fault = problem->fault;
  }
  mailbox_.put(std::move(ended));
}

// Nothing when it went well. The connection is this migration's own: libvirtd serves few calls of
// one at a time, and this one lasts.
std::optional<MigrationProblem> Machine::why_not_migrated(const StartMigration& command) {
  const auto of_pair = [](const std::string& why) { return MigrationProblem{why, FaultOf::pair}; };
  const auto of_vm = [](const std::string& why) { return MigrationProblem{why, FaultOf::vm}; };
  Result<Destination> to = destination_of(command.target_uri, options_.carrier);
  if (!to) return of_pair(to.error().message);
  const Result<std::unique_ptr<Connection>> connection = connector_->open({});
  if (!connection) return of_vm(connection.error().message);
  // The URI is what the target answered. Whoever is there must be the host that was promised room.
  if (!command.target_host.empty()) {
    const Result<std::string> there = (*connection)->host_at(to->connect_uri);
    if (!there) return of_pair(there.error().message);
    if (*there != command.target_host)
      return of_pair("libvirt at " + quoted(to->connect_uri) + " is that of host " +
                     quoted(*there) + ", the order is for " + quoted(command.target_host));
  }
  const Result<bool> persistent = (*connection)->is_persistent(command.vm);
  if (!persistent) return of_vm(persistent.error().message);
  MigrationCall call;
  call.vm = command.vm;
  call.persistent = *persistent;
  call.connect_uri = to->connect_uri;
  call.data_uri = to->data_uri;
  call.encrypted = options_.carrier == Carrier::tls;
  call.bandwidth_mib_s = static_cast<std::uint64_t>(std::ceil(command.bandwidth_mib_s));
  {
    const std::lock_guard lock(mutex_);
    call.forced = forced_.contains(command.vm);
    starting_.erase(command.vm);
    if (called_off_.erase(command.vm) > 0) return of_vm("called off before it began");
  }
  return (*connection)->migrate(call);
}

void Machine::on(const AbortMigration& command) {
  {
    const std::lock_guard lock(mutex_);
    if (starting_.contains(command.vm)) called_off_.insert(command.vm);
  }
  (void)questions_.run([self = shared_from_this(), vm = command.vm](Lane::Life&) {
    // Whether that helped is seen by how the migration ends; it is asked for again if not.
    if (const auto connection = self->asking_.get(); connection) (void)(*connection)->abort(vm);
  });
}

// Closing a connection asks libvirtd, and may hang as any call: a thread of its own does it, and
// keeps all alive for as long as that takes.
void Machine::end(const std::shared_ptr<Machine>& machine) {
  struct Done {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  const auto closed = std::make_shared<Done>();
  std::thread([machine, closed] {
    (void)machine->looks_.end(Duration(0));
    (void)machine->moves_.end(Duration(0));
    (void)machine->questions_.end(Duration(0));
    machine->census_.close();
    (void)machine->measures_.end(Duration(0));
    machine->looking_.close();
    machine->measuring_.close();
    machine->asking_.close();
    (void)machine->looks_.end(patience_at_end);
    (void)machine->questions_.end(patience_at_end);
    (void)machine->moves_.end(patience_at_end);
    (void)machine->measures_.end(patience_at_end);
    (void)machine->census_.end(patience_at_end);
    const std::lock_guard lock(closed->mutex);
    closed->done = true;
    closed->changed.notify_all();
  }).detach();
  std::unique_lock lock(closed->mutex);
  closed->changed.wait_for(lock, patience_at_end, [&] { return closed->done; });
}

}  // namespace ballast::libvirt

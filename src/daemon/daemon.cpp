// The event loop. One turn: sleep until a socket, the hypervisor, a signal or the node's next
// deadline calls; hand what came to the node; carry out what it wants. What must survive a crash is
// on disk before anything that depends on it is sent; how long VMs rest, within a second.

#include "ballast/daemon/daemon.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "ballast/daemon/control.h"
#include "ballast/daemon/host_id.h"
#include "ballast/daemon/line_log.h"
#include "ballast/files/answer.h"
#include "ballast/files/store.h"
#include "ballast/node/node.h"
#include "ballast/trust/trust_store.h"
#include "ballast/zmq/wait.h"
#include "descriptor_reserve.h"
#include "fleet_office.h"
#include "hypervisor.h"
#include "identity.h"
#include "network.h"
#include "service.h"
#include "start_up_code.h"
#include "state.h"
#include "state_writer.h"

namespace ballast::daemon {
namespace {

constexpr std::size_t events_a_turn = 256;
constexpr Duration start_lasts = std::chrono::seconds(30);
constexpr Duration trust_looked_at_every = std::chrono::seconds(1);
constexpr Duration refusals_told_every = std::chrono::seconds(1);
constexpr Duration log_tried_every = std::chrono::milliseconds(200);  // while nobody reads it

TimePoint monotonic_now() {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return TimePoint(std::chrono::duration_cast<Duration>(since_boot));
}

std::uint64_t wall_clock_s() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(since_1970).count());
}

// How much an operator should care, for journalctl -p.
Severity severity_of(node::EventKind kind) {
  switch (kind) {
    case node::EventKind::alarm: return Severity::error;
    case node::EventKind::lost:
    case node::EventKind::not_moved: return Severity::warning;
    case node::EventKind::recovered:
    case node::EventKind::moved:
    case node::EventKind::drain: return Severity::notice;
    case node::EventKind::attached:
    case node::EventKind::planned:
    case node::EventKind::ordered: break;
  }
  return Severity::info;
}

// SIGINT, SIGTERM and SIGHUP as a descriptor; all stay blocked for the threads that start later.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Signals() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int descriptor() const { return descriptor_; }

  struct Seen {
    bool stop = false;
    bool reload = false;
  };
  Seen take() const {
    Seen seen;
    signalfd_siginfo info{};
    while (read(descriptor_, &info, sizeof info) == sizeof info)
      (info.ssi_signo == SIGHUP ? seen.reload : seen.stop) = true;
    return seen;
  }

 private:
  int descriptor_ = -1;
};

class Daemon {
 public:
  Daemon(Config config, LineLog& log, const Reread& reread)
      : config_(std::move(config)), log_(log), reread_(reread) {}

  Status open() {
    if (signals_.descriptor() < 0) return Error{"cannot listen for signals: no descriptor is left"};
    if (config_.node.id.empty()) {
      Result<NodeId> id = own_id(config_);
      if (!id) return id.error();
      config_.node.id = *id;
    }
    for (Status (Daemon::*part)() :
         {&Daemon::open_state, &Daemon::open_trust, &Daemon::open_sockets, &Daemon::open_node}) {
      if (Status opened = (this->*part)(); !opened) return opened;
    }
    return {};
  }

  Status run() {
    hand_in_trust();
    apply(node_->step(monotonic_now(), node::Tick{}));
    service_.ready();
    while (!stopped_) {
      std::vector<int> descriptors = network_->descriptors();
      descriptors.push_back(signals_.descriptor());
      descriptors.push_back(hypervisor_->event_descriptor());
      const TimePoint now = monotonic_now();
      const TimePoint next = next_deadline(now);
      const zmq::Ready ready = zmq::wait(network_->transport(), control_.get(), descriptors,
                                         std::max(next - now, Duration(0)));
      if (std::find(ready.descriptors.begin(), ready.descriptors.end(), signals_.descriptor()) !=
          ready.descriptors.end()) {
        const Signals::Seen seen = signals_.take();
        stopped_ = seen.stop;
        if (seen.reload) (void)reload("SIGHUP");
      }
      turn();
      service_.turned(monotonic_now());
    }
    service_.stopping();
    told(state_writer_->flush(monotonic_now()));
    for (const node::SelfAlarm& alarm : alarms_)
      log_.say((alarm.over ? "recovered: " : "alarm: ") + alarm.text,
               alarm.over ? Severity::notice : Severity::error);
    log_.say("stopping: VMs run on, and so do migrations that their hypervisor has under way");
    return {};
  }

 private:
  TimePoint next_deadline(TimePoint now) const {
    const TimePoint next = std::min({node_->next_deadline(), next_trust_look_,
                                     state_writer_->next_deadline(), service_.next_deadline()});
    return log_.waits() ? std::min(next, now + log_tried_every) : next;
  }

  std::string state_file() const { return config_.node.state_dir + "/state"; }

  // Two lives never share an incarnation: the next one is on disk before anything is said in it.
  Status open_state() {
    Result<files::DirectoryLock> lock = files::DirectoryLock::take(config_.node.state_dir);
    if (!lock) return lock.error();
    lock_.emplace(std::move(lock).value());
    const Result<std::optional<std::string>> text = files::read_small(state_file());
    if (!text) return text.error();
    if (*text) {
      Result<node::StoredState> state = parse_state(**text, state_file());
      if (!state) return state.error();
      state_ = std::move(state).value();
    }
    ++state_.incarnation;
    state_writer_.emplace(state_, [file = state_file()](const std::string& bytes) {
      return files::write_atomically(file, bytes);
    });
    return files::write_atomically(state_file(), state_text(state_));
  }

  Status open_trust() {
    if (!config_.security.enabled) {
      log_.say("WARNING: security is off: everyone who reaches this node is believed",
               Severity::warning);
      return {};
    }
    const auto or_default = [&](const std::string& path, const char* name) {
      return path.empty() ? config_.node.state_dir + "/" + name : path;
    };
    auto store = trust::TrustStore::open({or_default(config_.security.key_file, "node.key"),
                                          or_default(config_.security.trust_file, "trust"),
                                          config_.node.state_dir + "/fleet", config_.node.cluster});
    if (!store) return store.error();
    trust_ = std::move(store).value();
    office_.emplace(config_, *trust_);
    const wire::FleetRecordPtr own = trust_->certificate();
    if (own && own->node != config_.node.id)
      return Error{"this host's certificate is for the node " + quoted(own->node.str()) +
                   ", and its id is " + quoted(config_.node.id.str()) +
                   ": set [node] id, or `ballast "
                   "join --id " +
                   config_.node.id.str() + "` with a new token"};
    return {};
  }

  Status open_sockets() {
    Result<std::unique_ptr<port::Hypervisor>> hypervisor = open_hypervisor(config_);
    if (!hypervisor) return hypervisor.error();
    hypervisor_ = std::move(hypervisor).value();
    auto network = Network::open(config_, trust_.get());
    if (!network) return network.error();
    network_ = std::move(network).value();
    auto control = zmq::ControlServer::open(config_.node.control);
    if (!control) return control.error();
    control_ = std::move(control).value();
    return {};
  }

  Status open_node() {
    Result<std::string> endpoint = network_->endpoint();
    if (!endpoint) return endpoint.error();
    Result<node::MeshAccess> access = network_->access();
    if (!access) return access.error();
    std::random_device entropy;
    const std::uint64_t seed = (std::uint64_t{entropy()} << 32U) | entropy();
    node_.emplace(monotonic_now(), config_, *endpoint, hypervisor_->migration_uri(), state_, seed,
                  *access);
    next_trust_look_ = monotonic_now() + trust_looked_at_every;
    start_over_at_ = monotonic_now() + start_lasts;
    log_.say("node " + quoted(config_.node.id.str()) + ", life " +
             std::to_string(state_.incarnation) + ", role " + name_of(config_.node.role) +
             ", mode " + name_of(config_.plan.mode) + ", reached at " + *endpoint +
             ", control at " + config_.node.control);
    if (office_) {
      trust_said_ = office_->in_words();
      nodes_said_ = trust_->nodes();
      log_.say(trust_said_);
    }
    return {};
  }

  void turn() {
    for (const HypervisorEvent& event : hypervisor_->take_events())
      apply(node_->step(monotonic_now(), event));
    for (const node::Input& input : network_->take_inputs(events_a_turn))
      apply(node_->step(monotonic_now(), input));
    for (const zmq::Knock& knock : network_->take_knocks()) take_in(knock);
    for (const zmq::ControlRequest& request : take_requests()) {
      answer(request);
      apply(node_->step(monotonic_now(), node::Tick{}));
    }
    const TimePoint now = monotonic_now();
    if (node_->next_deadline() <= now) apply(node_->step(now, node::Tick{}));
    // A command that looks at the files finds what this node knows.
    if (now >= next_trust_look_ || (trust_ && trust_->has_unkept() && trust_problem_.empty()))
      look_at_trust(now);
    if (now >= start_over_at_) {
      start_over_at_ = time_never;
      let_go_of_start_up_code();
    }
    if (now >= state_writer_->next_deadline()) {
      const DescriptorReserve::Use use(reserve_);
      told(state_writer_->tick(now));
    }
    for (const node::SelfAlarm& alarm : std::exchange(alarms_, {}))
      apply(node_->step(monotonic_now(), alarm));
    log_.flow();
  }

  std::vector<zmq::ControlRequest> take_requests() {
    const DescriptorReserve::Use use(reserve_);
    return control_->take_requests();
  }

  // What others have to be asked for is answered when they have spoken: see apply().
  void answer(const zmq::ControlRequest& request) {
    const auto question = question_of(request.text);
    constexpr std::string_view lending = "lend-fleet-key ";
    if (request.text == "reload") {
      const Result<files::ConfigChange> change = reload("asked for by `ballast reload`");
      control_->reply(request.id,
                      change ? files::change_json(*change) : refusal_of(change.error()));
    } else if (request.text.starts_with(lending)) {
      const Status lent =
          office_
              ? office_->lend(std::string_view(request.text).substr(lending.size()), wall_clock_s())
              : Error{"security is off here"};
      control_->reply(request.id, lent ? "{\"ok\":true}\n" : refusal_of(lent.error()));
    } else if (!question) {
      control_->reply(request.id,
                      answer_control(monotonic_now(), request.text, *node_, counters()));
    } else if (!*question) {
      control_->reply(request.id, refusal_of(question->error()));
    } else {
      const std::uint64_t ticket = node_->ask(monotonic_now(), **question);
      asked_.emplace(ticket, std::pair(request.id, **question));
    }
  }

  // A configuration with errors changes nothing, whoever asks: the node runs on as it was.
  Result<files::ConfigChange> reload(const std::string& why) {
    const DescriptorReserve::Use use(reserve_);
    files::ConfigReading reading = reread_();
    if (!reading.errors.empty()) {
      for (const Error& error : reading.errors)
        log_.say("configuration not taken (" + why + "): " + error.message, Severity::error);
      return reading.errors.front();
    }
    // Found out when the node started, and not written down.
    if (reading.config.node.id.empty()) reading.config.node.id = config_.node.id;
    files::ConfigChange change = files::change_of(config_, reading.config);
    for (const std::string& line : change.taken)
      log_.say("configuration: " + line + " (" + why + ")", Severity::notice);
    for (const std::string& line : change.needs_restart)
      log_.say("configuration: " + line + " needs a restart, and is not taken", Severity::warning);
    if (change.taken.empty() && change.needs_restart.empty())
      log_.say("configuration: nothing has changed (" + why + ")");
    config_ = change.config;
    apply(node_->step(monotonic_now(), node::ConfigLoaded{config_}));
    return change;
  }

  void apply(const node::Effects& effects) {
    if (effects.save) {
      const DescriptorReserve::Use use(reserve_);
      told(state_writer_->save(monotonic_now(), *effects.save));
    }
    network_->carry_out(effects);
    for (const HypervisorCommand& command : effects.commands) hypervisor_->submit(command);
    for (const node::Answer& answer : effects.answers) {
      const auto asked = asked_.extract(answer.ticket);
      if (asked.empty()) continue;
      const auto& [request, question] = asked.mapped();
      const bool is_fleet = question.subject == wire::Subject::nodes && office_;
      control_->reply(request, is_fleet ? office_->nodes_json(answer.reply)
                                        : files::answer_json(question, answer.reply));
    }
    if (trust_ && !effects.learned.empty()) trust_->learn(effects.learned);
    for (const node::Event& event : effects.events)
      log_.say(node::in_text(event.kind) + ": " + event.text, severity_of(event.kind));
  }

  // What is lost is how long VMs rest, after a crash: no reason to stop balancing.
  void told(const Status& saved) {
    const std::string problem = saved ? std::string() : saved.error().message;
    const bool known = state_writer_->next_deadline() == time_never || !problem.empty();
    if (known) raise(state_problem_, problem, "the state of this node can be written again");
  }

  // An alarm when the problem is a new one, and its end when it is over. It goes out with the next
  // turn: what saves is in the midst of a step.
  void raise(std::string& known, const std::string& problem, const char* over) {
    if (known == problem) return;
    alarms_.push_back({problem.empty(), problem.empty() ? over : problem});
    known = problem;
  }

  void look_at_trust(TimePoint now) {
    next_trust_look_ = now + trust_looked_at_every;
    if (!trust_) return;
    const DescriptorReserve::Use use(reserve_);
    const Status kept = trust_->keep();
    const std::uint64_t before = trust_->changes();
    const Result<bool> changed = trust_->reload_if_changed();
    const std::string problem = !kept     ? kept.error().message
                                : changed ? std::string()
                                          : changed.error().message;
    raise(trust_problem_, problem, "the files of who is trusted can be read and written again");
    if (trust_->changes() != before) say_who_is_trusted();
    office_->forget_if_over(wall_clock_s());
    hand_in_trust();
  }

  void say_who_is_trusted() {
    std::string words = office_->in_words();
    auto nodes = trust_->nodes();  // a role may have changed, and the count not
    if (words != trust_said_ || *nodes != *nodes_said_)
      log_.say("who is trusted has changed: " + words);
    trust_said_ = std::move(words);
    nodes_said_ = std::move(nodes);
  }

  // Without security everybody is believed, and the node is told nothing.
  void hand_in_trust() {
    if (!trust_) return;
    if (const auto news = trust_->take_fleet_news()) apply(node_->step(monotonic_now(), *news));
    if (trust_->changes() == trust_told_) return;
    trust_told_ = trust_->changes();
    apply(node_->step(monotonic_now(),
                      node::TrustLoaded{trust_->nodes(), trust_->certificate() != nullptr}));
    std::string differs;
    for (const std::string& note : trust_->notes()) differs += (differs.empty() ? "" : "; ") + note;
    raise(trust_differs_, differs, "the trust file and the certificates of the fleet agree again");
  }

  // One that its operator has invited, or a stranger who says so.
  void take_in(const zmq::Knock& knock) {
    if (!office_) return;
    const DescriptorReserve::Use use(reserve_);
    const wire::JoinAnswer answered = [&] {
      wire::JoinAnswer answer = office_->answer(knock, wall_clock_s());
      if (!answer.refusal.empty()) return answer;
      const node::View view = node_->view(monotonic_now());
      answer.master = view.master;
      answer.master_endpoint = view.master_endpoint;
      answer.mode = static_cast<std::uint32_t>(config_.plan.mode);
      // One that will lead, if nobody does: it has just been started.
      if (answer.master.empty() && trust_->may_be_master(config_.node.id)) {
        answer.master = config_.node.id;
        answer.master_endpoint = view.endpoint;
      }
      return answer;
    }();
    if (answered.refusal.empty() && trust_->learn(answered.certificate)) {
      node::FleetLoaded news;
      news.anew = false;
      news.records = answered.certificate;
      apply(node_->step(monotonic_now(), news));
      log_.say("joined: " + quoted(knock.ask.node.str()) + " has a certificate now" +
               (answered.certificate.front()->may_lead ? ", and may lead" : ""));
    } else if (!answered.refusal.empty() && monotonic_now() >= next_refusal_told_) {
      next_refusal_told_ = monotonic_now() + refusals_told_every;
      log_.say("join refused: " + quoted(knock.ask.node.str()) + ": " + answered.refusal,
               Severity::warning);
    }
    network_->answer(knock, answered);
  }

  Counters counters() const {
    Counters counters = network_->counters();
    counters.merge(hypervisor_->counters());
    if (control_->dropped() > 0) counters.emplace("control_dropped", control_->dropped());
    if (log_.dropped() > 0) counters.emplace("log_lines_dropped", log_.dropped());
    return counters;
  }

  Config config_;
  LineLog& log_;
  const Reread& reread_;
  DescriptorReserve reserve_;
  Signals signals_;  // before any thread starts
  ServiceManager service_{std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"),
                          std::getenv("WATCHDOG_PID")};
  std::optional<files::DirectoryLock> lock_;
  node::StoredState state_;
  std::optional<StateWriter> state_writer_;
  std::unique_ptr<trust::TrustStore> trust_;
  std::optional<FleetOffice> office_;
  std::uint64_t trust_told_ = 0;  // of its changes
  TimePoint next_refusal_told_;
  std::unique_ptr<port::Hypervisor> hypervisor_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<zmq::ControlServer> control_;
  std::optional<node::Node> node_;
  std::map<std::uint64_t, std::pair<std::uint64_t, node::Question>> asked_;  // by ticket
  TimePoint next_trust_look_;
  TimePoint start_over_at_;  // then never again
  std::string trust_problem_;
  std::string trust_differs_;
  std::string trust_said_;
  std::shared_ptr<const std::map<NodeId, bool>> nodes_said_;
  std::string state_problem_;
  std::vector<node::SelfAlarm> alarms_;
  bool stopped_ = false;
};

}  // namespace

Status run(Config config, LineLog& log, const Reread& reread) {
  Daemon daemon(std::move(config), log, reread);
  if (Status opened = daemon.open(); !opened) return opened;
  return daemon.run();
}

}  // namespace ballast::daemon

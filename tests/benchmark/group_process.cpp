#include "group_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ballast/base/limits.h"
#include "ballast/daemon/control.h"
#include "ballast/wire/codec.h"

namespace ballast::benchmark {
namespace {

namespace option = ::zmq::sockopt;

constexpr double patience_ms = 120'000;
constexpr useconds_t look_every_us = 2'000;
constexpr double between_plans_ms = 50;  // the configured sample interval

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "group_bench: %s\n", why.c_str());
  std::exit(1);
}

void write(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path, std::ios::binary) << text)) give_up("cannot write " + path);
}

}  // namespace

double wall_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

// --- the master ---------------------------------------------------------------------------------

MasterProcess::MasterProcess(const std::string& binary, const GroupLoads& loads)
    : identity_(trust::Identity::fresh()) {
  std::string name = (std::filesystem::temp_directory_path() / "ballast-gb-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) give_up("cannot make a folder " + name);
  folder_ = name;
  for (std::size_t slave = 0; slave < loads.slaves(); ++slave)
    slaves_.push_back(trust::Identity::fresh());
  write_files(loads);
  start(binary);
}

MasterProcess::~MasterProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void MasterProcess::write_files(const GroupLoads& loads) {
  std::string known = "master " + trust::text_of(identity_.public_key()) + " master,slave\n";
  for (std::size_t slave = 0; slave < loads.slaves(); ++slave) {
    known += loads.id(slave).str() + " " + trust::text_of(slaves_[slave].public_key()) + " slave\n";
  }
  write(folder_ + "/trust", known);
  if (!identity_.write_new(folder_ + "/node.key")) give_up("cannot write the key");
  std::filesystem::create_directory(folder_ + "/trace");
  write(folder_ + "/trace/hosts.csv",
        "host,cpu,memory,network,group\nmaster,80000,262144,10000,\n");
  write(folder_ + "/trace/vms.csv", "vm,host,cpu,memory,network\nv,master,1000,1024,1\n");
  write(folder_ + "/trace/cpu.csv", "vm,t0\nv,50\n");
  // A plan follows a report at once: at the least interval between two.
  write(
      folder_ + "/ballast.toml",
      std::string("[node]\nid = \"master\"\nrole = \"master\"\ncluster = \"") +
          GroupLoads::cluster + "\"\nbind = \"tcp://127.0.0.1:0\"\nstate_dir = \"" + folder_ +
          "\"\ncontrol = \"" + folder_ + "/control.sock\"\n" +
          "[sample]\nsample_interval = 0.05\nreport_interval = 600\n" +
          "[plan]\nplan_interval = 3600\n[limits]\nmax_slaves = " + std::to_string(loads.slaves()) +
          "\n[hypervisor]\nkind = \"simulated\"\ntrace = \"" + folder_ + "/trace\"\n");
}

void MasterProcess::start(const std::string& binary) {
  const std::string config = folder_ + "/ballast.toml";
  const std::string log = folder_ + "/log";
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(out, STDERR_FILENO);
    execl(binary.c_str(), "ballast", "run", "--config", config.c_str(), nullptr);
    _exit(127);
  }
  const double until = wall_ms() + patience_ms;
  for (;;) {
    const Result<node::View> view = daemon::ask_status(folder_ + "/control.sock");
    if (view) {
      endpoint_ = view->endpoint;
      return;
    }
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) give_up("the master has ended by itself");
    if (wall_ms() > until) give_up("the master does not answer: " + view.error().message);
    usleep(look_every_us);
  }
}

double MasterProcess::rss_mib() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  give_up("no VmRSS of the master");
}

double MasterProcess::cpu_ms() const {
  double sum = 0;
  const std::string tasks = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    sum += nanoseconds / 1e6;
  }
  return sum;
}

std::uint64_t MasterProcess::plans_made() const {
  const Result<node::View> view = daemon::ask_status(folder_ + "/control.sock");
  if (!view) give_up(view.error().message);
  const auto found = view->counters.find("plans_made");
  return found == view->counters.end() ? 0 : found->second;
}

std::uint64_t MasterProcess::wait_until_quiet() const {
  std::uint64_t made = plans_made();
  double since = wall_ms();
  while (wall_ms() < since + 4 * between_plans_ms) {
    usleep(look_every_us);
    const std::uint64_t now = plans_made();
    if (now != made) since = wall_ms();
    made = now;
  }
  return made;
}

// --- the slaves ---------------------------------------------------------------------------------

Swarm::Swarm(const MasterProcess& master, const GroupLoads& loads) : loads_(loads) {
  context_.set(::zmq::ctxopt::max_sockets, static_cast<int>(limits::sockets_max));
  for (const trust::Identity& identity : master.slaves()) {
    Slave slave;
    slave.socket = ::zmq::socket_t(context_, ::zmq::socket_type::dealer);
    slave.socket.set(option::linger, 0);
    slave.socket.set(option::curve_serverkey, ::zmq::buffer(master.identity().curve_public_key()));
    slave.socket.set(option::curve_publickey, ::zmq::buffer(identity.curve_public_key()));
    slave.socket.set(option::curve_secretkey, ::zmq::buffer(identity.curve_secret_key()));
    slave.socket.connect(master.endpoint());
    slaves_.push_back(std::move(slave));
  }
}

void Swarm::take_answers() {
  ::zmq::message_t bytes;
  for (Slave& slave : slaves_) {
    while (slave.socket.recv(bytes, ::zmq::recv_flags::dontwait)) {
      const Result<wire::Message> message = wire::decode(bytes.to_string_view());
      if (!message) give_up("the master sent no message: " + message.error().message);
      if (const auto* answer = std::get_if<wire::AttachAnswer>(&message->body)) {
        if (!answer->accepted) give_up("the master refuses a slave: " + answer->reason);
        slave.attached = true;
      } else if (const auto* ack = std::get_if<wire::ReportAck>(&message->body)) {
        slave.acknowledged = std::max(slave.acknowledged, ack->sequence);
      }
    }
  }
}

template <class Done>
void Swarm::wait_until(const char* what, Done done) {
  const double until = wall_ms() + patience_ms;
  while (!std::all_of(slaves_.begin(), slaves_.end(), done)) {
    if (wall_ms() > until) give_up(std::string("waited in vain: ") + what);
    take_answers();
    usleep(200);
  }
}

void Swarm::attach_all() {
  for (std::size_t i = 0; i < slaves_.size(); ++i) {
    const std::string bytes = wire::encode(loads_.attach_message(i));
    slaves_[i].socket.send(::zmq::buffer(bytes), ::zmq::send_flags::none);
  }
  wait_until("all attached", [](const Slave& slave) { return slave.attached; });
  for (Slave& slave : slaves_) slave.acknowledged = slave.sequence;
}

void Swarm::report(std::size_t slave, std::uint32_t over) {
  const std::string bytes =
      wire::encode(loads_.report_message(slave, over, ++slaves_[slave].sequence));
  slaves_[slave].socket.send(::zmq::buffer(bytes), ::zmq::send_flags::none);
}

void Swarm::wait_for_acks() {
  wait_until("all reports acknowledged",
             [](const Slave& slave) { return slave.acknowledged == slave.sequence; });
}

}  // namespace ballast::benchmark

#include "demo_fleet.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "ballast/daemon/control.h"
#include "ballast/files/input.h"
#include "ballast/files/store.h"
#include "ballast/files/trace_folder.h"
#include "ballast/trust/keys.h"
#include "ballast/trust/trust_file.h"

namespace ballast::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto start_patience = std::chrono::seconds(10);
constexpr auto start_ask_patience = std::chrono::milliseconds(500);  // then: interrupted?
constexpr auto stop_patience = std::chrono::seconds(3);

Error system_error(const std::string& what) { return Error{what + ": " + std::strerror(errno)}; }

Error interrupted_error() { return Error{"interrupted"}; }

void pause_ms(int milliseconds) {
  const timespec span{milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&span, nullptr);
}

// Quotes a text for TOML.
std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string number_text(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", number);
  return text;
}

std::string random_secret() {
  std::random_device entropy;
  std::string secret;
  for (int i = 0; i < 8; ++i) {
    char word[16];
    std::snprintf(word, sizeof word, "%08x", entropy());
    secret += word;
  }
  return secret;
}

// In the child: becomes a node. Only what is safe between fork and exec.
[[noreturn]] void become_node(pid_t parent, const std::string& log, char* const* arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before we asked to die with it
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  // A group of its own: Ctrl-C is for the demo, which ends its nodes in order.
  setpgid(0, 0);
  execv("/proc/self/exe", arguments);
  _exit(127);
}

}  // namespace

Result<std::unique_ptr<DemoFleet>> DemoFleet::start(const FleetOptions& options) {
  std::unique_ptr<DemoFleet> fleet(new DemoFleet);
  const Status up = fleet->bring_up(options);
  // Whatever else went wrong meanwhile: who ends a program is not told of what it had not done yet.
  if (options.interrupted()) return std::unique_ptr<DemoFleet>();
  if (!up) return up.error();
  return fleet;
}

Status DemoFleet::bring_up(const FleetOptions& options) {
  if (Status prepared = prepare(options); !prepared) return prepared;
  for (std::size_t host = 0; host < masters_; ++host) {
    if (Status written = write_node(options, host, {}); !written) return written;
    if (Status launched = launch(host); !launched) return launched;
  }
  std::vector<std::string> masters;
  for (std::size_t host = 0; host < masters_; ++host) {
    Result<std::string> master = wait_for_master(options, host);
    if (!master) return master.error();
    masters.push_back(std::move(master).value());
  }
  for (std::size_t host = masters_; host < options.trace.hosts.size(); ++host) {
    if (options.interrupted()) return interrupted_error();
    if (Status written = write_node(options, host, masters[host % masters.size()]); !written)
      return written;
    if (Status launched = launch(host); !launched) return launched;
  }
  return {};
}

// Ports of loopback that are free now: the system chooses, and hands them out again late.
Status DemoFleet::choose_beacons() {
  std::vector<int> sockets;
  Status status;
  for (std::size_t i = 0; i < masters_ && status; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int one = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockets.push_back(one);
    if (one < 0 || bind(one, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        getsockname(one, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      status = system_error("cannot take a UDP port on loopback");
    } else {
      beacons_.push_back("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    }
  }
  for (const int one : sockets) {
    if (one >= 0) close(one);
  }
  return status;
}

Status DemoFleet::prepare(const FleetOptions& options) {
  const char* base = std::getenv("TMPDIR");
  std::string name =
      std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/ballast-demo-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return system_error("cannot make the folder " + name);
  folder_ = name;
  masters_ = options.masters;
  if (Status chosen = choose_beacons(); !chosen) return chosen;
  if (Status written = files::write_trace(folder_ + "/trace", options.trace); !written)
    return written;
  if (Status written = files::write_atomically(folder_ + "/trace/secret", random_secret());
      !written)
    return written;
  // One trust file for all: each node believes each, and orders come from masters alone.
  for (std::size_t host = 0; host < options.trace.hosts.size(); ++host) {
    if (options.interrupted()) return interrupted_error();
    Process process;
    process.folder = folder_ + "/" + std::to_string(host);
    process.control = process.folder + "/control.sock";
    if (mkdir(process.folder.c_str(), 0700) != 0)
      return system_error("cannot make the folder " + process.folder);
    const trust::Identity identity = trust::Identity::fresh();
    if (Status written = identity.write_new(process.folder + "/node.key"); !written) return written;
    const trust::TrustedNode node{options.trace.hosts[host].id, identity.public_key(),
                                  host < masters_};
    if (const auto added = trust::add_node(folder_ + "/trust", node); !added) return added.error();
    processes_.push_back(std::move(process));
  }
  return {};
}

Status DemoFleet::write_node(const FleetOptions& options, std::size_t host,
                             const std::string& master) {
  const Process& process = processes_[host];
  const Thresholds& thresholds = options.trace.thresholds;
  std::string text = "[node]\nid = " + toml_text(options.trace.hosts[host].id.str()) +
                     "\nrole = " + (host < masters_ ? "\"master\"" : "\"slave\"") +
                     "\ncluster = \"demo\"\nbind = \"tcp://127.0.0.1:0\"\nseeds = [";
  for (std::size_t i = 0; i < beacons_.size(); ++i)
    text += (i == 0 ? "" : ", ") + toml_text(beacons_[i]);
  text += "]\n";
  if (!master.empty()) text += "master = " + toml_text(master) + "\n";
  text += "state_dir = " + toml_text(process.folder) + "\ncontrol = " + toml_text(process.control) +
          "\n[sample]\nsample_interval = 0.25\nreport_interval = 0.5\n"
          "[plan]\nmode = \"auto\"\nplan_interval = 1\ncooldown = 3\nmax_moves = 1000\n"
          "[plan.thresholds]\ncpu = " +
          number_text(thresholds.cpu) + "\nmemory = " + number_text(thresholds.memory) +
          "\nnetwork = " + number_text(thresholds.network) +
          "\n[mesh]\nbind = \"tcp://127.0.0.1:0\"\ngossip_interval = 0.25\nbeacon = " +
          toml_text(host < masters_ ? beacons_[host] : "127.0.0.1:0") +
          "\n[migrate]\nbandwidth = 16\n[limits]\nmax_slaves = 1000\n[security]\ntrust_file = " +
          toml_text(folder_ + "/trust") +
          "\n[hypervisor]\nkind = \"simulated\"\ntrace = " + toml_text(folder_ + "/trace") +
          "\nspeed = " + number_text(options.speed) +
          "\nstarted_unix_s = " + number_text(options.started_unix_s) + "\n";
  return files::write_atomically(process.folder + "/ballast.toml", text);
}

Status DemoFleet::launch(std::size_t host) {
  Process& process = processes_[host];
  const std::string log = process.folder + "/log";
  std::array<std::string, 4> words = {"ballast", "run", "--config",
                                      process.folder + "/ballast.toml"};
  std::array<char*, 5> arguments = {};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return system_error("cannot start a node");
  if (child == 0) become_node(parent, log, arguments.data());
  process.pid = child;
  return {};
}

Result<std::string> DemoFleet::wait_for_master(const FleetOptions& options, std::size_t master) {
  const auto until = Clock::now() + start_patience;
  for (;;) {
    if (options.interrupted()) return interrupted_error();
    if (Status alive = check_alive(); !alive) return alive.error();
    const Result<node::View> view =
        daemon::ask_status(processes_[master].control, "status", start_ask_patience);
    if (view) return view->id.str() + "@" + view->endpoint;
    if (Clock::now() > until)
      return Error{"a master does not answer: " + view.error().message +
                   "; its log says: " + last_log_line(master)};
    pause_ms(20);
  }
}

Result<node::View> DemoFleet::watch_master(std::size_t master, std::uint64_t events_above) const {
  return daemon::ask_status(processes_[master].control, "watch " + std::to_string(events_above));
}

Result<node::View> DemoFleet::view(std::size_t host) const {
  return daemon::ask_status(processes_[host].control);
}

Status DemoFleet::pause() {
  Status told = Error{"no master runs"};
  for (std::size_t master = 0; master < masters_ && !told; ++master) {
    if (!runs(master)) continue;
    const Result<std::string> answer = daemon::ask_control(processes_[master].control, "pause");
    told = answer ? Status() : Status(answer.error());
  }
  return told;
}

std::string DemoFleet::last_log_line(std::size_t host) const {
  const Result<std::string> log = files::read_input(processes_[host].folder + "/log");
  if (!log || log->empty()) return "nothing";
  std::string text = *log;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

Status DemoFleet::check_alive() {
  for (std::size_t host = 0; host < processes_.size(); ++host) {
    Process& process = processes_[host];
    if (process.pid < 0 || waitpid(process.pid, nullptr, WNOHANG) != process.pid) continue;
    process.pid = -1;
    return Error{"node " + std::to_string(host) +
                 " has ended; its log says: " + last_log_line(host)};
  }
  return {};
}

void DemoFleet::kill(std::size_t host) {
  Process& process = processes_[host];
  if (process.pid <= 0) return;
  ::kill(process.pid, SIGKILL);
  waitpid(process.pid, nullptr, 0);
  process.pid = -1;
}

void DemoFleet::stop() {
  for (const Process& process : processes_) {
    if (process.pid > 0) ::kill(process.pid, SIGTERM);
  }
  const auto until = Clock::now() + stop_patience;
  for (Process& process : processes_) {
    while (process.pid > 0 && waitpid(process.pid, nullptr, WNOHANG) == 0) {
      if (Clock::now() > until) ::kill(process.pid, SIGKILL);
      pause_ms(5);
    }
    process.pid = -1;
  }
}

DemoFleet::~DemoFleet() {
  stop();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace ballast::cli

// The first hour of a new fleet, as its operator reads it: every text that the program prints on
// the way, compared with a file. Whoever changes one of them sees all of them in the diff.
//
//   BALLAST_TRANSCRIPT=write meson test -C build first-hour     writes the file anew

#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "answer_text.h"
#include "ballast/world/world.h"
#include "common/plain_words.h"
#include "status_text.h"

namespace ballast {
namespace {

using namespace std::chrono_literals;

struct Busy {
  const char* name;
  std::uint32_t host;
  std::vector<float> percent;  // of one host, minute by minute; the last one stays
};

std::shared_ptr<const Trace> three_hosts() {
  constexpr std::size_t minutes = 240;
  auto trace = std::make_shared<Trace>();
  trace->interval = 1min;
  for (const char* id : {"h1", "h2", "h3"})
    trace->hosts.push_back({HostId(id), {10000, 65536, 10000}, "a"});
  for (const Busy& busy :
       {Busy{"web", 0, {20}}, Busy{"db", 1, {30}}, Busy{"app", 1, {20, 20, 20, 20, 45}},
        Busy{"cache", 1, {12}}, Busy{"mail", 2, {10}}}) {
    TraceVm vm;
    vm.id = VmId(busy.name);
    vm.host = busy.host;
    vm.size = {10000, 4096, 10};
    vm.cpu_percent = busy.percent;
    vm.cpu_percent.resize(minutes, busy.percent.back());
    trace->vms.push_back(std::move(vm));
  }
  return trace;
}

class Hour {
 public:
  Hour() : world_(settings(), three_hosts()) {}

  std::string text() const { return text_; }

  void pass(Duration span, const std::string& what) {
    world_.run_for(span);
    text_ += "\n# after " + std::to_string(static_cast<long>(seconds_of(world_.elapsed()))) +
             " s: " + what + "\n";
  }
  world::World& world() { return world_; }

  void status(std::size_t at) { said(at, "status", cli::status_text(world_.view(at), false)); }
  void events(std::size_t at, bool here = false) {
    node::Question question;
    question.here = here;
    const wire::Reply reply = ask(at, question);
    // As on a host where the hour begins at midnight of the first day of 1970.
    const auto now = static_cast<std::time_t>(seconds_of(world_.elapsed()));
    said(at, here ? "events --here" : "events", cli::events_text(reply, {now, true, false}));
  }
  void why(std::size_t at, const char* vm) {
    node::Question question;
    question.subject = wire::Subject::why;
    question.vm = VmId(vm);
    answer(at, std::string("why ") + vm, ask(at, question), cli::facts_text);
  }
  void about(std::size_t at, wire::Subject subject, const char* host) {
    node::Question question;
    question.subject = subject;
    question.host = HostId(host);
    answer(at, std::string(wire::name_of(subject)) + " " + host, ask(at, question),
           cli::drain_text);
  }
  void verdict(std::size_t at, const std::string& command, const Status& status) {
    said(at, command, status.ok() ? "(done)\n" : "ballast: " + status.error().message + "\n");
  }

 private:
  static world::Settings settings() {
    world::Settings settings;
    settings.seed = 2;
    settings.through_bytes = true;
    settings.timing.link_mib_s = 100;
    settings.adjust = [](std::size_t node, Config& config) {
      config.node.role = node == 0 ? Role::master : node == 1 ? Role::automatic : Role::slave;
    };
    settings.trusts = [](std::size_t, std::size_t about) { return about < 2; };
    return settings;
  }
  wire::Reply ask(std::size_t at, const node::Question& question) {
    const std::uint64_t ticket = world_.ask(at, question);
    for (int tries = 0; tries < 400 && !world_.answer(at, ticket); ++tries) world_.run_for(100ms);
    const auto reply = world_.answer(at, ticket);
    REQUIRE(reply.has_value());
    return *reply;
  }
  void answer(std::size_t at, const std::string& command, const wire::Reply& reply,
              std::string (*show)(const wire::Reply&)) {
    const bool yes = reply.answered == wire::Answered::yes;
    const std::string head = reply.text.empty() ? "" : (yes ? "" : "ballast: ") + reply.text + "\n";
    said(at, command, yes ? head + show(reply) : show(reply) + head);
  }
  void said(std::size_t at, const std::string& command, const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(test::what_is_raw(line) == "");
    text_ += "\nh" + std::to_string(at + 1) + "$ ballast " + command + "\n" + text;
  }

  world::World world_;
  std::string text_;
};

// The commands before the first start, by the binary itself. Keys and folders differ each time.
class Install {
 public:
  Install() : folder_(std::filesystem::temp_directory_path() / "ballast-first-hour-XXXXXX") {
    std::string name = folder_.string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~Install() { std::filesystem::remove_all(folder_); }
  Install(const Install&) = delete;
  Install& operator=(const Install&) = delete;

  std::string run(std::string arguments) {
    const std::string shown = arguments;
    for (const auto& [word, path] : {std::pair{"STATE", folder_.string()}, {"KEY", key_}}) {
      const std::size_t at = arguments.find(word);
      if (at != std::string::npos) arguments.replace(at, std::strlen(word), path);
    }
    const char* binary = std::getenv("BALLAST_BINARY");
    REQUIRE(binary != nullptr);
    FILE* pipe = popen((std::string(binary) + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
    const int code = WEXITSTATUS(pclose(pipe));
    if (arguments.starts_with("keygen") && code == 0) key_ = said.substr(0, said.find('\n'));
    for (const auto& [path, word] : {std::pair{folder_.string(), "STATE"}, {key_, "KEY"}})
      for (std::size_t at = 0; !path.empty() && (at = said.find(path)) != std::string::npos;)
        said.replace(at, path.size(), word);
    return "\nh1$ ballast " + shown + "\n" + said +
           (code == 0 ? "" : "(exit code " + std::to_string(code) + ")\n");
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

 private:
  std::filesystem::path folder_;
  std::string key_;
};

std::string install() {
  Install h1;
  std::string text = "# before the first start\n";
  text += h1.run("keygen --state-dir STATE");
  text += h1.run("trust add h1 KEY --master --state-dir STATE");
  text += h1.run("trust add h2 --master --state-dir STATE");
  text += h1.run("trust list --state-dir STATE");
  h1.write("ballast.toml", "[node]\nid = \"h1\"\nrole = \"mistress\"\n");
  text += h1.run("check-config STATE/ballast.toml");
  text += h1.run("status --control STATE/control.sock");
  return text;
}

std::string first_hour() {
  using wire::Subject;
  Hour hour;
  hour.pass(3s, "the three nodes have started");
  hour.status(0);
  hour.status(2);
  hour.pass(87s, "all is quiet");
  hour.status(0);
  hour.status(1);
  hour.events(0);
  hour.about(0, Subject::promote, "h3");
  hour.pass(190s, "app has begun to work");
  hour.status(0);
  hour.why(0, "app");
  hour.pass(120s, "its host is relieved");
  hour.status(0);
  hour.events(0);
  hour.why(2, "app");
  hour.about(2, Subject::drain, "h2");
  hour.pass(240s, "h2 was drained");
  hour.status(0);
  hour.verdict(2, "pause", hour.world().set_balancing(2, true));
  hour.verdict(0, "pause", hour.world().set_balancing(0, true));
  hour.pass(5s, "balancing is paused");
  hour.status(0);
  hour.status(2);
  hour.about(0, Subject::drain, "h1");
  hour.verdict(0, "resume", hour.world().set_balancing(0, false));
  hour.about(0, Subject::undrain, "h2");
  hour.about(0, Subject::forget, "h3");
  hour.world().lose_host(2);
  hour.pass(300s, "h3 has lost its power");
  hour.status(0);
  hour.why(0, "mail");
  hour.pass(35min, "and nobody came");
  hour.status(0);
  hour.why(0, "mail");
  hour.about(1, Subject::forget, "h3");
  hour.status(0);
  hour.world().lose_host(0);
  hour.pass(120s, "h1 has lost its power, too");
  hour.status(1);
  hour.events(1);
  hour.about(1, Subject::promote, "h2");
  hour.verdict(1, "demote", hour.world().demote(1));
  hour.world().audit_all();
  CHECK(hour.world().findings().empty());
  return hour.text();
}

TEST_CASE("the first hour of a new fleet reads as it is written down") {
  const char* const path = BALLAST_FIRST_HOUR;
  const std::string text = install() + first_hour();
  if (const char* wish = std::getenv("BALLAST_TRANSCRIPT");
      wish != nullptr && std::string(wish) == "write") {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  const std::string known((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::istringstream is(text);
  std::istringstream was(known);
  int number = 0;
  for (std::string line, before; std::getline(is, line); ++number) {
    std::getline(was, before);
    CAPTURE(number + 1);
    REQUIRE(line == before);
  }
  CHECK(text == known);
}

}  // namespace
}  // namespace ballast

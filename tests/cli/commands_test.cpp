// The commands that only read files, through the real binary: exit codes, one line an error,
// streams that are closed or full.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "common/folder.h"

namespace {

using ballast::holds;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class Shell {
 public:
  Shell() {
    const char* binary = std::getenv("BALLAST_BINARY");
    REQUIRE_MESSAGE(binary != nullptr, "BALLAST_BINARY names the binary to test");
    binary_ = binary;
  }
  std::string write(const std::string& name, const std::string& text) const {
    return folder_.write(name, text);
  }
  // Runs a line of shell in which $B is the binary, in the folder of this test.
  Outcome run(const std::string& line) const {
    const std::string script = "cd '" + folder_.path() + "' && B='" + binary_ + "' && { " + line +
                               "\n} >out.txt 2>err.txt";
    const int status = std::system(script.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, folder_.read("out.txt"),
            folder_.read("err.txt")};
  }

 private:
  ballast::Folder folder_;
  std::string binary_;
};

void check_one_line_error(const Outcome& outcome, const std::string& part) {
  CAPTURE(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.starts_with("ballast: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK_MESSAGE(holds(outcome.err, part), "lacks " << part);
}

const std::string snapshot = R"({"format": "ballast-snapshot/1",
 "hosts": [{"id": "h1", "cpu": 100, "memory": 100}, {"id": "h2", "cpu": 100, "memory": 100}],
 "vms": [{"id": "v1", "host": "h1", "cpu": 50, "memory": 10},
         {"id": "v2", "host": "h1", "cpu": 40, "memory": 20}]})";

TEST_CASE("plan prints ballast-plan/1, from a file or from standard input") {
  const Shell shell;
  shell.write("s.json", snapshot);
  for (const char* line :
       {"$B plan --json s.json", "$B plan s.json --json", "$B plan --json - <s.json",
        "xz -c s.json >s.bin && $B plan --json s.bin"}) {
    CAPTURE(line);
    const Outcome outcome = shell.run(line);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(holds(outcome.out, R"({"format":"ballast-plan/1","migrations":[{"vm":"v)"));
    CHECK(holds(outcome.out, R"("lower_bound":1,"elapsed_ms":)"));
  }
}

TEST_CASE("plan without --json is a table that says what moves, and why") {
  const Shell shell;
  shell.write("s.json", snapshot);
  const Outcome outcome = shell.run("$B plan s.json");
  CAPTURE(outcome.out);
  CHECK(outcome.code == 0);
  CHECK(holds(outcome.out, "2 hosts, 2 VMs"));
  CHECK(holds(outcome.out, "1 before, 0 after"));
  CHECK(holds(outcome.out, "h1 cpu at 90.0 %, 10.0 points over"));
  CHECK(holds(outcome.out, "Spare under the thresholds"));
}

TEST_CASE("an answer of nothing to do, or with a surplus, is no error") {
  const Shell shell;
  shell.write("empty.json", R"({"format": "ballast-snapshot/1", "hosts": [], "vms": []})");
  CHECK(shell.run("$B plan empty.json").code == 0);
  CHECK(shell.run("$B plan --json empty.json").code == 0);
  shell.write("alone.json",
              R"({"format": "ballast-snapshot/1", "hosts": [{"id": "h", "cpu": 10, "memory": 10}],
                  "vms": [{"id": "v", "host": "h", "cpu": 10, "memory": 1}]})");
  const Outcome outcome = shell.run("$B plan alone.json");
  CHECK(outcome.code == 0);
  CHECK(holds(outcome.out, "Surplus: should move and does not"));
}

TEST_CASE("wrong usage and wrong input are one line and exit code 2") {
  const Shell shell;
  shell.write("bad.json", "{\"format\": 1}");
  check_one_line_error(shell.run("$B"), "no command given");
  check_one_line_error(shell.run("$B nonsense"), "nonsense");
  check_one_line_error(shell.run("$B \"$(printf 'a\\nb')\""), "a");
  check_one_line_error(shell.run("$B plan"), "SNAPSHOT");
  check_one_line_error(shell.run("$B plan --jsno x"), "--jsno");
  check_one_line_error(shell.run("$B plan a b"), "'ballast plan --help' tells more");
  check_one_line_error(shell.run("$B plan missing"), "missing: cannot be opened");
  check_one_line_error(shell.run("$B plan ."), "is a directory");
  check_one_line_error(shell.run("$B plan bad.json"), "bad.json:1: format: found 1, expected");
  check_one_line_error(shell.run("$B plan - </dev/null"), "standard input: is empty");
  check_one_line_error(shell.run("$B plan - <&-"), "standard input: cannot be read");
  check_one_line_error(shell.run("$B plan \"$(printf 'x\\ny')\""), "x?y: cannot be opened");
  check_one_line_error(shell.run("$B check-config missing"), "missing: cannot be opened");
  check_one_line_error(shell.run("$B version extra"), "extra");
}

TEST_CASE("check-config tells every mistake, or what the file amounts to") {
  const Shell shell;
  shell.write("bad.toml", "[node]\nrole = \"master\"\n[plan]\ntarget = 2\ndwel = 1\n");
  const Outcome bad = shell.run("$B check-config bad.toml");
  CHECK(bad.code == 2);
  CHECK(bad.out.empty());
  CHECK(std::count(bad.err.begin(), bad.err.end(), '\n') == 2);
  CHECK(holds(bad.err, "bad.toml:4: plan.target: found 2"));
  CHECK(
      holds(bad.err, "bad.toml:5: found the unknown key 'dwel' in [plan]; did you mean 'dwell'?"));
  const Outcome json = shell.run("$B check-config --json bad.toml");
  CHECK(json.code == 2);
  CHECK(holds(json.out, R"("ok":false,"errors":["bad.toml:4: )"));
  shell.write("good.toml", "[node]\nrole = \"master\"\n");
  const Outcome good = shell.run("$B check-config good.toml");
  CHECK(good.code == 0);
  CHECK(good.out.starts_with("ok: good.toml\n"));
  CHECK(holds(good.out, "plan_interval = 180 s"));
  CHECK(holds(shell.run("$B check-config --json good.toml").out, R"("ok":true,"errors":[])"));
}

TEST_CASE("snapshot tells who is silent, and prints the others for plan") {
  const Shell shell;
  const Outcome some =
      shell.run("$B snapshot qemu+tcp://127.0.0.1:1/system test:///default --shared-path /guest");
  CHECK(some.code == 1);
  CHECK(holds(some.err, "ballast: qemu+tcp://127.0.0.1:1/system: connecting to libvirt at"));
  CHECK(holds(some.err, "note: "));
  CHECK(holds(some.out, "\"id\":\"test\""));
  const Outcome planned = shell.run("$B snapshot test:///default 2>/dev/null | $B plan -");
  CHECK(planned.code == 0);
  CHECK(holds(planned.out, "1 host, 1 VM"));
  const Outcome none = shell.run("$B snapshot nonsense");
  CHECK(none.code == 1);
  CHECK(none.out.empty());
  CHECK(holds(none.err, "no host has answered"));
}

TEST_CASE("version names this binary and the libraries it runs with") {
  const Shell shell;
  const Outcome text = shell.run("$B version");
  CHECK(text.code == 0);
  CHECK(text.out.starts_with("ballast "));
  for (const char* library : {"libzmq", "libsodium", "libvirt", "liblzma"}) {
    CHECK(holds(text.out, library));
    CHECK(holds(shell.run("$B version --json").out, library));
  }
}

TEST_CASE("help goes to standard output, for the binary and for each command") {
  const Shell shell;
  const Outcome help = shell.run("$B --help");
  CHECK(help.code == 0);
  CHECK(holds(help.out, "Exit codes: 0 done"));
  CHECK(help.err.empty());
  const Outcome plan = shell.run("$B plan --help");
  CHECK(plan.code == 0);
  CHECK(holds(plan.out, "ballast plan"));
  CHECK(holds(plan.out, "Examples:"));
}

TEST_CASE("a reader that stops is no error; a full disk and a closed stream are") {
  const Shell shell;
  std::string many = R"({"format": "ballast-snapshot/1", "vms": [], "hosts": [)";
  for (int n = 0; n < 20000; ++n)
    many += std::string(n == 0 ? "" : ",") + R"({"id":"h)" + std::to_string(n) +
            R"(","cpu":1,"memory":1})";
  shell.write("many.json", many + "]}");
  const Outcome reader =
      shell.run("{ $B plan --json many.json; echo $? >&2; } | head -c 10 >/dev/null");
  CHECK(reader.err == "0\n");
  for (const char* line : {"$B plan --json many.json >/dev/full", "$B version >/dev/full",
                           "$B --help >/dev/full", "$B version >&-"}) {
    CAPTURE(line);
    check_one_line_error(shell.run(line), "standard output: cannot be written");
  }
  CHECK(shell.run("$B version 2>&-").code == 0);
  CHECK(shell.run("$B plan missing 2>&-").code == 2);
  CHECK(shell.run("$B plan missing 2>/dev/full").code == 2);
}

}  // namespace

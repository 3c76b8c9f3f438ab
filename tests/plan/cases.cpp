#include "plan/cases.h"

#include <fstream>
#include <sstream>

namespace ballast::test {
namespace {

double number(std::istream& in) {
  std::string word;
  in >> word;
  return word == "inf" ? unlimited : std::stod(word);
}

Resources resources(std::istream& in) {
  Resources r;
  r.cpu_mhz = number(in);
  r.memory_mib = number(in);
  r.network_mbit = number(in);
  return r;
}

Host read_host(std::istream& in, std::size_t index) {
  Host host;
  host.id = HostId("h" + std::to_string(index));
  host.capacity = resources(in);
  const Resources thresholds = resources(in);
  for (const Resource r : all_resources) host.thresholds[r] = thresholds[r];
  host.maintenance = number(in) > 0;
  host.base = resources(in);
  return host;
}

Vm read_vm(std::istream& in, std::size_t index) {
  Vm vm;
  vm.id = VmId("v" + std::to_string(index));
  vm.host = static_cast<HostIndex>(number(in));
  vm.load = resources(in);
  vm.movable = number(in) > 0;
  return vm;
}

Rule read_rule(std::istream& in) {
  Rule rule;
  std::string word;
  in >> word;
  rule.type = word == "affinity"        ? RuleType::affinity
              : word == "anti_affinity" ? RuleType::anti_affinity
                                        : RuleType::hosts;
  bool hosts = false;
  while (in >> word) {
    if (word == ":") {
      hosts = true;
    } else {
      (hosts ? rule.hosts : rule.vms).push_back(static_cast<std::uint32_t>(std::stoul(word)));
    }
  }
  return rule;
}

}  // namespace

std::vector<Case> read_cases(const std::string& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream in(line);
    std::string word;
    in >> word;
    if (word == "case") {
      Case& made = cases.emplace_back();
      in >> made.seed >> made.family;
      continue;
    }
    if (cases.empty()) continue;
    Case& now = cases.back();
    if (word == "host") now.snapshot.hosts.push_back(read_host(in, now.snapshot.hosts.size()));
    if (word == "vm") now.snapshot.vms.push_back(read_vm(in, now.snapshot.vms.size()));
    if (word == "rule") now.snapshot.rules.push_back(read_rule(in));
    if (word == "optimum") in >> now.cost >> now.overload >> now.migrations;
  }
  return cases;
}

}  // namespace ballast::test

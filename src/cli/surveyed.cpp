#include "surveyed.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "ballast/base/ids.h"
#include "ballast/base/limits.h"
#include "ballast/base/words.h"

namespace ballast::cli {
namespace {

std::string brief_of(const std::string& name) {
  const std::string brief = name.substr(0, name.find('.'));
  return is_valid_id(brief) ? brief : name;
}

// What host a URI names, for one that has no name of its own.
std::string host_in(const std::string& uri) {
  const std::size_t begin = uri.find("://");
  if (begin == std::string::npos) return uri;
  const std::size_t end = uri.find('/', begin + 3);
  const std::string host = uri.substr(begin + 3, end - begin - 3);
  return host.empty() ? uri : host;
}

// An incoming VM is counted where it still runs.
bool is_here(const VmSample& vm) {
  return vm.presence != Presence::incoming && vm.presence != Presence::absent;
}

class Joiner {
 public:
  Surveyed join(const std::vector<std::pair<std::string, Result<libvirt::Survey>>>& surveys);

 private:
  void name_hosts(const std::vector<std::pair<std::string, const libvirt::Survey*>>& told);
  void add_vms(HostIndex host, const libvirt::Survey& survey);
  void add_rules(const libvirt::Survey& survey);
  void note_missing(const std::vector<std::pair<std::string, const libvirt::Survey*>>& told);
  void finish_rules();
  void note(HostIndex host, const std::string& text) {
    out_.notes.push_back(out_.snapshot.hosts[host].id.str() + ": " + text);
  }

  Surveyed out_;
  std::map<VmId, VmIndex> index_;
  std::map<std::string, std::vector<VmIndex>> together_;  // by group
  std::map<std::string, std::vector<VmIndex>> apart_;
  std::vector<std::pair<VmIndex, std::vector<HostId>>> only_;
};

void Joiner::name_hosts(const std::vector<std::pair<std::string, const libvirt::Survey*>>& told) {
  std::map<std::string, int> brief;
  std::map<std::string, int> full;
  for (const auto& [uri, survey] : told) {
    ++brief[brief_of(survey->host)];
    ++full[survey->host];
  }
  std::set<std::string> taken;
  for (const auto& [uri, survey] : told) {
    std::string name = brief_of(survey->host);
    if (brief[name] > 1) name = survey->host;
    if (full[survey->host] > 1 || !is_valid_id(name)) name = host_in(uri);
    for (int n = 2; taken.contains(name) || !is_valid_id(name); ++n)
      name = "host-" + std::to_string(n);
    taken.insert(name);
    Host host;
    host.id = HostId(name);
    host.capacity = survey->sample.capacity;
    host.base = survey->sample.base;
    out_.snapshot.hosts.push_back(std::move(host));
  }
}

void Joiner::add_vms(HostIndex host, const libvirt::Survey& survey) {
  for (const VmSample& seen : survey.sample.vms) {
    if (!is_here(seen)) continue;
    Vm vm;
    vm.id = seen.id;
    vm.host = host;
    vm.load = seen.load;
    vm.movable = seen.movable;
    vm.immovable_reason = seen.immovable_reason;
    if (seen.presence != Presence::running && vm.movable) {
      vm.movable = false;
      vm.immovable_reason = std::string("it is ") + name_of(seen.presence);
    }
    if (const auto other = index_.find(vm.id); other != index_.end()) {
      const HostIndex there = out_.snapshot.vms[other->second].host;
      const std::string name = vm.id.str();
      vm.id = VmId(
          (name + " on " + out_.snapshot.hosts[host].id.str()).substr(0, limits::id_bytes_max));
      vm.movable = false;
      vm.immovable_reason = "another VM has its name";
      note(host, "VM " + quoted(name) + " is on " + out_.snapshot.hosts[there].id.str() +
                     ", too: two VMs of one name cannot be told apart, so the second stays");
      if (index_.contains(vm.id)) continue;
    }
    index_.emplace(vm.id, static_cast<VmIndex>(out_.snapshot.vms.size()));
    out_.snapshot.vms.push_back(std::move(vm));
  }
}

void Joiner::add_rules(const libvirt::Survey& survey) {
  for (const libvirt::SurveyedRules& rules : survey.rules) {
    const auto found = index_.find(rules.vm);
    if (found == index_.end()) continue;
    for (const std::string& group : rules.affinity) together_[group].push_back(found->second);
    for (const std::string& group : rules.anti_affinity) apart_[group].push_back(found->second);
    if (!rules.hosts.empty()) only_.emplace_back(found->second, rules.hosts);
  }
}

void Joiner::finish_rules() {
  const auto add_groups = [&](RuleType type, auto& groups) {
    for (auto& [name, vms] : groups) {
      std::sort(vms.begin(), vms.end());
      vms.erase(std::unique(vms.begin(), vms.end()), vms.end());
      if (vms.size() > 1) out_.snapshot.rules.push_back({type, vms, {}});
    }
  };
  add_groups(RuleType::affinity, together_);
  add_groups(RuleType::anti_affinity, apart_);
  for (const auto& [vm, wanted] : only_) {
    Rule rule{RuleType::hosts, {vm}, {}};
    for (HostIndex host = 0; host < out_.snapshot.hosts.size(); ++host) {
      if (std::find(wanted.begin(), wanted.end(), out_.snapshot.hosts[host].id) != wanted.end())
        rule.hosts.push_back(host);
    }
    Vm& bound = out_.snapshot.vms[vm];
    if (!rule.hosts.empty()) {
      out_.snapshot.rules.push_back(std::move(rule));
    } else if (bound.movable) {
      bound.movable = false;
      bound.immovable_reason = "metadata: none of the hosts that it names is here";
    }
  }
}

// What is missing everywhere is said once.
void Joiner::note_missing(const std::vector<std::pair<std::string, const libvirt::Survey*>>& told) {
  std::map<std::string, std::vector<HostIndex>> of;
  std::vector<std::string> order;
  for (HostIndex host = 0; host < told.size(); ++host) {
    for (const std::string& what : told[host].second->missing) {
      std::vector<HostIndex>& hosts = of[what];
      if (hosts.empty()) order.push_back(what);
      hosts.push_back(host);
    }
  }
  for (const std::string& what : order) {
    const std::vector<HostIndex>& hosts = of[what];
    if (hosts.size() > 1 && hosts.size() == told.size()) {
      out_.notes.push_back("every host: libvirt does not tell " + what);
    } else {
      for (const HostIndex host : hosts) note(host, "libvirt does not tell " + what);
    }
  }
}

Surveyed Joiner::join(const std::vector<std::pair<std::string, Result<libvirt::Survey>>>& surveys) {
  std::vector<std::pair<std::string, const libvirt::Survey*>> told;
  std::map<std::string, std::string> uri_of;  // by UUID
  for (const auto& [uri, survey] : surveys) {
    if (!survey) {
      out_.silent.push_back(uri + ": " + survey.error().message);
      continue;
    }
    if (!survey->uuid.empty()) {
      const auto [first, is_new] = uri_of.emplace(survey->uuid, uri);
      if (!is_new) {
        out_.notes.push_back(uri + " is the same host as " + first->second + ": it counts once");
        continue;
      }
    }
    told.emplace_back(uri, &*survey);
  }
  name_hosts(told);
  for (HostIndex host = 0; host < told.size(); ++host) {
    add_vms(host, *told[host].second);
  }
  note_missing(told);
  for (const auto& [uri, survey] : told) add_rules(*survey);
  finish_rules();
  return std::move(out_);
}

}  // namespace

Surveyed join_surveys(const std::vector<std::pair<std::string, Result<libvirt::Survey>>>& surveys) {
  return Joiner().join(surveys);
}

void add_survey_options(CLI::App& command, const std::shared_ptr<SurveyLine>& line) {
  command.add_option("URI", line->uris, "libvirt URIs, one a host: qemu+ssh://h1/system")
      ->required();
  command
      .add_option("--shared-path", line->options.shared_paths,
                  "A folder or device that is the same on all hosts; may be given again")
      ->allow_extra_args(false);
  command.add_flag("--opt-in", line->options.opt_in,
                   "Only VMs whose metadata say policy=\"movable\" may move");
  command.add_option("--timeout", line->patience_s, "Seconds to wait for the slowest host")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
}

SurveyFleet::SurveyFleet(const SurveyLine& line) : patience_(duration_of_seconds(line.patience_s)) {
  for (const std::string& uri : line.uris)
    surveyors_.push_back(std::make_unique<libvirt::Surveyor>(uri, line.options));
}

Surveyed SurveyFleet::look() {
  const auto until = std::chrono::steady_clock::now() + patience_;
  for (const auto& one : surveyors_) one->begin();
  std::vector<std::pair<std::string, Result<libvirt::Survey>>> surveys;
  for (const auto& one : surveyors_) {
    const auto left = until - std::chrono::steady_clock::now();
    std::optional<Result<libvirt::Survey>> found =
        one->take(std::max(Duration(0), std::chrono::duration_cast<Duration>(left)));
    if (!found)
      found = Error{"no answer within " + ballast::in_words(patience_) +
                    " (--timeout); is the host there, and libvirtd alive?"};
    surveys.emplace_back(one->uri(), std::move(*found));
  }
  return join_surveys(surveys);
}

}  // namespace ballast::cli

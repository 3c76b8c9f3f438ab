// Several hosts, each seen through its own libvirt, as one snapshot.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "ballast/base/time.h"
#include "ballast/libvirt/survey.h"
#include "ballast/model/snapshot.h"

namespace ballast::cli {

struct SurveyLine {
  std::vector<std::string> uris;
  libvirt::SurveyOptions options;
  double patience_s = 30;  // for one look at all hosts
};

// Declares URI..., --shared-path, --opt-in and --timeout.
void add_survey_options(CLI::App& command, const std::shared_ptr<SurveyLine>& line);

struct Surveyed {
  Snapshot snapshot;
  std::vector<std::string> silent;  // "URI: why", of hosts that are not in it
  std::vector<std::string> notes;   // what to know of those that are
};

// What the surveys say together: each host once, each VM once, rules between groups of VMs as rules
// between VMs. Ids are the hosts' names, brief where that tells them apart.
Surveyed join_surveys(const std::vector<std::pair<std::string, Result<libvirt::Survey>>>& surveys);

class SurveyFleet {
 public:
  explicit SurveyFleet(const SurveyLine& line);
  // All at once; whoever has not answered in time is silent.
  Surveyed look();

 private:
  Duration patience_;
  std::vector<std::unique_ptr<libvirt::Surveyor>> surveyors_;
};

}  // namespace ballast::cli

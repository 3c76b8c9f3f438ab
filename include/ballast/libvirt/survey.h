// Hosts as they are, seen through libvirt alone: from anywhere, read-only, without anything of ours
// on them. What `ballast snapshot` and `ballast record` look with. Source: design, section 8.
//
// What libvirt does not tell from afar is named in `missing`, never guessed in silence. A libvirt
// that hangs holds up its own thread, which is left behind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/result.h"
#include "ballast/base/time.h"
#include "ballast/model/hypervisor.h"

namespace ballast::libvirt {

struct SurveyOptions {
  std::vector<std::string> shared_paths;  // as [hypervisor] shared_paths
  bool opt_in = false;                    // as [hypervisor] opt_in
  // The least over which a rate is taken; a second look is taken where there is no earlier one.
  Duration between_looks = std::chrono::seconds(1);
};

// What the owner of a VM has asked for in its metadata (src/libvirt/description.h).
struct SurveyedRules {
  VmId vm;
  std::vector<std::string> affinity;       // groups
  std::vector<std::string> anti_affinity;  // groups
  std::vector<HostId> hosts;               // empty: any
};

struct Survey {
  std::string host;  // its own name for itself
  std::string uuid;  // by which the same host is known under two URIs; empty: libvirt does not tell
  HostSample sample;
  std::vector<SurveyedRules> rules;  // of the VMs that have some
  std::vector<std::string> missing;  // what cannot be told of this host, and what stands for it
};

class Connector;

class Surveyor {
 public:
  // Nothing is asked yet. Any URI of libvirt's; one over SSH never asks for a password.
  Surveyor(const std::string& uri, const SurveyOptions& options);
  // The same on another libvirt than the real one: for tests.
  Surveyor(std::string uri, const SurveyOptions& options, std::shared_ptr<Connector> connector);
  Surveyor(const Surveyor&) = delete;
  Surveyor& operator=(const Surveyor&) = delete;
  ~Surveyor();  // does not wait for a look that is under way

  const std::string& uri() const { return uri_; }
  // Takes a look, in a thread of its own; nothing new while the last one is still under way.
  void begin();
  // What the look has found, waited for at most so long; nothing while libvirt does not answer.
  std::optional<Result<Survey>> take(Duration patience);

 private:
  struct State;
  std::string uri_;
  std::shared_ptr<State> state_;
};

}  // namespace ballast::libvirt

#include "ballast/model/config.h"

namespace ballast {

const char* name_of(Role role) {
  switch (role) {
    case Role::master: return "master";
    case Role::slave: return "slave";
    case Role::automatic: return "auto";
  }
  return "?";
}

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::recommend: return "recommend";
    case Mode::approve: return "approve";
    case Mode::act: return "auto";
  }
  return "?";
}

const char* name_of(EstimatorKind kind) {
  switch (kind) {
    case EstimatorKind::latest: return "latest";
    case EstimatorKind::mean: return "mean";
    case EstimatorKind::trend: return "trend";
  }
  return "?";
}

const char* name_of(HypervisorKind kind) {
  switch (kind) {
    case HypervisorKind::simulated: return "simulated";
    case HypervisorKind::libvirt: return "libvirt";
  }
  return "?";
}

const char* name_of(Carrier carrier) {
  switch (carrier) {
    case Carrier::tls: return "tls";
    case Carrier::tcp: return "tcp";
  }
  return "?";
}

}  // namespace ballast

// The settings of a node, as plain values with their defaults. conf/ballast.toml explains each one
// with unit, range and trade-off; files/config.h reads them from TOML. Durations of the file are in
// seconds; here they are Durations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ballast/base/ids.h"
#include "ballast/base/time.h"
#include "ballast/model/resources.h"

namespace ballast {

enum class Role : unsigned char { master, slave, automatic };
enum class Mode : unsigned char { recommend, approve, act };  // "recommend", "approve", "auto"
enum class EstimatorKind : unsigned char { latest, mean, trend };
enum class HypervisorKind : unsigned char { simulated, libvirt };
// How libvirt carries a migration: all of it encrypted, or nothing.
enum class Carrier : unsigned char { tls, tcp };

const char* name_of(Role role);
const char* name_of(Mode mode);
const char* name_of(EstimatorKind kind);
const char* name_of(HypervisorKind kind);
const char* name_of(Carrier carrier);

// Where a node can be reached: "tcp://address:port", and whose key is expected there.
struct PeerAddress {
  NodeId id;
  std::string endpoint;
  bool operator==(const PeerAddress&) const = default;
};

struct NodeSettings {
  NodeId id;  // empty: the host's UUID
  Role role = Role::slave;
  std::string cluster = "ballast";
  std::string bind = "tcp://0.0.0.0:7720";
  std::string advertise;  // endpoint that others connect to; empty: bind, if it names one
  std::optional<PeerAddress> master;  // of a slave: "ID@tcp://host:port"
  std::vector<std::string> seeds;     // beacon addresses on routed networks
  std::string state_dir = "/var/lib/ballast";
  std::string control = "/run/ballast/control.sock";
};

struct SampleSettings {
  Duration sample_interval = std::chrono::seconds(10);
  Duration report_interval = std::chrono::seconds(60);
  EstimatorKind estimator = EstimatorKind::mean;
};

struct PlanSettings {
  Mode mode = Mode::recommend;
  Duration plan_interval = std::chrono::seconds(180);
  Thresholds thresholds;
  double target = 1;  // share of the threshold that a plan fills hosts up to: see target_of
  // What a migration must take off the overload of a host that stays over its threshold all the
  // same, as a share of its capacity (plan::Options).
  double min_gain = 0.005;
  std::uint32_t dwell = 2;  // samples over the threshold before a host counts as overloaded
  // An overload that half of the time passes within so many copies of a VM is waited for; 0: none.
  double patience = 0.5;
  Duration cooldown = std::chrono::minutes(1);
  Duration no_return = std::chrono::hours(2);  // a VM does not come back to a host that it left
  std::uint32_t max_moves = 64;                // a larger plan asks for approval
  // How much search a plan may cost (plan::Options). No setting of the file: for simulations that
  // make plans by the ten thousand. 0: as much as its size deserves.
  std::uint32_t effort = 0;

  // Memory is held or not: what does not swing needs no headroom.
  double target_of(Resource r) const { return r == Resource::memory ? 1 : target; }
};

struct MigrateSettings {
  std::uint32_t outgoing = 2;
  std::uint32_t incoming = 1;
  double bandwidth_mib_s = 0;                   // 0: no limit
  Duration timeout = std::chrono::minutes(30);  // a migration that takes longer is aborted
  // Of libvirt only:
  std::string address;             // where others migrate to; empty: that of the node's endpoint
  Carrier carrier = Carrier::tls;  // libvirt's own connections and the memory alike
};

struct LimitSettings {
  std::uint32_t max_slaves = 64;
};

struct MeshSettings {
  std::string bind = "tcp://0.0.0.0:7721";  // of the feed that other masters subscribe to
  std::string advertise;                    // as node.advertise, of the feed
  std::string beacon = "0.0.0.0:7720";      // UDP, to find other nodes; empty: none
  Duration gossip_interval = std::chrono::seconds(1);
  std::uint32_t min_masters = 2;  // a lone master promotes a slave whose role is auto
};

struct MarketSettings {
  bool enabled = true;  // asks other masters for room, and grants it
};

struct SecuritySettings {
  bool enabled = true;     // CURVE, ZAP and signatures
  std::string key_file;    // empty: state_dir/node.key
  std::string trust_file;  // empty: state_dir/trust
};

// Capacity, base and thresholds of this host where measuring is not wanted or not possible.
struct HostSettings {
  std::optional<double> cpu_mhz;
  std::optional<double> memory_mib;
  std::optional<double> network_mbit;
  std::optional<Resources> base;
  std::optional<Thresholds> thresholds;
};

struct HypervisorSettings {
  HypervisorKind kind = HypervisorKind::libvirt;
  std::string uri = "qemu:///system";
  // Of libvirt only:
  std::string interface;                  // of the host's network; empty: the default route's
  bool opt_in = false;                    // only VMs whose metadata says movable may move
  bool force_shared_paths = false;        // below, also where libvirt takes a file for local
  std::vector<std::string> shared_paths;  // of disks, that all hosts of the fleet share
  // Of the simulated one only:
  std::string trace;          // folder with the loads; node.id names the host in it
  double speed = 1;           // seconds of the trace per second
  double started_unix_s = 0;  // when the trace's first interval began; 0: when the node starts
  std::string listen = "127.0.0.1:0";  // where other simulated hypervisors migrate to
};

struct Config {
  NodeSettings node;
  SampleSettings sample;
  PlanSettings plan;
  MigrateSettings migrate;
  LimitSettings limits;
  MeshSettings mesh;
  MarketSettings market;
  SecuritySettings security;
  HostSettings host;
  HypervisorSettings hypervisor;
};

// What a migration copies in a second, as far as the settings tell: half of 1 Gbit/s where they do
// not, which is what the design counts with.
inline double copy_mib_s(const Config& config) {
  return config.migrate.bandwidth_mib_s > 0 ? config.migrate.bandwidth_mib_s : 62.5;
}

}  // namespace ballast

// Every key of the configuration: its place, range, unit, and the member that it fills. How each
// kind of value is read and written is in config_kinds.h.
#include "config_table.h"

#include <utility>
#include <vector>

#include "ballast/base/limits.h"
#include "config_kinds.h"
#include "endpoint.h"

namespace ballast::files {
namespace {

SettingRow master_row() {
  SettingRow row{"node", "master", "", "\"ID@tcp://HOST:PORT\" of the master", {}, {}};
  row.set = [](Config& config, const toml::node& node) {
    if (!node.is_string()) return false;
    std::optional<PeerAddress> peer = peer_address_in(node.as_string()->get());
    if (peer) config.node.master = std::move(peer);
    return config.node.master.has_value();
  };
  row.get = [](Config& config) {
    const auto& master = config.node.master;
    return master ? in_quotes(master->id.str() + "@" + master->endpoint) : std::string();
  };
  return row;
}

SettingRow seeds_row() {
  SettingRow row{
      "node", "seeds",
      "",     "a list of at most " + std::to_string(limits::seeds_max) + " \"HOST:PORT\"",
      {},     {}};
  row.set = [](Config& config, const toml::node& node) {
    if (!node.is_array() || node.as_array()->size() > limits::seeds_max) return false;
    std::vector<std::string> seeds;
    for (const toml::node& seed : *node.as_array()) {
      if (!seed.is_string() || !is_host_and_port(seed.as_string()->get(), 1)) return false;
      seeds.push_back(seed.as_string()->get());
    }
    config.node.seeds = std::move(seeds);
    return true;
  };
  row.get = [](Config& config) {
    std::string out;
    for (const std::string& seed : config.node.seeds)
      out += (out.empty() ? "" : ", ") + in_quotes(seed);
    return "[" + out + "]";
  };
  return row;
}

SettingRow shared_paths_row() {
  SettingRow row{
      "hypervisor",
      "shared_paths",
      "",
      "a list of at most " + std::to_string(limits::shared_paths_max) + " absolute paths",
      {},
      {}};
  row.set = [](Config& config, const toml::node& node) {
    if (!node.is_array() || node.as_array()->size() > limits::shared_paths_max) return false;
    std::vector<std::string> paths;
    for (const toml::node& path : *node.as_array()) {
      if (!path.is_string() || !is_absolute_path(path.as_string()->get())) return false;
      paths.push_back(path.as_string()->get());
    }
    config.hypervisor.shared_paths = std::move(paths);
    return true;
  };
  row.get = [](Config& config) {
    std::string out;
    for (const std::string& path : config.hypervisor.shared_paths)
      out += (out.empty() ? "" : ", ") + in_quotes(path);
    return "[" + out + "]";
  };
  return row;
}

constexpr Range threshold_range{0, limits::threshold_max, true};

const char* unit_of(Resource r) {
  return r == Resource::cpu ? "MHz" : r == Resource::memory ? "MiB" : "Mbit/s";
}

double largest_of(Resource r) {
  return r == Resource::cpu      ? limits::cpu_mhz_max
         : r == Resource::memory ? limits::memory_mib_max
                                 : limits::network_mbit_max;
}

void add_node(std::vector<SettingRow>& rows) {
  const std::string path_expected =
      "a path of 1 to " + std::to_string(limits::path_bytes_max) + " bytes";
  rows.push_back(text({"node", "id"}, "an id of 1 to 128 bytes, or \"\"", is_id_or_empty,
                      [](Config& c) -> NodeId& { return c.node.id; }));
  rows.push_back(choice<Role>({"node", "role"}, {Role::master, Role::slave, Role::automatic},
                              [](Config& c) -> Role& { return c.node.role; }));
  rows.push_back(text({"node", "cluster"}, "a name of 1 to 128 bytes", is_valid_id,
                      [](Config& c) -> std::string& { return c.node.cluster; }));
  rows.push_back(text({"node", "bind"}, "\"tcp://ADDRESS:PORT\", port from 0 to 65535",
                      is_bind_endpoint, [](Config& c) -> std::string& { return c.node.bind; }));
  rows.push_back(
      text({"node", "advertise"}, "\"tcp://HOST:PORT\" that other hosts can connect to, or \"\"",
           is_peer_endpoint_or_empty, [](Config& c) -> std::string& { return c.node.advertise; }));
  rows.push_back(master_row());
  rows.push_back(seeds_row());
  rows.push_back(text({"node", "state_dir"}, path_expected, is_path,
                      [](Config& c) -> std::string& { return c.node.state_dir; }));
  rows.push_back(text({"node", "control"},
                      "a path of 1 to " + std::to_string(limits::socket_path_bytes_max) +
                          " bytes, as the system allows for a socket",
                      is_socket_path, [](Config& c) -> std::string& { return c.node.control; }));
}

void add_sample(std::vector<SettingRow>& rows) {
  rows.push_back(seconds({"sample", "sample_interval"}, {0.05, 3600},
                         [](Config& c) -> Duration& { return c.sample.sample_interval; }));
  rows.push_back(seconds({"sample", "report_interval"}, {0.05, 86400},
                         [](Config& c) -> Duration& { return c.sample.report_interval; }));
  rows.push_back(choice<EstimatorKind>(
      {"sample", "estimator"}, {EstimatorKind::latest, EstimatorKind::mean, EstimatorKind::trend},
      [](Config& c) -> EstimatorKind& { return c.sample.estimator; }));
}

void add_plan(std::vector<SettingRow>& rows) {
  rows.push_back(choice<Mode>({"plan", "mode"}, {Mode::recommend, Mode::approve, Mode::act},
                              [](Config& c) -> Mode& { return c.plan.mode; }));
  rows.push_back(seconds({"plan", "plan_interval"}, {0.1, 86400},
                         [](Config& c) -> Duration& { return c.plan.plan_interval; }));
  rows.push_back(number({"plan", "target"}, "", {0, 1, true},
                        [](Config& c) -> double& { return c.plan.target; }));
  rows.push_back(number({"plan", "min_gain"}, "", {0, 1},
                        [](Config& c) -> double& { return c.plan.min_gain; }));
  rows.push_back(count({"plan", "dwell"}, {1, 1000},
                       [](Config& c) -> std::uint32_t& { return c.plan.dwell; }));
  rows.push_back(number({"plan", "patience"}, "", {0, 100},
                        [](Config& c) -> double& { return c.plan.patience; }));
  rows.push_back(seconds({"plan", "cooldown"}, {0, 7 * 86400.0},
                         [](Config& c) -> Duration& { return c.plan.cooldown; }));
  rows.push_back(seconds({"plan", "no_return"}, {0, 7 * 86400.0},
                         [](Config& c) -> Duration& { return c.plan.no_return; }));
  rows.push_back(count({"plan", "max_moves"}, {1, 1e6},
                       [](Config& c) -> std::uint32_t& { return c.plan.max_moves; }));
  for (const Resource r : all_resources)
    rows.push_back(number({"plan.thresholds", name_of(r)}, "", threshold_range,
                          [r](Config& c) -> double& { return c.plan.thresholds[r]; }));
}

void add_mesh_market(std::vector<SettingRow>& rows) {
  rows.push_back(text({"mesh", "bind"}, "\"tcp://ADDRESS:PORT\", port from 0 to 65535",
                      is_bind_endpoint, [](Config& c) -> std::string& { return c.mesh.bind; }));
  rows.push_back(
      text({"mesh", "advertise"}, "\"tcp://HOST:PORT\" that other hosts can connect to, or \"\"",
           is_peer_endpoint_or_empty, [](Config& c) -> std::string& { return c.mesh.advertise; }));
  rows.push_back(text(
      {"mesh", "beacon"}, "\"ADDRESS:PORT\", port from 0 to 65535, or \"\"",
      [](std::string_view text) { return text.empty() || is_listen_address(text); },
      [](Config& c) -> std::string& { return c.mesh.beacon; }));
  rows.push_back(seconds({"mesh", "gossip_interval"}, {0.05, 60},
                         [](Config& c) -> Duration& { return c.mesh.gossip_interval; }));
  rows.push_back(count({"mesh", "min_masters"}, {1, limits::peers_active_max},
                       [](Config& c) -> std::uint32_t& { return c.mesh.min_masters; }));
  rows.push_back(
      yes_or_no({"market", "enabled"}, [](Config& c) -> bool& { return c.market.enabled; }));
}

void add_migrate_limits_security(std::vector<SettingRow>& rows) {
  rows.push_back(count({"migrate", "outgoing"}, {1, limits::jobs_per_host_max},
                       [](Config& c) -> std::uint32_t& { return c.migrate.outgoing; }));
  rows.push_back(count({"migrate", "incoming"}, {1, limits::jobs_per_host_max},
                       [](Config& c) -> std::uint32_t& { return c.migrate.incoming; }));
  rows.push_back(number({"migrate", "bandwidth"}, "MiB/s", {0, 1e6},
                        [](Config& c) -> double& { return c.migrate.bandwidth_mib_s; }));
  rows.push_back(seconds({"migrate", "timeout"}, {1, 86400},
                         [](Config& c) -> Duration& { return c.migrate.timeout; }));
  rows.push_back(text({"migrate", "address"}, "a name or an address without a port, or \"\"",
                      is_address_or_empty,
                      [](Config& c) -> std::string& { return c.migrate.address; }));
  rows.push_back(choice<Carrier>({"migrate", "transport"}, {Carrier::tls, Carrier::tcp},
                                 [](Config& c) -> Carrier& { return c.migrate.carrier; }));
  rows.push_back(count({"limits", "max_slaves"}, {1, limits::slaves_max},
                       [](Config& c) -> std::uint32_t& { return c.limits.max_slaves; }));
  rows.push_back(
      yes_or_no({"security", "enabled"}, [](Config& c) -> bool& { return c.security.enabled; }));
  const std::string path_expected =
      "a path of at most " + std::to_string(limits::path_bytes_max) + " bytes, or \"\"";
  rows.push_back(text({"security", "key_file"}, path_expected, is_path_or_empty,
                      [](Config& c) -> std::string& { return c.security.key_file; }));
  rows.push_back(text({"security", "trust_file"}, path_expected, is_path_or_empty,
                      [](Config& c) -> std::string& { return c.security.trust_file; }));
}

std::optional<double>& capacity_of(Config& config, Resource r) {
  return r == Resource::cpu      ? config.host.cpu_mhz
         : r == Resource::memory ? config.host.memory_mib
                                 : config.host.network_mbit;
}

// A number inside an optional group (base, thresholds): the first key that is set makes the group.
template <class Group>
SettingRow grouped_number(Key key, const char* unit, Range range,
                          std::optional<Group> HostSettings::*group, Resource r,
                          Group (*defaults)(const Config&)) {
  return optional_number(
      key, unit, range,
      [group, r](Config& c) -> const double* {
        return c.host.*group ? &(*(c.host.*group))[r] : nullptr;
      },
      [group, r, defaults](Config& c) -> double& {
        if (!(c.host.*group)) c.host.*group = defaults(c);
        return (*(c.host.*group))[r];
      });
}

void add_hypervisor(std::vector<SettingRow>& rows) {
  rows.push_back(choice<HypervisorKind>(
      {"hypervisor", "kind"}, {HypervisorKind::simulated, HypervisorKind::libvirt},
      [](Config& c) -> HypervisorKind& { return c.hypervisor.kind; }));
  rows.push_back(text({"hypervisor", "uri"}, "a libvirt URI of 1 to 256 bytes", is_uri,
                      [](Config& c) -> std::string& { return c.hypervisor.uri; }));
  for (const Resource r : all_resources)
    rows.push_back(optional_number(
        {"hypervisor", name_of(r)}, unit_of(r), {0, largest_of(r), true},
        [r](Config& c) -> const double* {
          const std::optional<double>& value = capacity_of(c, r);
          return value ? &*value : nullptr;
        },
        [r](Config& c) -> double& { return capacity_of(c, r).emplace(0.0); }));
  rows.push_back(text({"hypervisor", "interface"}, "the name of a network interface, or \"\"",
                      is_interface_or_empty,
                      [](Config& c) -> std::string& { return c.hypervisor.interface; }));
  rows.push_back(
      yes_or_no({"hypervisor", "opt_in"}, [](Config& c) -> bool& { return c.hypervisor.opt_in; }));
  rows.push_back(shared_paths_row());
  rows.push_back(yes_or_no({"hypervisor", "force_shared_paths"},
                           [](Config& c) -> bool& { return c.hypervisor.force_shared_paths; }));
  rows.push_back(text({"hypervisor", "trace"}, "the path of a trace folder, or \"\"",
                      is_path_or_empty,
                      [](Config& c) -> std::string& { return c.hypervisor.trace; }));
  rows.push_back(number({"hypervisor", "speed"}, "", {0.001, 1e6},
                        [](Config& c) -> double& { return c.hypervisor.speed; }));
  rows.push_back(number({"hypervisor", "started_unix_s"}, "s", {0, 1e11},
                        [](Config& c) -> double& { return c.hypervisor.started_unix_s; }));
  rows.push_back(text({"hypervisor", "listen"}, "\"ADDRESS:PORT\", port from 0 to 65535",
                      is_listen_address,
                      [](Config& c) -> std::string& { return c.hypervisor.listen; }));
  for (const Resource r : all_resources)
    rows.push_back(grouped_number<Resources>({"hypervisor.base", name_of(r)}, unit_of(r),
                                             {0, largest_of(r)}, &HostSettings::base, r,
                                             [](const Config&) { return Resources{}; }));
  for (const Resource r : all_resources)
    rows.push_back(grouped_number<Thresholds>({"hypervisor.thresholds", name_of(r)}, "",
                                              threshold_range, &HostSettings::thresholds, r,
                                              [](const Config& c) { return c.plan.thresholds; }));
}

std::vector<SettingRow> all_rows() {
  std::vector<SettingRow> rows;
  add_node(rows);
  add_sample(rows);
  add_plan(rows);
  add_mesh_market(rows);
  add_migrate_limits_security(rows);
  add_hypervisor(rows);
  return rows;
}

}  // namespace

std::span<const SettingRow> config_table() {
  static const std::vector<SettingRow> rows = all_rows();
  return rows;
}

}  // namespace ballast::files

// Files that people and programs write, and requests on the control socket.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ballast/base/assert.h"
#include "ballast/daemon/control.h"
#include "ballast/files/config.h"
#include "ballast/files/snapshot_reader.h"
#include "ballast/files/trace_folder.h"
#include "ballast/trust/fleet_file.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/trust/invitations.h"
#include "ballast/trust/token.h"
#include "ballast/trust/trust_file.h"
#include "targets.h"

namespace ballast::fuzz {
namespace {

using Bytes = std::vector<std::string>;

// One line that a terminal can show.
void check_error(const Error& error) {
  BALLAST_ASSERT(!error.message.empty(), "an error without a word");
  for (const char c : error.message)
    BALLAST_ASSERT(static_cast<unsigned char>(c) >= 0x20, "an error with control characters");
}

void run_trust(std::string_view bytes) {
  const Result<std::vector<trust::TrustedNode>> nodes = trust::parse_trust(bytes, "trust");
  if (!nodes) return check_error(nodes.error());
  for (const trust::TrustedNode& node : *nodes)
    BALLAST_ASSERT(is_valid_id(node.id.str()), "a node without a proper id");
}

Bytes good_trust(Random& random) {
  trust::Seed seed{};
  for (std::uint8_t& byte : seed) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  const std::string key = trust::text_of(trust::Identity::from_seed(seed).public_key());
  return {"# the first rack\n\nh1 " + key + " master,slave\n", "a b " + key + " slave\r\n"};
}

void run_token(std::string_view bytes) {
  const Result<trust::Token> token = trust::parse_token(bytes);
  if (!token) return check_error(token.error());
  const Result<trust::Token> again = trust::parse_token(trust::text_of(*token));
  BALLAST_ASSERT(again.ok() && *again == *token,
                 "a token that was read changes when it is written");
}

trust::Identity some_identity(Random& random) {
  trust::Seed seed{};
  for (std::uint8_t& byte : seed) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  return trust::Identity::from_seed(seed);
}

Bytes good_tokens(Random& random) {
  trust::Token token{"ballast", {"10.0.0.1:7720"}, some_identity(random).public_key(), 7, {}};
  for (std::uint8_t& byte : token.secret) byte = static_cast<std::uint8_t>(random.next() & 0xFFU);
  return {trust::text_of(token)};
}

void run_fleet_file(std::string_view bytes) {
  const Result<trust::FleetFile> fleet = trust::parse_fleet(bytes, "fleet");
  if (!fleet) return check_error(fleet.error());
  (void)trust::book_of(*fleet);
}

Bytes good_fleet_files(Random& random) {
  const trust::Identity key = some_identity(random);
  const fleet::Book empty(key.public_key(), 1);
  const auto certificate = trust::certify(key, "ballast", empty, NodeId("h1"),
                                          some_identity(random).public_key(), true, 1);
  const auto records = trust::succeed(key, some_identity(random), "ballast", empty, 2);
  const std::string file =
      (std::filesystem::temp_directory_path() / ("ballast-fuzz-fleet-" + std::to_string(getpid())))
          .string();
  BALLAST_ASSERT(trust::write_fleet(
                     file, {"ballast", key.public_key(), 1, {}, {*certificate, records->front()}})
                     .ok(),
                 "a file of a fleet cannot be written");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".lock");
  return {text};
}

void run_invitations(std::string_view bytes) {
  const Result<std::vector<trust::Invitation>> all = trust::parse_invitations(bytes, "file");
  if (!all) return check_error(all.error());
  BALLAST_ASSERT(all->size() <= limits::invitations_max, "more invitations than may be");
}

Bytes good_invitations(Random& random) {
  return {"ballast-invitations/1\nopen 7 AAAAAAAAAAAAAAAAAAAAAA== 1800000000 2 lead\nused 7 " +
          trust::text_of(some_identity(random).public_key()) + " h 2\n"};
}

void run_config(std::string_view bytes) {
  for (const Error& error : files::parse_config(bytes, "config").errors) check_error(error);
}

Bytes good_configs(Random&) {
  return {R"([node]
id = "n1"
role = "slave"
master = "m@tcp://10.0.0.1:7720"
seeds = ["10.1.0.1:7720"]
[plan]
mode = "auto"
target = 0.9
thresholds = {cpu = 0.5, memory = 0.6}
[hypervisor]
kind = "simulated"
)"};
}

void run_snapshot(std::string_view bytes) {
  const Result<Snapshot> snapshot = files::parse_snapshot(bytes, "snapshot");
  if (!snapshot) return check_error(snapshot.error());
  BALLAST_ASSERT(check(*snapshot).ok(), "a snapshot that was taken keeps no promise");
}

Bytes good_snapshots(Random&) {
  return {R"({"format": "ballast-snapshot/1", "thresholds": {"cpu": 0.8},
 "hosts": [{"id": "h1", "cpu": 83200, "memory": 131072, "network": 10000, "maintenance": false,
            "base": {"cpu": 800, "memory": 4096, "network": 0}},
           {"id": "h2", "cpu": 83200, "memory": 131072}],
 "vms": [{"id": "v1", "host": "h1", "cpu": 8450, "memory": 8192, "network": 40, "movable": true}],
 "rules": [{"type": "hosts", "vms": ["v1"], "hosts": ["h1", "h2"]}]})"};
}

// A folder for this process, of which the input is one file or another.
const std::filesystem::path& trace_folder() {
  struct Folder {
    Folder() {
      std::string name = (std::filesystem::temp_directory_path() / "ballast-fuzz-XXXXXX").string();
      BALLAST_ASSERT(mkdtemp(name.data()) != nullptr, "no folder for a trace");
      path = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
  };
  static const Folder folder;
  return folder.path;
}

// The input says with its first byte which of the files it is.
void run_trace(std::string_view bytes) {
  const std::pair<const char*, std::string> files[] = {
      {"hosts.csv", "host,cpu,memory,network,group\nh1,10000,4096,1000,g1\n"},
      {"vms.csv", "vm,host,cpu,memory,network\nv1,h1,1000,512,10\n"},
      {"cpu.csv", "vm,0,300\nv1,10,20.5\n"},
      {"trace.toml", "interval_s = 300\n"}};
  const std::size_t chosen =
      bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % std::size(files);
  for (std::size_t i = 0; i < std::size(files); ++i) {
    std::ofstream out(trace_folder() / files[i].first, std::ios::binary);
    out << (i == chosen && !bytes.empty() ? bytes.substr(1) : std::string_view(files[i].second));
  }
  const Result<Trace> trace = files::read_trace(trace_folder().string());
  if (!trace) check_error(trace.error());
}

Bytes good_traces(Random&) {
  return {std::string("\0host,cpu,memory,network,group\nh1,10000,4096,1000,g1\nh2,1,2,3,g2\n", 65),
          "\1vm,host,cpu,memory,network\nv1,h1,1000,512,10\n", "\2vm,0,300,600\nv1,10,20.5,1e2\n",
          "\3interval_s = 300\n[thresholds]\ncpu = 0.8\n"};
}

// A node to ask; it lives as long as the process, so that one request meets what others left.
void run_control(std::string_view bytes) {
  static node::Node node = [] {
    Config config;
    config.node.id = NodeId("n1");
    config.node.role = Role::master;
    node::StoredState stored;
    stored.incarnation = 1;
    return node::Node(TimePoint{}, config, "tcp://127.0.0.1:2", {}, stored, 1);
  }();
  const std::string reply = daemon::answer_control(TimePoint{}, bytes, node, {});
  BALLAST_ASSERT(!reply.empty() && reply.back() == '\n', "a request without an answer");
  (void)node.step(TimePoint{}, node::Tick{});
}

Bytes good_requests(Random&) { return {"status", "watch 7", "approve m-1", "pause", "resume"}; }

}  // namespace

std::vector<Target> text_targets() {
  return {{"trust", run_trust, good_trust},
          {"token", run_token, good_tokens},
          {"fleet-file", run_fleet_file, good_fleet_files},
          {"invitations", run_invitations, good_invitations},
          {"config", run_config, good_configs},
          {"snapshot", run_snapshot, good_snapshots},
          {"trace", run_trace, good_traces},
          {"control", run_control, good_requests}};
}

}  // namespace ballast::fuzz

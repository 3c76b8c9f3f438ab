// `ballast fleet` and `ballast revoke`: who belongs to the fleet, and who does so no longer.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "asking.h"
#include "ballast/base/words.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/control.h"
#include "ballast/files/nodes.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/trust/trust_file.h"
#include "commands.h"
#include "host_setup.h"

namespace ballast::cli {
namespace {

struct MembersOptions {
  std::shared_ptr<SetupOptions> setup = std::make_shared<SetupOptions>();
  std::string control;
  bool json = false;
};

std::string table_of(const files::FleetNodes& fleet) {
  std::size_t width = 4;
  for (const files::FleetNode& node : fleet.nodes) width = std::max(width, node.id.size());
  std::string text = padded("node", width) + "  " + padded("may lead", 8) + "  " +
                     padded("since", 20) + "  " + padded("heard", 12) + "  by\n";
  for (const files::FleetNode& node : fleet.nodes) {
    const bool revoked = node.trust == "revoked";
    std::string heard = "-";
    if (node.heard) heard = node.lost ? "lost" : age_in_words(*node.heard);
    text += padded(node.id, width) + "  " +
            padded(revoked ? "-" : (node.may_lead ? "yes" : "no"), 8) + "  " +
            padded(node.since_s ? utc_time(*node.since_s) : "-", 20) + "  " + padded(heard, 12) +
            "  " +
            (revoked                ? "revoked"
             : node.trust == "both" ? "certificate, and the trust file"
             : node.trust == "hand" ? "the trust file alone"
                                    : "certificate") +
            "\n";
  }
  return text;
}

std::string text_of(const files::FleetNodes& fleet, const std::string& key_file) {
  std::string text = fleet.trust + "\n";
  if (!fleet.fleet_key.empty()) {
    const Result<trust::Identity> key = trust::Identity::read(key_file, trust::KeyKind::fleet);
    const bool here = key && trust::text_of(key->public_key()) == fleet.fleet_key;
    text += "fleet's key: number " + std::to_string(fleet.generation) + ", " + fleet.fleet_key +
            (here ? ", on this host" : ", not on this host") + "\n";
  }
  if (!fleet.unheard.empty()) text += fleet.unheard + "\n";
  return text + "\n" + table_of(fleet);
}

// Without a running node: what the files say.
ExitCode from_files(const Setup& setup, const MembersOptions& options,
                    const std::string& key_file) {
  const Result<trust::FleetFile> file = trust::read_fleet(setup.fleet_file());
  if (!file)
    return complain(file.error().message +
                    " (`ballast init` makes a fleet, `ballast join` joins one; keys that are "
                    "trusted by hand: `ballast trust list`)");
  const std::unique_ptr<fleet::Book> book = trust::book_of(*file);
  files::FleetNodes fleet;
  fleet.trust = "no node answers here: this is what its files say";
  fleet.fleet_key = trust::text_of(book->fleet_key());
  fleet.generation = book->generation();
  for (const auto& [node, member] : book->members()) {
    const wire::FleetRecordPtr& record =
        member.certificate ? member.certificate : member.revocation;
    fleet.nodes.push_back({node.str(), record->may_lead,
                           member.certificate ? "certificate" : "revoked", record->issued_s,
                           std::nullopt, std::string(), false});
  }
  return answer(options.json ? files::nodes_json(fleet) : text_of(fleet, key_file));
}

ExitCode run_fleet(const MembersOptions& options) {
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  const Config config = setup->as_it_runs(*options.setup);
  const std::string control = options.control.empty() ? config.node.control : options.control;
  const std::string key_file = setup->fleet_key_file(*options.setup);
  const Result<std::string> reply = daemon::ask_control(control, "fleet", node_patience);
  if (!reply) {
    if (options.control.empty() && trust::has_fleet(setup->fleet_file()))
      return from_files(*setup, options, key_file);
    return complain(reply.error());
  }
  const Result<files::FleetNodes> fleet = files::parse_nodes(*reply, "the node at " + control);
  if (!fleet) return complain(fleet.error());
  return answer(options.json ? *reply : text_of(*fleet, key_file));
}

struct RevokeOptions {
  std::shared_ptr<SetupOptions> setup = std::make_shared<SetupOptions>();
  std::string node;
};

ExitCode run_revoke(const RevokeOptions& options) {
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  const Result<trust::FleetFile> file = trust::read_fleet(setup->fleet_file());
  if (!file)
    return complain(file.error().message +
                    " (a key that is trusted by hand: `ballast trust revoke`)");
  const std::string key_file = setup->fleet_key_file(*options.setup);
  const Result<trust::Identity> key = trust::Identity::read(key_file, trust::KeyKind::fleet);
  if (!key)
    return complain(key.error().message +
                    ": the fleet's key is needed to revoke; run this on the host that has it, or "
                    "say where it is (--fleet-key FILE)");
  const std::unique_ptr<fleet::Book> book = trust::book_of(*file);
  const NodeId node(options.node);
  if (!book->certificate_of(node)) {
    complain("no node " + ballast::quoted(options.node) +
             " with a certificate of this fleet that counts: `ballast fleet` lists them");
    return ExitCode::no;
  }
  const Result<trust::Identity> own = trust::Identity::read(setup->key_file());
  if (own && book->certificate_of(node)->identity == own->public_key()) {
    complain(ballast::quoted(options.node) +
             " is this host: revoke it from another one, with the fleet's key there");
    return ExitCode::no;
  }
  const Result<wire::FleetRecordPtr> word =
      trust::revoke(*key, file->cluster, *book, node, wall_clock_s());
  if (!word) return complain(word.error());
  if (const Status told = trust::append_to_fleet(setup->fleet_file(), {*word}); !told)
    return complain(told.error());
  const Config config = setup->as_it_runs(*options.setup);
  const bool runs = is_running(config, Duration(0));
  const Result<std::vector<trust::TrustedNode>> by_hand = trust::read_trust(setup->trust_file());
  if (by_hand && std::any_of(by_hand->begin(), by_hand->end(),
                             [&](const trust::TrustedNode& one) { return one.id == node; }))
    note(
        "It also stands in this host's trust file, which does not help it; `ballast trust revoke " +
        options.node + "` takes it out.");
  return answer(ballast::quoted(options.node) + " is revoked. " +
                (runs ? "Every node that can be reached hears it within a report interval"
                      : "No node runs here: it is told to the others when one does") +
                "; its VMs run on where they are.\n");
}

}  // namespace

void add_fleet_members_commands(CLI::App& app, Action& action) {
  auto fleet = std::make_shared<MembersOptions>();
  CLI::App* listing = app.add_subcommand(
      "fleet", "Who belongs to the fleet, who may lead, since when, and when each was heard.");
  add_setup_options(*listing, fleet->setup);
  listing->add_option("--fleet-key", fleet->setup->fleet_key,
                      "The fleet's key, where it is not in the state folder");
  add_control_option(*listing, fleet->control, "Socket of any node");
  listing->add_flag("--json", fleet->json, "Print as ballast-nodes/1, for programs");
  listing->footer(
      "Asks the node of this host, which asks the masters; where none runs, the files are read.\n"
      "Example:\n"
      "  ballast fleet");
  listing->callback([fleet, &action] { action = [fleet] { return run_fleet(*fleet); }; });

  auto revoke = std::make_shared<RevokeOptions>();
  CLI::App* revoking = app.add_subcommand(
      "revoke", "Take a node's certificate back: the fleet hears and obeys it no more.");
  add_setup_options(*revoking, revoke->setup);
  revoking->add_option("--fleet-key", revoke->setup->fleet_key,
                       "The fleet's key, where it is not in the state folder");
  revoking->add_option("NODE", revoke->node, "Id of the node")->required();
  revoking->footer(
      "Its connections are cut; its VMs run on, and are planned for by nobody. With a new token "
      "it\n"
      "may join again.\n"
      "Example:\n"
      "  ballast revoke h4");
  revoking->callback([revoke, &action] { action = [revoke] { return run_revoke(*revoke); }; });
}

}  // namespace ballast::cli

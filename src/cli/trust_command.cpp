// `ballast trust add|list|revoke`: who may take part, and who may be master. Source: design,
// sections 4 and 8.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "ballast/cli/output.h"
#include "ballast/files/json_writer.h"
#include "ballast/model/config.h"
#include "ballast/trust/fleet_file.h"
#include "ballast/trust/trust_file.h"
#include "commands.h"

namespace ballast::cli {
namespace {

struct TrustOptions {
  std::string state_dir = NodeSettings().state_dir;
  std::string file;  // empty: trust, in the state folder
  std::string id;
  std::string key;
  bool master = false;
  bool json = false;

  std::string path() const { return file.empty() ? state_dir + "/trust" : file; }
};
using Shared = std::shared_ptr<TrustOptions>;

// Without a key only the roles of a node change that is trusted already.
Result<trust::IdentityKey> known_key(const TrustOptions& options) {
  const Result<std::vector<trust::TrustedNode>> nodes = trust::read_trust(options.path());
  if (!nodes) return nodes.error();
  for (const trust::TrustedNode& node : *nodes)
    if (node.id == NodeId(options.id)) return node.key;
  return Error{options.path() + ": found no node " + ballast::quoted(options.id) +
               ", so its public key is needed: `ballast trust add " + options.id +
               " KEY`, as its `ballast keygen` printed it"};
}

ExitCode add(const TrustOptions& options) {
  const Result<trust::IdentityKey> key =
      options.key.empty() ? known_key(options) : trust::parse_key(options.key);
  if (!key) return complain(key.error());
  const Result<trust::Added> added =
      trust::add_node(options.path(), {NodeId(options.id), *key, options.master});
  if (!added) return complain(added.error());
  const std::string who = ballast::quoted(options.id);
  const std::string may = options.master ? "it may lead, too" : "it may not lead";
  switch (*added) {
    case trust::Added::anew: return answer(who + " is trusted now; " + may + "\n");
    case trust::Added::other_roles:
      return answer(who + " was trusted already; from now on " + may + "\n");
    case trust::Added::nothing: break;
  }
  return answer(who + " was trusted already, and " + may + ": nothing has changed\n");
}

std::string as_json(const std::vector<trust::TrustedNode>& nodes) {
  std::string text;
  files::JsonWriter json(text);
  json.begin_object();
  json.field("format", "ballast-trust/1");
  json.key("nodes");
  json.begin_array();
  for (const trust::TrustedNode& node : nodes) {
    json.begin_object();
    json.field("id", node.id.str());
    json.field("key", trust::text_of(node.key));
    json.field("master", node.master);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + "\n";
}

ExitCode list(const TrustOptions& options) {
  const Result<std::vector<trust::TrustedNode>> nodes = trust::read_trust(options.path());
  if (!nodes) return complain(nodes.error());
  if (options.json) return answer(as_json(*nodes));
  if (nodes->empty()) return answer(options.path() + " names nobody\n");
  std::string text =
      padded("key", trust::text_of(trust::IdentityKey{}).size()) + "  roles         node\n";
  for (const trust::TrustedNode& node : *nodes) {
    text += trust::text_of(node.key) + (node.master ? "  master,slave  " : "  slave         ") +
            node.id.str() + "\n";
  }
  return answer(text);
}

ExitCode revoke(const TrustOptions& options) {
  const Result<bool> revoked = trust::revoke_node(options.path(), NodeId(options.id));
  if (!revoked) return complain(revoked.error());
  if (*revoked)
    return answer(ballast::quoted(options.id) + " is trusted no more by this node's file\n");
  (void)complain(options.path() + ": found no node " + ballast::quoted(options.id) +
                 ", so nothing was revoked");
  return ExitCode::no;
}

// Takes out whoever has a certificate of the fleet for the same key: the file says nothing more of
// them, and one day another key.
ExitCode prune(const TrustOptions& options) {
  const std::string fleet_file = options.state_dir + "/fleet";
  const Result<trust::FleetFile> file = trust::read_fleet(fleet_file);
  if (!file)
    return complain(file.error().message +
                    ": this host has no certificates to trust instead (`ballast join`)");
  const std::unique_ptr<fleet::Book> book = trust::book_of(*file);
  const Result<std::vector<trust::TrustedNode>> nodes = trust::read_trust(options.path());
  if (!nodes) return complain(nodes.error());
  std::string text;
  for (const trust::TrustedNode& node : *nodes) {
    const wire::FleetRecordPtr certificate = book->certificate_of(node.id);
    const bool doubled = certificate && certificate->identity == node.key;
    // What the file alone allows is not taken away unasked.
    if (doubled && node.master && !certificate->may_lead) {
      text += node.id.str() + " stays: the file lets it lead, its certificate does not\n";
    } else if (doubled) {
      const Result<bool> revoked = trust::revoke_node(options.path(), node.id);
      if (!revoked) return complain(revoked.error());
      text += node.id.str() + " is trusted by its certificate alone now\n";
    } else {
      text += node.id.str() + (certificate ? " stays: its certificate is for another key\n"
                                           : " stays: it has no certificate of this fleet\n");
    }
  }
  return answer(text.empty() ? "the trust file names nobody\n" : text);
}

// Declares one of the four on `trust`, with the options that all share.
CLI::App* add_part(CLI::App& trust, const char* name, const char* help, const Shared& options,
                   ExitCode (*run)(const TrustOptions&), Action& action) {
  CLI::App* command = trust.add_subcommand(name, help);
  command->add_option("--state-dir", options->state_dir, "Folder with the file `trust`")
      ->capture_default_str();
  command->add_option("--file", options->file, "The trust file itself, when it is elsewhere");
  command->callback([options, run, &action] { action = [=] { return run(*options); }; });
  return command;
}

}  // namespace

void add_trust_command(CLI::App& app, Action& action) {
  const auto options = std::make_shared<TrustOptions>();
  CLI::App* trust = app.add_subcommand(
      "trust", "Say whose key is whose, and who may be master, in this node's trust file.");
  trust->require_subcommand(1);
  CLI::App* adding =
      add_part(*trust, "add", "Trust a node, or change its roles.", options, add, action);
  adding->add_option("ID", options->id, "Id of the node")->required();
  adding->add_option("KEY", options->key,
                     "Its public key, as its `ballast keygen` printed it; not needed to change the "
                     "roles of a node that is trusted already");
  adding->add_flag("--master", options->master, "It may order and grant, too");
  CLI::App* listing = add_part(*trust, "list", "Print who is trusted.", options, list, action);
  listing->add_flag("--json", options->json, "Print ballast-trust/1, for programs");
  CLI::App* revoking =
      add_part(*trust, "revoke", "Trust a node no more. Exit code 1 when it was not trusted.",
               options, revoke, action);
  revoking->add_option("ID", options->id, "Id of the node")->required();
  add_part(*trust, "prune", "Take out whom a certificate of the fleet makes superfluous here.",
           options, prune, action);
  trust->footer(
      "Keys that are trusted by hand. `ballast init` and `ballast join` do without: there the "
      "fleet's\n"
      "key says who belongs to it (`ballast fleet`).\n"
      "A running node looks at the file once an interval; no restart is needed.\n"
      "Examples:\n"
      "  ballast trust add h2 \"$(ssh h2 ballast keygen)\"\n"
      "  ballast trust add h1 KEY --master\n"
      "  ballast trust add h2 --master\n"
      "  ballast trust revoke h2");
}

}  // namespace ballast::cli

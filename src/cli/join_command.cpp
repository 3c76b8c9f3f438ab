// `ballast invite` and `ballast join`: one word from one host to the other, and it belongs to the
// fleet.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "ballast/base/limits.h"
#include "ballast/base/words.h"
#include "ballast/cli/output.h"
#include "ballast/daemon/control.h"
#include "ballast/files/json_writer.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/trust/invitations.h"
#include "ballast/trust/token.h"
#include "ballast/zmq/join.h"
#include "commands.h"
#include "host_setup.h"

namespace ballast::cli {
namespace {

// --- invite -------------------------------------------------------------------------------------

struct InviteOptions {
  std::shared_ptr<SetupOptions> setup = std::make_shared<SetupOptions>();
  std::string lasts = "1h";
  std::uint32_t uses = 1;
  bool master = false;
  bool json = false;
};

constexpr Duration start_patience = std::chrono::seconds(15);

// "A.B.C.D:PORT" that the running node is reached at. A service that an init has just started may
// not answer yet.
Result<std::string> address_of_node(const Config& config) {
  if (!is_running(config, start_patience))
    return Error{"no node answers at " + config.node.control +
                 ": it is what takes the others in, so start it first (`systemctl start ballast`, "
                 "or `ballast run`)"};
  const Result<node::View> view = daemon::ask_status(config.node.control);
  if (!view) return view.error();
  const std::string before = "tcp://";
  if (!view->endpoint.starts_with(before))
    return Error{"the node at " + config.node.control + " has no address"};
  return view->endpoint.substr(before.size());
}

// Whether the fleet's key is at hand, and the right one; one that is not on this host's disk is
// lent to the node for the time of the invitation.
Status lend_key(const Setup& setup, const InviteOptions& options, const Config& config,
                std::uint64_t until_s) {
  const Result<trust::FleetFile> file = trust::read_fleet(setup.fleet_file());
  if (!file)
    return Error{file.error().message +
                 " (`ballast init` makes a fleet, `ballast join` joins one)"};
  const std::string key_file = setup.fleet_key_file(*options.setup);
  const Result<trust::Identity> key = trust::Identity::read(key_file, trust::KeyKind::fleet);
  if (!key)
    return Error{key.error().message +
                 ": the fleet's key is needed to certify who joins; run this on the host that has "
                 "it, or say where it is (--fleet-key FILE)"};
  if (key->public_key() != trust::book_of(*file)->fleet_key())
    return Error{key_file +
                 ": is not the fleet's present key (`ballast fleet` shows its public "
                 "half)"};
  if (options.setup->fleet_key.empty()) return {};
  const Result<std::string> lent = daemon::ask_control(
      config.node.control, "lend-fleet-key " + std::to_string(until_s) + " " + key->secret_text());
  if (!lent) return lent.error();
  if (lent->find("\"ok\":true") == std::string::npos)
    return Error{"the node does not take the key: " + *lent};
  return {};
}

ExitCode run_invite(const InviteOptions& options) {
  const std::optional<std::uint64_t> lasts_s = seconds_in(options.lasts);
  if (!lasts_s || *lasts_s > 30 * 24 * 3600)
    return complain("--for: found " + ballast::quoted(options.lasts) +
                    ", expected a time such as 30m, 1h or 2d, at most 30d");
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  const Config config = setup->as_it_runs(*options.setup);
  if (!config.security.enabled)
    return complain(
        "[security] enabled is false on this host: nobody has a key there, and nobody "
        "is certified");
  const std::uint64_t until_s = wall_clock_s() + *lasts_s;
  const Result<std::string> address = address_of_node(config);
  if (!address) return complain(address.error());
  if (const Status lent = lend_key(*setup, options, config, until_s); !lent)
    return complain(lent.error());
  const Result<trust::Identity> own = trust::Identity::read(setup->key_file());
  if (!own) return complain(own.error());
  trust::Invitation invitation;
  invitation.number = trust::fresh_number();
  invitation.secret = trust::fresh_secret();
  invitation.until_s = until_s;
  invitation.uses = options.uses;
  invitation.may_lead = options.master;
  const Status added = trust::add_invitation(setup->invitations_file(), invitation, wall_clock_s());
  if (!added) return complain(added.error());
  const std::string token = trust::text_of(trust::Token{
      config.node.cluster, {*address}, own->public_key(), invitation.number, invitation.secret});
  if (options.json) {
    std::string text;
    files::JsonWriter json(text);
    json.begin_object();
    json.field("format", "ballast-invite/1");
    json.field("token", token);
    json.field("address", *address);
    json.field("uses", options.uses);
    json.field("may_lead", options.master);
    json.field("until_s", until_s);
    json.end_object();
    return answer(text + "\n");
  }
  note("For " + counted(options.uses, "host") + (options.master ? " that may lead" : "") +
       ", until " + utc_time(until_s) + ". On " + (options.uses == 1 ? "it" : "each") +
       ", as root:  ballast join TOKEN");
  return answer(token + "\n");
}

// --- join ---------------------------------------------------------------------------------------

struct JoinOptions {
  std::shared_ptr<SetupOptions> setup = std::make_shared<SetupOptions>();
  std::string token;
  std::string id;
  std::string address;
};

constexpr std::uint64_t clock_differs_s = 60;

// What we were given is what it says, signed by the key that it names.
Status look_at(const wire::JoinAnswer& given, const NodeId& id, const trust::IdentityKey& own,
               const std::string& cluster) {
  const Error wrong{"the inviter's answer is not a certificate for this host: nothing was changed"};
  if (given.certificate.size() != 1) return wrong;
  const wire::FleetRecord& certificate = *given.certificate.front();
  const trust::RecordVerifier verifier(cluster);
  const bool good = certificate.kind == wire::RecordKind::certificate && certificate.node == id &&
                    certificate.identity == own && certificate.generation == given.generation &&
                    trust::parse_key(trust::text_of(given.fleet_key)).ok() &&
                    certificate.curve == trust::curve_key_of(own) &&
                    verifier.is_signed(given.fleet_key, certificate);
  return good ? Status{} : wrong;
}

// The file of a host that belongs to the same fleet already: what it knew, and what is new.
Result<trust::FleetFile> with_known(const Setup& setup, trust::FleetFile fleet) {
  if (!trust::has_fleet(setup.fleet_file())) return fleet;
  const Result<trust::FleetFile> known = trust::read_fleet(setup.fleet_file());
  if (!known) return known.error();
  const auto is_past = [&](const wire::FleetRecordPtr& one) {
    return one->curve == known->key || one->identity == known->key;
  };
  const bool same =
      known->key == fleet.key || std::any_of(fleet.past.begin(), fleet.past.end(), is_past);
  if (!same)
    return Error{setup.fleet_file() +
                 ": this host belongs to another fleet: move that file away first, if it is to "
                 "leave it"};
  if (known->generation == fleet.generation)
    fleet.records.insert(fleet.records.end(), known->records.begin(), known->records.end());
  return fleet;
}

void tell_of_clock(std::uint64_t theirs_s) {
  const std::uint64_t ours_s = wall_clock_s();
  const std::uint64_t differs = ours_s > theirs_s ? ours_s - theirs_s : theirs_s - ours_s;
  if (differs <= clock_differs_s) return;
  note("ballast: this host's clock is " + in_words(std::chrono::seconds(differs)) +
       (ours_s > theirs_s ? " ahead of" : " behind") +
       " the inviter's: nothing here expires by it, but the times that are shown will be wrong");
}

std::string text_of_token(const std::string& given) {
  if (given != "-") return given;
  std::string line;
  std::getline(std::cin, line);
  return line;
}

ExitCode run_join(const JoinOptions& options) {
  std::string text = text_of_token(options.token);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  const Result<trust::Token> token = trust::parse_token(text);
  if (!token) return complain(token.error());
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  const std::string& cluster = setup->config.node.cluster;
  if (cluster != NodeSettings().cluster && cluster != token->cluster)
    return complain("the token is of the cluster " + ballast::quoted(token->cluster) +
                    ", and the configuration of this host says " + ballast::quoted(cluster));
  const Result<NodeId> id = id_of_host(*setup, options.id);
  if (!id) return complain(id.error());
  const Result<trust::Identity> own = own_key(*setup);
  if (!own) return complain(own.error());

  zmq::JoinCall call;
  call.addresses = token->addresses;
  call.inviter = trust::curve_key_of(token->inviter);
  call.public_key = own->curve_public_key();
  call.secret_key = own->curve_secret_key();
  call.question.header = {token->cluster, *id, {}};
  call.question.body = wire::JoinAsk{token->invitation, *id, own->public_key(),
                                     trust::proof_of(*token, *id, own->public_key())};
  const Result<zmq::JoinReply> reply = zmq::ask_to_join(call);
  if (!reply) {
    complain("cannot join: " + reply.error().message);
    return ExitCode::no;
  }
  const wire::JoinAnswer& given = reply->answer;
  if (given.clock_s > 0) tell_of_clock(given.clock_s);
  if (!given.refusal.empty()) {
    complain("cannot join: " + given.refusal);
    return ExitCode::no;
  }
  if (const Status good = look_at(given, *id, own->public_key(), token->cluster); !good)
    return complain(good.error());
  trust::FleetFile fleet{token->cluster, given.fleet_key, given.generation, given.chain,
                         given.certificate};
  fleet.records.insert(fleet.records.end(), given.others.begin(), given.others.end());
  const Result<trust::FleetFile> whole = with_known(*setup, std::move(fleet));
  if (!whole) return complain(whole.error());

  const bool may_lead = given.certificate.front()->may_lead;
  Config config;
  config.node.id = *id;
  config.node.role = may_lead ? Role::automatic : Role::slave;
  config.node.cluster = token->cluster;
  config.node.seeds = token->addresses;
  config.node.advertise =
      advertised(*setup, options.address.empty() ? reply->own : options.address);
  if (!given.master.empty() && given.master != *id && !given.master_endpoint.empty())
    config.node.master = PeerAddress{given.master, given.master_endpoint};
  // What leads one day acts as the one before: a newer mode than we know is the careful one.
  if (given.mode == static_cast<std::uint32_t>(Mode::approve)) config.plan.mode = Mode::approve;
  if (given.mode == static_cast<std::uint32_t>(Mode::act)) config.plan.mode = Mode::act;
  if (const Status written = trust::write_fleet(setup->fleet_file(), *whole); !written)
    return complain(written.error());
  if (const Status written = write_joined(*setup, config, "`ballast join`"); !written)
    return complain(written.error());
  const std::size_t nodes = trust::book_of(*whole)->members().size();
  return answer("This host is " + ballast::quoted(id->str()) + " of the fleet " +
                ballast::quoted(token->cluster) + " now, one of " + counted(nodes, "node") +
                (may_lead ? ", and may lead" : "") +
                (config.node.master
                     ? "; its master is " + ballast::quoted(config.node.master->id.str())
                     : "") +
                ".\n" + start_service(*setup) + "\n");
}

}  // namespace

void add_join_commands(CLI::App& app, Action& action) {
  auto invite = std::make_shared<InviteOptions>();
  CLI::App* inviting =
      app.add_subcommand("invite", "Print a token with which other hosts join this one's fleet.");
  add_setup_options(*inviting, invite->setup);
  inviting->add_option("--fleet-key", invite->setup->fleet_key,
                       "The fleet's key, where it is not in the state folder; it is lent to the "
                       "node, in memory, until the token expires");
  inviting->add_flag("--master", invite->master, "Who joins with it may lead");
  inviting->add_option("--for", invite->lasts, "How long it is good for: 30m, 1h, 2d")
      ->capture_default_str();
  inviting->add_option("--uses", invite->uses, "For how many hosts")
      ->capture_default_str()
      ->check(
          CLI::Range(std::uint32_t{1}, static_cast<std::uint32_t>(limits::invitation_uses_max)));
  inviting->add_flag("--json", invite->json, "Print as ballast-invite/1, for programs");
  inviting->footer(
      "The token goes to standard output, alone. It is a secret until it is used: whoever has it\n"
      "first may join. Who listens to the network while it is used learns nothing of use.\n"
      "Examples:\n"
      "  ballast invite --master --uses 2\n"
      "  ballast invite | ssh h4 ballast join -");
  inviting->callback([invite, &action] { action = [invite] { return run_invite(*invite); }; });

  auto join = std::make_shared<JoinOptions>();
  CLI::App* joining =
      app.add_subcommand("join", "Take this host into a fleet; its service starts. Moves nothing.");
  add_setup_options(*joining, join->setup);
  joining
      ->add_option("TOKEN", join->token,
                   "As `ballast invite` printed it; '-' reads it from standard input")
      ->required();
  joining->add_option("--id", join->id, "Id of this node; else its host name");
  joining->add_option("--address", join->address,
                      "Address that the other hosts reach this one at; else that on the way to the "
                      "inviter");
  joining->footer(
      "Makes this host's key, asks the inviter, and writes its certificate, so that `ballast run`\n"
      "needs no configuration; one that is there wins. Exit code 1: the inviter says no, and why.\n"
      "A node that has joined may join again, to be allowed to lead, or after it was revoked.\n"
      "Example:\n"
      "  ballast join ballast-AQdiYWxsYXN0...");
  joining->callback([join, &action] { action = [join] { return run_join(*join); }; });
}

}  // namespace ballast::cli

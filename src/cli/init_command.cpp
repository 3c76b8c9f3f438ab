// `ballast init`: the first host of a new fleet, and the fleet's next key.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "ballast/cli/output.h"
#include "ballast/trust/fleet_key.h"
#include "ballast/zmq/join.h"
#include "commands.h"
#include "host_setup.h"

namespace ballast::cli {
namespace {

struct InitOptions {
  std::shared_ptr<SetupOptions> setup = std::make_shared<SetupOptions>();
  std::string id;
  std::string cluster;
  std::string address;
  std::string mode;
  bool rotate = false;
};

// The address that others reach this host at, if it is not the only one: that of its default route.
std::string own_address() {
  // An address of documentation (RFC 5737): nothing is sent there.
  return zmq::own_address_towards("192.0.2.1");
}

Result<trust::Identity> fleet_key_at(const std::string& file) {
  // An init that was broken off has made it.
  if (access(file.c_str(), F_OK) == 0) return trust::Identity::read(file, trust::KeyKind::fleet);
  const trust::Identity fresh = trust::Identity::fresh();
  if (const Status written = fresh.write_new(file, trust::KeyKind::fleet); !written)
    return written.error();
  return fresh;
}

// One that was broken off before its end has left a file with this host alone.
bool belongs_to_a_fleet(const Setup& setup) {
  if (!trust::has_fleet(setup.fleet_file())) return false;
  const Result<trust::FleetFile> file = trust::read_fleet(setup.fleet_file());
  return has_joined(setup) || !file || file->records.size() > 1;
}

ExitCode run_init(const InitOptions& options) {
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  if (belongs_to_a_fleet(*setup)) {
    complain(setup->fleet_file() +
             ": this host belongs to a fleet already: `ballast fleet` shows it, `ballast invite` "
             "takes others in, `ballast init --rotate` replaces the fleet's key");
    return ExitCode::no;
  }
  const Result<NodeId> id = id_of_host(*setup, options.id);
  if (!id) return complain(id.error());
  Config config;
  config.node.id = *id;
  config.node.role = Role::master;
  config.node.cluster = options.cluster.empty() ? setup->config.node.cluster : options.cluster;
  if (!is_valid_id(config.node.cluster) || (setup->config.node.cluster != NodeSettings().cluster &&
                                            setup->config.node.cluster != config.node.cluster))
    return complain("--cluster: found " + ballast::quoted(config.node.cluster) +
                    ", expected a name of 1 to 128 bytes, and that of the configuration where it "
                    "sets one");
  config.node.advertise =
      advertised(*setup, options.address.empty() ? own_address() : options.address);
  if (options.mode == "approve") config.plan.mode = Mode::approve;
  if (options.mode == "auto") config.plan.mode = Mode::act;
  const Result<trust::Identity> own = own_key(*setup);
  if (!own) return complain(own.error());
  const std::string key_file = setup->fleet_key_file(*options.setup);
  const Result<trust::Identity> key = fleet_key_at(key_file);
  if (!key) return complain(key.error());
  const fleet::Book empty(key->public_key(), 1);
  const Result<wire::FleetRecordPtr> certificate = trust::certify(
      *key, config.node.cluster, empty, *id, own->public_key(), true, wall_clock_s());
  if (!certificate) return complain(certificate.error());
  const Status written = trust::write_fleet(
      setup->fleet_file(), {config.node.cluster, key->public_key(), 1, {}, {*certificate}});
  if (!written) return complain(written.error());
  // Last: without it an init that was broken off may be done again.
  if (const Status joined = write_joined(*setup, config, "`ballast init`"); !joined)
    return complain(joined.error());
  const std::string started = start_service(*setup);
  return answer(
      "This host is " + ballast::quoted(id->str()) + ", the first of a new fleet (cluster " +
      ballast::quoted(config.node.cluster) + ")" +
      (config.node.advertise.empty() ? "" : ", reached at " + config.node.advertise) + ".\n" +
      "The fleet's key is " + key_file +
      ": who has it decides who belongs to the fleet. Keep a "
      "copy off line;\nit may live on a stick (--fleet-key FILE).\n" +
      started + "\nNext:\n" +
      "  ballast invite --master --uses 2     # one token for two more hosts that may lead\n");
}

// --- the next key -------------------------------------------------------------------------------

Status rename_file(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return Error{from + ": cannot rename it to " + to + ": " + std::strerror(errno)};
}

// The old key stays beside the new one, numbered: of no use any more but to know it by.
Status put_in_place(const std::string& file, const std::string& next, std::uint32_t generation) {
  const std::string old = file + "." + std::to_string(generation);
  if (const Status kept = rename_file(file, old); !kept) return kept;
  return rename_file(next, file);
}

ExitCode run_rotate(const InitOptions& options) {
  const Result<Setup> setup = read_setup(*options.setup);
  if (!setup) return complain(setup.error());
  const Result<trust::FleetFile> file = trust::read_fleet(setup->fleet_file());
  if (!file) return complain(file.error());
  const std::unique_ptr<fleet::Book> book = trust::book_of(*file);
  const std::string key_file = setup->fleet_key_file(*options.setup);
  const std::string next_file = key_file + ".next";
  const Result<trust::Identity> key = trust::Identity::read(key_file, trust::KeyKind::fleet);
  if (!key) return complain(key.error());
  Result<trust::Identity> next = trust::Identity::read(next_file, trust::KeyKind::fleet);
  if (next && next->public_key() == book->fleet_key()) {
    // Broken off after the word was written, and perhaps before all that goes with it was.
    const auto left = trust::sign_left_over(*next, file->cluster, *book);
    if (!left) return complain(left.error());
    if (const Status told = trust::append_to_fleet(setup->fleet_file(), *left); !told)
      return complain(told.error());
    if (const Status put = put_in_place(key_file, next_file, book->generation() - 1); !put)
      return complain(put.error());
    return answer("The fleet's key was replaced before; its file is in place now: " + key_file +
                  "\n");
  }
  if (!next) {
    next = trust::Identity::fresh();
    if (const Status made = next->write_new(next_file, trust::KeyKind::fleet); !made)
      return complain(made.error());
  }
  const Result<std::vector<wire::FleetRecordPtr>> records =
      trust::succeed(*key, *next, file->cluster, *book, wall_clock_s());
  if (!records) return complain(records.error());
  if (const Status told = trust::append_to_fleet(setup->fleet_file(), *records); !told)
    return complain(told.error());
  if (const Status put = put_in_place(key_file, next_file, book->generation()); !put)
    return complain(put.error());
  return answer("The fleet has its key number " + std::to_string(book->generation() + 1) + ", in " +
                key_file +
                "; the old one is beside it and of no use any more.\nEvery node hears "
                "of it within a report interval, one that is away when it comes back.\n");
}

}  // namespace

void add_init_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command =
      app.add_subcommand("init", "Make this host the first of a new fleet; its service starts.");
  add_setup_options(*command, options->setup);
  command->add_option("--fleet-key", options->setup->fleet_key,
                      "Where the fleet's key is (or is made); else fleet.key in the state folder");
  command->add_option("--id", options->id, "Id of this node; else its host name");
  command->add_option("--cluster", options->cluster, "Name of the fleet; else \"ballast\"");
  command->add_option("--address", options->address,
                      "Address that the other hosts reach this one at; else that of the default "
                      "route");
  command->add_option("--mode", options->mode, "What masters do with their plans")
      ->check(CLI::IsMember({"recommend", "approve", "auto"}));
  command->add_flag("--rotate", options->rotate, "Replace the fleet's key by a new one");
  command->footer(
      "Makes the fleet's key and this node's certificate. Everybody who is certified by that key\n"
      "belongs to the fleet; running nodes need its public half alone, so the key itself may be\n"
      "moved to a stick.\n"
      "Examples:\n"
      "  ballast init\n"
      "  ballast init --mode auto --fleet-key /media/stick/fleet.key\n"
      "  ballast init --rotate");
  command->callback([options, &action] {
    action = [options] { return options->rotate ? run_rotate(*options) : run_init(*options); };
  });
}

}  // namespace ballast::cli

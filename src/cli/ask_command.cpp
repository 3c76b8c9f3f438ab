// `ballast drain|undrain|promote|forget|why|retry|events|best-host`: what an operator asks of the
// fleet, from any node. The node passes it on to who knows. Source: design, section 8.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "answer_text.h"
#include "asking.h"
#include "ballast/base/limits.h"
#include "ballast/cli/command.h"
#include "commands.h"

namespace ballast::cli {
namespace {

CLI::App* add(CLI::App& app, const char* name, const char* help,
              const std::shared_ptr<AskOptions>& options) {
  CLI::App* command = app.add_subcommand(name, help);
  add_control_option(*command, options->control, "Socket of any node");
  command->add_flag("--json", options->json, "Print the answer as JSON, for programs");
  return command;
}

// A command that asks with one word and one id.
CLI::App* add_about(CLI::App& app, Action& action, const char* name, const char* id_name,
                    const char* id_help, const char* help, const Show& show) {
  auto options = std::make_shared<AskOptions>();
  auto id = std::make_shared<std::string>();
  CLI::App* command = add(app, name, help, options);
  command->add_option(id_name, *id, id_help)->required();
  command->callback(
      [=, &action] { action = [=] { return ask_node(*options, name + (" " + *id), show); }; });
  return command;
}

struct Place {
  double cpu = 0;
  double memory = 0;
  double network = 0;
};

void add_best_host(CLI::App& app, Action& action) {
  auto options = std::make_shared<AskOptions>();
  auto place = std::make_shared<Place>();
  CLI::App* command = add(app, "best-host", "Where a new VM fits best, in any group.", options);
  command->add_option("--cpu", place->cpu, "MHz that it will use")
      ->required()
      ->check(CLI::Range(0.0, limits::cpu_mhz_max));
  command->add_option("--memory", place->memory, "MiB that it will hold")
      ->required()
      ->check(CLI::Range(0.0, limits::memory_mib_max));
  command->add_option("--network", place->network, "Mbit/s that it will use")
      ->check(CLI::Range(0.0, limits::network_mbit_max));
  command->footer(
      "Best first: the host whose highest utilisation is least once the VM is there. Exit code 1\n"
      "when no host has the room. Nothing is reserved by asking.\n"
      "Example:\n"
      "  ballast best-host --cpu 4000 --memory 8192");
  command->callback([=, &action] {
    action = [=] {
      char request[128];
      std::snprintf(request, sizeof request, "best-host %.3f %.3f %.3f", place->cpu, place->memory,
                    place->network);
      return ask_node(*options, request, places_text);
    };
  });
}

}  // namespace

void add_ask_commands(CLI::App& app, Action& action) {
  add_about(app, action, "drain", "HOST", "Id of the host",
            "Empty a host: its VMs go to other hosts of its group, then to other groups.",
            drain_text)
      ->footer(
          "Says first where each VM is to go. When one would have no place, nothing moves, it is\n"
          "named with the reason and the figures, and the exit code is 1. A drain lasts, over\n"
          "restarts too, until `ballast undrain`. `ballast status` shows how far it is, and says\n"
          "when it can go no further; asked for again, it tries again what has failed.");
  add_about(app, action, "undrain", "HOST", "Id of the host",
            "Let a host take VMs again; what has begun to leave it still goes.", drain_text);
  add_about(app, action, "promote", "NODE", "Id of the node",
            "Make a node a master, from any node; its own answer is shown.", facts_text)
      ->footer(
          "Its role must be \"auto\", and its key must be trusted as a master's by its own node "
          "and\n"
          "by its master (`ballast trust add NODE --master`); every other host should, too. It "
          "leads\n"
          "a group of itself; nodes that look for a master find it.");
  add_about(app, action, "forget", "HOST", "Id of the host",
            "Let a host that is lost leave the table; should it come back, it joins anew.",
            facts_text);
  add_about(app, action, "why", "VM", "Id of the VM",
            "Why a VM is where it is: what was measured, planned, asked, agreed, and came of it.",
            facts_text);
  add_about(app, action, "retry", "VM", "Id of the VM",
            "Try again at once what failed with this VM, or between its host and others.",
            facts_text)
      ->footer(
          "A migration that failed is not tried again for 10 minutes, then for twice as long each\n"
          "time, up to a day. Once what was wrong is mended, this ends the wait.\n"
          "`ballast why VM` tells what failed, and the hypervisor's reason.");
  auto options = std::make_shared<AskOptions>();
  CLI::App* events =
      add(app, "events", "What happened lately in the group, the newest last.", options);
  struct Which {
    bool here = false;
    bool utc = false;
    bool verbose = false;
  };
  auto which = std::make_shared<Which>();
  events->add_flag("--here", which->here, "Of this node alone, when it is a slave");
  events->add_flag("--utc", which->utc, "Clock times in UTC instead of the local time");
  events->add_flag("-v,--verbose", which->verbose, "Also how the group came together at the start");
  events->callback([=, &action] {
    action = [=] {
      const Show show = [which](const wire::Reply& reply) {
        const auto now = std::chrono::system_clock::now();
        return events_text(reply,
                           {std::chrono::system_clock::to_time_t(now), which->utc, which->verbose});
      };
      return ask_node(*options, which->here ? "events here" : "events", show);
    };
  });
  add_best_host(app, action);
}

}  // namespace ballast::cli

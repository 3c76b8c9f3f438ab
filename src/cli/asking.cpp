#include "asking.h"

#include "ballast/cli/output.h"
#include "ballast/daemon/control.h"
#include "ballast/files/answer.h"

namespace ballast::cli {

CLI::Option* add_control_option(CLI::App& command, std::string& control, const char* help) {
  CLI::Option* option = command.add_option("--control", control, help)->envname("BALLAST_CONTROL");
  if (!control.empty()) option->capture_default_str();
  return option;
}

ExitCode ask_node(const AskOptions& options, const std::string& request, const Show& show) {
  const Result<std::string> reply = daemon::ask_control(options.control, request, node_patience);
  if (!reply) return complain(reply.error());
  const Result<wire::Reply> read = files::parse_answer(*reply, "the node at " + options.control);
  if (!read) return complain(read.error());
  const bool is_no = read->answered != wire::Answered::yes;
  if (options.json) {
    const ExitCode code = answer(*reply);
    return is_no ? ExitCode::no : code;
  }
  const std::string head = is_no || read->text.empty() ? std::string() : read->text + "\n";
  const ExitCode code = answer(head + show(*read));
  if (!is_no) return code;
  complain(read->text);
  return ExitCode::no;
}

}  // namespace ballast::cli

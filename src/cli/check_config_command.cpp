#include "commands.h"

namespace ballast::cli {

void add_check_config_command(CLI::App&, Action&) {}

}  // namespace ballast::cli

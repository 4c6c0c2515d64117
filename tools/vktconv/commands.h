// The subcommands. Each function adds one to the command line; the callback that it sets does the work, prints to
// stdout and throws what report_exception() understands.
#pragma once

namespace CLI {
class App;
}

namespace vktconv::cli {

void add_info_command(CLI::App& app);
void add_run_command(CLI::App& app);
void add_explain_command(CLI::App& app);
void add_tune_command(CLI::App& app);

}  // namespace vktconv::cli

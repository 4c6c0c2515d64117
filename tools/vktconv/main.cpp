// vktconv: transposed convolution from the command line.
#include <fmt/format.h>
#include <vktconv_build_version.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "commands.h"
#include "failure.h"
#include "support/printable.h"

namespace vktconv::cli {
namespace {

// The subcommand that was asked for, for the hint after an error of usage.
std::string command_name(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "vktconv" : "vktconv " + chosen.front()->get_name();
}

void check_command(const CLI::App& app, const std::string& name) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return;
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  refuse(fmt::format("there is no command \"{}\", only {}", support::printable(name, 40), names));
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Transposed convolution (ConvTranspose 1D, 2D, 3D) on any Vulkan 1.2 device.", "vktconv");
  app.get_formatter()->column_width(36);
  app.set_version_flag("--version", fmt::format("vktconv {} ({})", VKTCONV_BUILD_VERSION, VKTCONV_BUILD_COMMIT));
  app.require_subcommand(1);
  app.footer(
      fmt::format("Examples:\n"
                  "  vktconv info\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 --padding 1\n"
                  "  vktconv explain 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'\n"
                  "  vktconv tune 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'\n"
                  "  vktconv run --help\n\n{}",
                  exit_code_help));
  add_info_command(app);
  add_run_command(app);
  add_explain_command(app);
  add_tune_command(app);
  // CLI11 would only say that a subcommand is missing.
  if (argc > 1 && argv[1][0] != '-') check_command(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "vktconv: %s\nTry: %s --help\n", error.what(), command_name(app).c_str());
    return exit_bad_input;
  }
  // A full disk behind a redirected stdout shows only here.
  std::fflush(stdout);
  std::cout.flush();
  if (std::ferror(stdout) != 0 || !std::cout) throw Failure(exit_failure, "cannot write to standard output");
  return exit_success;
}

}  // namespace
}  // namespace vktconv::cli

int main(int argc, char** argv) {
  try {
    return vktconv::cli::run_command_line(argc, argv);
  } catch (...) {
    return vktconv::cli::report_exception();
  }
}

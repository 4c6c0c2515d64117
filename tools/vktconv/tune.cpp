// vktconv tune: measures the planner's best candidates and keeps the winners for later runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>
#include <vktconv/vktconv_host.hpp>

#include "commands.h"
#include "device_flags.h"
#include "failure.h"
#include "problem_flags.h"
#include "support/problem_text.h"
#include "support/progress.h"

namespace vktconv::cli {
namespace {

using support::NamedProblem;

struct TuneFlags {
  ProblemFlags problems;
  DeviceFlags device;
  uint32_t candidates = host::TuneOptions().candidates;
  uint32_t repeats = 0;
};

// How far the model was from the best, over all problems.
struct Tally {
  static constexpr double close = 1.15;
  size_t tuned = 0, close_to_best = 0, too_large = 0;

  void add(const host::TuneResult& result) {
    ++tuned;
    if (result.candidates.front().seconds <= close * result.candidates[result.winner].seconds) ++close_to_best;
  }
};

// Four digits, whatever the device.
std::string milliseconds(double seconds) { return fmt::format("{:.4g}", seconds * 1e3); }

// The fastest first, as nobody reads far down.
void print_result(const host::TuneResult& result) {
  std::vector<size_t> order(result.candidates.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return result.candidates[a].seconds < result.candidates[b].seconds; });
  fmt::print("  {:>12} {:>12} {:>8}   {}\n", "measured ms", "predicted ms", "repeats", "choice");
  for (const size_t i : order) {
    const host::MeasuredCandidate& candidate = result.candidates[i];
    fmt::print("  {:>12} {:>12} {:>8}   {}{}{}\n", milliseconds(candidate.seconds),
               milliseconds(candidate.predicted_seconds), candidate.repeats, candidate.choice,
               i == 0 ? "  (model)" : "", i == result.winner ? "  (winner)" : "");
  }
  const host::MeasuredCandidate& winner = result.candidates[result.winner];
  fmt::print("  winner: {}", winner.tile);
  if (result.winner != 0)
    fmt::print(", {:.2f} times as quick as the model's choice", result.candidates.front().seconds / winner.seconds);
  fmt::print("\n");
}

void tune_problem(host::Device& device, const NamedProblem& problem, const TuneFlags& flags, Tally& tally) {
  const std::string text = support::format_problem(problem);
  fmt::print("{}\n", text);
  std::fflush(stdout);
  host::TuneOptions options;
  options.candidates = flags.candidates;
  options.repeats = flags.repeats;
  host::TuneResult result;
  {
    support::ProgressLine line("Measuring " + text);
    options.progress = [&](uint32_t done, uint32_t total) { line.update(done, total); };
    result = host::tune(device, problem.desc, options);
  }
  print_result(result);
  tally.add(result);
}

// One problem that the device cannot do must not hide the others.
void tune_all(host::Device& device, const std::vector<NamedProblem>& problems, const TuneFlags& flags, Tally& tally) {
  for (const NamedProblem& problem : problems) {
    try {
      tune_problem(device, problem, flags, tally);
    } catch (const host::Error& error) {
      const VktcStatus status = error.error().status;
      const bool too_large = status == VKTC_ERROR_LIMIT_EXCEEDED || status == VKTC_ERROR_FEATURE_NOT_ENABLED;
      if (!too_large || problems.size() == 1) throw;
      ++tally.too_large;
      fmt::print("  not on {}: {}\n", device.summary().name, error.what());
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
}

void tune(const TuneFlags& flags) {
  const std::vector<NamedProblem> problems = flags.problems.choose();
  host::Device device = flags.device.open();
  fmt::print("{}, {}\n\n", device.summary().name, device.summary().driver);
  Tally tally;
  tune_all(device, problems, flags, tally);
  flags.device.check_validation(device);
  if (tally.tuned > 1) {
    fmt::print("The model's choice was within 15 % of the best on {} of {} problems.\n", tally.close_to_best,
               tally.tuned);
  }
  if (tally.tuned > 0 && !device.tuning_file().empty()) fmt::print("Kept in {}\n", device.tuning_file().string());
  if (tally.too_large > 0) {
    throw Failure(exit_over_limit, fmt::format("{} of {} problems cannot be tuned on {}", tally.too_large,
                                               problems.size(), device.summary().name));
  }
}

}  // namespace

void add_tune_command(CLI::App& app) {
  auto flags = std::make_shared<TuneFlags>();
  CLI::App* command =
      app.add_subcommand("tune", "Measure the planner's best candidates and keep the winner for later runs");
  flags->problems.add_to(*command);
  command
      ->add_option("--candidates", flags->candidates,
                   "How many to measure, the best predicted first; the best of each algorithm is always among them; "
                   "default: 8")
      ->type_name("N")
      ->check(CLI::Range(1u, 100000u))
      ->group("Measurement");
  command
      ->add_option("--repeats", flags->repeats,
                   "Timed runs of each, of which the median counts; default: 7 or more, fewer for slow problems")
      ->type_name("N")
      ->check(CLI::Range(1u, 100000u))
      ->group("Measurement");
  flags->device.add_device_to(*command);
  flags->device.add_tuning_to(*command);
  command->footer(
      fmt::format("{}\n\n"
                  "{}\n\n"
                  "{}\n\n"
                  "The planner predicts how long each algorithm and tile would take and takes the best.\n"
                  "tune measures the best few on random data and keeps the winner in a JSON file, by\n"
                  "device, driver, library version and every field of the problem. vktconv run, explain\n"
                  "and programs that use vktconv-host take it from there before they ask the model, as\n"
                  "long as all of that is the same. The model's choice wins unless another is more than\n"
                  "2 % quicker; one that takes over twice as long as the best is not repeated. Let\n"
                  "nothing else run on the device.\n\n"
                  "Examples:\n"
                  "  vktconv tune 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'\n"
                  "  vktconv tune --suite bench/suites/decoders.json --dtype f16 --candidates 20\n"
                  "  vktconv tune --input 8,64,32,32 --weight 64,128,4,4 --stride 2 --padding 1\n"
                  "  vktconv explain 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'    says who chose\n\n{}",
                  convolution_help, descriptor_help, post_ops_help, exit_code_help));
  command->callback([flags] { tune(*flags); });
}

}  // namespace vktconv::cli

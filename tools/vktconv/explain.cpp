// vktconv explain: the plan of a problem in words, and what it is made of.
#include <fmt/format.h>
#include <phases.h>
#include <shape.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include <vktconv/vktconv_host.hpp>

#include "commands.h"
#include "device_flags.h"
#include "failure.h"
#include "problem_flags.h"
#include "support/problem_text.h"

namespace vktconv::cli {
namespace {

using support::NamedProblem;

struct ExplainFlags {
  ProblemFlags problems;
  DeviceFlags device;
};

constexpr const char* axis_names[] = {"depth", "height", "width"};

// ---- tables ---------------------------------------------------------------------------------------------------------

// "0, 2, 4" or "0, 2, ... 14"
std::string list_some(const std::vector<int64_t>& values) {
  constexpr size_t most = 6;
  if (values.size() <= most) return fmt::format("{}", fmt::join(values, ", "));
  return fmt::format("{}, ... {}", fmt::join(values.begin(), values.begin() + most - 1, ", "), values.back());
}

// Phases that take equally many taps share a line: what matters is how many multiplications an output costs.
void print_axis_phases(const Axis& axis, const char* name) {
  fmt::print("  {}: input {}, output {}, kernel {}, stride {}, dilation {}, padding {} at the beginning\n", name,
             axis.input, axis.output, axis.kernel, axis.stride, axis.dilation, axis.padding_begin);
  constexpr int64_t most_phases = 1 << 16;
  const int64_t count = std::min(axis.stride, axis.output);
  if (count > most_phases) {
    fmt::print("    {} phases, too many to list\n", count);
    return;
  }
  struct Row {
    int64_t outputs = 0;
    std::vector<int64_t> phases;
  };
  std::map<int64_t, Row, std::greater<>> rows;
  for (const Phase& phase : split_phases(axis).phases) {
    Row& row = rows[phase.taps];
    row.outputs += phase.outputs;
    row.phases.push_back(phase.first_output);
  }
  fmt::print("    {:>6} {:>12} {:>10}   {}\n", "taps", "outputs", "phases", "outputs o with o mod stride =");
  for (const auto& [taps, row] : rows) {
    fmt::print("    {:>6} {:>12} {:>10}   {}{}\n", taps, row.outputs, row.phases.size(), list_some(row.phases),
               taps == 0 ? "  (bias alone)" : "");
  }
}

void print_dispatches(VktcPlan plan, const VktcPlanRequirements& requirements) {
  constexpr uint32_t most_dispatches = 64;
  fmt::print("Dispatches\n  {:>4}  {:>28}  {}\n", "#", "workgroups", "name");
  for (uint32_t index = 0; index < std::min(requirements.dispatchCount, most_dispatches); ++index) {
    VktcDispatchInfo dispatch = {};
    vktcGetDispatchInfo(plan, index, &dispatch);
    fmt::print("  {:>4}  {:>28}  {}\n", index,
               fmt::format("{} x {} x {}", dispatch.groupCount[0], dispatch.groupCount[1], dispatch.groupCount[2]),
               dispatch.name);
  }
  if (requirements.dispatchCount > most_dispatches) {
    fmt::print("  ... and {} more\n", requirements.dispatchCount - most_dispatches);
  }
}

void print_buffers(const VktcPlanRequirements& requirements) {
  fmt::print("Buffers, in bytes\n");
  const std::pair<const char*, VkDeviceSize> rows[] = {
      {"input", requirements.inputBytes},      {"weights", requirements.weightsBytes},
      {"bias", requirements.biasBytes},        {"packed weights", requirements.packedWeightsBytes},
      {"output", requirements.outputBytes},    {"workspace", requirements.workspaceBytes},
      {"scale", requirements.scaleBytes},      {"shift", requirements.shiftBytes},
      {"residual", requirements.residualBytes}};
  for (const auto& [name, bytes] : rows) fmt::print("  {:<16}{:>16}\n", name, bytes);
}

struct PlanDeleter {
  void operator()(VktcPlan plan) const { vktcDestroyPlan(plan); }
};

std::string chosen_by(const host::Device& device, host::ChoiceSource source) {
  switch (source) {
    case host::ChoiceSource::caller:
      return "as asked for";
    case host::ChoiceSource::user_table:
      return "by vktconv tune, in " + device.tuning_file().string();
    case host::ChoiceSource::shipped_table:
      return "by the measurements that come with vktconv";
    case host::ChoiceSource::model:
      break;
  }
  return "by predicted time";
}

void explain_problem(const host::Device& device, const NamedProblem& named, VktcPlanOptions options) {
  const host::Choice choice = host::choose(device, named.desc, options);
  if (!choice.text.empty()) options.choice = choice.text.c_str();
  VktcError error = {};
  VktcPlan created = nullptr;
  if (vktcCreatePlan(device.context(), &named.desc, &options, &created, &error) != VKTC_SUCCESS) {
    throw host::Error(error);
  }
  const std::unique_ptr<VktcPlan_T, PlanDeleter> plan(created);
  VktcPlanInfo plan_info = {};
  vktcGetPlanInfo(plan.get(), &plan_info);
  VktcPlanRequirements requirements = {};
  vktcGetPlanRequirements(plan.get(), &requirements);
  Problem problem;
  if (!make_problem(named.desc, problem, error)) throw host::Error(error);

  fmt::print("{}\non {}, chosen {}\n\n{}\n", support::format_problem(named), device.summary().name,
             chosen_by(device, choice.source), plan_info.explanation);
  fmt::print("Phases: along each axis, the outputs that take the same kernel taps\n");
  for (uint32_t axis = 3 - named.desc.spatialRank; axis < 3; ++axis) {
    print_axis_phases(problem.axes[axis], axis_names[axis]);
  }
  fmt::print("\n");
  print_dispatches(plan.get(), requirements);
  fmt::print("\n");
  print_buffers(requirements);
}

// One problem that the device cannot do must not hide the others.
void explain_suite(const host::Device& device, const std::vector<NamedProblem>& problems,
                   const VktcPlanOptions& options) {
  size_t failures = 0;
  for (const NamedProblem& problem : problems) {
    if (&problem != &problems.front()) fmt::print("\n{:-<88}\n\n", "");
    try {
      explain_problem(device, problem, options);
    } catch (const host::Error& error) {
      const VktcStatus status = error.error().status;
      if (status != VKTC_ERROR_LIMIT_EXCEEDED && status != VKTC_ERROR_FEATURE_NOT_ENABLED) throw;
      ++failures;
      fmt::print("{}\nnot on {}: {}\n", support::format_problem(problem), device.summary().name, error.what());
    }
    std::fflush(stdout);
  }
  if (failures > 0) {
    throw Failure(exit_over_limit, fmt::format("{} of {} problems cannot be done on {}", failures, problems.size(),
                                               device.summary().name));
  }
}

void explain(const ExplainFlags& flags) {
  const VktcPlanOptions options = flags.device.plan_options();
  const std::vector<NamedProblem> problems = flags.problems.choose();
  const host::Device device = flags.device.open();
  if (problems.size() == 1) {
    explain_problem(device, problems.front(), options);
  } else {
    explain_suite(device, problems, options);
  }
  flags.device.check_validation(device);
}

}  // namespace

void add_explain_command(CLI::App& app) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command = app.add_subcommand("explain", "Say how a problem would be computed, and why so");
  flags->problems.add_to(*command);
  flags->device.add_device_to(*command);
  flags->device.add_algorithm_to(*command);
  flags->device.add_tuning_to(*command);
  command->footer(
      fmt::format("{}\n\n"
                  "{}\n\n"
                  "{}\n\n"
                  "A tensor that fits in no buffer of the device is refused here; vktconv run cuts such\n"
                  "a problem into pieces, each with a plan of its own.\n\n"
                  "Examples:\n"
                  "  vktconv explain 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'\n"
                  "  vktconv explain --suite bench/suites/kb1.json --match 'kb1\\.(68|79)$'\n"
                  "  vktconv explain --input 8,64,32,32 --weight 64,128,4,4 --stride 2 --padding 1\n"
                  "  vktconv explain --input x.npy --weight w.npy --auto-pad SAME_UPPER --stride 2\n\n{}",
                  convolution_help, descriptor_help, post_ops_help, exit_code_help));
  command->callback([flags] { explain(*flags); });
}

}  // namespace vktconv::cli

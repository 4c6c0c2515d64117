#include "modelled_times.h"

#include <support/problem_text.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "plan_rules.h"
#include "planner.h"
#include "shape.h"

namespace vktconv::tests {

namespace {

// Floor, prediction and algorithm as three cells of a table.
std::string cells(VktcConvTransposeDesc desc, VktcDataType type, VktcLayout layout, const DeviceCaps& caps) {
  desc.dataType = type;
  desc.inputLayout = desc.outputLayout = layout;
  Problem problem;
  Plan plan;
  VktcError error = {};
  if (!make_problem(desc, problem, error) || !make_plan(problem, caps, {}, plan, error)) {
    throw std::runtime_error(error.message);
  }
  const double rate = type == VKTC_DATA_TYPE_F32 ? caps.fp32_flops : caps.matrix_flops;
  const double floor = std::max(useful_flop(problem) / rate, least_bytes(problem) / caps.memory_bandwidth);
  char text[128];
  std::snprintf(text, sizeof text, "%.3g | %.3g | %s", floor * 1e3, plan.predicted_seconds * 1e3,
                plan.algorithm.c_str());
  return text;
}

}  // namespace

int print_modelled_times(int argc, char** argv) {
  const DeviceCaps caps = ada_caps();
  std::printf(
      "| problem | fp32 floor | predicted | by | fp16 floor | predicted | by | channels-last: floor | predicted | by "
      "|\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  for (int i = 2; i < argc; ++i) {
    for (const support::NamedProblem& problem : support::load_suite(argv[i])) {
      const auto text = [&](VktcDataType type, VktcLayout layout) { return cells(problem.desc, type, layout, caps); };
      std::printf("| %s | %s | %s | %s |\n", problem.name.c_str(),
                  text(VKTC_DATA_TYPE_F32, VKTC_LAYOUT_CHANNELS_FIRST).c_str(),
                  text(VKTC_DATA_TYPE_F16, VKTC_LAYOUT_CHANNELS_FIRST).c_str(),
                  text(VKTC_DATA_TYPE_F16, VKTC_LAYOUT_CHANNELS_LAST).c_str());
    }
  }
  return 0;
}

}  // namespace vktconv::tests

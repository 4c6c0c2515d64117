// Chooses an algorithm and its tile for a problem on a device. Pure.
#pragma once

#include <string>

#include "device_caps.h"
#include "plan.h"
#include "shape.h"

namespace vktconv {

struct PlanOptions {
  std::string algorithm;  // empty: choose
  VktcMemoryAccess memory_access = VKTC_MEMORY_ACCESS_AUTO;
  uint32_t candidate = 0;  // by predicted time, 0 the best
  VktcPrecision precision = VKTC_PRECISION_F32;
  std::string choice = {};  // Plan::choice of the candidate to take; empty: by predicted time
};

bool make_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, Plan& plan,
               VktcError& error);

// The algorithms in the order of the planner's table; null past the end.
const char* algorithm_name(uint32_t index);
const char* algorithm_summary(uint32_t index);

// The plan in words, several lines: phases, dispatches, tiles, bytes, FLOP, why this algorithm.
std::string explain_plan(const Problem& problem, const DeviceCaps& caps, const Plan& plan);

}  // namespace vktconv

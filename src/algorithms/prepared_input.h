// The input turned to channels-last by a dispatch before, into the workspace, as kernels on matrix units read it
// (shaders/channels_last.comp): chunks of in-channels in 16 bits, of int8 in 8, of fp32 in one or two parts.
#pragma once

#include <functional>

#include "algorithms/blocks.h"

namespace vktconv {

struct PreparedInput {
  int64_t depth = 16;  // in-channels of a chunk
  int64_t parts = 1;   // of an element
};

int64_t prepared_bytes(const Problem& problem, const PreparedInput& prepared, int64_t images, int64_t groups);

// What it takes, in seconds.
double predict_preparation(const Problem& problem, const PreparedInput& prepared, double bandwidth);

// Where make_prepared_plan puts it: slabs take turns in the workspace.
Window prepared_window(const Problem& problem, const PreparedInput& prepared, const Slab& slab);

// make_blocked_plan for kernels of one dispatch a slab, whose input is prepared before, or (null) is not.
bool make_prepared_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                        const Blocking& blocking, const PreparedInput* prepared,
                        const std::function<Dispatch(const Slab& slab, const SlabWindows& windows)>& make_dispatch,
                        Plan& plan, VktcError& error);

}  // namespace vktconv

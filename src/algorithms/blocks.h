// The common ground of algorithms that compute blocks of out-channels from weights packed as
// [group, block, tap, in-channel, row of the block]: packing dispatches, slabs, windows.
#pragma once

#include <functional>

#include "algorithms/algorithm.h"
#include "algorithms/slabs.h"
#include "algorithms/weight_scales.h"
#include "shared/params.h"

namespace vktconv {

struct Blocking {
  int64_t channels = 4;            // out-channels of a block
  int64_t rows = 4;                // of a packed block: its out-channels, times merged phases, rounded up
  int64_t merged = 0;              // phases of the width that are rows of the same block (tiled.comp); 0: none are
  int64_t packed_taps_w = 0;       // packed for the taps of the width; 0: those of the kernel, or of merged phases
  int64_t row_taps = 0;            // innermost taps that are rows, too: row = out-channel * row_taps + tap; 0: none are
  int64_t packed_in_channels = 1;  // of one group, rounded up as the kernel wants it
  std::string pack_shader = "pack_weights";
  int64_t packed_element_size = 4;  // bytes of one in-channel of one row
  int64_t packed_unit = 4;          // bytes of what shaders count in packed weights
  int64_t pack_step = 1;            // in-channels that one invocation of the packing writes
  int64_t pack_chunk = 1;           // in-channels that are packed by the same dispatch
  uint32_t pack_local_size = 64;
  int64_t pack_group_steps = 0;     // pack_step in-channels of one row each, written by a workgroup; 0: the local size
  uint32_t pack_subgroup_size = 0;  // to require; 0: whatever the device takes
  uint32_t buffers = 4;             // that the kernel binds, without those of the post-ops
  std::vector<uint32_t> pack_constants;  // of the packing, after its local size and rows
  // Each out-channel's weights have a scale: shaders/weight_scales.comp writes them before everything else, and the
  // packing and the kernel read them.
  bool scaled = false;
  uint64_t scales_begin = 0;  // in the packed weights
  WeightsPlace weights = {};  // what is packed
  // The same weights in another layout, packed behind; null: none.
  const Blocking* also = nullptr;
  // More dispatches of the packing, behind all others; null: none.
  std::function<bool(Plan& plan, VktcError& error)> pack_more;
  // The workgroups of a slab; infinite where its positions cannot be numbered. Must grow with the slab.
  std::function<double(const Slab&)> workgroups;

  // The steps along the in-channels that pack_weights.comp packs and kernels sum by (shaders/input.glsl), rounded up to
  // a multiple.
  void pack_steps(const Problem& problem, int64_t multiple);

  int64_t blocks_per_group(const Problem& problem) const { return ceil_div(problem.group_out_channels(), channels); }
};

// Of one kind: weights that need more are refused.
constexpr size_t max_pack_dispatches = 65536;

struct SlabWindows {
  AlignedWindow input, packed, bias, output;
  AlignedWindow also_packed;    // of Blocking::also
  AlignedWindow scales;         // of all out-channels, where Blocking::scaled
  shared::SlabParams params{};  // the slab, and where it begins in the windows
};

struct Run {
  // Its grid is made from workgroups; without windows: input, packed weights, bias, output, and those of the post-ops.
  Dispatch dispatch;
  double workgroups = 0;
};

// Fills in everything of the plan but tile, algorithm, reason and workspace. make_runs turns a slab into its
// dispatches.
bool make_blocked_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                       const Blocking& blocking,
                       const std::function<std::vector<Run>(const Slab& slab, const SlabWindows& windows)>& make_runs,
                       Plan& plan, VktcError& error);

// The same for algorithms that have one dispatch a slab.
bool make_blocked_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                       const Blocking& blocking,
                       const std::function<Dispatch(const SlabWindows& windows)>& make_dispatch, Plan& plan,
                       VktcError& error);

// In-channels that kernels sum in one step: of 8-bit integers four, the bytes of a word. Steps of a group.
int64_t step_channels(const Problem& problem);
int64_t channel_steps(const Problem& problem);
// Multiply-adds that a step is taken to cost: a dot product one, bytes that must be taken apart several. Guesses, not
// fitted to times on a GPU.
double step_cost(const Problem& problem, const DeviceCaps& caps);

// The positions of one phase over a number of images, and the number of phases.
int64_t phase_positions(const Problem& problem, int64_t images);
int64_t phase_count(const Problem& problem);

// The specialization constants up to POST_OP_CONSTANTS (shaders/geometry.glsl, output.glsl, post_ops.glsl).
std::vector<uint32_t> common_constants(const Problem& problem);
// Those and what follows up to PROBLEM_CONSTANTS (shaders/problem.glsl). merged: phases of the width, or 0.
std::vector<uint32_t> problem_constants(const Problem& problem, uint32_t merged);

uint32_t u32(int64_t value);
int64_t round_up(int64_t value, int64_t multiple);

}  // namespace vktconv

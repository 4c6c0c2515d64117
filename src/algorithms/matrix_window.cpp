// Implicit matrix product over phases on matrix units (shaders/matrix_window.comp), fp16 and bf16 as they are, fp32 in
// two fp16 parts: inputs under a window of taps in shared memory, weights from the caches, outputs in whole vectors.
// Beside `matrix`, which is quicker where runs of outputs are short.

#include <algorithm>
#include <array>
#include <span>

#include "algorithms/blocks.h"
#include "algorithms/matrix_units.h"
#include "algorithms/matrix_window_plan.h"
#include "algorithms/merged_phases.h"
#include "algorithms/numbering.h"
#include "algorithms/prepared_input.h"
#include "phases.h"

namespace vktconv {
namespace {

using namespace matrix_window;

bool available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape, std::string& why_not) {
  if (!matrix_units_available(problem, caps, shape, "matrix_window", why_not)) return false;
  // Its weights go through 16-bit integers and halves, whatever the elements.
  if (!caps.storage_16bit || !caps.shader_float16) {
    why_not = "storageBuffer16BitAccess, shaderInt16 and shaderFloat16 are not enabled";
    return false;
  }
  if (problem.data_type == VKTC_DATA_TYPE_F32 && problem.group_in_channels() < least_f32_in_channels) {
    why_not = few_f32_in_channels();
    return false;
  }
  if (caps.max_storage_buffers_per_stage < own_buffers) {
    why_not = "maxPerStageDescriptorStorageBuffers is less than " + std::to_string(own_buffers);
    return false;
  }
  if (shape.m % 8 != 0) {
    why_not = "the device's matrices have " + std::to_string(shape.m) + " rows: it wants a multiple of 8";
    return false;
  }
  return true;
}

// Subgroups along rows and along positions, and matrices of each subgroup. On a CPU nothing of this is quick, and what
// counts is how long the driver's compiler takes.
using TileShape = std::array<uint32_t, 4>;
constexpr TileShape gpu_shapes[] = {{1, 4, 4, 4}, {2, 2, 4, 4}, {1, 4, 2, 4}, {2, 2, 2, 4}, {1, 4, 4, 2}, {1, 4, 1, 4},
                                    {1, 4, 3, 4}, {1, 4, 3, 2}, {1, 2, 4, 4}, {1, 4, 2, 8}, {2, 4, 2, 4}, {2, 4, 4, 4},
                                    {1, 8, 4, 4}, {1, 8, 2, 4}, {4, 1, 4, 4}, {4, 1, 2, 4}, {4, 2, 2, 4}, {4, 2, 4, 4},
                                    {1, 8, 4, 2}, {2, 2, 4, 2}, {1, 4, 2, 2}, {1, 8, 1, 4}, {1, 4, 1, 8}, {2, 1, 4, 4},
                                    {2, 2, 2, 2}, {1, 2, 4, 2}};
constexpr TileShape cpu_shapes[] = {{1, 1, 2, 2}, {2, 1, 1, 2}, {1, 2, 1, 1}};

// Windows from all taps of height and width, or `most`, down to one.
std::vector<TapWindow> tap_windows(int64_t taps_h, int64_t taps_w, int64_t most) {
  std::vector<TapWindow> windows;
  for (int64_t h = std::min(taps_h, most);; h = ceil_div(h, 2)) {
    windows.push_back({h, std::min(taps_w, most)});
    if (h == 1) break;
  }
  for (int64_t w = std::min(taps_w, most); w > 1;) {
    w = ceil_div(w, 2);
    windows.push_back({1, w});
  }
  return windows;
}

// What is done before: whether the input is prepared, and whether its elements stay whole.
struct Preparation {
  bool prepare = false, whole = false;
};

std::vector<Preparation> preparations(const Problem& problem) {
  if (problem.data_type == VKTC_DATA_TYPE_F32) return {{true, false}, {false, false}, {true, true}, {false, true}};
  // Channels-last inputs are as good as prepared.
  if (problem.input_channels_last()) return {{false, false}};
  return {{false, false}, {true, false}};
}

void add_tiles(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape, uint32_t merge,
               const TapWindow& window, int64_t strip_count, const Preparation& before, std::vector<Tile>& result) {
  const int64_t out_rows = ceil_div(problem.group_out_channels(), shape.m / std::max(1u, merge)) * shape.m;
  Tile tile;
  tile.values[window_h] = u32(window.height);
  tile.values[window_w] = u32(window.width);
  tile.values[strips] = u32(strip_count);
  tile.values[merged] = merge;
  tile.values[prepared] = before.prepare;
  tile.values[whole] = before.whole;
  if (problem.data_type == VKTC_DATA_TYPE_F32) {
    tile.precision = before.whole ? VKTC_PRECISION_RELAXED : VKTC_PRECISION_F32;
  }
  std::array<Numbering, 2> numberings;  // of outputs stored in vectors, and in units
  for (const uint32_t units : {0u, 1u}) {
    numberings[units] = make_numbering(problem, merge > 0, strip_count, window, units * unit_positions(problem, caps));
  }
  for (const auto& s : caps.is_cpu ? std::span<const TileShape>(cpu_shapes) : gpu_shapes) {
    for (const uint32_t chunk : {16u, 32u, 64u}) {
      tile.values[rows] = s[0] * s[2] * shape.m;
      tile.values[positions] = s[1] * s[3] * shape.n;
      tile.values[depth] = chunk;
      tile.values[warps_m] = s[0];
      tile.values[warps_n] = s[1];
      // lavapipe's compiler takes a minute for what a vector of a matrix costs it; one tile is for the tests.
      tile.values[by_invocation] = !caps.is_cpu || (s[0] == 1 && s[1] == 2 && window.height * window.width == 1);
      if (tile.values[rows] >= 2 * std::max<int64_t>(shape.m, out_rows)) continue;
      if (chunk > 16 && (chunk >= 2 * problem.group_in_channels() || caps.is_cpu)) continue;
      for (const uint32_t units : {0u, 1u}) {
        tile.values[in_units] = units;
        if (units > 0 && lane_stores(problem, tile, shape, caps).positions == 0) continue;
        const Numbering& numbering = numberings[units];
        if (!legal(problem, tile, numbering, shape, caps)) continue;
        tile.seconds = predict_seconds(problem, caps, tile, shape, numbering);
        result.push_back(tile);
      }
    }
  }
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  if (!available(problem, caps, shape, why_not)) return {};
  std::vector<Tile> result;
  // Whole out-channels must fit a matrix. Outputs of a channels-last tensor are whole vectors in any case.
  const bool mergeable_here = mergeable_phases(problem) <= shape.m && !problem.output_channels_last();
  const uint32_t mergeable = mergeable_here ? mergeable_phases(problem) : 0;
  for (const uint32_t merge : {0u, mergeable}) {
    const int64_t row = width_positions(problem, merge > 0).count;
    for (const TapWindow& window :
         tap_windows(most_taps(problem, 1, false), most_taps(problem, 2, merge > 0), caps.is_cpu ? 2 : 16)) {
      std::vector<int64_t> strip_widths = {row};
      // Strips only make a window of rows smaller.
      for (const int64_t strip : {256, 128, 64, 32}) {
        if (strip < row && window.height > 1) strip_widths.push_back(strip);
      }
      for (const int64_t strip : strip_widths) {
        for (const Preparation& before : preparations(problem)) {
          add_tiles(problem, caps, shape, merge, window, ceil_div(row, strip), before, result);
        }
      }
    }
    if (mergeable == 0) break;
  }
  if (result.empty()) why_not = "maxComputeSharedMemorySize or the workgroup size is too small for its tiles";
  return result;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  Blocking blocking = make_blocking(problem, caps, tile);
  const Blocking exact = exact_weights(problem, blocking);
  if (problem.data_type == VKTC_DATA_TYPE_F32) blocking.also = &exact;
  plan.tile = describe(problem, tile, caps);
  const PreparedInput prepared_input = prepared_of(problem, tile);
  return make_prepared_plan(
      problem, caps, options, blocking, tile.values[prepared] != 0 ? &prepared_input : nullptr,
      [&](const Slab& slab, const SlabWindows& windows) {
        const Window prepared_at =
            tile.values[prepared] ? prepared_window(problem, prepared_input, slab) : windows.packed.window;
        return multiply(problem, caps, tile, plan.device_address, true, prepared_at, windows);
      },
      plan, error);
}

}  // namespace

const Algorithm matrix_window_algorithm = {
    "matrix_window", "the same with windows of taps, weights from the caches and outputs stored in whole vectors",
    tiles, build};

}  // namespace vktconv

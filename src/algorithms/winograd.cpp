// Winograd's way along the width, fused (shaders/winograd.comp): fewer products for phases of the width with several
// taps. For problems that are bound by arithmetic.

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <span>

#include "algorithms/blocks.h"
#include "algorithms/merged_phases.h"
#include "algorithms/post_op_windows.h"
#include "algorithms/winograd_tile.h"
#include "phases.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

using namespace winograd;

constexpr uint32_t own_buffers = 5;  // without those of the post-ops

// Products that an output away from the borders takes at least.
int64_t inner_products(const Problem& problem, const Layer& layer) {
  return problem.group_in_channels() * layer.depth.least * layer.height.least * layer.width.least;
}

// Inputs of a column, all groups of taps together: a bit each in the shader.
constexpr int64_t most_column_inputs = 32;

// A column may begin before the row of inputs and end behind that of outputs; the shader counts in 32 bits there, too.
bool columns_reach_too_far(const Problem& problem, const Layer& layer) {
  const int64_t stride = problem.axes[2].stride;
  const auto reach = static_cast<double>(layer.width.positions + most_column_inputs * layer.width.input_step);
  return reach * static_cast<double>(stride) > std::numeric_limits<int32_t>::max();
}

double products_per_output(const Layer& layer, const Filter& filter) {
  return static_cast<double>(tap_groups(layer, filter) * filter.points) / filter.outputs();
}

// For each number of points the best filter, if it pays.
std::vector<Filter> useful_filters(const Problem& problem, const Layer& layer) {
  std::vector<Filter> result;
  for (const uint32_t points_wanted : {4u, 6u, 8u}) {
    const Filter* best = nullptr;
    for (const Filter& filter : precise_filters()) {
      if (filter.points != points_wanted || inner_products(problem, layer) < filter.least_inner ||
          filter.points + (tap_groups(layer, filter) - 1) * filter.taps > most_column_inputs) {
        continue;
      }
      const double saved = best ? products_per_output(layer, *best) - products_per_output(layer, filter) : 1;
      if (!best || saved > 0 || (saved == 0 && filter.taps > best->taps)) best = &filter;
    }
    // The transforms have to be paid for, and more points need a reason.
    if (!best || products_per_output(layer, *best) > 0.8 * static_cast<double>(layer.width.most)) continue;
    if (!result.empty() && products_per_output(layer, *best) >= products_per_output(layer, result.back())) continue;
    result.push_back(*best);
  }
  return result;
}

// The constraints that winograd.comp states, and the device's.
bool legal(const Layer& layer, const Tile& tile, const DeviceCaps& caps) {
  const uint32_t local = local_size(tile);
  return local % tile.values[columns] == 0 && (tile.values[row_taps] == 1 || layer.height.input_step == 1) &&
         local <= caps.max_compute_work_group_invocations && local <= caps.max_compute_work_group_size[0] &&
         shared_bytes(tile) <= caps.max_compute_shared_memory_size;
}

bool available(const Problem& problem, const Layer& layer, const DeviceCaps& caps, std::string& why_not) {
  const bool sixteen = problem.element_size() == 2;
  if (problem.data_type == VKTC_DATA_TYPE_I32 || problem.data_type == VKTC_DATA_TYPE_I8) {
    why_not = "it multiplies floating-point elements only";
  } else if (sixteen && !caps.storage_16bit) {
    why_not = "storageBuffer16BitAccess and shaderInt16 are not enabled";
  } else if (problem.input_channels_last() || problem.output_channels_last()) {
    why_not = "it reads and writes channels-first tensors only";
  } else if (layer.width.most < 2) {
    why_not = "no phase of the width has two taps or more";
  } else if (inner_products(problem, layer) < precise_filters()[0].least_inner) {
    why_not = "some outputs take " + std::to_string(inner_products(problem, layer)) +
              " products: too few for sums by fewer multiplications that are as exact as fp32's";
  } else if (useful_filters(problem, layer).empty()) {
    why_not = "no F(m, r) that is exact enough saves multiplications on " + std::to_string(layer.width.most) +
              " taps of the width";
  } else if (columns_reach_too_far(problem, layer)) {
    why_not = "its tiles along the width would reach positions past 2^31 - 1";
  } else if (caps.max_storage_buffers_per_stage < own_buffers) {
    why_not = "maxPerStageDescriptorStorageBuffers is less than " + std::to_string(own_buffers);
  } else if (find_shader(variant_name("winograd", problem.data_type, caps, false)) == nullptr) {
    why_not = "this build has no shader " + variant_name("winograd", problem.data_type, caps, false);
  } else {
    return true;
  }
  return false;
}

// Channels, columns, rows, channels and columns of an invocation.
using Shape = std::array<uint32_t, 5>;
// Buffers, ahead, shared weights.
using Mode = std::array<uint32_t, 3>;

// The most in-channels in a step that leave room for a second workgroup, in whole turns of all invocations if possible.
uint32_t choose_depth(const Problem& problem, const Layer& layer, const DeviceCaps& caps, Tile tile) {
  const uint32_t room = caps.max_compute_shared_memory_size / (local_size(tile) > 256 ? 1 : 2);
  uint32_t best = 0, best_waste = std::numeric_limits<uint32_t>::max();
  for (const uint32_t deep : {8u, 4u, 2u, 1u}) {
    tile.values[depth] = deep;
    const bool too_deep = deep > 1 && deep >= 2 * problem.group_in_channels();
    const uint32_t products = deep * tile.values[row_taps];
    if (too_deep || products > 16 || !legal(layer, tile, caps) || jobs(tile) > 4 || shared_bytes(tile) + 1024 > room) {
      continue;
    }
    const uint32_t turn = local_size(tile) / tile.values[columns];
    const uint32_t waste = (jobs(tile) * turn - deep * input_rows(tile)) * 8 / deep;
    if (waste < best_waste) best = deep, best_waste = waste;
  }
  return best;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const Layer layer = make_layer(problem);
  if (!available(problem, layer, caps, why_not)) return {};
  static constexpr Shape gpu_shapes[] = {
      {64, 16, 4, 4, 4}, {64, 16, 4, 8, 4}, {64, 8, 4, 4, 4},  {64, 8, 4, 8, 4},   {48, 16, 4, 4, 4}, {32, 16, 4, 4, 4},
      {32, 16, 4, 8, 4}, {32, 8, 4, 4, 4},  {24, 16, 4, 4, 4}, {16, 32, 4, 4, 4},  {16, 16, 4, 4, 4}, {8, 32, 4, 4, 4},
      {64, 16, 2, 8, 4}, {32, 32, 2, 8, 4}, {32, 16, 2, 8, 4}, {128, 32, 1, 8, 8}, {64, 64, 1, 8, 8}, {64, 32, 1, 8, 8},
      {48, 32, 1, 8, 8}, {32, 64, 1, 8, 8}, {32, 32, 1, 8, 8}, {16, 64, 1, 8, 8},  {8, 64, 1, 4, 8}};
  static constexpr Mode gpu_modes[] = {{1, 0, 0}, {1, 1, 0}, {2, 1, 0}, {1, 0, 1}, {1, 1, 1}, {2, 1, 1}};
  // On a CPU nothing of this is quick, and what counts is how long the driver's compiler takes.
  static constexpr Shape cpu_shapes[] = {{8, 8, 1, 4, 4}, {8, 4, 2, 4, 4}};
  static constexpr Mode cpu_modes[] = {{1, 0, 0}, {2, 1, 1}};
  const std::span<const Shape> shapes = caps.is_cpu ? std::span<const Shape>(cpu_shapes) : gpu_shapes;
  const std::span<const Mode> modes = caps.is_cpu ? std::span<const Mode>(cpu_modes) : gpu_modes;
  std::vector<Tile> result;
  for (const Filter& filter : useful_filters(problem, layer)) {
    const auto begin = static_cast<std::ptrdiff_t>(result.size());
    for (const Shape& s : shapes) {
      if (s[0] >= 2 * std::max<int64_t>(8, problem.group_out_channels())) continue;
      // Several rows pay where they share inputs.
      const bool sharing = layer.height.most > 1 && layer.height.input_step == 1 && layer.height.positions >= s[2];
      if (s[2] > 1 && !sharing) continue;
      constexpr int64_t most_row_taps = 8;
      const int64_t windows = ceil_div(layer.height.most, most_row_taps);
      const uint32_t at_once = s[2] > 1 ? u32(ceil_div(layer.height.most, windows)) : 1;
      for (const Mode& mode : modes) {
        Tile tile;
        tile.precision = VKTC_PRECISION_F32;  // the caller may want a multiply-add for each product
        tile.values = {filter.points, filter.taps, s[0], s[1], s[2], s[3], s[4], 1, at_once, mode[0], mode[1], mode[2]};
        tile.values[depth] = choose_depth(problem, layer, caps, tile);
        if (tile.values[depth] == 0) continue;
        tile.seconds = predict_seconds(problem, layer, caps, tile);
        result.push_back(tile);
      }
    }
    // Candidates far behind are not worth the planner's time.
    constexpr std::ptrdiff_t most_tiles = 48;
    std::stable_sort(result.begin() + begin, result.end(),
                     [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
    if (std::ssize(result) - begin > most_tiles) result.resize(static_cast<size_t>(begin + most_tiles));
  }
  if (result.empty()) why_not = "maxComputeSharedMemorySize or the workgroup size is too small for its tiles";
  return result;
}

Dispatch make_run(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                  const SlabWindows& windows) {
  shared::WinogradParams params{};
  params.slab = windows.params;
  params.exact_offset = static_cast<uint32_t>(windows.also_packed.skipped_elements / 4);

  Dispatch dispatch;
  dispatch.shader = variant_name("winograd", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, 0);
  constants.resize(WINOGRAD_CONSTANTS);
  constants[WINOGRAD_LOCAL_SIZE] = constants[WINOGRAD_LOCAL] = local_size(tile);
  constants[WINOGRAD_POINTS] = tile.values[points];
  constants[WINOGRAD_TAPS] = tile.values[taps];
  constants[WINOGRAD_CHANNELS] = tile.values[channels];
  constants[WINOGRAD_COLUMNS] = tile.values[columns];
  constants[WINOGRAD_ROWS] = tile.values[rows];
  constants[WINOGRAD_THREAD_CHANNELS] = tile.values[thread_channels];
  constants[WINOGRAD_THREAD_COLUMNS] = tile.values[thread_columns];
  constants[WINOGRAD_DEPTH] = tile.values[depth];
  constants[WINOGRAD_ROW_TAPS] = tile.values[row_taps];
  constants[WINOGRAD_BUFFERS] = tile.values[buffers];
  constants[WINOGRAD_AHEAD] = tile.values[ahead];
  constants[WINOGRAD_SHARED_WEIGHTS] = tile.values[shared_weights];
  constants[WINOGRAD_STAGED_LANES] = staged_lanes(tile);
  constants[WINOGRAD_LEAST_PRODUCTS] = find_filter(tile.values[points], tile.values[taps]).least_border;
  dispatch.params = to_words(params);
  dispatch.windows = {windows.input.window, windows.packed.window, windows.bias.window, windows.output.window,
                      windows.also_packed.window};
  append_post_op_windows(problem, caps, device_address, windows.output.window, windows.packed.window, dispatch.windows);
  return dispatch;
}

std::string describe(const Tile& tile) {
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  return "F(" + std::to_string(outputs_of_tile(tile)) + ", " + text(taps) + "), " + text(channels) + " channels x " +
         text(columns) + " columns of " + text(rows) + " rows x " + text(depth) + " deep, " + text(row_taps) +
         " taps of the height at once, " + text(thread_channels) + " x " + text(rows) + " x " + text(thread_columns) +
         " per invocation, " + std::to_string(local_size(tile)) + " invocations, " + text(buffers) +
         (tile.values[buffers] == 1 ? " buffer" : " buffers") + (tile.values[ahead] ? ", fetched ahead" : "") +
         (tile.values[shared_weights] ? ", weights through shared memory" : "");
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  const Layer layer = make_layer(problem);
  const Axis& height = problem.axes[1];
  const Axis& width = problem.axes[2];
  const int64_t tap_step_w = width.stride / phase_gcd(width), tap_step_h = height.stride / phase_gcd(height);
  Blocking exact;  // the weights once more, for outputs that are computed from the tensors themselves
  exact.channels = exact.rows = tile.values[channels];
  exact.packed_in_channels = problem.group_in_channels();
  exact.pack_local_size = std::min(128u, caps.max_compute_work_group_invocations);
  Blocking blocking;
  blocking.channels = blocking.rows = tile.values[channels];
  blocking.packed_in_channels = round_up(problem.group_in_channels(), tile.values[depth]);
  blocking.packed_taps_w = std::min(tap_step_w, width.kernel) * tap_groups(layer, tile) * tile.values[points];
  blocking.pack_shader = "pack_winograd";
  blocking.pack_step = tile.values[points];
  blocking.pack_chunk = tile.values[depth];
  blocking.pack_local_size = exact.pack_local_size;
  blocking.pack_constants = {tile.values[points], tile.values[taps],  tap_groups(layer, tile), u32(tap_step_w),
                             u32(tap_step_h),     u32(height.kernel), tile.values[depth]};
  blocking.also = &exact;
  blocking.buffers = own_buffers;
  blocking.workgroups = [&](const Slab& slab) {
    // Columns are numbered in 32 bits.
    if (column_count(layer, tile, slab.images) > (int64_t{1} << 30)) return std::numeric_limits<double>::infinity();
    return workgroup_count(problem, layer, tile, slab.images, slab.groups * slab.blocks);
  };
  plan.tile = describe(tile);
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const SlabWindows& windows) { return make_run(problem, caps, tile, plan.device_address, windows); }, plan,
      error);
}

}  // namespace

const Algorithm winograd_algorithm = {
    "winograd", "fewer products along the width, by Winograd, for problems bound by arithmetic", tiles, build};

}  // namespace vktconv

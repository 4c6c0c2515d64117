// Patches of outputs in registers (shaders/patch.comp), for problems with few channels in a group.

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "algorithms/blocks.h"
#include "algorithms/patch_tile.h"
#include "algorithms/post_op_windows.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

using namespace patch;

// Beyond, other kernels share inputs among more out-channels.
constexpr int64_t most_group_channels = 32;

bool available(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const std::string shader = variant_name("patch", problem.data_type, caps, false);
  if (problem.data_type == VKTC_DATA_TYPE_I32 || problem.data_type == VKTC_DATA_TYPE_I8) {
    why_not = "it multiplies floating-point elements only";
  } else if (problem.group_out_channels() > most_group_channels) {
    why_not = "a group has " + std::to_string(problem.group_out_channels()) + " out-channels: it is for " +
              std::to_string(most_group_channels) + " and fewer";
  } else if (find_shader(shader) == nullptr) {
    why_not = "this build has no shader " + shader;
  } else {
    return true;
  }
  return false;
}

// Out-channels of a block: all of a group, or numbers that leave few lanes without any.
std::vector<uint32_t> block_sizes(const Problem& problem) {
  const int64_t all = problem.group_out_channels();
  std::vector<uint32_t> result;
  for (uint32_t size = 1; size <= 16; ++size) {
    const bool usual = size <= 4 || size == 6 || size == 8 || size == 12 || size == 16;
    const bool fits = size <= all && 3 * round_up(all, size) <= 4 * all;
    if (fits && (usual || size == all)) result.push_back(size);
  }
  return result;
}

// In-channels whose weights are in shared memory together: as many as take a few KiB, in equal parts.
uint32_t choose_depth(const Problem& problem, const Tile& tile) {
  constexpr int64_t room = 8192;
  const int64_t bytes = unit_quads(problem, tile) * 16, in_channels = problem.group_in_channels();
  const int64_t chunks = ceil_div(in_channels, std::max<int64_t>(1, room / bytes));
  return u32(ceil_div(in_channels, chunks));
}

// Whether weights come through shared memory, inputs are fetched ahead, and outputs are put in order.
struct Mode {
  bool shared_weights, fetched_ahead, in_order;
};
constexpr Mode modes[] = {
    {true, false, true},  {true, true, true},  {false, false, true},
    {true, false, false}, {true, true, false}, {false, false, false},
};

void add_tiles(const Problem& problem, const DeviceCaps& caps, Tile tile, std::vector<Tile>& result) {
  for (const Mode& mode : modes) {
    tile.values[depth] = mode.shared_weights ? choose_depth(problem, tile) : 0;
    tile.values[ahead] = mode.fetched_ahead;
    tile.values[staged] = mode.in_order;
    if (mode.in_order && staged_run(problem, tile) == 1) continue;  // in order as they are
    if (!legal(problem, caps, tile)) continue;
    tile.seconds = predict_seconds(problem, caps, tile);
    result.push_back(tile);
  }
}

// Candidates far behind are not worth the planner's time. But which mode is best has not been measured yet.
void keep_best_of_each_mode(std::vector<Tile>& result) {
  constexpr int most_of_a_mode = 16;
  std::stable_sort(result.begin(), result.end(), [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
  int kept[2][2][2] = {};
  std::erase_if(result, [&](const Tile& tile) {
    return ++kept[tile.values[depth] > 0][tile.values[ahead]][tile.values[staged]] > most_of_a_mode;
  });
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  if (!available(problem, caps, why_not)) return {};
  static constexpr std::array<uint32_t, 2> shapes[] = {{1, 1}, {2, 1}, {4, 1}, {8, 1}, {1, 2},
                                                       {1, 4}, {1, 8}, {2, 2}, {4, 2}, {2, 4}};
  const auto rows = ceil_div(problem.axes[1].output, problem.axes[1].stride);
  const auto columns = ceil_div(problem.axes[2].output, problem.axes[2].stride);
  std::vector<Tile> result;
  for (const uint32_t merge : {1u, 2u, 3u}) {
    const Axis& last_merged = problem.axes[3 - merge];
    if (merge > 1 && last_merged.kernel == 1 && last_merged.stride == 1) continue;  // nothing to merge
    for (const uint32_t block : block_sizes(problem)) {
      for (const auto& shape : shapes) {
        if (shape[0] >= 2 * rows || shape[1] >= 2 * columns) continue;
        Tile tile;
        tile.values = {block, shape[0], shape[1], merge, 128};
        add_tiles(problem, caps, tile, result);
      }
    }
  }
  keep_best_of_each_mode(result);
  if (result.empty()) why_not = "not even the smallest patch fits: its kernel, stride or dilation is too large";
  return result;
}

Dispatch make_run(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                  const SlabWindows& windows) {
  Dispatch dispatch;
  dispatch.shader = variant_name("patch", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, 0);
  constants.resize(PATCH_CONSTANTS);
  constants[PATCH_LOCAL_SIZE] = constants[PATCH_LOCAL] = tile.values[local_size];
  constants[PATCH_CHANNELS] = tile.values[channels];
  constants[PATCH_CELLS_H] = tile.values[cells_h];
  constants[PATCH_CELLS_W] = tile.values[cells_w];
  constants[PATCH_MERGED_AXES] = tile.values[merged_axes];
  constants[PATCH_DEPTH] = tile.values[depth];
  constants[PATCH_AHEAD] = tile.values[ahead];
  constants[PATCH_STAGED_ROWS] = staged_rows(problem, tile);
  const uint32_t vector = output_vector(problem, caps, tile);
  constants[PATCH_VECTOR] = windows.params.output_offset % vector == 0 ? vector : 1;
  dispatch.params = to_words(windows.params);
  return dispatch;
}

std::string describe(const Tile& tile) {
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  static constexpr const char* merged[] = {"the width", "height and width", "all axes"};
  std::string result = text(channels) + " channels x " + text(cells_h) + " x " + text(cells_w) +
                       " cells per invocation, phases of " + merged[tile.values[merged_axes] - 1] + " merged, " +
                       text(local_size) + " invocations";
  result += tile.values[depth] ? ", weights of " + text(depth) + " in-channels in shared memory" : "";
  if (tile.values[ahead]) result += ", fetched ahead";
  if (tile.values[staged]) result += ", outputs put in order";
  return result;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  Blocking blocking;
  blocking.channels = tile.values[channels];
  blocking.rows = unit_quads(problem, tile) * 4;
  blocking.row_taps = inner_taps(problem, tile);
  blocking.pack_steps(problem, 1);
  blocking.pack_local_size = std::min(128u, caps.max_compute_work_group_invocations);
  blocking.workgroups = [&](const Slab& slab) {
    // Patches are numbered in 32 bits.
    if (patch_count(problem, tile, slab.images) > (int64_t{1} << 31)) return std::numeric_limits<double>::infinity();
    return workgroup_count(problem, tile, slab.images, slab.groups * slab.blocks);
  };
  plan.tile = describe(tile);
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const SlabWindows& windows) { return make_run(problem, caps, tile, plan.device_address, windows); }, plan,
      error);
}

}  // namespace

const Algorithm patch_algorithm = {"patch", "patches of outputs in registers, for few channels in a group", tiles,
                                   build};

}  // namespace vktconv

#include "algorithms/matrix_window_plan.h"

#include <algorithm>
#include <limits>

#include "algorithms/numbering.h"
#include "algorithms/post_op_windows.h"
#include "algorithms/prepared_input.h"
#include "shared/params.h"

namespace vktconv::matrix_window {

Blocking make_blocking(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  const Numbering numbering = numbering_of(problem, tile, shape, caps);
  Blocking blocking;
  blocking.channels = block_channels(problem, tile, shape, caps);
  blocking.rows = tile.values[rows];
  blocking.merged = tile.values[merged];
  blocking.packed_in_channels = round_up(problem.group_in_channels(), tile.values[depth]);
  blocking.pack_shader = "pack_fragments";
  blocking.packed_element_size = 2 * parts(problem, tile);
  blocking.buffers = own_buffers;
  blocking.packed_unit = 16;
  blocking.pack_step = 8;
  blocking.pack_chunk = tile.values[depth];
  blocking.pack_local_size = caps.subgroup_size;
  blocking.pack_group_steps = shape.m * shape.k / 8;
  blocking.pack_subgroup_size = caps.subgroup_size_control ? caps.subgroup_size : 0;
  const LaneStores stores = lane_stores(problem, tile, shape, caps);
  blocking.pack_constants = {shape.m,
                             shape.k,
                             caps.subgroup_size,
                             tile.values[by_invocation],
                             u32(parts(problem, tile)),
                             tile.values[rows] / tile.values[warps_m] / shape.m,
                             stores.row_lanes,
                             stores.channels};
  blocking.workgroups = [&problem, &tile, numbering](const Slab& slab) {
    // Positions are numbered in 32 bits.
    if (slab.images * numbering.image_numbers > (int64_t{1} << 30)) {
      return std::numeric_limits<double>::infinity();
    }
    return workgroup_count(problem, tile, numbering, slab.images, slab.groups * slab.blocks);
  };
  blocking.scaled = problem.data_type == VKTC_DATA_TYPE_F32;
  return blocking;
}

Dispatch multiply(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address, bool mends,
                  const Window& prepared_at, const SlabWindows& windows) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  shared::MatrixParams params{};
  params.slab = windows.params;
  params.exact_offset = static_cast<uint32_t>(windows.also_packed.skipped_elements);

  Dispatch dispatch;
  dispatch.shader =
      variant_name("matrix_window", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  const LaneStores stores = lane_stores(problem, tile, shape, caps);
  if (stores.positions > 0) dispatch.shader += ".units";
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, tile.values[merged]);
  const Numbering numbering = numbering_of(problem, tile, shape, caps);
  append_numbering_constants(problem, numbering, tile.values[positions], constants);
  constants.resize(WINDOW_CONSTANTS);
  constants[WINDOW_LOCAL_SIZE] = constants[WINDOW_LOCAL] = local_size(tile, caps);
  constants[WINDOW_TILE_M] = shape.m;
  constants[WINDOW_TILE_N] = shape.n;
  constants[WINDOW_TILE_K] = shape.k;
  constants[WINDOW_ROWS] = tile.values[rows];
  constants[WINDOW_POSITIONS] = tile.values[positions];
  constants[WINDOW_TILE_STEP] = u32(tile_step(tile, numbering));
  constants[WINDOW_DEPTH] = tile.values[depth];
  constants[WINDOW_WARPS_M] = tile.values[warps_m];
  constants[WINDOW_WARPS_N] = tile.values[warps_n];
  constants[WINDOW_TAPS_H] = tile.values[window_h];
  constants[WINDOW_TAPS_W] = tile.values[window_w];
  constants[WINDOW_BY_INVOCATION] = tile.values[by_invocation];
  // Pairs must begin at even elements everywhere.
  const bool even = problem.axes[2].input % 2 == 0 && windows.params.input_offset % 2 == 0;
  constants[WINDOW_INPUT_VECTOR] = even && !problem.input_channels_last() ? 2 : 1;
  constants[WINDOW_INPUT_OCTETS] = problem.group_in_channels() % 8 == 0 && windows.params.input_offset % 8 == 0;
  constants[WINDOW_OUTPUT_OCTETS] = problem.group_out_channels() % 8 == 0 && windows.params.output_offset % 8 == 0;
  constants[WINDOW_PREPARED] = tile.values[prepared];
  constants[WINDOW_PARTS] = u32(parts(problem, tile));
  constants[WINDOW_MENDS] = mends;
  constants[WINDOW_UNROLLED] = unrolls_window(problem, tile, shape, caps);
  constants[WINDOW_FETCHES_AHEAD] = fetches_ahead(problem, tile, caps);
  constants[WINDOW_ROW_LANES] = stores.row_lanes;
  constants[WINDOW_LANE_CHANNELS] = stores.channels;
  constants[WINDOW_SUMS_APART] = sums_apart(problem, tile, shape);
  dispatch.params = to_words(params);
  // Unused bindings must still hold something valid.
  dispatch.windows = {windows.input.window, windows.packed.window,      windows.bias.window,  windows.output.window,
                      prepared_at,          windows.also_packed.window, windows.scales.window};
  append_post_op_windows(problem, caps, device_address, windows.output.window, windows.packed.window, dispatch.windows);
  dispatch.subgroup_size = caps.subgroup_size_control ? caps.subgroup_size : 0;
  return dispatch;
}

std::string describe_products(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  std::string result = describe_matrices(
      {tile.values[rows], tile.values[positions], tile.values[depth], tile.values[warps_m], tile.values[warps_n]},
      find_matrix_shape(caps, problem.data_type), caps);
  result += ", window of " + text(window_h) + " x " + text(window_w) + " taps";
  const int64_t overlap = numbering_of(problem, tile, find_matrix_shape(caps, problem.data_type), caps).overlap;
  if (overlap > 0) result += ", tiles overlap by " + std::to_string(overlap);
  if (tile.values[strips] > 1) result += ", width in " + text(strips) + " strips";
  if (tile.values[merged] > 0) result += ", " + text(merged) + " merged phases of the width";
  return result;
}

std::string describe(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  std::string result = describe_products(problem, tile, caps);
  if (tile.values[prepared]) result += ", input turned to channels-last before";
  if (splits_inputs(problem, tile) && tile.values[whole] == 0) result += ", input split as it is read";
  if (tile.values[in_units]) result += ", outputs stored from registers";
  if (tile.values[whole]) result += ", fp32 rounded to fp16";
  return result;
}

}  // namespace vktconv::matrix_window

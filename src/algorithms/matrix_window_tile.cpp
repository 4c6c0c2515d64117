#include "algorithms/matrix_window_tile.h"

#include <algorithm>
#include <limits>

#include "algorithms/merged_phases.h"
#include "phases.h"
#include "shared/params.h"

namespace vktconv::matrix_window {
namespace {

TapWindow window_of(const Tile& tile) { return {tile.values[window_h], tile.values[window_w]}; }

// Vectors of a pixel that invocations bring, each from one place in memory.
int64_t pixel_items(const Problem& problem, const Tile& tile) {
  return (splits_inputs(problem, tile) ? 1 : parts(problem, tile)) * tile.values[depth] / 8;
}

}  // namespace

int64_t parts(const Problem& problem, const Tile& tile) {
  return problem.data_type == VKTC_DATA_TYPE_F32 && tile.values[whole] == 0 ? 2 : 1;
}

PreparedInput prepared_of(const Problem& problem, const Tile& tile) {
  return {tile.values[depth], parts(problem, tile)};
}

bool splits_inputs(const Problem& problem, const Tile& tile) {
  return problem.data_type == VKTC_DATA_TYPE_F32 && tile.values[prepared] == 0;
}

bool by_pixels(const Problem& problem, const Tile& tile) {
  return tile.values[prepared] != 0 || problem.input_channels_last() || splits_inputs(problem, tile);
}

uint32_t local_size(const Tile& tile, const DeviceCaps& caps) {
  return tile.values[warps_m] * tile.values[warps_n] * caps.subgroup_size;
}

Numbering numbering_of(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  return make_numbering(problem, tile.values[merged] > 0, tile.values[strips], window_of(tile),
                        lane_stores(problem, tile, shape, caps).positions);
}

int64_t block_channels(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  const uint32_t phases = std::max(1u, tile.values[merged]);
  if (lane_stores(problem, tile, shape, caps).row_lanes > 0) return tile.values[rows] / phases;
  return tile.values[rows] / shape.m * (shape.m / phases);
}

int64_t tile_step(const Tile& tile, const Numbering& numbering) { return tile.values[positions] - numbering.overlap; }

double workgroup_count(const Problem& problem, const Tile& tile, const Numbering& numbering, int64_t images,
                       int64_t blocks) {
  return static_cast<double>(ceil_div(images * numbering.image_numbers, tile_step(tile, numbering))) *
         static_cast<double>(workgroup_phases(problem, tile.values[merged] > 0)) * static_cast<double>(blocks);
}

// The arrays of matrix_window.comp.
uint32_t shared_bytes(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape,
                      const DeviceCaps& caps) {
  const int64_t pitch = (parts(problem, tile) * tile.values[depth] / 8 + 1) * 16;
  const int64_t in = window_numbers(problem, numbering, window_of(tile), tile.values[positions]) * pitch;
  const bool is_f32 = problem.data_type == VKTC_DATA_TYPE_F32;
  const int64_t bias = int64_t{tile.values[rows]} * (is_f32 ? 8 : 4) + (is_f32 ? 4 : 0);  // and scales, and a flag
  int64_t out = (int64_t{tile.values[warps_m]} * shape.m * (tile.values[positions] + 8) + 32) * 4;
  int64_t places = tile_segments(problem, numbering, tile.values[positions]) * 32;
  const LaneStores stores = lane_stores(problem, tile, shape, caps);
  if (problem.output_channels_last()) {
    out = int64_t{tile.values[warps_n]} * shape.n * (tile.values[rows] + 4) * 4;
    places = int64_t{tile.values[positions]} * 4;
  }
  if (stores.row_lanes > 0) out = int64_t{tile.values[warps_m]} * tile.values[warps_n] * shape.m * shape.n * 4;
  if (stores.positions > 0) places = int64_t{tile.values[positions]} / stores.positions * 8;
  constexpr int64_t of_other_ways = 32;  // their places, for an array cannot be empty, and a flag
  return u32(
      std::min<int64_t>(std::max(in, out) + bias + places + of_other_ways, std::numeric_limits<uint32_t>::max()));
}

bool sums_apart(const Problem& problem, const Tile& tile, const MatrixShape& shape) {
  if (parts(problem, tile) != 2) return false;
  int64_t taps = 1;  // of the fullest phase
  for (const Axis& axis : problem.axes) taps *= ceil_div(axis.kernel, axis.stride / phase_gcd(axis));
  return taps * round_up(problem.group_in_channels(), tile.values[depth]) / shape.k > WINDOW_SUMMED_TILES;
}

// It takes registers: where it pays has been measured (docs/performance-log.md).
bool unrolls_window(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  const bool two_parts = parts(problem, tile) == 2;
  const uint32_t sums = tile.values[rows] * tile.values[positions];
  const bool one_row = two_parts || (!by_pixels(problem, tile) && sums >= 64 * local_size(tile, caps));
  const uint32_t taps = tile.values[window_h] * tile.values[window_w] * (tile.values[depth] / shape.k);
  return (tile.values[window_h] > 1 || one_row) && taps <= (two_parts ? 12u : 21u);
}

bool fetches_ahead(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  return by_pixels(problem, tile) && parts(problem, tile) == 1 &&
         tile.values[rows] * tile.values[positions] <= 96 * local_size(tile, caps);
}

uint32_t unit_positions(const Problem& problem, const DeviceCaps& caps) {
  if (problem.output_channels_last() || caps.matrix_row_lanes == 0) return 0;
  return caps.matrix_row_lanes > 1 ? 2 : 1;
}

LaneStores lane_stores(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  LaneStores result;
  // Post-ops want more of an output than its sum: what that costs here has not been measured.
  if (!problem.post_ops.empty() || caps.matrix_row_lanes == 0) return result;
  const uint32_t column_lanes = caps.subgroup_size / caps.matrix_row_lanes;
  if (column_lanes == 0 || shape.n % column_lanes != 0 || shape.m % caps.matrix_row_lanes != 0) return result;
  if (caps.matrix_row_lanes > 1 && shape.n % (2 * column_lanes) != 0) return result;  // columns in pairs
  result.row_lanes = caps.matrix_row_lanes;
  const uint32_t of_column = tile.values[rows] / tile.values[warps_m] / result.row_lanes;  // of an invocation
  if (problem.output_channels_last()) {
    const auto of_vector = static_cast<uint32_t>(16 / problem.output_element_size());
    result.channels = std::min(of_vector, of_column & ~(of_column - 1));  // a power of two that divides it
    if (result.channels < 2) return {};
  } else if (tile.values[in_units] == 0) {
    return {};
  } else {
    // All phases of a channel are one invocation's, and so few that a bit for each output of a unit is had.
    constexpr int64_t most_outputs = 8;  // of a position
    const int64_t stride = problem.axes[2].stride;
    const bool neighbours = tile.values[merged] > 0 ? of_column % tile.values[merged] == 0 : stride == 1;
    if (!neighbours || stride > most_outputs) return {};
    result.positions = unit_positions(problem, caps);
  }
  // Two matrices, to see what invocations hold, take no more shared memory than one of sums of each subgroup.
  const uint32_t subgroups = tile.values[warps_m] * tile.values[warps_n];
  if ((shape.m + shape.n) * shape.k * 2 > subgroups * shape.m * shape.n * 4) return {};
  return result;
}

int64_t held_sums(const Tile& tile, const DeviceCaps& caps) {
  return int64_t{tile.values[rows]} * tile.values[positions] / local_size(tile, caps);
}

int64_t sums_of_invocation(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  return held_sums(tile, caps) * (sums_apart(problem, tile, find_matrix_shape(caps, problem.data_type)) ? 2 : 1);
}

int64_t items_of_invocation(const Problem& problem, const Tile& tile, const Numbering& numbering,
                            const DeviceCaps& caps) {
  const int64_t numbers = window_numbers(problem, numbering, window_of(tile), tile.values[positions]);
  const int64_t octets = pixel_items(problem, tile);
  if (by_pixels(problem, tile)) return ceil_div(numbers * octets, local_size(tile, caps));
  const int64_t piece = std::min(numbers, numbering.pitch_w);
  const int64_t vectors = problem.axes[2].input % 2 == 0 ? piece / 2 + 1 : piece;
  const int64_t pieces = (numbers - 2) / numbering.pitch_w + 2;
  return ceil_div(pieces * vectors * octets, local_size(tile, caps));
}

int64_t item_registers(const Problem& problem, const Tile& tile, const Numbering& numbering, const DeviceCaps& caps) {
  const bool two_vectors = !by_pixels(problem, tile) || splits_inputs(problem, tile);
  return (two_vectors ? 8 : 4) * items_of_invocation(problem, tile, numbering, caps);
}

namespace {

// Registers for sums and for inputs on their way. Beyond this, compilers may put some of them into memory
// (docs/performance-log.md).
constexpr int64_t most_sums = 128, most_registers = 192;

bool fits_registers(const Problem& problem, const Tile& tile, const Numbering& numbering, const DeviceCaps& caps) {
  const int64_t registers = sums_of_invocation(problem, tile, caps) + item_registers(problem, tile, numbering, caps);
  return sums_of_invocation(problem, tile, caps) <= most_sums && registers <= most_registers;
}

}  // namespace

bool legal(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape,
           const DeviceCaps& caps) {
  const uint32_t local = local_size(tile, caps);
  return fits_registers(problem, tile, numbering, caps) && tile_step(tile, numbering) > 0 &&
         tile.values[rows] % (tile.values[warps_m] * shape.m) == 0 &&
         tile.values[positions] % (tile.values[warps_n] * shape.n) == 0 && tile.values[depth] % shape.k == 0 &&
         tile.values[depth] % 8 == 0 && (!by_pixels(problem, tile) || local % pixel_items(problem, tile) == 0) &&
         (!caps.subgroup_size_control ||
          tile.values[warps_m] * tile.values[warps_n] <= caps.max_compute_workgroup_subgroups) &&
         local <= caps.max_compute_work_group_invocations && local <= caps.max_compute_work_group_size[0] &&
         shared_bytes(problem, tile, numbering, shape, caps) <= caps.max_compute_shared_memory_size;
}

}  // namespace vktconv::matrix_window

#include "algorithms/winograd_tile.h"

#include <algorithm>
#include <iterator>

#include "algorithms/blocks.h"
#include "algorithms/merged_phases.h"
#include "phases.h"

namespace vktconv::winograd {

namespace {

// What keeps to the precision of fp32 sums, as emulated in numpy (docs/performance-log.md) and held by
// tests/test_precision.cpp. Long sums of N(0, 1) data have at most three times the largest error of fp32 multiply-adds,
// short ones more: least_inner keeps them below four. F(6, 3) has four and is left out.
//
// The error of an output is one of what its whole tile of the width multiplies. Where the row of inputs ends, an output
// takes fewer products than its neighbours, and its error may pass the bound of a sum of its own: with fewer than
// least_border it is computed from the tensors themselves (with a quarter, where it takes all taps of the width).
constexpr Filter filters[] = {{4, 2, 16, 64}, {4, 3, 16, 64},   {6, 3, 24, 96},   {6, 4, 24, 96},
                              {6, 5, 24, 96}, {8, 4, 256, 256}, {8, 5, 128, 192}, {8, 6, 128, 192}};

AxisTaps axis_taps(const Axis& axis) {
  const int64_t step = axis.stride / phase_gcd(axis);
  AxisTaps result;
  result.most = ceil_div(axis.kernel, step);
  result.least = std::max<int64_t>(1, axis.kernel / step);
  result.input_step = axis.dilation / phase_gcd(axis);
  result.positions = ceil_div(axis.output, axis.stride);
  return result;
}

uint32_t tile_bytes(const Tile& tile) {
  const uint32_t inputs = tile.values[depth] * tile.values[points] * input_rows(tile) * tile.values[columns] * 4;
  const uint32_t weights = tile.values[row_taps] * tile.values[depth] * tile.values[points] * tile.values[channels] * 4;
  return tile.values[buffers] * (inputs + (tile.values[shared_weights] ? weights : 0));
}

uint32_t staged_bytes(const Tile& tile, uint32_t lanes) {
  const uint32_t pitch =
      u32(round_up(tile.values[rows] * tile.values[columns], 32)) + std::min(4 * column_lanes(tile), 16u);
  return tile.values[points] * lanes * pitch * 4;
}

int64_t row_columns(const Layer& layer, const Tile& tile) {
  return layer.width.input_step *
         ceil_div(ceil_div(layer.width.positions, layer.width.input_step), outputs_of_tile(tile));
}

}  // namespace

std::span<const Filter> precise_filters() { return filters; }

const Filter& find_filter(uint32_t points, uint32_t taps) {
  return *std::find_if(std::begin(filters), std::end(filters),
                       [&](const Filter& filter) { return filter.points == points && filter.taps == taps; });
}

Layer make_layer(const Problem& problem) {
  return {axis_taps(problem.axes[0]), axis_taps(problem.axes[1]), axis_taps(problem.axes[2])};
}

int64_t tap_groups(const Layer& layer, const Filter& filter) { return ceil_div(layer.width.most, filter.taps); }

uint32_t channel_lanes(const Tile& tile) { return tile.values[channels] / tile.values[thread_channels]; }
uint32_t column_lanes(const Tile& tile) { return tile.values[columns] / tile.values[thread_columns]; }
uint32_t local_size(const Tile& tile) { return tile.values[points] * channel_lanes(tile) * column_lanes(tile); }
uint32_t outputs_of_tile(const Tile& tile) { return tile.values[points] - tile.values[taps] + 1; }
uint32_t input_rows(const Tile& tile) { return tile.values[rows] + tile.values[row_taps] - 1; }
uint32_t tap_groups(const Layer& layer, const Tile& tile) {
  return u32(tap_groups(layer, find_filter(tile.values[points], tile.values[taps])));
}

uint32_t staged_lanes(const Tile& tile) {
  constexpr uint32_t little = 12288;
  uint32_t lanes = channel_lanes(tile);
  while (lanes > 1 &&
         (channel_lanes(tile) % lanes != 0 || staged_bytes(tile, lanes) > std::max(tile_bytes(tile), little))) {
    --lanes;
  }
  return lanes;
}

uint32_t shared_bytes(const Tile& tile) {
  return std::max(tile_bytes(tile), staged_bytes(tile, staged_lanes(tile))) + tile.values[columns] * 16 +
         tile.values[channels] * 4;
}

uint32_t jobs(const Tile& tile) {
  return u32(ceil_div(int64_t{tile.values[depth]} * input_rows(tile), local_size(tile) / tile.values[columns]));
}

int64_t column_count(const Layer& layer, const Tile& tile, int64_t images) {
  return images * layer.depth.positions * ceil_div(layer.height.positions, tile.values[rows]) *
         row_columns(layer, tile);
}

double workgroup_count(const Problem& problem, const Layer& layer, const Tile& tile, int64_t images, int64_t blocks) {
  return static_cast<double>(ceil_div(column_count(layer, tile, images), tile.values[columns])) *
         static_cast<double>(workgroup_phases(problem, false)) * static_cast<double>(blocks);
}

}  // namespace vktconv::winograd

#include "algorithms/matrix_winograd_tile.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "algorithms/blocks.h"
#include "algorithms/matrix_window_tile.h"

namespace vktconv::matrix_winograd {

namespace {

// Emulated in numpy (docs/performance-log.md) and held by tests/test_precision.cpp: the largest error on N(0, 1) data
// is at most four times that of fp32 multiply-adds from least_inner products an output on. They may be fewer than
// winograd's: sums of 128 in-channels at once are more exact than those of multiply-adds, and so leave room for the
// transforms. What least_border is: winograd_tile.cpp. In the order of their outputs.
constexpr Filter filters[] = {{8, 3, 192, 128}, {8, 4, 128, 192}, {8, 5, 128, 128}, {8, 6, 96, 96},
                              {6, 3, 48, 64},   {6, 4, 64, 64},   {6, 5, 80, 64},   {4, 3, 48, 64}};

constexpr size_t window_tile_values = 12;
constexpr int64_t most_tap_groups = 2;

}  // namespace

std::vector<Filter> useful_filters(const Problem& problem) {
  const auto products = [&](const Filter& filter) {  // of an output and in-channel
    return static_cast<double>(tap_groups(problem, filter) * filter.points) / filter.outputs();
  };
  std::vector<Filter> result;
  for (const uint32_t points_wanted : {8u, 6u, 4u}) {
    const Filter* best = nullptr;
    for (const Filter& filter : filters) {
      const int64_t groups = tap_groups(problem, filter);
      // The transformed input grows with them. And eight in-channels at once belong to one of them.
      if (groups > most_tap_groups || (groups > 1 && problem.group_in_channels() % 8 != 0)) continue;
      if (filter.points != points_wanted || inner_products(problem) < filter.least_inner) continue;
      const bool fewer = !best || products(filter) < products(*best);
      if (fewer || (products(filter) == products(*best) && filter.taps > best->taps)) best = &filter;
    }
    // The transforms have to be paid for. Fewer points are for smaller tensors in between, not for larger ones.
    if (!best || products(*best) >= 0.8 * static_cast<double>(problem.axes[2].kernel)) continue;
    if (!result.empty() && tap_groups(problem, *best) > tap_groups(problem, result.back())) continue;
    result.push_back(*best);
  }
  return result;
}

const Filter& filter_of(const Tile& tile) {
  return *std::find_if(std::begin(filters), std::end(filters), [&](const Filter& filter) {
    return filter.points == tile.values[points] && filter.taps == tile.values[taps];
  });
}

Tile wrap(const Filter& filter, const Tile& of_window) {
  Tile tile;
  tile.values[points] = filter.points;
  tile.values[taps] = filter.taps;
  static_assert(window_values + window_tile_values <= std::tuple_size_v<decltype(Tile::values)>);
  std::copy_n(of_window.values.begin(), window_tile_values, tile.values.begin() + window_values);
  tile.precision = of_window.precision;
  return tile;
}

Tile unwrap(const Tile& tile) {
  Tile of_window;
  std::copy_n(tile.values.begin() + window_values, window_tile_values, of_window.values.begin());
  of_window.precision = tile.precision;
  return of_window;
}

int64_t inner_products(const Problem& problem) {
  const winograd::Layer layer = winograd::make_layer(problem);
  return problem.group_in_channels() * layer.depth.least * layer.height.least * layer.width.least;
}

int64_t tap_groups(const Problem& problem, const Filter& filter) {
  return ceil_div(problem.axes[2].kernel, filter.taps);
}

int64_t row_tiles(const Problem& problem, const Filter& filter) {
  const Axis& width = problem.axes[2];
  return width.dilation * ceil_div(ceil_div(width.output, width.dilation), filter.outputs());
}

Problem transformed_problem(const Problem& problem, const Filter& filter, int64_t images, int64_t groups) {
  Problem result = problem;
  result.batch = images;
  result.groups = groups * filter.points;
  result.in_channels = result.groups * tap_groups(problem, filter) * problem.group_in_channels();
  result.out_channels = result.groups * problem.group_out_channels();
  result.input_layout = VKTC_LAYOUT_CHANNELS_FIRST;  // it is prepared in any case
  result.axes[2] = {};
  result.axes[2].input = result.axes[2].output = row_tiles(problem, filter);
  result.has_bias = false;
  result.post_ops.clear();
  return result;
}

Workspace workspace_of(const Problem& problem, const Tile& tile, int64_t images, int64_t groups) {
  const Problem transformed = transformed_problem(problem, filter_of(tile), images, groups);
  constexpr int64_t alignment = 256;  // minStorageBufferOffsetAlignment is at most that
  Workspace result;
  result.input_bytes = prepared_bytes(transformed, matrix_window::prepared_of(transformed, unwrap(tile)),
                                      transformed.batch, transformed.groups);
  result.sums_begin = round_up(result.input_bytes, alignment);
  result.sums_bytes = transformed.output_elements() * 4;
  return result;
}

double predict_transforms(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const Workspace workspace = workspace_of(problem, tile, problem.batch, problem.groups);
  const int64_t outputs = problem.output_elements() * (problem.has_post_op(VKTC_POST_OP_RESIDUAL) ? 2 : 1);
  const auto bytes =
      static_cast<double>(problem.input_elements() * 4 + workspace.input_bytes + workspace.sums_bytes + outputs * 4);
  // Not timed: the share of the bandwidth that such kernels are taken to reach, and two dispatches with barriers.
  return 1.3 * bytes / bandwidth + 8e-6;
}

}  // namespace vktconv::matrix_winograd

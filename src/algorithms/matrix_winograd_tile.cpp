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
  static_assert(size_t{window_values} + size_t{matrix_window::value_count} <=
                std::tuple_size_v<decltype(Tile::values)>);
  nest_tile(of_window, window_values, tile);
  return tile;
}

Tile unwrap(const Tile& tile) { return nested_tile(tile, window_values); }

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

namespace {

int64_t count_taps(const Axis& axis, int64_t output) {
  int64_t taps = 0;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    const int64_t from = output + axis.padding_begin - k * axis.dilation;
    taps += from >= 0 && from % axis.stride == 0 && from / axis.stride < axis.input ? 1 : 0;
  }
  return taps;
}

// How many outputs along an axis take how many taps. Near the ends of the inputs they are counted one by one, in
// between those of one stride. Nobody counts the ends of an enormous kernel, or such a stride: then all have all taps.
std::vector<int64_t> outputs_of_taps(const Axis& axis) {
  constexpr int64_t most_counted = 4096;
  std::vector<int64_t> result(static_cast<size_t>(axis.kernel + 1));
  const int64_t reach = (axis.kernel - 1) * axis.dilation;
  if (reach > most_counted || axis.stride > most_counted) {
    result.back() = axis.output;
    return result;
  }
  const auto clamped = [&](int64_t output) { return std::clamp<int64_t>(output, 0, axis.output); };
  const int64_t last_input = (axis.input - 1) * axis.stride;
  const int64_t begin = clamped(-axis.padding_begin), end = clamped(last_input + reach + 1 - axis.padding_begin);
  const int64_t inner_begin = std::min(clamped(reach - axis.padding_begin), end);
  const int64_t inner_end = std::clamp(last_input + 1 - axis.padding_begin, inner_begin, end);
  const auto add = [&](int64_t output, int64_t count) {
    result[static_cast<size_t>(count_taps(axis, output))] += count;
  };
  for (int64_t output = begin; output < inner_begin; ++output) add(output, 1);
  for (int64_t i = 0; i < std::min(axis.stride, inner_end - inner_begin); ++i) {
    add(inner_begin + i, ceil_div(inner_end - inner_begin - i, axis.stride));
  }
  for (int64_t output = inner_end; output < end; ++output) add(output, 1);
  return result;
}

}  // namespace

double exact_products(const Problem& problem, const Filter& filter) {
  const std::vector<int64_t> depth = outputs_of_taps(problem.axes[0]);
  const std::vector<int64_t> height = outputs_of_taps(problem.axes[1]);
  const std::vector<int64_t> width = outputs_of_taps(problem.axes[2]);
  double result = 0;
  for (size_t d = 1; d < depth.size(); ++d) {
    for (size_t h = 1; h < height.size(); ++h) {
      for (size_t w = 1; w + 1 < width.size(); ++w) {  // what takes all taps of the width is not at its ends
        const double products = static_cast<double>(problem.group_in_channels()) * static_cast<double>(d * h * w);
        if (products >= filter.least_border) break;
        result +=
            products * static_cast<double>(depth[d]) * static_cast<double>(height[h]) * static_cast<double>(width[w]);
      }
    }
  }
  return result * static_cast<double>(problem.batch * problem.out_channels);
}

double predict_transforms(const Problem& problem, const DeviceCaps& caps, const Tile& tile, double exact) {
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const Workspace workspace = workspace_of(problem, tile, problem.batch, problem.groups);
  const int64_t outputs = problem.output_elements() * (problem.has_post_op(VKTC_POST_OP_RESIDUAL) ? 2 : 1);
  const auto bytes =
      static_cast<double>(problem.input_elements() * 4 + workspace.input_bytes + workspace.sums_bytes + outputs * 4);
  // Measured on an H200 (docs/performance-log.md): 1.2 to 1.5 times the time of a copy, two dispatches with barriers,
  // and what is computed exactly; of a channels-last input that is read at once.
  const double of_product = (problem.input_channels_last() ? 0.4e-11 : 3.5e-11) * 132 / multiprocessors;
  return 1.35 * bytes / bandwidth + 8e-6 + of_product * exact;
}

}  // namespace vktconv::matrix_winograd

// How long a tile of the algorithm matrix_window is predicted to take.

#include <algorithm>
#include <cmath>

#include "algorithms/matrix_window_tile.h"
#include "algorithms/merged_phases.h"

namespace vktconv::matrix_window {
namespace {

// Workgroups that share a multiprocessor. An H200's driver gives all of them together no more shared memory than one
// may have (docs/performance-log.md); registers: sums, and about 88 for the rest.
double resident_workgroups(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const Numbering& numbering,
                           const MatrixShape& shape) {
  constexpr int64_t register_file = 65536, most_registers = 255;
  const int64_t registers = std::min(most_registers, sums_of_invocation(problem, tile, caps) + 88);
  const int64_t by_registers = register_file / (local_size(tile, caps) * registers);
  const int64_t by_shared =
      caps.max_compute_shared_memory_size / std::max(1u, shared_bytes(problem, tile, numbering, shape));
  return static_cast<double>(std::max<int64_t>(1, std::min(by_registers, by_shared)));
}

// Cycles of one workgroup for its outputs.
double predict_store(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                     const Numbering& numbering) {
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const bool merge = tile.values[merged] > 0;
  if (problem.output_channels_last()) {
    const int64_t turns = tile.values[positions] / (int64_t{tile.values[warps_n]} * shape.n);
    const int64_t octets = int64_t{tile.values[warps_n]} * shape.n * (tile.values[rows] / 8);
    return d(turns) * (224 + 133 * d(ceil_div(octets, local_size(tile, caps)))) + 2040;
  }
  const int64_t outputs_of_position = merge ? problem.axes[2].stride : 1;
  const bool scattered = !merge && problem.axes[2].stride > 1;
  const int64_t of_vector = 16 / problem.output_element_size();
  const int64_t own = std::min(tile_step(tile, numbering), numbering.run_positions) * outputs_of_position;
  const int64_t slots = scattered ? own : ceil_div(own, of_vector) + 1;
  int64_t lanes = 1;
  while (lanes < slots && lanes < caps.subgroup_size) lanes *= 2;
  const double runs_ending = d(tile.values[positions]) / d(numbering.run);
  const double runs = std::min(d(tile_segments(problem, numbering, tile.values[positions])), runs_ending + 1);
  const double turns = std::ceil(runs / (d(caps.subgroup_size) / d(lanes))) * d(ceil_div(slots, lanes));
  const double channels_of_subgroup =
      std::ceil(d(block_channels(tile, shape)) / (tile.values[warps_m] * tile.values[warps_n]));
  return channels_of_subgroup * (scattered ? turns * 80 : turns * 85 + runs_ending * 171) +
         2090.0 * tile.values[rows] / shape.m / tile.values[warps_m] + 1940;
}

// Fitted to tiles measured on an H200 (docs/performance-log.md): fp32 in two parts to 196, 16 bits from what lies by
// pixels to 187, gathered to 84. Half of either are within 6 %. The last three are relative to older fits.
struct Constants {
  double product, shared_product, product_loads;  // of the time at the rate of matrix units; the latter for each
                                                  // workgroup on a multiprocessor
  double bring, store, store_channels_last;
};
constexpr Constants f32_constants = {0.503, 0.670, 0.341, 0.642, 0.981, 1.591};
constexpr Constants pixel_constants = {0.556, 0.579, 0.499, 0.964, 1.243, 1.157};
constexpr Constants gathering_constants = {0.568, 0.808, 0.411, 0.983, 0.895, 1.2};

}  // namespace

// The cycles of one workgroup, added up: its parts share the integer units, and hardly overlap.
double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                       const Numbering& numbering) {
  constexpr double clock = 1.755e9;
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double rate = caps.matrix_flops > 0 ? caps.matrix_flops : 1e12;
  const bool merge = tile.values[merged] > 0;
  const int64_t blocks = problem.groups * ceil_div(problem.group_out_channels(), block_channels(tile, shape));
  const double workgroups = workgroup_count(problem, tile, numbering, problem.batch, blocks);
  // No more share a multiprocessor than there are.
  const double resident = std::min(resident_workgroups(problem, caps, tile, numbering, shape),
                                   std::max(1.0, std::ceil(workgroups / multiprocessors)));

  // Phases share the taps among them: together each position takes every tap once.
  const double phases = d(workgroup_phases(problem, merge));
  const double taps_w = d(merge ? most_taps(problem, 2, true) : problem.axes[2].kernel);
  const double taps = d(problem.axes[0].kernel * problem.axes[1].kernel) * taps_w / phases;  // of a workgroup
  const double channels = d(round_up(problem.group_in_channels(), tile.values[depth]));
  const double windows = std::max(1.0, taps / d(tile.values[window_h] * tile.values[window_w]));
  const double steps = windows * channels / tile.values[depth];

  const bool two_parts = parts(problem, tile) == 2;
  const double of_product = two_parts ? 3 : 1;
  const double flop = 2.0 * of_product * tile.values[positions] * tile.values[rows] * channels * taps;
  const bool from_pixels = by_pixels(problem, tile);
  const Constants fit = two_parts ? f32_constants : from_pixels ? pixel_constants : gathering_constants;
  // Loads of a subgroup for each of its products.
  const double loads = d(tile.values[warps_m] * shape.m) / tile.values[rows] +
                       d(tile.values[warps_n] * shape.n) / tile.values[positions];
  const double products = flop / (rate / multiprocessors) * clock *
                          (fit.product + resident * (fit.shared_product + fit.product_loads * loads));
  const double items = d(items_of_invocation(problem, tile, numbering, caps));
  const double bring = fit.bring * (from_pixels ? steps * (1226 + 143 * items)
                                                : steps * (758 + 274 * items) + windows * 55 * (items + 2.5));
  const double store = (problem.output_channels_last() ? fit.store_channels_last : fit.store) *
                       predict_store(problem, caps, tile, shape, numbering);

  // For reasons not measured apart: workgroups of few subgroups are slower than that from channels-last tensors, and
  // from channels-first ones merged phases that are not those of all axes.
  double slowed = 1.0;
  const bool some_merged = merge && phases > 1;
  if (two_parts) {
    const double of_ends = numbering.overlap > 0 ? 1.15 : 0.88;
    if (some_merged) slowed = problem.axes[2].stride > 2 ? 1.8 : of_ends;
    if (!merge && problem.axes[2].stride > 1 && !problem.output_channels_last()) slowed = 1.35;
  } else if (from_pixels) {
    slowed = tile.values[warps_m] * tile.values[warps_n] < 4 ? 1.045 : 1.0;
  } else if (some_merged) {
    slowed = problem.axes[2].stride > 2 ? 1.6 : 1.16;
  }
  const double of_workgroup = (products + bring + store) / clock * slowed;
  const double waves = workgroups / (resident * multiprocessors);
  const double busy = of_workgroup * (waves < 1 ? 1 : (waves + std::ceil(waves)) / 2);
  const double memory = 1.25 * least_bytes(problem) / bandwidth;
  const double preparation =
      tile.values[prepared] ? predict_preparation(problem, prepared_of(problem, tile), bandwidth) : 0;
  const double cpu = caps.is_cpu ? 50.0 : 1.0;
  // Where `matrix` is predicted to take as long, this was the quicker one more often.
  return cpu * (0.98 * std::max(busy, memory) + preparation + 3e-6);
}

}  // namespace vktconv::matrix_window

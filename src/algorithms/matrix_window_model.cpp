// How long a tile of the algorithm matrix_window is predicted to take.

#include <algorithm>
#include <array>
#include <cmath>

#include "algorithms/matrix_window_tile.h"
#include "algorithms/merged_phases.h"
#include "shared/params.h"

namespace vktconv::matrix_window {
namespace {

// Workgroups that share a multiprocessor. An H200's driver gives all of them together no more shared memory than one
// may have (docs/performance-log.md); registers: sums, inputs on their way, and about 60 for the rest, by eights.
double resident_workgroups(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const Numbering& numbering,
                           const MatrixShape& shape) {
  constexpr int64_t register_file = 65536, most_registers = 255;
  const int64_t wanted = sums_of_invocation(problem, tile, caps) + item_registers(problem, tile, numbering, caps) + 60;
  const int64_t registers = round_up(std::min(most_registers, wanted), 8);
  const int64_t by_registers = register_file / (local_size(tile, caps) * registers);
  const int64_t by_shared =
      caps.max_compute_shared_memory_size / std::max(1u, shared_bytes(problem, tile, numbering, shape, caps));
  return static_cast<double>(std::max<int64_t>(1, std::min(by_registers, by_shared)));
}

// What a tile does, counted: for a workgroup, and where it says so, times a quarter of its subgroups, which share four
// schedulers.
struct Work {
  double products = 0;      // cycles at the multiprocessor's rate of matrix units
  double left_loads = 0;    // the same, for each product that a subgroup's matrix of weights serves,
  double right_loads = 0;   // and for each that one of inputs does
  double partial_sums = 0;  // fp32: times that 64 sums of each invocation are added up; a quarter of the subgroups
  double steps = 0;         // of a chunk of in-channels under a window
  double waits = 0;         // steps whose inputs are waited for
  double rows = 0;          // of windows, or whole ones where they are unrolled
  double windows = 0;
  double items = 0;          // vectors of inputs of an invocation, all steps; a quarter of the subgroups
  double split_items = 0;    // vectors of eight fp32 inputs, split; likewise
  double scalar_items = 0;   // those of them that are read one by one
  double crowding = 0;       // registers beyond what is easily had, all steps; a quarter of the subgroups
  double located_items = 0;  // the same, of the windows
  double stages = 0;         // of outputs
  double stores = 0;         // of an invocation; a quarter of the subgroups
  double run_ends = 0;       // likewise
  double pieces = 0;         // of sectors of outputs, where they are stored in units
  double weight_bytes = 0;   // in units of 64
};

// How outputs are stored.
enum class Store { channels_last, scattered, merged, halved_aligned, halved, aligned, shifted, lanes, units };

Store store_of(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
               const Numbering& numbering) {
  const bool aligned = numbering.first_element != Numbering::differs;
  const LaneStores lanes = lane_stores(problem, tile, shape, caps);
  if (lanes.row_lanes > 0) return lanes.positions > 0 ? Store::units : Store::lanes;
  if (problem.output_channels_last()) return Store::channels_last;
  if (tile.values[merged] == 0 && problem.axes[2].stride > 1) return Store::scattered;
  if (tile.values[merged] == 0) return aligned ? Store::aligned : Store::shifted;
  if (problem.axes[2].stride > 2) return Store::merged;
  return aligned ? Store::halved_aligned : Store::halved;
}

double d(int64_t value) { return static_cast<double>(value); }

void count_stores(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                  const Numbering& numbering, Store store, Work& work) {
  const uint32_t warps = tile.values[warps_m] * tile.values[warps_n];
  const int64_t outputs_of_position = tile.values[merged] > 0 ? problem.axes[2].stride : 1;
  if (store == Store::lanes || store == Store::units) {
    const LaneStores lanes = lane_stores(problem, tile, shape, caps);
    work.stores = d(held_sums(tile, caps) / (lanes.channels * std::max(1u, lanes.positions))) * warps / 4;
    if (store == Store::lanes) return;
    work.stores /= std::max(1u, tile.values[merged]);  // of all phases at once
    const int64_t outputs = block_channels(problem, tile, shape, caps) * tile.values[positions] * outputs_of_position;
    work.pieces = d(outputs * problem.output_element_size()) / 32 * numbering.pieces;
    return;
  }
  if (store == Store::channels_last) {
    work.stages = d(tile.values[positions]) / (d(tile.values[warps_n]) * shape.n);
    const int64_t octets = int64_t{tile.values[warps_n]} * shape.n * (tile.values[rows] / 8);
    work.stores = work.stages * d(ceil_div(octets, local_size(tile, caps))) * warps / 4;
    return;
  }
  work.stages = d(tile.values[rows]) / (d(tile.values[warps_m]) * shape.m);
  const int64_t of_vector = store == Store::scattered ? 1 : 16 / problem.output_element_size();
  const int64_t own = std::min(tile_step(tile, numbering), numbering.run_positions) * outputs_of_position;
  const int64_t slots = (own + (numbering.overlap > 0 ? 2 : 1) * (of_vector - 1)) / of_vector;
  int64_t lanes = 1;
  while (lanes < slots && lanes < caps.subgroup_size) lanes *= 2;
  const double runs_ending = d(tile.values[positions]) / d(numbering.run);
  const double runs = std::min(d(tile_segments(problem, numbering, tile.values[positions])), runs_ending + 1);
  const double turns = std::ceil(runs / (d(caps.subgroup_size) / d(lanes))) * d(ceil_div(slots, lanes));
  const double channels = std::ceil(d(block_channels(problem, tile, shape, caps)) / warps);
  work.stores = channels * turns * warps / 4;
  if (numbering.first_element == Numbering::differs) {
    work.run_ends = channels * std::min(runs_ending, turns) * warps / 4;
  }
}

// Cycles for each of what Work counts. Latency: of a workgroup, whatever else the multiprocessor does. Shared: of all
// its workgroups.
struct Constants {
  double product, step, row, stage, workgroup, window, item, crowding;  // latency
  double shared_product, left_load, right_load, shared_item, located_item, run_end, weights, shared_stage;
  double piece;                  // shared, of a sector
  std::array<double, 9> stores;  // shared, by Store
  double some_merged;            // merged phases of the width, not of all axes, and runs that begin anywhere: the whole
  double partial_sum = 0, split_item = 0, scalar_item = 0;  // shared, of fp32 in two parts
};

// Fitted to tiles measured on an H200 (docs/performance-log.md): fp32 in two parts to 522, 16 bits from what lies by
// pixels to 288, gathered to 182. Half of them are within 6 to 8 %. What stores in units cost to 109 more, and of 16
// bits to 112, for both the same.
constexpr Constants f32_constants = {.product = 0.338,
                                     .step = 265,
                                     .row = 231,
                                     .stage = 627,
                                     .workgroup = 2217,
                                     .window = 127,
                                     .item = 53.7,
                                     .crowding = 7.31,
                                     .shared_product = 0.688,
                                     .left_load = 0.997,
                                     .right_load = 0.065,
                                     .shared_item = 5.96,
                                     .located_item = 9.36,
                                     .run_end = 85.9,
                                     .weights = 0.0682,
                                     .shared_stage = 24.5,
                                     .piece = 1.78,
                                     .stores = {126, 50.3, 147, 54.1, 45.6, 18.6, 69.7, 37.2, 0},
                                     .some_merged = 1.17,
                                     .partial_sum = 26,
                                     .split_item = 50.7,
                                     .scalar_item = 11};
constexpr Constants pixel_constants = {.product = 0.103,
                                       .step = 900,
                                       .row = 99.7,
                                       .stage = 742,
                                       .workgroup = 1347,
                                       .window = 126,
                                       .item = 105,
                                       .crowding = 5.45,
                                       .shared_product = 0.624,
                                       .left_load = 0.87,
                                       .right_load = 0.205,
                                       .shared_item = 36.1,
                                       .located_item = 8.78,
                                       .run_end = 54.4,
                                       .weights = 0.273,
                                       .shared_stage = 28.3,
                                       .piece = 2.9,
                                       .stores = {52, 50, 153, 21.3, 55.3, 23.9, 56.1, 25.7, 12.8},
                                       .some_merged = 1.53};
constexpr Constants gathering_constants = {.product = 0.12,
                                           .step = 392,
                                           .row = 51.5,
                                           .stage = 1416,
                                           .workgroup = 865,
                                           .window = 203,
                                           .item = 292,
                                           .crowding = 19.8,
                                           .shared_product = 0.597,
                                           .left_load = 0.347,
                                           .right_load = 0.7,
                                           .shared_item = 10.1,
                                           .located_item = 12.4,
                                           .run_end = 36.9,
                                           .weights = 0.674,
                                           .shared_stage = 28.2,
                                           .piece = 2.9,
                                           .stores = {60, 13.9, 53.7, 31.8, 46.9, 25.1, 40, 40, 12.8},
                                           .some_merged = 1.6};

}  // namespace

double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                       const Numbering& numbering) {
  constexpr double clock = 1.755e9;
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double rate = caps.matrix_flops > 0 ? caps.matrix_flops : 1e12;
  const bool merge = tile.values[merged] > 0;
  const int64_t blocks =
      problem.groups * ceil_div(problem.group_out_channels(), block_channels(problem, tile, shape, caps));
  const double workgroups = workgroup_count(problem, tile, numbering, problem.batch, blocks);
  // No more share a multiprocessor than there are.
  const double resident = std::min(resident_workgroups(problem, caps, tile, numbering, shape),
                                   std::max(1.0, std::ceil(workgroups / multiprocessors)));

  // Phases share the taps among them: together each position takes every tap once.
  const double phases = d(workgroup_phases(problem, merge));
  const double taps_w = d(merge ? most_taps(problem, 2, true) : problem.axes[2].kernel);
  const double taps = d(problem.axes[0].kernel * problem.axes[1].kernel) * taps_w / phases;  // of a workgroup
  const double channels = d(round_up(problem.group_in_channels(), tile.values[depth]));
  const bool two_parts = parts(problem, tile) == 2;
  const bool unrolled = unrolls_window(problem, tile, shape, caps);
  const double of_subgroups = d(tile.values[warps_m] * tile.values[warps_n]) / 4;

  Work work;
  const double flop = 2.0 * (two_parts ? 3 : 1) * tile.values[positions] * tile.values[rows] * channels * taps;
  work.products = flop / (rate / multiprocessors) * clock;
  work.left_loads = work.products * d(tile.values[warps_n] * shape.n) / tile.values[positions];
  work.right_loads = work.products * d(tile.values[warps_m] * shape.m) / tile.values[rows];
  work.windows = std::max(1.0, taps / d(tile.values[window_h] * tile.values[window_w]));
  work.steps = work.windows * channels / tile.values[depth];
  work.waits = fetches_ahead(problem, tile, caps) ? 0.6 * work.windows + 0.4 * work.steps : work.steps;
  work.rows = work.steps * (unrolled ? 1 : tile.values[window_h]);
  if (sums_apart(problem, tile, shape)) {
    const int64_t of_row = int64_t{tile.values[window_w]} * tile.values[depth] / shape.k;
    const int64_t turns = unrolled ? ceil_div(tile.values[window_h] * of_row, WINDOW_SUMMED_TILES)
                                   : tile.values[window_h] * ceil_div(of_row, WINDOW_SUMMED_TILES);
    work.partial_sums = work.steps * d(turns * held_sums(tile, caps)) / 64 * of_subgroups;
  }
  const double items = d(items_of_invocation(problem, tile, numbering, caps)) * of_subgroups;
  const bool splits = splits_inputs(problem, tile);
  work.items = work.steps * items * (splits ? 2 : 1);
  work.split_items = splits ? work.steps * items : 0;
  work.scalar_items = problem.input_channels_last() ? 0 : work.split_items;
  work.located_items = work.windows * items;
  constexpr int64_t easy_registers = 152;  // of sums and inputs
  const int64_t registers = sums_of_invocation(problem, tile, caps) + item_registers(problem, tile, numbering, caps);
  work.crowding = work.steps * d(std::max<int64_t>(0, registers - easy_registers)) * of_subgroups;
  work.weight_bytes = d(tile.values[rows]) * channels * taps * 2 * d(parts(problem, tile)) / 64;
  const Store store = store_of(problem, caps, tile, shape, numbering);
  count_stores(problem, caps, tile, shape, numbering, store, work);

  const Constants& fit = two_parts ? f32_constants : by_pixels(problem, tile) ? pixel_constants : gathering_constants;
  const double latency = fit.product * work.products + fit.step * work.waits + fit.row * work.rows +
                         fit.stage * work.stages + fit.workgroup + fit.window * work.windows + fit.item * work.items;
  const double shared = fit.shared_product * work.products + fit.left_load * work.left_loads +
                        fit.right_load * work.right_loads + fit.partial_sum * work.partial_sums +
                        fit.shared_item * work.items + fit.split_item * work.split_items +
                        fit.scalar_item * work.scalar_items + fit.located_item * work.located_items +
                        fit.stores[static_cast<size_t>(store)] * work.stores + fit.run_end * work.run_ends +
                        fit.piece * work.pieces + fit.weights * work.weight_bytes + fit.shared_stage * work.stages;
  const bool some_merged =
      merge && phases > 1 && numbering.first_element == Numbering::differs && store != Store::units;
  const double cycles = (latency + resident * shared) * (some_merged ? fit.some_merged : 1.0);
  const double waves = workgroups / (resident * multiprocessors);
  const double busy = cycles / clock * (waves < 1 ? 1 : (waves + std::ceil(waves)) / 2);
  const double memory = 1.25 * least_bytes(problem) / bandwidth;
  const double preparation =
      tile.values[prepared] ? predict_preparation(problem, prepared_of(problem, tile), bandwidth) : 0;
  // Where there are no matrix units, drivers' compilers write out what they would do: the fewer matrices a subgroup
  // has, the sooner there is a plan (seconds, and half a minute with four of fp32).
  const double matrices = d(int64_t{tile.values[rows]} * tile.values[positions]) /
                          (d(tile.values[warps_m] * tile.values[warps_n]) * shape.m * shape.n);
  const double to_compile = caps.is_cpu ? matrices : 1.0;
  // Near either limit it takes longer than that alone.
  const double run = std::pow(std::pow(busy, 6) + std::pow(memory, 6), 1.0 / 6) + 3e-6;
  return (caps.is_cpu ? cpu_slowness : 1.0) * (to_compile * run + preparation);
}

}  // namespace vktconv::matrix_window

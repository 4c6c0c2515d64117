// How long a tile of the algorithm patch is predicted to take: from the costs that the shader's instructions are
// expected to have on an NVIDIA multiprocessor, corrected by 35 tiles of five problems that were timed on an H200
// (docs/performance-log.md).

#include <algorithm>
#include <cmath>

#include "algorithms/blocks.h"
#include "algorithms/patch_tile.h"

namespace vktconv::patch {
namespace {

double d(int64_t value) { return static_cast<double>(value); }

// What an invocation executes, in multiply-adds, over all its in-channels and taps.
double count_instructions(const Problem& problem, const Tile& tile, double outer_taps_of_phase) {
  const bool shared_weights = tile.values[depth] > 0;
  // Index, bounds, address; and lanes that are not neighbours in memory take more accesses to the nearest cache.
  const double spread = problem.input_channels_last() ? 12 : 1.5 * tile.values[cells_w];
  const double fetch = d(window_size(problem, tile)) * (4 + spread);
  const double weights = d(unit_quads(problem, tile)) * (shared_weights ? 6 : 8);
  const double in_channel = d(unit_products(problem, tile)) + fetch + weights + 8;
  const double in_channels = d(problem.group_in_channels());
  const double chunks = shared_weights ? std::ceil(in_channels / tile.values[depth]) : 0;
  const double tap = in_channels * in_channel + chunks * 100 + 4 * d(window_size(problem, tile)) + 40;
  const double stored =
      d(sum_count(problem, tile)) * ((tile.values[staged] ? 14 : 8) + 6 * static_cast<double>(problem.post_ops.size()));
  return outer_taps_of_phase * tap + stored + 200;
}

// Threads that share a multiprocessor. How many registers the driver's compiler takes is a guess.
double resident_threads(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  constexpr int64_t register_file = 65536, other_registers = 30, most_threads = 2048;
  const int64_t registers =
      used_sums(problem, tile) + window_size(problem, tile) * (tile.values[ahead] ? 2 : 1) + other_registers;
  const int64_t by_registers = register_file / registers;
  // An H200's driver gives all workgroups together no more shared memory than one may have.
  const int64_t by_shared =
      int64_t{caps.max_compute_shared_memory_size / shared_bytes(problem, tile)} * tile.values[local_size];
  return d(std::min({by_registers, by_shared, most_threads}));
}

// Every workgroup fetches its inputs by itself, through the second-level cache; its invocations share columns, not
// rows.
double fetched_bytes(const Problem& problem, const Tile& tile, double workgroups, double outer_taps_of_phase) {
  const int64_t inputs = tile.values[local_size] * tile.values[cells_w] * window_rows(problem, tile);
  return workgroups * outer_taps_of_phase * d(inputs * problem.group_in_channels() * problem.element_size());
}

// Scaled to times on lavapipe (docs/performance-log.md), where `gather`, too, is predicted to take about twice as long
// as it does.
double predict_on_cpu(const Problem& problem, const DeviceCaps& caps, const Tile& tile, double invocations,
                      double outer_taps_of_phase) {
  const double in_channel =
      d(unit_products(problem, tile)) + 4 * d(window_size(problem, tile)) + 2 * d(unit_quads(problem, tile));
  const double barriers = tile.values[depth] > 0 || tile.values[staged] ? 4 : 1;
  const double executed =
      outer_taps_of_phase * d(problem.group_in_channels()) * in_channel + 8 * d(sum_count(problem, tile));
  return 2 * invocations * executed * barriers / (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12);
}

}  // namespace

double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const int64_t blocks = ceil_div(problem.group_out_channels(), tile.values[channels]);
  const double workgroups = workgroup_count(problem, tile, problem.batch, problem.groups * blocks);
  const double invocations = workgroups * tile.values[local_size];
  // Phases share the outer taps among them.
  double outer = d(outer_taps(problem, tile));
  for (size_t axis = 0; axis < 2; ++axis) {
    const Axis& a = problem.axes[axis];
    if (!is_merged(tile, axis)) outer /= d(std::min(a.stride, a.output));
  }
  if (caps.is_cpu) return predict_on_cpu(problem, caps, tile, invocations, outer);

  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double rate = (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) / 2;  // of lanes
  const double per_multiprocessor = workgroups / multiprocessors;
  const double threads = std::min(per_multiprocessor * tile.values[local_size], resident_threads(problem, caps, tile));
  const double full = std::min(1.0, threads / 512.0);  // fewer hide no latency
  const double turns = per_multiprocessor / 4;
  const double waves = full < 1.0 ? 1.0 : std::min(1.5, std::ceil(turns) / turns);
  // Fetching ahead pays where there is nothing else to multiply meanwhile.
  const double issue = !tile.values[ahead] ? 1.3 : problem.group_in_channels() > 1 ? 1.4 : 1.25;
  const double busy = invocations * count_instructions(problem, tile, outer) * issue * waves / (rate * full);

  // Outputs in pieces of a sector cost more than their bytes, as for tiled and gather.
  const bool in_order = tile.values[staged] || staged_run(problem, tile) == 1 || output_vector(problem, caps, tile) > 1;
  const bool pieces = problem.output_channels_last() ? tile.values[channels] < problem.out_channels : !in_order;
  const double apart = pieces ? (problem.output_channels_last() ? 14.5e-12 : 8e-12) : 0.0;
  const bool halves = problem.output_element_size() == 2;
  const double narrow = output_vector(problem, caps, tile) > 1 ? (halves ? 1.2e-12 : 0.0) : (halves ? 2.5e-12 : 1e-12);
  const double stored = d(problem.output_elements()) * (apart + narrow) * 132 / multiprocessors;
  const double memory =
      1.15 * least_bytes(problem) / bandwidth + fetched_bytes(problem, tile, workgroups, outer) / (4 * bandwidth);
  // Timed on six problems it is 0.7 to 0.95 of what is counted; channels-last inputs come more slowly, on three
  // problems 1.65 to 3 times.
  const double measured = problem.input_channels_last() ? 1.7 : 0.8;
  return measured * (std::max(busy, memory) + 0.3 * std::min(busy, memory)) + stored + 3e-6;
}

}  // namespace vktconv::patch

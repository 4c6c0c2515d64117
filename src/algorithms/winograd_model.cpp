// How long a tile of the algorithm winograd is predicted to take. Numbers without another source were fitted together
// to 172 times of 21 problems in fp32 on an H200 (docs/performance-log.md).

#include <algorithm>
#include <cmath>

#include "algorithms/blocks.h"
#include "algorithms/winograd_tile.h"
#include "phases.h"

namespace vktconv::winograd {

namespace {

// What an invocation fetches in a step: four weights at once where they go through shared memory, and all elements.
uint32_t fetched_weight_quads(const Tile& tile) {
  const uint32_t quads = tile.values[row_taps] * tile.values[depth] * tile.values[points] * tile.values[channels] / 4;
  return tile.values[shared_weights] ? u32(ceil_div(quads, local_size(tile))) : 0;
}

uint32_t fetched_elements(const Tile& tile) {
  return jobs(tile) * tile.values[points] + 4 * fetched_weight_quads(tile);
}

// Rounds of sums through shared memory, and outputs of the busiest invocation in all of them: as winograd_output.glsl
// shares them out, which leaves some without any.
struct Stores {
  double rounds = 0, outputs = 0;
};

Stores count_stores(const Layer& layer, const Tile& tile) {
  const int64_t step = layer.width.input_step;
  const int64_t span = round_up(tile.values[columns], step) * outputs_of_tile(tile);
  const int64_t teams = std::max<int64_t>(1, local_size(tile) / span), passes = ceil_div(span, local_size(tile));
  const int64_t items = ceil_div(int64_t{staged_lanes(tile)} * tile.values[rows], teams);
  const int64_t rounds = channel_lanes(tile) / staged_lanes(tile) * tile.values[thread_channels];
  return {static_cast<double>(rounds), static_cast<double>(rounds * passes * items)};
}

// What an invocation executes, in multiply-adds. The rest was counted in the shader first. Fitted: four weights
// straight from memory cost as much as eight multiply-adds (bounds are checked at each access), an input that is
// fetched and put into shared memory seven.
struct Instructions {
  double step = 0;    // of DEPTH in-channels and ROW_TAPS taps of the height
  double stored = 0;  // all of the output
};

Instructions count_instructions(const Tile& tile, const Stores& stores) {
  const double sums = tile.values[thread_channels] * tile.values[rows] * tile.values[thread_columns];
  const double products = tile.values[depth] * tile.values[row_taps];
  const double loaded_rows = tile.values[row_taps] > 1 ? input_rows(tile) : tile.values[rows];
  const double inputs = tile.values[depth] * loaded_rows * tile.values[thread_columns] / 4.0;
  const double weights = products * tile.values[thread_channels] / 4.0 * (tile.values[shared_weights] ? 1 : 8);
  const double transform = tile.values[points] == 8 ? 26 : tile.values[points] == 6 ? 14 : 5;
  const double fetched = jobs(tile) * (7.0 * tile.values[points] + transform) + 3.0 * fetched_weight_quads(tile);
  Instructions instructions;
  instructions.step = products * sums + inputs + weights + fetched + 50;
  // Fetching ahead costs between -9 and 70 % of the same tile's time without, 7 % in the median of 51 pairs.
  if (tile.values[ahead]) instructions.step *= 1.15;
  instructions.stored = stores.outputs * (6.0 * tile.values[points] + 8) + 50 * stores.rounds + 400;
  return instructions;
}

// Of an NVIDIA multiprocessor: each scheduler issues to one subgroup a cycle.
constexpr uint32_t subgroup = 32, schedulers = 4;

// Workgroups that share a multiprocessor. An H200's driver gives all of them together no more shared memory than one
// may have (docs/performance-log.md). How many registers the driver's compiler takes was not read: the 66 besides sums
// and operands, and 3/5 of what is fetched ahead, fit the times.
double resident_workgroups(const DeviceCaps& caps, const Tile& tile) {
  constexpr uint32_t register_file = 65536, most_registers = 255, other_registers = 66;
  const uint32_t sums = tile.values[thread_channels] * tile.values[rows] * tile.values[thread_columns];
  const uint32_t operands = input_rows(tile) * tile.values[thread_columns] + tile.values[thread_channels];
  const uint32_t waiting = tile.values[ahead] ? fetched_elements(tile) * 3 / 5 : 0;
  const auto registers = std::min<int64_t>(most_registers, round_up(sums + operands + waiting + other_registers, 8));
  const int64_t by_registers = register_file / (round_up(local_size(tile), subgroup) * registers);
  const int64_t by_shared = caps.max_compute_shared_memory_size / shared_bytes(tile);
  return static_cast<double>(std::max<int64_t>(1, std::min(by_registers, by_shared)));
}

// Cycles that a workgroup takes of a multiprocessor which it shares with others of its kind, `resident` in all. Either
// their instructions fill the scheduler that has most of the subgroups, or all wait: each subgroup for its instruction
// before, for what is fetched in each step and for the stores of each round.
double workgroup_cycles(const Tile& tile, const Stores& stores, double steps, double resident) {
  constexpr double issue_cycles = 1.6, dependent_cycles = 3.2, fetch_cycles = 350, round_cycles = 400, begin = 2000;
  const Instructions instructions = count_instructions(tile, stores);
  const double executed = steps * instructions.step + instructions.stored;
  const double subgroups = resident * static_cast<double>(ceil_div(local_size(tile), subgroup));
  const double issued = issue_cycles * executed * std::ceil(subgroups / schedulers);
  const double waited = dependent_cycles * executed + steps * fetch_cycles * (tile.values[ahead] ? 0.25 : 1.0) +
                        stores.rounds * round_cycles + begin;
  return std::max(issued, waited) / resident;
}

// The share of outputs that are computed from the tensors themselves: those at the ends of a row of inputs, where few
// taps of the width reach them.
double share_with_few_products(const Problem& problem, const Layer& layer, const Filter& filter) {
  const int64_t products = problem.group_in_channels() * layer.depth.least * layer.height.least;  // of a tap
  const int64_t short_rows = std::min(layer.width.most - 1, ceil_div(problem.axes[2].input, layer.width.input_step));
  int64_t positions = 0;
  for (int64_t reaching = 1; reaching <= short_rows && products * reaching < filter.least_border; ++reaching) {
    positions += 2 * layer.width.input_step;
  }
  return std::min(1.0, static_cast<double>(positions) / static_cast<double>(layer.width.positions));
}

}  // namespace

double predict_seconds(const Problem& problem, const Layer& layer, const DeviceCaps& caps, const Tile& tile) {
  const int64_t blocks = problem.groups * ceil_div(problem.group_out_channels(), tile.values[channels]);
  const double workgroups = workgroup_count(problem, layer, tile, problem.batch, blocks);
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double rate = (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) / 2;  // of lanes

  // Phases of depth and height share the taps among them; each phase of the width takes all groups of taps.
  const auto share = [](const Axis& axis) {
    return static_cast<double>(axis.kernel) / static_cast<double>(std::min(axis.stride, axis.output));
  };
  const double chunks = static_cast<double>(ceil_div(problem.group_in_channels(), tile.values[depth]));
  const double windows = std::max(1.0, share(problem.axes[1]) / tile.values[row_taps]);
  const double phases_with_taps =
      static_cast<double>(std::min(problem.axes[2].kernel, problem.axes[2].stride / phase_gcd(problem.axes[2]))) /
      static_cast<double>(std::min(problem.axes[2].stride, problem.axes[2].output));
  const double steps =
      share(problem.axes[0]) * windows * tap_groups(layer, tile) * chunks * std::min(1.0, phases_with_taps);

  const double resident = std::min(resident_workgroups(caps, tile), std::max(1.0, workgroups / multiprocessors));
  const double turns = workgroups / (resident * multiprocessors);
  const double waves = turns < 1 ? 1 / turns : std::ceil(turns) / turns;
  const double lanes = schedulers * subgroup;
  const double tiles_lanes = workgroups * workgroup_cycles(tile, count_stores(layer, tile), steps, resident) * lanes;

  // From the tensors themselves: four out-channels at once, a dozen instructions a product; half of the taps of the
  // width.
  const double products = static_cast<double>(problem.group_in_channels() * layer.depth.most * layer.height.most) *
                          static_cast<double>(layer.width.most) / 2;
  const Filter& filter = find_filter(tile.values[points], tile.values[taps]);
  const double few = static_cast<double>(problem.output_elements()) * share_with_few_products(problem, layer, filter);
  const double few_issue = few / 4 * (12 * products + 100);

  const double busy = (tiles_lanes * std::min(waves, 4.0) + 1.5 * few_issue) / rate;

  // Every workgroup reads its weights through the second-level cache, whose rate is an H200's.
  const double weight_bytes = workgroups * steps * tile.values[depth] * tile.values[row_taps] * tile.values[points] *
                              tile.values[channels] * 4.0;
  const double cache = weight_bytes / (4.0e12 * multiprocessors / 132);

  // Every stride-th output of a row, in 16 bits: not timed, so as for tiled.
  const double apart = problem.axes[2].stride > 1 && problem.element_size() == 2 ? 4e-12 : 0.0;
  const double stored = static_cast<double>(problem.output_elements()) * apart * 132 / multiprocessors;
  const double memory = least_bytes(problem) * (problem.axes[2].stride > 1 ? 2.0 : 1.0) / bandwidth;
  // On lavapipe it takes between 0.4 and 7 times as long as gather, and the counts do not tell which: so it is behind
  // gather on all problems that were tried (docs/performance-log.md), those with few invocations a core, too.
  const double few_invocations = std::max(1.0, 2048 * multiprocessors / (workgroups * local_size(tile)));
  const double cpu = caps.is_cpu ? 20.0 * few_invocations : 1.0;
  return cpu * (std::max({busy, cache, memory}) + 0.2 * std::min(busy, memory) + stored + 4e-6);
}

}  // namespace vktconv::winograd

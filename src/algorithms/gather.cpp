// The universal algorithm: every output gathers its inputs (shaders/gather.comp). Applies to every problem.

#include <algorithm>
#include <limits>

#include "algorithms/blocks.h"
#include "algorithms/post_op_windows.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values.
enum : size_t { local_size, positions, channel_quads };

int64_t block_channels(const Tile& tile) { return int64_t{tile.values[channel_quads]} * 4; }

int64_t position_blocks(const Problem& problem, const Tile& tile, int64_t images) {
  return ceil_div(phase_positions(problem, images), int64_t{tile.values[local_size]} * tile.values[positions]);
}

// A thread needs `quads` vector loads of weights and `positions` loads of input for quads * 4 * positions
// multiply-adds.
double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const double count = tile.values[positions], quads = tile.values[channel_quads];
  const double channels = quads * 4;
  const double block_channels_total =
      static_cast<double>(ceil_div(problem.group_out_channels(), block_channels(tile))) * channels;
  const double padded_positions =
      static_cast<double>(position_blocks(problem, tile, problem.batch)) * tile.values[local_size] * count;
  const double waste = block_channels_total / static_cast<double>(problem.group_out_channels()) * padded_positions /
                       static_cast<double>(phase_positions(problem, problem.batch));
  const double sums = channels * count;
  const double invocations = padded_positions * static_cast<double>(phase_count(problem)) *
                             static_cast<double>(problem.groups) * block_channels_total / sums;
  // Registers past this many sums cost occupancy; CPU devices spill far earlier.
  const double most_sums = caps.is_cpu ? 16 : 48;
  const double spill = std::max(1.0, sums / most_sums);
  // A second position costs more than its share: its bounds are its own, and its inputs are in other cache lines.
  const double loads = (1.0 + (2.0 * count + 4.0 * quads) / sums) * (count > 1 ? 1.4 : 1.0);
  const double full = std::min(1.0, invocations / (2048.0 * std::max(1u, caps.multiprocessors)));
  const double rate = 0.45 * (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) * full;
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  // Every stride-th output of a row, or a few channels of each pixel: measured on an H200, that costs far more than its
  // bytes.
  double apart = problem.output_channels_last() ? 20e-12 : problem.axes[2].stride > 1 ? 8e-12 : 0.0;
  if (caps.is_cpu) apart = 0.0;
  const double stored =
      static_cast<double>(problem.output_elements()) * apart * 132 / std::max(1u, caps.multiprocessors);
  const double steps = static_cast<double>(channel_steps(problem)) * step_cost(problem, caps) /
                       static_cast<double>(problem.group_in_channels());
  return std::max(useful_flop(problem) * steps * waste * loads * spill / rate, 1.5 * least_bytes(problem) / bandwidth) +
         stored;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const std::string shader = variant_name("gather", problem.data_type, caps, false);
  if (find_shader(shader) == nullptr) {
    why_not = "this build has no shader " + shader;
    return {};
  }
  std::vector<Tile> result;
  for (const uint32_t quads : {1u, 2u, 4u}) {
    if (quads > 1 && int64_t{quads} * 4 >= problem.group_out_channels() + 4) continue;
    for (const uint32_t count : {1u, 2u}) {
      Tile tile;
      tile.values[local_size] =
          std::min({128u, caps.max_compute_work_group_invocations, caps.max_compute_work_group_size[0]});
      tile.values[positions] = count;
      tile.values[channel_quads] = quads;
      tile.seconds = predict_seconds(problem, caps, tile);
      result.push_back(tile);
    }
  }
  return result;
}

Dispatch make_run(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                  const SlabWindows& windows) {
  shared::GatherParams params{};
  params.slab = windows.params;
  for (size_t a = 0; a < 3; ++a) {
    params.input_size[a] = u32(problem.axes[a].input);
    params.output_size[a] = u32(problem.axes[a].output);
    params.padding_begin[a] = static_cast<int32_t>(problem.axes[a].padding_begin);
  }
  params.in_channels = u32(problem.group_in_channels());

  Dispatch dispatch;
  dispatch.shader = variant_name("gather", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  dispatch.constants = common_constants(problem);
  dispatch.constants.resize(GATHER_CONSTANTS);
  dispatch.constants[GATHER_LOCAL_SIZE] = tile.values[local_size];
  dispatch.constants[GATHER_POSITIONS] = tile.values[positions];
  dispatch.constants[GATHER_CHANNEL_QUADS] = tile.values[channel_quads];
  dispatch.constants[GATHER_HAS_BIAS] = problem.has_bias ? 1 : 0;
  dispatch.constants[GATHER_OUT_CHANNELS] = u32(problem.group_out_channels());
  dispatch.constants[GATHER_GROUPS] = u32(problem.groups);
  dispatch.params = to_words(params);
  return dispatch;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  Blocking blocking;
  blocking.channels = blocking.rows = block_channels(tile);
  blocking.pack_steps(problem, 1);
  blocking.pack_local_size = tile.values[local_size];
  blocking.workgroups = [&](const Slab& slab) {
    // Positions are numbered in 32 bits.
    if (phase_positions(problem, slab.images) > (int64_t{1} << 31)) return std::numeric_limits<double>::infinity();
    return static_cast<double>(position_blocks(problem, tile, slab.images)) *
           static_cast<double>(phase_count(problem)) * static_cast<double>(slab.groups) *
           static_cast<double>(slab.blocks);
  };
  plan.tile = std::to_string(block_channels(tile)) + " channels x " + std::to_string(tile.values[positions]) +
              " positions per invocation, " + std::to_string(tile.values[local_size]) + " invocations";
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const SlabWindows& windows) { return make_run(problem, caps, tile, plan.device_address, windows); }, plan,
      error);
}

}  // namespace

const Algorithm gather_algorithm = {"gather", "every problem on every device: each output gathers its inputs", tiles,
                                    build};

}  // namespace vktconv

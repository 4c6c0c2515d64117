// Implicit matrix product over phases through shared memory and registers (shaders/tiled.comp). For problems that are
// bound by arithmetic.

#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/blocks.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values.
enum : size_t { channels, positions, depth, thread_channels, thread_positions, buffers };

uint32_t local_size(const Tile& tile) {
  return tile.values[channels] / tile.values[thread_channels] * tile.values[positions] / tile.values[thread_positions];
}

uint32_t shared_bytes(const Tile& tile) {
  const uint32_t pitch = (tile.values[thread_positions] / 4) | 1;
  const uint32_t input = tile.values[positions] / tile.values[thread_positions] * pitch * 16;
  const uint32_t weights = tile.values[channels] * 4;
  return tile.values[buffers] * tile.values[depth] * (input + weights);
}

// The constraints that tiled.comp states, and the device's.
bool legal(const Tile& tile, const DeviceCaps& caps) {
  const uint32_t local = local_size(tile), columns = tile.values[positions];
  const bool divides =
      columns >= local ? columns % local == 0 : local % columns == 0 && tile.values[depth] % (local / columns) == 0;
  return divides && tile.values[channels] % tile.values[thread_channels] == 0 &&
         columns % tile.values[thread_positions] == 0 && local <= caps.max_compute_work_group_invocations &&
         local <= caps.max_compute_work_group_size[0] && shared_bytes(tile) <= caps.max_compute_shared_memory_size;
}

int64_t position_blocks(const Problem& problem, const Tile& tile, int64_t images) {
  return ceil_div(phase_positions(problem, images), tile.values[positions]);
}

double workgroup_count(const Problem& problem, const Tile& tile) {
  return static_cast<double>(position_blocks(problem, tile, problem.batch)) *
         static_cast<double>(phase_count(problem)) * static_cast<double>(problem.groups) *
         static_cast<double>(ceil_div(problem.group_out_channels(), tile.values[channels]));
}

// Positions x out-channels x taps x in-channels that are computed, halos and tails included, over what is useful.
double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const double m = tile.values[thread_channels], n = tile.values[thread_positions];
  const auto padded = [](int64_t count, uint32_t step) { return static_cast<double>(ceil_div(count, step)) * step; };
  const double positions_padded = padded(phase_positions(problem, problem.batch), tile.values[positions]);
  const double channels_padded = padded(problem.group_out_channels(), tile.values[channels]);
  const double depth_padded = padded(problem.group_in_channels(), tile.values[depth]);
  // Phases share the taps among them: together each position column takes every tap once.
  double flop = 2.0 * positions_padded * channels_padded * depth_padded * static_cast<double>(problem.taps()) *
                static_cast<double>(problem.groups);
  flop = std::max(flop, useful_flop(problem));

  // Instructions per multiply-add: two shared loads of four for each side, and the fetch of the next step.
  const double fetch = 1.0 / tile.values[channels] + 0.5 / tile.values[positions];
  const double issue = 1.0 + (m / 4 + n / 4) / (m * n) * 1.5 + 3.0 * fetch;
  // Two workgroups of a multiprocessor hide each other's barriers.
  const double registers = m * n + m + n + 40;
  const double resident = std::floor(std::min(65536.0 / (registers * local_size(tile)), 98304.0 / shared_bytes(tile)));
  const double overlap = resident >= 2 ? 1.0 : 1.15;
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double workgroups = workgroup_count(problem, tile);
  const double warps_full = std::min(1.0, local_size(tile) * std::max(1.0, resident) / 256.0);
  const double waves = std::ceil(workgroups / multiprocessors) / (workgroups / multiprocessors);
  const double rate = (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) * 0.9 * warps_full;
  // Barriers and shared memory cost CPU devices far more than they save.
  const double device = caps.is_cpu ? 8.0 : 1.0;
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double interleaved = problem.axes[2].stride > 1 ? 2.0 : 1.0;  // phases store every stride-th element
  const double memory = least_bytes(problem) * interleaved / bandwidth;
  const double arithmetic = flop * issue * overlap * waves / rate;
  return device * (std::max(arithmetic, memory) + 0.2 * std::min(arithmetic, memory));
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const std::string shader = variant_name("tiled", problem.data_type, caps, false);
  if (find_shader(shader) == nullptr) {
    why_not = "this build has no shader " + shader;
    return {};
  }
  constexpr uint32_t shapes[][4] = {
      // channels, positions, thread channels, thread positions
      {128, 128, 8, 8}, {64, 256, 8, 8},  {64, 128, 8, 8}, {64, 64, 8, 4},  {64, 64, 4, 4},
      {48, 128, 12, 4}, {48, 256, 12, 8}, {32, 256, 8, 8}, {32, 128, 8, 4}, {32, 64, 4, 4},
      {24, 256, 12, 4}, {24, 512, 12, 8}, {16, 256, 8, 4}, {16, 512, 8, 8}, {16, 128, 4, 4},
      {8, 256, 8, 4},   {8, 512, 8, 8},   {4, 256, 4, 4},  {4, 512, 4, 8},
  };
  std::vector<Tile> result;
  for (const auto& shape : shapes) {
    if (shape[0] >= 2 * std::max<int64_t>(4, problem.group_out_channels())) continue;
    for (const uint32_t k : {4u, 8u, 16u}) {
      for (const uint32_t buffered : {1u, 2u}) {
        Tile tile;
        tile.values = {shape[0], shape[1], k, shape[2], shape[3], buffered};
        if (!legal(tile, caps)) continue;
        tile.seconds = predict_seconds(problem, caps, tile);
        result.push_back(tile);
      }
    }
  }
  if (result.empty()) why_not = "maxComputeSharedMemorySize or the workgroup size is too small for its tiles";
  return result;
}

Dispatch make_run(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                  const Slab& slab, const SlabWindows& windows) {
  shared::TiledParams params{};
  params.batch = u32(slab.images);
  params.groups = u32(slab.groups);
  params.blocks = u32(slab.blocks);
  params.first_block = u32(slab.first_block);
  params.first_group = u32(slab.first_group);
  params.input_offset = static_cast<uint32_t>(windows.input.skipped_elements);
  params.output_offset = static_cast<uint32_t>(windows.output.skipped_elements);
  params.weights_offset = static_cast<uint32_t>(windows.packed.skipped_elements / 4);

  Dispatch dispatch;
  dispatch.shader = variant_name("tiled", problem.data_type, caps, device_address);
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = geometry_constants(problem);
  constants.resize(TILED_CONSTANTS);
  constants[TILED_LOCAL_SIZE] = constants[TILED_LOCAL] = local_size(tile);
  constants[TILED_CHANNELS] = tile.values[channels];
  constants[TILED_POSITIONS] = tile.values[positions];
  constants[TILED_DEPTH] = tile.values[depth];
  constants[TILED_THREAD_CHANNELS] = tile.values[thread_channels];
  constants[TILED_THREAD_POSITIONS] = tile.values[thread_positions];
  constants[TILED_BUFFERS] = tile.values[buffers];
  constants[TILED_HAS_BIAS] = problem.has_bias ? 1 : 0;
  for (size_t a = 0; a < 3; ++a) {
    constants[TILED_INPUT_SIZE + a] = u32(problem.axes[a].input);
    constants[TILED_OUTPUT_SIZE + a] = u32(problem.axes[a].output);
    constants[TILED_PADDING_BEGIN + a] = u32(problem.axes[a].padding_begin);
  }
  constants[TILED_IN_CHANNELS] = u32(problem.group_in_channels());
  constants[TILED_OUT_CHANNELS] = u32(problem.group_out_channels());
  constants[TILED_GROUPS] = u32(problem.groups);
  dispatch.params = to_words(params);
  return dispatch;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  Blocking blocking;
  blocking.channels = tile.values[channels];
  blocking.packed_in_channels = ceil_div(problem.group_in_channels(), tile.values[depth]) * tile.values[depth];
  blocking.pack_local_size = std::min(128u, caps.max_compute_work_group_invocations);
  blocking.workgroups = [&](const Slab& slab) {
    // Positions are numbered in 32 bits.
    if (phase_positions(problem, slab.images) > (int64_t{1} << 31)) return std::numeric_limits<double>::infinity();
    return static_cast<double>(position_blocks(problem, tile, slab.images)) *
           static_cast<double>(phase_count(problem)) * static_cast<double>(slab.groups) *
           static_cast<double>(slab.blocks);
  };
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  plan.tile = text(channels) + " channels x " + text(positions) + " positions x " + text(depth) + " deep, " +
              text(thread_channels) + " x " + text(thread_positions) + " per invocation, " +
              std::to_string(local_size(tile)) + " invocations, " + text(buffers) +
              (tile.values[buffers] == 1 ? " buffer" : " buffers");
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const Slab& slab, const SlabWindows& windows) {
        return make_run(problem, caps, tile, plan.device_address, slab, windows);
      },
      plan, error);
}

}  // namespace

const Algorithm tiled_algorithm = {
    "tiled", "implicit matrix product through shared memory, for problems bound by arithmetic", tiles, build};

}  // namespace vktconv

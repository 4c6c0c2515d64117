// Implicit matrix product over phases through shared memory and registers (shaders/tiled.comp). For problems that are
// bound by arithmetic.

#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/blocks.h"
#include "algorithms/merged_phases.h"
#include "algorithms/post_op_windows.h"
#include "phases.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values. merged and staged_channels are 0 where phases of the width are not merged.
enum : size_t { channels, positions, depth, thread_channels, thread_positions, buffers, merged, staged_channels };

uint32_t local_size(const Tile& tile) {
  return tile.values[channels] / tile.values[thread_channels] * tile.values[positions] / tile.values[thread_positions];
}

uint32_t tile_bytes(const Tile& tile) {
  const uint32_t pitch = (tile.values[thread_positions] / 4) | 1;
  const uint32_t input = tile.values[positions] / tile.values[thread_positions] * pitch * 16;
  const uint32_t weights = tile.values[channels] * 4;
  return tile.values[buffers] * tile.values[depth] * (input + weights);
}

uint32_t staged_row_bytes(const Problem& problem, const Tile& tile) {
  return tile.values[positions] * u32(problem.axes[2].stride) * 4;
}

uint32_t shared_bytes(const Problem& problem, const Tile& tile) {
  return std::max(tile_bytes(tile), (tile.values[staged_channels] * staged_row_bytes(problem, tile) + 15) / 16 * 16);
}

// The constraints that tiled.comp states, and the device's.
bool legal(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  const uint32_t local = local_size(tile), columns = tile.values[positions];
  const bool divides =
      columns >= local ? columns % local == 0 : local % columns == 0 && tile.values[depth] % (local / columns) == 0;
  return divides && tile.values[channels] % tile.values[thread_channels] == 0 &&
         columns % tile.values[thread_positions] == 0 && local <= caps.max_compute_work_group_invocations &&
         local <= caps.max_compute_work_group_size[0] &&
         shared_bytes(problem, tile) <= caps.max_compute_shared_memory_size;
}

int64_t tile_positions(const Problem& problem, const Tile& tile, int64_t images) {
  return images * ceil_div(problem.axes[0].output, problem.axes[0].stride) *
         ceil_div(problem.axes[1].output, problem.axes[1].stride) *
         width_positions(problem, tile.values[merged] > 0).count;
}

int64_t block_channels(const Tile& tile) {
  return tile.values[merged] > 0 ? tile.values[channels] / tile.values[merged] : tile.values[channels];
}

double workgroup_count(const Problem& problem, const Tile& tile, int64_t images, int64_t blocks) {
  return static_cast<double>(ceil_div(tile_positions(problem, tile, images), tile.values[positions])) *
         static_cast<double>(workgroup_phases(problem, tile.values[merged] > 0)) * static_cast<double>(blocks);
}

// Whether an invocation stores four channels at once.
bool stores_quads(const Problem& problem, const Tile& tile) {
  return problem.data_type == VKTC_DATA_TYPE_F32 && problem.output_channels_last() && tile.values[merged] == 0 &&
         problem.group_out_channels() % 4 == 0;
}

double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  const auto padded = [](int64_t count, int64_t step) { return static_cast<double>(ceil_div(count, step) * step); };
  const Axis& width = problem.axes[2];
  const int64_t blocks = ceil_div(problem.group_out_channels(), block_channels(tile));
  const double taps_w = static_cast<double>(
      tile.values[merged] > 0 ? ceil_div(width.kernel, width.stride / phase_gcd(width)) : width.kernel);
  // Rows x positions x taps x steps along the in-channels that are computed, tails included. Phases share the taps
  // among them: together each position takes every tap once.
  double flop = 2.0 * padded(tile_positions(problem, tile, problem.batch), tile.values[positions]) *
                static_cast<double>(blocks) * tile.values[channels] *
                padded(channel_steps(problem), tile.values[depth]) * step_cost(problem, caps) * taps_w *
                static_cast<double>(problem.axes[0].kernel * problem.axes[1].kernel * problem.groups);

  // Measured on an H200 (docs/performance-log.md): a multiply-add takes 1.42 times its share of the arithmetic rate,
  // or, where there are few rows to share it, bringing an element of input takes as long as 22 of them.
  const double rows = tile.values[channels];
  const double issue = std::max(1.42, 1.08 + 22.0 / rows);
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double workgroups = workgroup_count(problem, tile, problem.batch, problem.groups * blocks);
  const double threads = local_size(tile) * workgroups / multiprocessors;
  // Of a multiprocessor: fewer threads hide no latency, the less the fewer sums each has.
  const double sums = tile.values[thread_channels] * tile.values[thread_positions];
  const double full = std::min(1.0, threads / (256.0 + 3072.0 / sums));
  const double waves = std::ceil(workgroups / multiprocessors) / (workgroups / multiprocessors);
  const double rate = (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) * full;
  // Barriers and shared memory cost CPU devices far more than they save.
  const double device = caps.is_cpu ? 8.0 : 1.0;
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double interleaved = width.stride > 1 && tile.values[merged] == 0 ? 2.0 : 1.0;  // every stride-th element
  const double memory = least_bytes(problem) * interleaved / bandwidth;
  const double arithmetic = flop * issue * (full < 1.0 ? 1.0 : waves) / rate;
  // Outputs of a strided width cost more than their bytes, whether they are put in order in shared memory or stored
  // apart: measured on an H200, and 16-bit ones cost most.
  const bool is_16_bit = problem.element_size() == 2;
  const double in_order = is_16_bit ? 3.5e-12 : 1.8e-12, apart = is_16_bit ? 4e-12 : 3e-12;
  double per_output = width.stride == 1 ? 0.0 : tile.values[merged] > 0 ? in_order : apart;
  // Lanes are neighbours along the width, not along the channels.
  const bool wide = stores_quads(problem, tile) && tile.values[channels] >= 16;
  if (problem.output_channels_last() && !caps.is_cpu) per_output = wide ? 4.5e-12 : 14.5e-12;
  const double stored = static_cast<double>(problem.output_elements()) * per_output * 132 / multiprocessors;
  return device * (std::max(arithmetic, memory) + 0.2 * std::min(arithmetic, memory) + stored);
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const std::string shader = variant_name("tiled", problem.data_type, caps, false);
  if (find_shader(shader) == nullptr) {
    why_not = "this build has no shader " + shader;
    return {};
  }
  // Channels, positions, depth, channels and positions of an invocation, buffers: those that were best for some
  // problem on an H200 (docs/performance-log.md), the more rows the better.
  constexpr uint32_t shapes[][6] = {
      {128, 128, 16, 8, 8, 1}, {128, 128, 8, 8, 8, 1}, {128, 64, 16, 8, 8, 1}, {96, 64, 16, 12, 4, 1},
      {64, 128, 16, 8, 8, 1},  {64, 128, 8, 8, 8, 1},  {64, 64, 16, 8, 4, 1},  {48, 128, 16, 12, 4, 1},
      {48, 128, 8, 12, 4, 1},  {32, 256, 4, 8, 8, 2},  {32, 128, 8, 8, 4, 2},  {32, 64, 16, 4, 4, 1},
      {24, 256, 8, 12, 4, 1},  {16, 256, 8, 8, 4, 1},  {16, 128, 8, 4, 4, 2},  {8, 256, 4, 8, 4, 1},
      {4, 256, 4, 4, 4, 1},
  };
  std::vector<Tile> result;
  const uint32_t mergeable = mergeable_phases(problem);
  for (const auto& shape : shapes) {
    for (const uint32_t merge : {0u, mergeable}) {
      const int64_t rows = std::max<int64_t>(4, problem.group_out_channels() * std::max(1u, merge));
      if (shape[0] >= 2 * rows || merge > shape[0]) continue;
      Tile tile;
      tile.values = {shape[0], shape[1], shape[2], shape[3], shape[4], shape[5], merge, 0};
      if (merge > 0) {
        // Outputs are put in order in the memory of the tile, or a little more.
        constexpr uint32_t least_staged_bytes = 16384;
        const uint32_t room = std::max(tile_bytes(tile), least_staged_bytes) / staged_row_bytes(problem, tile);
        tile.values[staged_channels] = std::clamp(room, 1u, shape[0] / merge);
      }
      if (legal(problem, tile, caps)) {
        tile.seconds = predict_seconds(problem, caps, tile);
        result.push_back(tile);
      }
      if (mergeable == 0) break;
    }
  }
  if (result.empty()) why_not = "maxComputeSharedMemorySize or the workgroup size is too small for its tiles";
  return result;
}

Dispatch make_run(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                  const SlabWindows& windows) {
  Dispatch dispatch;
  dispatch.shader = variant_name("tiled", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, tile.values[merged]);
  constants.resize(TILED_CONSTANTS);
  constants[TILED_LOCAL_SIZE] = constants[TILED_LOCAL] = local_size(tile);
  constants[TILED_CHANNELS] = tile.values[channels];
  constants[TILED_POSITIONS] = tile.values[positions];
  constants[TILED_DEPTH] = tile.values[depth];
  constants[TILED_THREAD_CHANNELS] = tile.values[thread_channels];
  constants[TILED_THREAD_POSITIONS] = tile.values[thread_positions];
  constants[TILED_BUFFERS] = tile.values[buffers];
  constants[TILED_STAGED_CHANNELS] = std::max(1u, tile.values[staged_channels]);
  constants[TILED_OUTPUT_QUADS] = stores_quads(problem, tile) && windows.params.output_offset % 4 == 0;
  dispatch.params = to_words(windows.params);
  return dispatch;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  Blocking blocking;
  blocking.channels = block_channels(tile);
  blocking.rows = tile.values[channels];
  blocking.merged = tile.values[merged];
  blocking.pack_steps(problem, tile.values[depth]);
  blocking.pack_local_size = std::min(128u, caps.max_compute_work_group_invocations);
  blocking.workgroups = [&](const Slab& slab) {
    // Positions are numbered in 32 bits.
    if (tile_positions(problem, tile, slab.images) > (int64_t{1} << 31)) return std::numeric_limits<double>::infinity();
    return workgroup_count(problem, tile, slab.images, slab.groups * slab.blocks);
  };
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  plan.tile = text(channels) + " channels x " + text(positions) + " positions x " + text(depth) + " deep, " +
              text(thread_channels) + " x " + text(thread_positions) + " per invocation, " +
              std::to_string(local_size(tile)) + " invocations, " + text(buffers) +
              (tile.values[buffers] == 1 ? " buffer" : " buffers");
  if (tile.values[merged] > 0) plan.tile += ", " + text(merged) + " merged phases of the width";
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const SlabWindows& windows) { return make_run(problem, caps, tile, plan.device_address, windows); }, plan,
      error);
}

}  // namespace

const Algorithm tiled_algorithm = {
    "tiled", "implicit matrix product through shared memory, for problems bound by arithmetic", tiles, build};

}  // namespace vktconv

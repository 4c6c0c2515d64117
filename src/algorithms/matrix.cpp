// Implicit matrix product over phases on matrix units (shaders/matrix.comp): fp16, bf16 and int8 as they are, fp32 in
// two fp16 parts. For problems that are bound by arithmetic, on devices with VK_KHR_cooperative_matrix.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "algorithms/blocks.h"
#include "algorithms/matrix_units.h"
#include "algorithms/merged_phases.h"
#include "algorithms/post_op_windows.h"
#include "algorithms/prepared_input.h"
#include "phases.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values. merged is 0 where phases of the width are not merged; prepared: the input is turned to channels-last
// by a dispatch before, into the workspace; whole: fp32 elements are rounded to fp16, not split.
enum : size_t { rows, positions, depth, warps_m, warps_n, window_taps, merged, prepared, whole };

int64_t parts(const Problem& problem, const Tile& tile) {
  return problem.data_type == VKTC_DATA_TYPE_F32 && tile.values[whole] == 0 ? 2 : 1;
}

// Whether the input is channels-last in memory as matrix.comp wants it prepared.
bool reads_octets(const Problem& problem, const Tile& tile) {
  return tile.values[prepared] != 0 && problem.input_channels_last() && problem.data_type != VKTC_DATA_TYPE_F32 &&
         problem.group_in_channels() % tile.values[depth] == 0;
}

// Whether a dispatch before turns it.
bool is_prepared(const Problem& problem, const Tile& tile) {
  return tile.values[prepared] != 0 && !reads_octets(problem, tile);
}

PreparedInput prepared_of(const Problem& problem, const Tile& tile) {
  return {tile.values[depth], parts(problem, tile)};
}

uint32_t local_size(const Tile& tile, const DeviceCaps& caps) {
  return tile.values[warps_m] * tile.values[warps_n] * caps.subgroup_size;
}

// The width of a phase, as matrix.comp numbers it.
struct Width {
  int64_t pitch = 0;  // numbers of a row, so that inputs outside of it fall into the gap
  int64_t taps = 0;   // of the fullest phase
};

Width make_width(const Problem& problem, uint32_t merged_phases) {
  const Axis& axis = problem.axes[2];
  const AxisPhases split = split_phases(axis);
  Width width;
  int64_t lowest = 0, highest = 0;  // columns of the input that some tap reads
  const WidthPositions numbered = width_positions(problem, merged_phases > 0);
  if (merged_phases > 0) {
    width.taps = ceil_div(axis.kernel, split.tap_step);
    lowest = numbered.first - (width.taps - 1) * split.input_step;
    highest = numbered.first + numbered.count - 1;
  } else {
    for (const Phase& phase : split.phases) {
      if (phase.taps == 0) continue;
      width.taps = std::max(width.taps, phase.taps);
      lowest = std::min(lowest, phase.first_input - (phase.taps - 1) * split.input_step);
      highest = std::max(highest, phase.first_input + numbered.count - 1);
    }
    width.taps = std::max<int64_t>(1, width.taps);
  }
  width.pitch = std::max({numbered.count, axis.input - std::min<int64_t>(0, lowest), highest + 1});
  return width;
}

int64_t tile_channels(const Tile& tile, const MatrixShape& shape) {  // whole out-channels in shape.m rows
  return shape.m / std::max(1u, tile.values[merged]);
}

int64_t block_channels(const Tile& tile, const MatrixShape& shape) {
  return tile.values[rows] / shape.m * tile_channels(tile, shape);
}

int64_t numbered_positions(const Problem& problem, const Width& width, int64_t images) {
  return images * ceil_div(problem.axes[0].output, problem.axes[0].stride) *
         ceil_div(problem.axes[1].output, problem.axes[1].stride) * width.pitch;
}

double workgroup_count(const Problem& problem, const Tile& tile, const Width& width, int64_t images, int64_t blocks) {
  return static_cast<double>(ceil_div(numbered_positions(problem, width, images), tile.values[positions])) *
         static_cast<double>(workgroup_phases(problem, tile.values[merged] > 0)) * static_cast<double>(blocks);
}

int64_t input_rows(const Problem& problem, const Tile& tile) {  // of a chunk in shared memory
  const int64_t input_step = problem.axes[2].dilation / phase_gcd(problem.axes[2]);
  return tile.values[positions] + (tile.values[window_taps] - 1) * input_step;
}

uint32_t shared_bytes(const Problem& problem, const Tile& tile, const MatrixShape& shape) {
  const int64_t elements = octet_elements(problem.data_type);
  const int64_t octets = parts(problem, tile) * tile.values[depth] / elements;
  const int64_t pitch = (octets * (shape.k % elements == 0 ? 1 : 2) + 1) * 16;
  const int64_t in = (input_rows(problem, tile) + int64_t{tile.values[window_taps]} * tile.values[rows]) * pitch;
  const int64_t out = int64_t{tile.values[warps_m]} * shape.m * (tile.values[positions] + 4) * 4;
  const int64_t bias = int64_t{tile.values[rows]} * 4;
  return u32(std::min<int64_t>(std::max(in, out) + bias, std::numeric_limits<uint32_t>::max()));
}

// Outputs of a row that an invocation stores, channels-first: it finds the place of each anew for every TILE_M rows.
constexpr int64_t most_places = 16;

// Sums of one invocation, all parts: a register each. With more, compilers put them into memory.
int64_t sums_of_invocation(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  return int64_t{tile.values[rows]} * tile.values[positions] / local_size(tile, caps) * parts(problem, tile);
}
constexpr int64_t most_sums = 128;

// Bytes of int8 on their way into shared memory, where the input is not prepared: a register each, too, until four
// become a word. The limit is a guess: int8 has not been timed on a GPU.
int64_t bytes_of_invocation(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  if (problem.data_type != VKTC_DATA_TYPE_I8 || tile.values[prepared] != 0) return 0;
  const int64_t octet = octet_elements(problem.data_type);
  return ceil_div(input_rows(problem, tile) * tile.values[depth] / octet, local_size(tile, caps)) * octet;
}
constexpr int64_t most_sums_and_bytes = 144;

// The constraints that matrix.comp states, and the device's.
bool legal(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  const uint32_t local = local_size(tile, caps), columns = tile.values[positions];
  const int64_t sums = sums_of_invocation(problem, tile, caps);
  return sums <= most_sums && sums + bytes_of_invocation(problem, tile, caps) <= most_sums_and_bytes &&
         tile.values[rows] % (tile.values[warps_m] * shape.m) == 0 && columns % (tile.values[warps_n] * shape.n) == 0 &&
         (columns % local == 0 || local % columns == 0) && tile.values[depth] % shape.k == 0 &&
         tile.values[depth] % octet_elements(problem.data_type) == 0 &&
         (tile.values[merged] == 0 || columns * problem.axes[2].stride <= most_places * local) &&
         (!caps.subgroup_size_control ||
          tile.values[warps_m] * tile.values[warps_n] <= caps.max_compute_workgroup_subgroups) &&
         local <= caps.max_compute_work_group_invocations && local <= caps.max_compute_work_group_size[0] &&
         shared_bytes(problem, tile, shape) <= caps.max_compute_shared_memory_size;
}

// Workgroups that share a multiprocessor. An H200's driver gives all of them together no more shared memory than one
// may have (docs/performance-log.md); registers: sums, and about 90 for the rest.
int64_t resident_workgroups(const Problem& problem, const DeviceCaps& caps, const Tile& tile,
                            const MatrixShape& shape) {
  constexpr int64_t register_file = 65536, most_registers = 255, reserved_bytes = 1024;
  const int64_t registers = std::min(most_registers, sums_of_invocation(problem, tile, caps) + 90);
  const int64_t by_registers = register_file / (local_size(tile, caps) * registers);
  const int64_t by_shared = caps.max_compute_shared_memory_size / (shared_bytes(problem, tile, shape) + reserved_bytes);
  return std::max<int64_t>(1, std::min(by_registers, by_shared));
}

// The parts of a run add up: what overlaps is little, as measured on an H200 by leaving out one after the other
// (docs/performance-log.md). The constants are from there. int8 has not been timed on a GPU: products at one and a half
// times the rate of fp16, though matrix units have twice of it, and everything else as for 16 bits.
double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                       const Width& width) {
  const bool is_f32 = problem.data_type == VKTC_DATA_TYPE_F32;
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const double multiprocessors = std::max(1u, caps.multiprocessors);
  const double per_element = 132 / multiprocessors;  // seconds per element below are those of an H200
  const int64_t blocks = problem.groups * ceil_div(problem.group_out_channels(), block_channels(tile, shape));
  const double workgroups = workgroup_count(problem, tile, width, problem.batch, blocks);

  // Phases share the taps among them: together each position takes every tap once.
  const double phases = static_cast<double>(workgroup_phases(problem, tile.values[merged] > 0));
  const double taps_w = static_cast<double>(tile.values[merged] > 0 ? width.taps : problem.axes[2].kernel);
  const double outer_taps = static_cast<double>(problem.axes[0].kernel * problem.axes[1].kernel);
  const double channels = static_cast<double>(round_up(problem.group_in_channels(), tile.values[depth]));
  const double taps_of_workgroup = outer_taps * taps_w / phases;
  const double products = parts(problem, tile) == 2 ? 3 : 1;
  const double flop =
      2 * products * workgroups * tile.values[positions] * tile.values[rows] * channels * taps_of_workgroup;
  const double rate =
      (caps.matrix_flops > 0 ? 0.8 * caps.matrix_flops : 1e12) * (problem.data_type == VKTC_DATA_TYPE_I8 ? 1.5 : 1.0);

  const double windows = std::max(1.0, outer_taps / phases * std::ceil(taps_w / tile.values[window_taps]));
  const double fetched_inputs = workgroups * windows * channels * tile.values[positions];
  const double fetched_weights = workgroups * taps_of_workgroup * channels * tile.values[rows];
  const double part_bytes = 2.0 * static_cast<double>(parts(problem, tile));
  const double of_input = problem.input_channels_last() ? (is_f32 ? 4.5e-12 : 2.0e-12) : (is_f32 ? 1.0e-12 : 0.25e-12);
  const double gathered = tile.values[prepared] ? 0 : fetched_inputs * of_input * per_element;
  const double input_bytes = tile.values[prepared] || !is_f32 ? part_bytes : 4.0;
  const double fetch = (fetched_inputs * input_bytes + fetched_weights * part_bytes) / (2.4 * bandwidth);

  const bool scattered = problem.axes[2].stride > 1 && tile.values[merged] == 0 && !problem.output_channels_last();
  const double interleaved = scattered ? 2.0 : 1.0;
  const double of_output = problem.output_channels_last() ? (is_f32 ? 4.5e-12 : 6.0e-12) : (is_f32 ? 2.5e-12 : 1.7e-12);
  const double stored = static_cast<double>(problem.output_elements()) * of_output * per_element * interleaved;

  // Each step waits for what it fetches, the less the more others go on meanwhile.
  const auto resident = static_cast<double>(resident_workgroups(problem, caps, tile, shape));
  const double turns = workgroups / (resident * multiprocessors);
  const double steps = windows * channels / tile.values[depth];
  const double wait =
      1.1e-6 * std::pow(resident, -1.5) * (tile.values[warps_m] * tile.values[warps_n] >= 8 ? 0.7 : 1.0);
  const double waits = std::max(1.0, turns) * steps * wait;
  const double waves = turns < 1 ? std::min(1 / turns, 4.0) : std::ceil(turns) / turns;
  double busy = (flop / rate + fetch + gathered) * waves + waits + stored;
  // Measured on an H200 through device addresses: more, where channels-first inputs are gathered.
  const bool gathers = !tile.values[prepared] && !problem.input_channels_last();
  const bool one_axis = problem.axes[0].output == 1 && problem.axes[1].output == 1;
  if (gathers && (is_f32 || one_axis)) busy *= is_f32 ? 1.1 : 1.15;

  const double memory = least_bytes(problem) / bandwidth;
  const double preparation =
      is_prepared(problem, tile) ? predict_preparation(problem, prepared_of(problem, tile), bandwidth) : 0;
  const double cpu = caps.is_cpu ? 110.0 : 1.0;
  return cpu * (std::max(busy, memory) + preparation + 4e-6);
}

bool available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape, std::string& why_not) {
  if (!matrix_units_available(problem, caps, shape, "matrix", why_not)) return false;
  if (problem.data_type == VKTC_DATA_TYPE_F32 && problem.group_in_channels() < least_f32_in_channels) {
    why_not = few_f32_in_channels();
    return false;
  }
  if (caps.max_storage_buffers_per_stage < 6) {
    why_not = "maxPerStageDescriptorStorageBuffers is less than 6";
    return false;
  }
  return true;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  if (!available(problem, caps, shape, why_not)) return {};
  // Subgroups along rows and along positions, and matrices of each subgroup. On a CPU nothing of this is quick, and
  // what counts is how long the driver's compiler takes.
  using Shape = std::array<uint32_t, 4>;
  static constexpr Shape gpu_shapes[] = {{2, 4, 4, 4}, {2, 4, 2, 4}, {1, 8, 4, 4}, {1, 8, 2, 4}, {1, 8, 4, 2},
                                         {2, 8, 2, 4}, {2, 2, 4, 4}, {1, 4, 4, 4}, {1, 4, 4, 2}, {2, 2, 2, 4},
                                         {1, 4, 2, 4}, {1, 4, 3, 4}, {1, 4, 1, 4}, {4, 1, 2, 4}, {2, 2, 4, 2},
                                         {4, 1, 1, 4}, {4, 2, 2, 4}, {1, 8, 1, 4}, {1, 8, 3, 4}};
  static constexpr Shape cpu_shapes[] = {{1, 1, 2, 2}, {2, 1, 1, 2}, {1, 2, 1, 1}};
  const std::span<const Shape> shapes = caps.is_cpu ? std::span<const Shape>(cpu_shapes) : gpu_shapes;
  const int64_t most_window_taps = caps.is_cpu ? 2 : 16;
  const uint32_t least_chunk = std::max(16u, shape.k);
  const uint32_t most_chunk = problem.data_type == VKTC_DATA_TYPE_I8 ? 128 : 64;
  std::vector<Tile> result;
  // Whole out-channels must fit a matrix.
  const uint32_t mergeable = mergeable_phases(problem) <= shape.m ? mergeable_phases(problem) : 0;
  for (const uint32_t merge : {0u, mergeable}) {
    const Width width = make_width(problem, merge);
    const int64_t out_rows = ceil_div(problem.group_out_channels(), shape.m / std::max(1u, merge)) * shape.m;
    for (const auto& s : shapes) {
      for (uint32_t chunk = least_chunk; chunk <= most_chunk; chunk *= 2) {
        for (const uint32_t kind : {0u, 1u, 2u, 3u}) {
          const bool prepare = (kind & 1) != 0, round = (kind & 2) != 0;
          if (round && problem.data_type != VKTC_DATA_TYPE_F32) continue;
          Tile tile;
          tile.values = {s[0] * s[2] * shape.m, s[1] * s[3] * shape.n, chunk, s[0], s[1], 1, merge, prepare, round};
          if (problem.data_type == VKTC_DATA_TYPE_F32) {
            tile.precision = round ? VKTC_PRECISION_RELAXED : VKTC_PRECISION_F32;
          }
          if (tile.values[rows] >= 2 * std::max<int64_t>(shape.m, out_rows)) continue;
          if (chunk > least_chunk && chunk >= 2 * problem.group_in_channels()) continue;
          // As many taps at once as shared memory holds.
          for (int64_t taps = width.taps; taps >= 1; taps = taps == 1 ? 0 : ceil_div(taps, 2)) {
            if (taps > most_window_taps) continue;
            tile.values[window_taps] = u32(taps);
            if (!legal(problem, tile, shape, caps)) continue;
            tile.seconds = predict_seconds(problem, caps, tile, shape, width);
            result.push_back(tile);
            break;
          }
        }
      }
    }
    if (mergeable == 0) break;
  }
  if (result.empty()) why_not = "maxComputeSharedMemorySize or the workgroup size is too small for its tiles";
  return result;
}

Dispatch multiply(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                  const Width& width, bool device_address, const Slab& slab, const SlabWindows& windows) {
  shared::MatrixParams params{};
  params.slab = windows.params;
  params.exact_offset = static_cast<uint32_t>(windows.also_packed.skipped_elements);

  Dispatch dispatch;
  dispatch.shader = variant_name("matrix", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, tile.values[merged]);
  constants.resize(MATRIX_CONSTANTS);
  constants[MATRIX_LOCAL_SIZE] = constants[MATRIX_LOCAL] = local_size(tile, caps);
  constants[MATRIX_TILE_M] = shape.m;
  constants[MATRIX_TILE_N] = shape.n;
  constants[MATRIX_TILE_K] = shape.k;
  constants[MATRIX_ROWS] = tile.values[rows];
  constants[MATRIX_POSITIONS] = tile.values[positions];
  constants[MATRIX_DEPTH] = tile.values[depth];
  constants[MATRIX_WARPS_M] = tile.values[warps_m];
  constants[MATRIX_WARPS_N] = tile.values[warps_n];
  constants[MATRIX_WINDOW_TAPS] = tile.values[window_taps];
  constants[MATRIX_PREPARED] = tile.values[prepared];
  constants[MATRIX_PARTS] = u32(parts(problem, tile));
  constants[MATRIX_PITCH_W] = u32(width.pitch);
  dispatch.params = to_words(params);
  // Unused bindings must still hold something valid.
  dispatch.windows = {windows.input.window,  windows.packed.window, windows.bias.window,
                      windows.output.window, windows.packed.window, windows.also_packed.window};
  if (reads_octets(problem, tile)) {
    dispatch.windows[4] = windows.input.window;
  } else if (tile.values[prepared]) {
    dispatch.windows[4] = prepared_window(problem, prepared_of(problem, tile), slab);
  }
  append_post_op_windows(problem, caps, device_address, windows.output.window, windows.packed.window, dispatch.windows);
  dispatch.subgroup_size = caps.subgroup_size_control ? caps.subgroup_size : 0;
  return dispatch;
}

std::string describe(const Problem& problem, const Tile& tile, const DeviceCaps& caps, const MatrixShape& shape) {
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  std::string result = describe_matrices(
      {tile.values[rows], tile.values[positions], tile.values[depth], tile.values[warps_m], tile.values[warps_n]},
      shape, caps);
  result += ", " + text(window_taps) + " taps at once";
  if (tile.values[merged] > 0) result += ", " + text(merged) + " merged phases of the width";
  if (is_prepared(problem, tile)) result += ", input turned to channels-last before";
  if (tile.values[whole]) result += ", fp32 rounded to fp16";
  return result;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  const Width width = make_width(problem, tile.values[merged]);
  Blocking blocking;
  blocking.channels = block_channels(tile, shape);
  blocking.rows = tile.values[rows];
  blocking.merged = tile.values[merged];
  blocking.packed_in_channels = round_up(problem.group_in_channels(), tile.values[depth]);
  blocking.pack_shader = "pack_matrix";
  blocking.packed_element_size = 16 / octet_elements(problem.data_type) * parts(problem, tile);
  blocking.buffers = 6;
  blocking.packed_unit = 16;
  blocking.pack_step = octet_elements(problem.data_type);
  blocking.pack_chunk = tile.values[depth];
  blocking.pack_local_size = std::min(128u, caps.max_compute_work_group_invocations);
  blocking.pack_constants = {tile.values[depth], shape.m, u32(parts(problem, tile))};
  blocking.workgroups = [&](const Slab& slab) {
    // Positions are numbered in 32 bits.
    if (numbered_positions(problem, width, slab.images) > (int64_t{1} << 30)) {
      return std::numeric_limits<double>::infinity();
    }
    return workgroup_count(problem, tile, width, slab.images, slab.groups * slab.blocks);
  };
  const Blocking exact = exact_weights(problem, blocking);
  if (problem.data_type == VKTC_DATA_TYPE_F32) blocking.also = &exact;
  plan.tile = describe(problem, tile, caps, shape);
  const PreparedInput prepared_input = prepared_of(problem, tile);
  return make_prepared_plan(
      problem, caps, options, blocking, is_prepared(problem, tile) ? &prepared_input : nullptr,
      [&](const Slab& slab, const SlabWindows& windows) {
        return multiply(problem, caps, tile, shape, width, plan.device_address, slab, windows);
      },
      plan, error);
}

}  // namespace

const Algorithm matrix_algorithm = {
    "matrix", "implicit matrix product on matrix units (cooperative matrices), for problems bound by arithmetic", tiles,
    build};

}  // namespace vktconv

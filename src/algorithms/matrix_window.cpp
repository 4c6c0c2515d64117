// Implicit matrix product over phases on matrix units (shaders/matrix_window.comp), fp16 and bf16 as they are, fp32 in
// two fp16 parts: inputs under a window of taps in shared memory, weights from the caches, outputs in whole vectors.
// Beside `matrix`, which is quicker where runs of outputs are short.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "algorithms/blocks.h"
#include "algorithms/matrix_units.h"
#include "algorithms/merged_phases.h"
#include "algorithms/numbering.h"
#include "algorithms/post_op_windows.h"
#include "algorithms/prepared_input.h"
#include "phases.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values. merged is 0 where phases of the width are not merged; by_invocation: weights lie in the order of the
// invocations that multiply them, where the device allows it (shaders/matrix_fragments.glsl); prepared: the input is
// turned to channels-last by a dispatch before; whole: fp32 elements are rounded to fp16, not split.
enum : size_t {
  rows,
  positions,
  depth,
  warps_m,
  warps_n,
  window_h,
  window_w,
  strips,
  merged,
  by_invocation,
  prepared,
  whole
};

int64_t parts(const Problem& problem, const Tile& tile) {
  return problem.data_type == VKTC_DATA_TYPE_F32 && tile.values[whole] == 0 ? 2 : 1;
}

PreparedInput prepared_of(const Problem& problem, const Tile& tile) {
  return {tile.values[depth], parts(problem, tile)};
}

// Whether a pixel's channels lie side by side in what the kernel reads.
bool by_pixels(const Problem& problem, const Tile& tile) {
  return tile.values[prepared] != 0 || problem.input_channels_last();
}

uint32_t local_size(const Tile& tile, const DeviceCaps& caps) {
  return tile.values[warps_m] * tile.values[warps_n] * caps.subgroup_size;
}

TapWindow window_of(const Tile& tile) { return {tile.values[window_h], tile.values[window_w]}; }

Numbering numbering_of(const Problem& problem, const Tile& tile) {
  return make_numbering(problem, tile.values[merged] > 0, tile.values[strips], window_of(tile));
}

int64_t block_channels(const Tile& tile, const MatrixShape& shape) {
  return tile.values[rows] / shape.m * (shape.m / std::max(1u, tile.values[merged]));
}

int64_t tile_step(const Problem& problem, const Tile& tile) {
  return tile.values[positions] - tile_overlap(problem, tile.values[merged] > 0);
}

double workgroup_count(const Problem& problem, const Tile& tile, const Numbering& numbering, int64_t images,
                       int64_t blocks) {
  return static_cast<double>(ceil_div(images * numbering.image_numbers, tile_step(problem, tile))) *
         static_cast<double>(workgroup_phases(problem, tile.values[merged] > 0)) * static_cast<double>(blocks);
}

// The arrays of matrix_window.comp.
uint32_t shared_bytes(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape) {
  const int64_t pitch = (parts(problem, tile) * tile.values[depth] / 8 + 1) * 16;
  const int64_t in = window_numbers(problem, numbering, window_of(tile), tile.values[positions]) * pitch;
  const int64_t bias = int64_t{tile.values[rows]} * (problem.data_type == VKTC_DATA_TYPE_F32 ? 8 : 4);  // and scales
  int64_t out = (int64_t{tile.values[warps_m]} * shape.m * (tile.values[positions] + 4) + 32) * 4;
  int64_t places = tile_segments(problem, numbering, tile.values[positions]) * 32;
  if (problem.output_channels_last()) {
    out = int64_t{tile.values[warps_n]} * shape.n * (tile.values[rows] + 4) * 4;
    places = int64_t{tile.values[positions]} * 4;
  }
  constexpr int64_t of_the_other_layout = 16;  // its places: an array cannot be empty
  return u32(
      std::min<int64_t>(std::max(in, out) + bias + places + of_the_other_layout, std::numeric_limits<uint32_t>::max()));
}

// Sums of one invocation, of fp32 partial ones, too: a register each. With more, compilers put them into memory.
int64_t sums_of_invocation(const Problem& problem, const Tile& tile, const DeviceCaps& caps) {
  return int64_t{tile.values[rows]} * tile.values[positions] / local_size(tile, caps) * parts(problem, tile);
}
constexpr int64_t most_sums = 128;

// Vectors of inputs that an invocation brings in one step: of eight channels of one or two pixels.
int64_t items_of_invocation(const Problem& problem, const Tile& tile, const Numbering& numbering,
                            const DeviceCaps& caps) {
  const int64_t numbers = window_numbers(problem, numbering, window_of(tile), tile.values[positions]);
  const int64_t octets = parts(problem, tile) * tile.values[depth] / 8;
  if (by_pixels(problem, tile)) return ceil_div(numbers * octets, local_size(tile, caps));
  const int64_t piece = std::min(numbers, numbering.pitch_w);
  const int64_t vectors = problem.axes[2].input % 2 == 0 ? piece / 2 + 1 : piece;
  const int64_t pieces = (numbers - 2) / numbering.pitch_w + 2;
  return ceil_div(pieces * vectors * octets, local_size(tile, caps));
}

// Registers for sums and for inputs on their way. Beyond this, compilers put some of them into memory: on an H200 that
// took up to four times as long, and not every time that the same shader was compiled.
bool fits_registers(const Problem& problem, const Tile& tile, const Numbering& numbering, const DeviceCaps& caps) {
  const int64_t of_item = by_pixels(problem, tile) ? 4 : 8;
  const int64_t registers =
      sums_of_invocation(problem, tile, caps) + of_item * items_of_invocation(problem, tile, numbering, caps);
  return sums_of_invocation(problem, tile, caps) <= most_sums && registers <= 192;
}

// The constraints that matrix_window.comp states, and the device's.
bool legal(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape,
           const DeviceCaps& caps) {
  const uint32_t local = local_size(tile, caps);
  return fits_registers(problem, tile, numbering, caps) && tile_step(problem, tile) > 0 &&
         tile.values[rows] % (tile.values[warps_m] * shape.m) == 0 &&
         tile.values[positions] % (tile.values[warps_n] * shape.n) == 0 && tile.values[depth] % shape.k == 0 &&
         tile.values[depth] % 8 == 0 &&
         (!caps.subgroup_size_control ||
          tile.values[warps_m] * tile.values[warps_n] <= caps.max_compute_workgroup_subgroups) &&
         local <= caps.max_compute_work_group_invocations && local <= caps.max_compute_work_group_size[0] &&
         shared_bytes(problem, tile, numbering, shape) <= caps.max_compute_shared_memory_size;
}

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
  const int64_t own = std::min(tile_step(problem, tile), numbering.run_positions) * outputs_of_position;
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

// The cycles of one workgroup, added up: with so few subgroups on a multiprocessor its parts hardly overlap. The
// constants are fitted to tiles measured on an H200 (docs/performance-log.md): channels-first to 246 of 31 problems,
// and channels-last to 341; half of either are within 7 %.
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

  const double of_product = parts(problem, tile) == 2 ? 3 : 1;
  const double flop = 2.0 * of_product * tile.values[positions] * tile.values[rows] * channels * taps;
  const bool from_pixels = by_pixels(problem, tile);
  const double products =
      flop / (rate / multiprocessors) * clock * (from_pixels ? 0.796 + 1.029 * resident : 0.595 + 1.159 * resident);
  const double items = d(items_of_invocation(problem, tile, numbering, caps));
  const double bring =
      from_pixels ? steps * (1226 + 143 * items) : steps * (758 + 274 * items) + windows * 55 * (items + 2.5);
  const double store = predict_store(problem, caps, tile, shape, numbering);

  // For reasons not measured apart: workgroups of few subgroups are slower than that from channels-last tensors, and
  // from channels-first ones merged phases that are not those of all axes. fp32 in two parts has 90 tiles of its own.
  double slowed = 1.0;
  if (parts(problem, tile) == 2) {
    slowed = tile.values[window_h] == 1 ? 0.9 : 1.0;
    slowed *= tile.values[positions] / (tile.values[warps_n] * shape.n) >= 4 ? 0.97 : 1.07;
    slowed *= tile.values[warps_m] >= 4 ? 1.1 : 1.0;
    if (merge && phases > 1 && !problem.output_channels_last()) slowed *= problem.axes[2].stride > 2 ? 1.8 : 1.1;
  } else if (from_pixels) {
    slowed = tile.values[warps_m] * tile.values[warps_n] < 4 ? 1.045 : 1.0;
  } else if (merge && phases > 1) {
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

constexpr uint32_t own_buffers = 7;

bool available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape, std::string& why_not) {
  if (!matrix_units_available(problem, caps, shape, "matrix_window", why_not)) return false;
  if (problem.data_type == VKTC_DATA_TYPE_F32 && problem.group_in_channels() < least_f32_in_channels) {
    why_not = few_f32_in_channels();
    return false;
  }
  if (caps.max_storage_buffers_per_stage < own_buffers) {
    why_not = "maxPerStageDescriptorStorageBuffers is less than " + std::to_string(own_buffers);
    return false;
  }
  if (shape.m % 8 != 0) {
    why_not = "the device's matrices have " + std::to_string(shape.m) + " rows: it wants a multiple of 8";
    return false;
  }
  return true;
}

// Subgroups along rows and along positions, and matrices of each subgroup. On a CPU nothing of this is quick, and what
// counts is how long the driver's compiler takes.
using TileShape = std::array<uint32_t, 4>;
constexpr TileShape gpu_shapes[] = {{1, 4, 4, 4}, {2, 2, 4, 4}, {1, 4, 2, 4}, {2, 2, 2, 4}, {1, 4, 4, 2}, {1, 4, 1, 4},
                                    {1, 4, 3, 4}, {1, 4, 3, 2}, {1, 2, 4, 4}, {1, 4, 2, 8}, {2, 4, 2, 4}, {2, 4, 4, 4},
                                    {1, 8, 4, 4}, {1, 8, 2, 4}, {4, 1, 4, 4}, {4, 1, 2, 4}, {4, 2, 2, 4}, {4, 2, 4, 4},
                                    {1, 8, 4, 2}, {2, 2, 4, 2}, {1, 4, 2, 2}, {1, 8, 1, 4}, {1, 4, 1, 8}, {2, 1, 4, 4}};
constexpr TileShape cpu_shapes[] = {{1, 1, 2, 2}, {2, 1, 1, 2}, {1, 2, 1, 1}};

// Windows from all taps of height and width, or `most`, down to one.
std::vector<TapWindow> tap_windows(int64_t taps_h, int64_t taps_w, int64_t most) {
  std::vector<TapWindow> windows;
  for (int64_t h = std::min(taps_h, most);; h = ceil_div(h, 2)) {
    windows.push_back({h, std::min(taps_w, most)});
    if (h == 1) break;
  }
  for (int64_t w = std::min(taps_w, most); w > 1;) {
    w = ceil_div(w, 2);
    windows.push_back({1, w});
  }
  return windows;
}

// What is done before: whether the input is prepared, and whether its elements stay whole.
struct Preparation {
  bool prepare = false, whole = false;
};

std::vector<Preparation> preparations(const Problem& problem) {
  if (problem.data_type == VKTC_DATA_TYPE_F32) return {{true, false}, {true, true}};
  // Channels-last inputs are as good as prepared.
  if (problem.input_channels_last()) return {{false, false}};
  return {{false, false}, {true, false}};
}

void add_tiles(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape, uint32_t merge,
               const TapWindow& window, int64_t strip_count, const Preparation& before, std::vector<Tile>& result) {
  const int64_t out_rows = ceil_div(problem.group_out_channels(), shape.m / std::max(1u, merge)) * shape.m;
  Tile tile;
  tile.values[window_h] = u32(window.height);
  tile.values[window_w] = u32(window.width);
  tile.values[strips] = u32(strip_count);
  tile.values[merged] = merge;
  tile.values[prepared] = before.prepare;
  tile.values[whole] = before.whole;
  if (problem.data_type == VKTC_DATA_TYPE_F32) {
    tile.precision = before.whole ? VKTC_PRECISION_RELAXED : VKTC_PRECISION_F32;
  }
  const Numbering numbering = numbering_of(problem, tile);
  for (const auto& s : caps.is_cpu ? std::span<const TileShape>(cpu_shapes) : gpu_shapes) {
    for (const uint32_t chunk : {16u, 32u, 64u}) {
      tile.values[rows] = s[0] * s[2] * shape.m;
      tile.values[positions] = s[1] * s[3] * shape.n;
      tile.values[depth] = chunk;
      tile.values[warps_m] = s[0];
      tile.values[warps_n] = s[1];
      // lavapipe's compiler takes a minute for what a vector of a matrix costs it; one tile is for the tests.
      tile.values[by_invocation] = !caps.is_cpu || (s[0] == 1 && s[1] == 2 && window.height * window.width == 1);
      if (tile.values[rows] >= 2 * std::max<int64_t>(shape.m, out_rows)) continue;
      if (chunk > 16 && (chunk >= 2 * problem.group_in_channels() || caps.is_cpu)) continue;
      if (!legal(problem, tile, numbering, shape, caps)) continue;
      tile.seconds = predict_seconds(problem, caps, tile, shape, numbering);
      result.push_back(tile);
    }
  }
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  if (!available(problem, caps, shape, why_not)) return {};
  std::vector<Tile> result;
  // Whole out-channels must fit a matrix. Outputs of a channels-last tensor are whole vectors in any case.
  const bool mergeable_here = mergeable_phases(problem) <= shape.m && !problem.output_channels_last();
  const uint32_t mergeable = mergeable_here ? mergeable_phases(problem) : 0;
  for (const uint32_t merge : {0u, mergeable}) {
    const int64_t row = width_positions(problem, merge > 0).count;
    for (const TapWindow& window :
         tap_windows(most_taps(problem, 1, false), most_taps(problem, 2, merge > 0), caps.is_cpu ? 2 : 16)) {
      for (const int64_t strip : {row, int64_t{256}, int64_t{128}, int64_t{64}, int64_t{32}}) {
        // Strips only make a window of rows smaller.
        if (strip < row && window.height == 1) continue;
        if (strip == row || ceil_div(row, strip) > 1) {
          for (const Preparation& before : preparations(problem)) {
            add_tiles(problem, caps, shape, merge, window, ceil_div(row, strip), before, result);
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
                  const Numbering& numbering, bool device_address, const Slab& slab, const SlabWindows& windows) {
  shared::MatrixParams params{};
  params.slab = windows.params;
  params.exact_offset = static_cast<uint32_t>(windows.also_packed.skipped_elements);

  Dispatch dispatch;
  dispatch.shader =
      variant_name("matrix_window", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = dispatch.constants;
  constants = problem_constants(problem, tile.values[merged]);
  append_numbering_constants(problem, numbering, tile.values[positions], constants);
  constants.resize(WINDOW_CONSTANTS);
  constants[WINDOW_LOCAL_SIZE] = constants[WINDOW_LOCAL] = local_size(tile, caps);
  constants[WINDOW_TILE_M] = shape.m;
  constants[WINDOW_TILE_N] = shape.n;
  constants[WINDOW_TILE_K] = shape.k;
  constants[WINDOW_ROWS] = tile.values[rows];
  constants[WINDOW_POSITIONS] = tile.values[positions];
  constants[WINDOW_TILE_STEP] = u32(tile_step(problem, tile));
  constants[WINDOW_DEPTH] = tile.values[depth];
  constants[WINDOW_WARPS_M] = tile.values[warps_m];
  constants[WINDOW_WARPS_N] = tile.values[warps_n];
  constants[WINDOW_TAPS_H] = tile.values[window_h];
  constants[WINDOW_TAPS_W] = tile.values[window_w];
  constants[WINDOW_BY_INVOCATION] = tile.values[by_invocation];
  // Pairs must begin at even elements everywhere.
  const bool even = problem.axes[2].input % 2 == 0 && windows.params.input_offset % 2 == 0;
  constants[WINDOW_INPUT_VECTOR] = even && !problem.input_channels_last() ? 2 : 1;
  constants[WINDOW_INPUT_OCTETS] = problem.group_in_channels() % 8 == 0 && windows.params.input_offset % 8 == 0;
  constants[WINDOW_OUTPUT_OCTETS] = problem.group_out_channels() % 8 == 0 && windows.params.output_offset % 8 == 0;
  constants[WINDOW_PREPARED] = tile.values[prepared];
  constants[WINDOW_PARTS] = u32(parts(problem, tile));
  dispatch.params = to_words(params);
  // Unused bindings must still hold something valid.
  dispatch.windows = {windows.input.window,  windows.packed.window,      windows.bias.window,  windows.output.window,
                      windows.packed.window, windows.also_packed.window, windows.scales.window};
  if (tile.values[prepared]) dispatch.windows[4] = prepared_window(problem, prepared_of(problem, tile), slab);
  append_post_op_windows(problem, caps, device_address, windows.output.window, windows.packed.window, dispatch.windows);
  dispatch.subgroup_size = caps.subgroup_size_control ? caps.subgroup_size : 0;
  return dispatch;
}

std::string describe(const Problem& problem, const Tile& tile, const DeviceCaps& caps, const MatrixShape& shape) {
  const auto text = [&](size_t value) { return std::to_string(tile.values[value]); };
  std::string result = describe_matrices(
      {tile.values[rows], tile.values[positions], tile.values[depth], tile.values[warps_m], tile.values[warps_n]},
      shape, caps);
  result += ", window of " + text(window_h) + " x " + text(window_w) + " taps";
  const int64_t overlap = tile_overlap(problem, tile.values[merged] > 0);
  if (overlap > 0) result += ", tiles overlap by " + std::to_string(overlap);
  if (tile.values[strips] > 1) result += ", width in " + text(strips) + " strips";
  if (tile.values[merged] > 0) result += ", " + text(merged) + " merged phases of the width";
  if (tile.values[prepared]) result += ", input turned to channels-last before";
  if (tile.values[whole]) result += ", fp32 rounded to fp16";
  return result;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  const MatrixShape shape = find_matrix_shape(caps, problem.data_type);
  const Numbering numbering = numbering_of(problem, tile);
  Blocking blocking;
  blocking.channels = block_channels(tile, shape);
  blocking.rows = tile.values[rows];
  blocking.merged = tile.values[merged];
  blocking.packed_in_channels = round_up(problem.group_in_channels(), tile.values[depth]);
  blocking.pack_shader = "pack_fragments";
  blocking.packed_element_size = 2 * parts(problem, tile);
  blocking.buffers = own_buffers;
  blocking.packed_unit = 16;
  blocking.pack_step = 8;
  blocking.pack_chunk = tile.values[depth];
  blocking.pack_local_size = caps.subgroup_size;
  blocking.pack_group_steps = shape.m * shape.k / 8;
  blocking.pack_subgroup_size = caps.subgroup_size_control ? caps.subgroup_size : 0;
  blocking.pack_constants = {shape.m, shape.k, caps.subgroup_size, tile.values[by_invocation],
                             u32(parts(problem, tile))};
  blocking.workgroups = [&](const Slab& slab) {
    // Positions are numbered in 32 bits.
    const bool too_wide = tile.values[prepared] != 0 &&
                          !fits_prepared_window(problem, caps, prepared_of(problem, tile), plan.device_address, slab);
    if (too_wide || slab.images * numbering.image_numbers > (int64_t{1} << 30)) {
      return std::numeric_limits<double>::infinity();
    }
    return workgroup_count(problem, tile, numbering, slab.images, slab.groups * slab.blocks);
  };
  const Blocking exact = exact_weights(problem, blocking);
  if (problem.data_type == VKTC_DATA_TYPE_F32) {
    blocking.also = &exact;
    blocking.scaled = true;
  }
  plan.tile = describe(problem, tile, caps, shape);
  uint64_t workspace_bytes = 0;
  const bool made = make_blocked_plan(
      problem, caps, options, blocking,
      [&](const Slab& slab, const SlabWindows& windows) {
        std::vector<Run> runs;
        if (tile.values[prepared]) {
          runs.push_back(prepare_input(problem, caps, prepared_of(problem, tile), plan.device_address, slab, windows));
          workspace_bytes = std::max(workspace_bytes, runs.back().dispatch.windows.back().range);
        }
        runs.push_back({multiply(problem, caps, tile, shape, numbering, plan.device_address, slab, windows),
                        blocking.workgroups(slab)});
        return runs;
      },
      plan, error);
  plan.workspace_bytes = workspace_bytes;
  return made;
}

}  // namespace

const Algorithm matrix_window_algorithm = {
    "matrix_window", "the same with windows of taps, weights from the caches and outputs stored in whole vectors",
    tiles, build};

}  // namespace vktconv

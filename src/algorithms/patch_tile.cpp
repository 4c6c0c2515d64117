#include "algorithms/patch_tile.h"

#include <algorithm>
#include <limits>

#include "algorithms/blocks.h"
#include "phases.h"

namespace vktconv::patch {
namespace {

int64_t cells(const Tile& tile, size_t axis) {
  return axis == 2 ? tile.values[cells_w] : axis == 1 ? tile.values[cells_h] : 1;
}

// Inputs of the window along an axis: from the last tap's to the first one's, or each tap's own.
int64_t window_along(const Problem& problem, const Tile& tile, size_t axis) {
  const int64_t count = cells(tile, axis);
  if (!is_merged(tile, axis)) return count;
  const Axis& a = problem.axes[axis];
  const int64_t reach = floor_div((a.kernel - 1) * a.dilation - a.padding_begin, a.stride) -
                        floor_div(-a.padding_begin, a.stride) + count;
  return std::min(reach, a.kernel * count);
}

int64_t phases(const Problem& problem, const Tile& tile, size_t axis) {
  return is_merged(tile, axis) ? problem.axes[axis].stride : 1;
}

int64_t patches_along(const Problem& problem, const Tile& tile, size_t axis) {
  const Axis& a = problem.axes[axis];
  return ceil_div(ceil_div(a.output, a.stride), cells(tile, axis));
}

int64_t staged_row_bytes(const Problem& problem, const Tile& tile) {
  const int64_t run = staged_run(problem, tile);
  const int64_t padding = run < 32 ? ceil_div(32, run) : 1;
  return run * (tile.values[local_size] + padding) * 4;
}

int64_t weight_bytes(const Problem& problem, const Tile& tile) {
  return tile.values[depth] * unit_quads(problem, tile) * 16;
}

// Numbers in 32 bits: cells past the last, and what patch_window.glsl makes of taps.
bool positions_fit(const Problem& problem, const Tile& tile) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  for (size_t axis = 0; axis < 3; ++axis) {
    const Axis& a = problem.axes[axis];
    if ((a.kernel - 1) * a.dilation - a.padding_begin > most || a.output + cells(tile, axis) * a.stride > most) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool is_merged(const Tile& tile, size_t axis) { return axis + tile.values[merged_axes] >= 3; }

int64_t inner_taps(const Problem& problem, const Tile& tile) {
  constexpr int64_t too_many = int64_t{1} << 20;  // the product may pass 64 bits
  int64_t taps = 1;
  for (size_t axis = 0; axis < 3; ++axis) {
    if (is_merged(tile, axis)) taps *= std::min(problem.axes[axis].kernel, too_many);
  }
  return taps;
}

int64_t outer_taps(const Problem& problem, const Tile& tile) { return problem.taps() / inner_taps(problem, tile); }

int64_t window_size(const Problem& problem, const Tile& tile) {
  return window_rows(problem, tile) * window_along(problem, tile, 2);
}

int64_t window_rows(const Problem& problem, const Tile& tile) {
  return window_along(problem, tile, 0) * window_along(problem, tile, 1);
}

int64_t sum_count(const Problem& problem, const Tile& tile) {
  return staged_run(problem, tile) * output_rows(problem, tile);
}

int64_t used_sums(const Problem& problem, const Tile& tile) {
  int64_t count = tile.values[channels];
  for (size_t axis = 0; axis < 3; ++axis) {
    const Axis& a = problem.axes[axis];
    count *= cells(tile, axis);
    if (is_merged(tile, axis)) count *= std::min(a.kernel, a.stride / phase_gcd(a));
  }
  return count;
}

int64_t unit_products(const Problem& problem, const Tile& tile) {
  return tile.values[channels] * tile.values[cells_h] * tile.values[cells_w] * inner_taps(problem, tile);
}

int64_t unit_quads(const Problem& problem, const Tile& tile) {
  return ceil_div(tile.values[channels] * inner_taps(problem, tile), 4);
}

int64_t staged_run(const Problem& problem, const Tile& tile) {
  return tile.values[cells_w] * problem.axes[2].stride * (problem.output_channels_last() ? tile.values[channels] : 1);
}

int64_t output_rows(const Problem& problem, const Tile& tile) {
  return phases(problem, tile, 0) * tile.values[cells_h] * phases(problem, tile, 1) *
         (problem.output_channels_last() ? 1 : tile.values[channels]);
}

uint32_t staged_rows(const Problem& problem, const Tile& tile) {
  if (tile.values[staged] == 0) return 0;
  constexpr int64_t least_bytes_staged = 8192;
  const int64_t room = std::max(weight_bytes(problem, tile), least_bytes_staged);
  return u32(std::clamp<int64_t>(room / staged_row_bytes(problem, tile), 1, output_rows(problem, tile)));
}

uint32_t shared_bytes(const Problem& problem, const Tile& tile) {
  const int64_t outputs = staged_rows(problem, tile) * staged_row_bytes(problem, tile);
  return u32(std::max<int64_t>(16, round_up(std::max(weight_bytes(problem, tile), outputs), 16)));
}

uint32_t output_vector(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  if (problem.element_size() == 2 && !caps.storage_16bit) return 1;
  const int64_t vector = 16 / problem.output_element_size(), run = staged_run(problem, tile);
  const int64_t block = tile.values[channels], all = problem.out_channels;
  // The outputs of a row, or, channels-last, of a row or of a pixel, as far as they are neighbours.
  const bool pixels = problem.output_channels_last();
  if (tile.values[staged] == 0 && (pixels || run != vector)) return 1;
  const int64_t row = problem.axes[2].output * (pixels ? all : 1);
  const bool whole_rows = row % vector == 0 && (!pixels || block == all) &&
                          (run % vector == 0 || patches_along(problem, tile, 2) * run == row);
  const bool whole_pixels =
      pixels && all % vector == 0 && block % vector == 0 && problem.group_out_channels() % block == 0;
  return whole_rows || whole_pixels ? u32(vector) : 1;
}

bool legal(const Problem& problem, const DeviceCaps& caps, const Tile& tile) {
  // Registers: sums and inputs, and what the kernel needs besides. CPU devices have few, and their drivers' compilers
  // take their time over unrolled loops.
  const int64_t most_sums = caps.is_cpu ? 32 : 96, most_values = caps.is_cpu ? 64 : 144;
  const int64_t most_products = caps.is_cpu ? 512 : 2048, most_inputs = 64;
  // With 64 vectors of weights, a driver (NVIDIA 580) took eight times as long as with a phase at a time; 35 were fine.
  constexpr int64_t most_quads = 40;
  if (problem.axes[2].stride > most_sums || inner_taps(problem, tile) > most_products ||
      !positions_fit(problem, tile)) {
    return false;  // and numbers below stay small
  }
  for (size_t axis = 0; axis < 3; ++axis) {
    if (is_merged(tile, axis) && problem.axes[axis].stride > most_sums) return false;
  }
  const int64_t inputs = window_size(problem, tile), sums = used_sums(problem, tile);
  const int64_t waiting = tile.values[ahead] ? inputs : 0;
  const uint32_t local = tile.values[local_size];
  return sums <= most_sums && sum_count(problem, tile) <= 2 * most_sums && inputs <= most_inputs &&
         sums + inputs + waiting <= most_values && unit_products(problem, tile) <= most_products &&
         unit_quads(problem, tile) <= most_quads &&
         shared_bytes(problem, tile) <= caps.max_compute_shared_memory_size &&
         local <= caps.max_compute_work_group_invocations && local <= caps.max_compute_work_group_size[0];
}

int64_t patch_count(const Problem& problem, const Tile& tile, int64_t images) {
  return images * patches_along(problem, tile, 0) * patches_along(problem, tile, 1) * patches_along(problem, tile, 2);
}

double workgroup_count(const Problem& problem, const Tile& tile, int64_t images, int64_t blocks) {
  double count = static_cast<double>(ceil_div(patch_count(problem, tile, images), tile.values[local_size])) *
                 static_cast<double>(blocks);
  for (size_t axis = 0; axis < 2; ++axis) {
    const Axis& a = problem.axes[axis];
    if (!is_merged(tile, axis)) count *= static_cast<double>(std::min(a.stride, a.output));
  }
  return count;
}

}  // namespace vktconv::patch

// A tile of the algorithm matrix_window: what shaders/matrix_window.comp makes of it, and how long that is predicted to
// take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "algorithms/matrix_units.h"
#include "algorithms/numbering.h"
#include "algorithms/prepared_input.h"

namespace vktconv::matrix_window {

// Tile::values. merged is 0 where phases of the width are not merged; by_invocation: weights lie in the order of the
// invocations that multiply them, where the device allows it (shaders/matrix_fragments.glsl); prepared: the input is
// turned to channels-last by a dispatch before; whole: fp32 elements are rounded to fp16, not split; in_units:
// channels-first outputs are stored by the invocations that hold their sums (shaders/matrix_window_lane_units.glsl).
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
  whole,
  in_units,
  value_count
};

int64_t parts(const Problem& problem, const Tile& tile);  // of an element
PreparedInput prepared_of(const Problem& problem, const Tile& tile);

// Whether fp32 inputs are split by the kernel itself.
bool splits_inputs(const Problem& problem, const Tile& tile);

// Whether an invocation brings channels of one pixel into shared memory, not of two neighbours.
bool by_pixels(const Problem& problem, const Tile& tile);

uint32_t local_size(const Tile& tile, const DeviceCaps& caps);
Numbering numbering_of(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps);
int64_t block_channels(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps);
int64_t tile_step(const Tile& tile, const Numbering& numbering);  // positions from one tile to the next
double workgroup_count(const Problem& problem, const Tile& tile, const Numbering& numbering, int64_t images,
                       int64_t blocks);
uint32_t shared_bytes(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape,
                      const DeviceCaps& caps);

// Whether fp32 sums of a few in-channels are kept apart, to be added up in proper fp32.
bool sums_apart(const Problem& problem, const Tile& tile, const MatrixShape& shape);

// Whether all taps of a window are unrolled, not only those of a row.
bool unrolls_window(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps);

// Whether the inputs of the next chunk are fetched while those of this one are multiplied.
bool fetches_ahead(const Problem& problem, const Tile& tile, const DeviceCaps& caps);

// Neighbouring positions that are stored together where outputs are stored in units.
uint32_t unit_positions(const Problem& problem, const DeviceCaps& caps);

// Outputs that invocations store from the sums that they hold: how many invocations share a column of a matrix; of
// channels-last outputs how many out-channels in a row each stores at once, else 1; and of channels-first outputs how
// many neighbouring positions, else 0. Where they do not, 0, 1 and 0.
struct LaneStores {
  uint32_t row_lanes = 0, channels = 1, positions = 0;
};
LaneStores lane_stores(const Problem& problem, const Tile& tile, const MatrixShape& shape, const DeviceCaps& caps);

// Sums of one invocation: a register each; and with those that are kept apart.
int64_t held_sums(const Tile& tile, const DeviceCaps& caps);
int64_t sums_of_invocation(const Problem& problem, const Tile& tile, const DeviceCaps& caps);

// Vectors of inputs that an invocation brings in one step: of eight channels of one or two pixels.
int64_t items_of_invocation(const Problem& problem, const Tile& tile, const Numbering& numbering,
                            const DeviceCaps& caps);

// Registers of an invocation for these, on their way.
int64_t item_registers(const Problem& problem, const Tile& tile, const Numbering& numbering, const DeviceCaps& caps);

// The constraints that matrix_window.comp states, and the device's.
bool legal(const Problem& problem, const Tile& tile, const Numbering& numbering, const MatrixShape& shape,
           const DeviceCaps& caps);

// By how much a CPU device, which has no matrix units, takes longer than its rates say.
constexpr double cpu_slowness = 200;

double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const MatrixShape& shape,
                       const Numbering& numbering);

}  // namespace vktconv::matrix_window

// A tile of the algorithm patch: what shaders/patch.comp makes of it, and how long that is predicted to take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "algorithms/algorithm.h"
#include "device_caps.h"
#include "shape.h"

namespace vktconv::patch {

// Tile::values. depth: in-channels whose weights are in shared memory together, or 0: they are read where they were
// packed. ahead: the next in-channel is fetched before this one is multiplied. staged: outputs are put in order in
// shared memory.
enum : size_t { channels, cells_h, cells_w, merged_axes, local_size, depth, ahead, staged };

// Whether all phases of an axis are in a patch: of the width, of the height where merged_axes is 2 or more, of the
// depth where it is 3.
bool is_merged(const Tile& tile, size_t axis);

// Taps that are unrolled, and those of the axes that are not merged.
int64_t inner_taps(const Problem& problem, const Tile& tile);
int64_t outer_taps(const Problem& problem, const Tile& tile);

int64_t window_size(const Problem& problem, const Tile& tile);    // inputs of an in-channel under a patch
int64_t window_rows(const Problem& problem, const Tile& tile);    // of all slices
int64_t sum_count(const Problem& problem, const Tile& tile);      // of a patch, those of phases without taps, too
int64_t used_sums(const Problem& problem, const Tile& tile);      // without those
int64_t unit_products(const Problem& problem, const Tile& tile);  // multiply-adds of an in-channel
int64_t unit_quads(const Problem& problem, const Tile& tile);     // its weights, in vectors of four

// As patch.comp has them: neighbours in memory of an invocation, and all such rows of a patch.
int64_t staged_run(const Problem& problem, const Tile& tile);
int64_t output_rows(const Problem& problem, const Tile& tile);

// Rows of outputs that are put in order together: as many as fit without needing more shared memory than the weights,
// or a little.
uint32_t staged_rows(const Problem& problem, const Tile& tile);
uint32_t shared_bytes(const Problem& problem, const Tile& tile);

// Outputs that the kernel may store together, 16 bytes, where output_offset is a multiple of them; else 1.
uint32_t output_vector(const Problem& problem, const DeviceCaps& caps, const Tile& tile);

// The constraints that patch.comp states, and the device's.
bool legal(const Problem& problem, const DeviceCaps& caps, const Tile& tile);

int64_t patch_count(const Problem& problem, const Tile& tile, int64_t images);
double workgroup_count(const Problem& problem, const Tile& tile, int64_t images, int64_t blocks);

double predict_seconds(const Problem& problem, const DeviceCaps& caps, const Tile& tile);

}  // namespace vktconv::patch

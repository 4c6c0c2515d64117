// A tile of the algorithm matrix_window as packing and dispatches, also for matrix_winograd.
#pragma once

#include <string>

#include "algorithms/matrix_window_tile.h"

namespace vktconv::matrix_window {

constexpr uint32_t own_buffers = 7;  // without those of the post-ops

// Refers to problem and tile.
Blocking make_blocking(const Problem& problem, const DeviceCaps& caps, const Tile& tile);

// One slab. mends: what comes out infinite or NaN is computed from the tensors themselves; prepared_at: its prepared
// input, or where that is not prepared, anything.
Dispatch multiply(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address, bool mends,
                  const Window& prepared_at, const SlabWindows& windows);

std::string describe(const Problem& problem, const Tile& tile, const DeviceCaps& caps);
std::string describe_products(const Problem& problem, const Tile& tile, const DeviceCaps& caps);  // not how inputs come

}  // namespace vktconv::matrix_window

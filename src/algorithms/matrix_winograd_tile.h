// A tile of the algorithm matrix_winograd: a filter, and the tile of matrix_window that multiplies what it transforms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "algorithms/prepared_input.h"
#include "algorithms/winograd_tile.h"

namespace vktconv::matrix_winograd {

// Tile::values: a filter, and then those of matrix_window (matrix_window_tile.h).
enum : size_t { points, taps, window_values };

using winograd::Filter;

// Of those that keep to the precision of fp32 sums on matrix units, for each number of points the one that takes the
// fewest products; none: some outputs take too few products, or no filter saves any.
std::vector<Filter> useful_filters(const Problem& problem);
const Filter& filter_of(const Tile& tile);

Tile wrap(const Filter& filter, const Tile& of_window);
Tile unwrap(const Tile& tile);  // that of matrix_window

// Products that an output away from the borders takes at least.
int64_t inner_products(const Problem& problem);

// How often a filter is applied for all taps of the width.
int64_t tap_groups(const Problem& problem, const Filter& filter);

// Tiles of a row of outputs: as many for each of the interleaved rows of a dilated kernel.
int64_t row_tiles(const Problem& problem, const Filter& filter);

// What matrix_window convolves of so many images and groups: every point of a group is a group of its own, the width
// has tiles for pixels and a kernel of one tap. Its weights are the transformed ones.
Problem transformed_problem(const Problem& problem, const Filter& filter, int64_t images, int64_t groups);

// Bytes of the workspace: the transformed input, and behind it the sums.
struct Workspace {
  int64_t input_bytes = 0, sums_begin = 0, sums_bytes = 0;
  int64_t bytes() const { return sums_begin + sums_bytes; }
};
Workspace workspace_of(const Problem& problem, const Tile& tile, int64_t images, int64_t groups);

// Products of the outputs that are computed exactly because they take few (shaders/few_products.glsl), about.
double exact_products(const Problem& problem, const Filter& filter);

// What the transforms take before and after the products, in seconds. exact: exact_products().
double predict_transforms(const Problem& problem, const DeviceCaps& caps, const Tile& tile, double exact);

}  // namespace vktconv::matrix_winograd

// A tile of the algorithm winograd: what shaders/winograd.comp makes of it, and how long that is predicted to take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "algorithms/algorithm.h"
#include "device_caps.h"
#include "shape.h"

namespace vktconv::winograd {

// Tile::values. ahead: the next step is fetched before this one is multiplied; shared_weights: weights come through
// shared memory.
enum : size_t {
  points,
  taps,
  channels,
  columns,
  rows,
  thread_channels,
  thread_columns,
  depth,
  row_taps,
  buffers,
  ahead,
  shared_weights
};

// F(outputs, taps) at so many points.
struct Filter {
  uint32_t points = 0, taps = 0;
  uint32_t least_inner = 0;   // products of an output away from the borders, for a problem to be taken
  uint32_t least_border = 0;  // products of an output that takes fewer taps of the width than its neighbours

  uint32_t outputs() const { return points - taps + 1; }
};

std::span<const Filter> precise_filters();  // those that keep to the precision of fp32 sums
const Filter& find_filter(uint32_t points, uint32_t taps);

// An axis as its phases see it.
struct AxisTaps {
  int64_t most = 0, least = 0;  // taps of a phase that has some
  int64_t input_step = 1;
  int64_t positions = 1;
};

struct Layer {  // a problem in these terms
  AxisTaps depth, height, width;
};

Layer make_layer(const Problem& problem);

// How often a filter is applied for all taps of the fullest phase.
int64_t tap_groups(const Layer& layer, const Filter& filter);
uint32_t tap_groups(const Layer& layer, const Tile& tile);

// Invocations of a point along the channels and the columns, and of the workgroup.
uint32_t channel_lanes(const Tile& tile);
uint32_t column_lanes(const Tile& tile);
uint32_t local_size(const Tile& tile);

uint32_t outputs_of_tile(const Tile& tile);
uint32_t input_rows(const Tile& tile);

// Lanes whose sums are put into shared memory together: as many as fit without needing more of it than the tile, or a
// little.
uint32_t staged_lanes(const Tile& tile);
uint32_t shared_bytes(const Tile& tile);

// Tiles of input that an invocation brings in a step.
uint32_t jobs(const Tile& tile);

int64_t column_count(const Layer& layer, const Tile& tile, int64_t images);
double workgroup_count(const Problem& problem, const Layer& layer, const Tile& tile, int64_t images, int64_t blocks);

double predict_seconds(const Problem& problem, const Layer& layer, const DeviceCaps& caps, const Tile& tile);

}  // namespace vktconv::winograd

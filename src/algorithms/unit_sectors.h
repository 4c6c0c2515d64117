// What stores in units (shaders/matrix_window_lane_units.glsl) cost the memory. Pure.
#pragma once

#include "algorithms/numbering.h"
#include "shape.h"

namespace vktconv {

// Memory is written in sectors of 32 bytes, and what a store instruction writes of one is a piece: this many of them
// for each sector of outputs, 1 at best, on average over all rows and out-channels. positions: of a unit, of which four
// neighbouring invocations store four neighbours.
double pieces_of_sector(const Problem& problem, const Numbering& numbering, bool merged, int64_t positions);

}  // namespace vktconv

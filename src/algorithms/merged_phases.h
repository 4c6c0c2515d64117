// Merged phases of the width: phases that read the same inputs and so can be rows of one matrix product
// (shaders/tiled.comp says when and how).
#pragma once

#include <cstdint>

#include "shape.h"

namespace vktconv {

// How many there are; 0: none.
uint32_t mergeable_phases(const Problem& problem);

// The positions of a row that a kernel numbers, merged or of one phase (the fullest), and the lowest of them.
struct WidthPositions {
  int64_t first = 0, count = 0;
};
WidthPositions width_positions(const Problem& problem, bool merged);

// The first output of a row's first position, counted from the row's first output: 0 or, merged, before it.
int64_t first_row_output(const Problem& problem, bool merged);

// Phases that a workgroup chooses one of: of all axes, or merged, of depth and height.
int64_t workgroup_phases(const Problem& problem, bool merged);

}  // namespace vktconv

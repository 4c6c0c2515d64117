// How the positions of a phase are numbered for matrix_window.comp (shaders/numbering.glsl), so that the input under a
// tap is a fixed number away from its position. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "shape.h"

namespace vktconv {

// The taps of a window are those whose inputs a workgroup holds together.
struct TapWindow {
  int64_t height = 1, width = 1;
};

struct Numbering {
  static constexpr int64_t differs = 255;

  int64_t strips = 1;         // the width is cut into strips
  int64_t strip_step = 1;     // positions from one to the next
  int64_t strip_w = 1;        // positions of a row in each: strips overlap by tile_overlap(), but not in units
  int64_t pitch_w = 1;        // numbers of a row
  int64_t pitch_h = 1;        // rows of a slice
  int64_t image_numbers = 1;  // of one image
  int64_t run = 1;            // numbers from one contiguous run of outputs to the next: of a row, a slice or an image
  int64_t run_positions = 1;  // of these, positions that may have outputs
  int64_t first_element = differs;  // of each run at which a vector of 16 bytes begins; differs: not the same for all
  int64_t overlap = 0;  // of neighbouring tiles, in positions: tile_overlap(), or 0 where vectors begin with tiles
  double pieces = 1;    // of a sector, of outputs stored in units (unit_sectors.h)
};

// The taps along the height or width of the phase that has most, at least 1. merged: of the width (merged_phases.h).
int64_t most_taps(const Problem& problem, size_t axis, bool merged);

// Positions by which strips overlap, and tiles in general: as many as reach the last output of a vector of 16 bytes
// from its first; 0 where outputs of neighbouring positions are no neighbours in memory.
int64_t tile_overlap(const Problem& problem, bool merged);

// strips at most the positions of a row; a window at most the fullest phase's taps. unit: neighbouring positions whose
// outputs are stored together, so that rows begin with units and nothing overlaps; 0: outputs are stored in vectors
// wherever these begin.
Numbering make_numbering(const Problem& problem, bool merged, int64_t strips, const TapWindow& window,
                         int64_t unit = 0);

// Inputs that stand under a window of a tile of positions.
int64_t window_numbers(const Problem& problem, const Numbering& numbering, const TapWindow& window, int64_t positions);

// Runs that a tile can touch.
int64_t tile_segments(const Problem& problem, const Numbering& numbering, int64_t positions);

// The constants PROBLEM_CONSTANTS .. NUMBERING_CONSTANTS - 1 of shaders/shared/params.h.
void append_numbering_constants(const Problem& problem, const Numbering& numbering, int64_t positions,
                                std::vector<uint32_t>& constants);

}  // namespace vktconv

// How matrix_window.comp numbers positions, so that a tap is a shift of numbers. src/algorithms/numbering.h makes the constants
// and says why they are right.
//
// A row of positions has PITCH_W numbers, a slice PITCH_H rows; what is more than STRIP_W or SIZE_H is a gap. Number n + 1
// is the right neighbour of n, n + PITCH_W the one below. The input that tap (i, j) of a window brings to position n has
// the number n - i * INPUT_STEP_H * PITCH_W - j * INPUT_STEP_W: it may lie left of its row or above its slice, so numbers
// of a gap stand for what lies before the next row or slice.
#ifndef VKTCONV_NUMBERING_GLSL_
#define VKTCONV_NUMBERING_GLSL_

#include "problem.glsl"

layout(constant_id = NUMBERING_STRIPS) const uint STRIPS = 1;    // the width is cut into strips
layout(constant_id = NUMBERING_STRIP_STEP) const uint STRIP_STEP = 1;  // positions from one to the next
layout(constant_id = NUMBERING_STRIP_W) const uint STRIP_W = 1;  // positions of a row in each: they may overlap
layout(constant_id = NUMBERING_PITCH_W) const uint PITCH_W = 1;
layout(constant_id = NUMBERING_PITCH_H) const uint PITCH_H = 1;
layout(constant_id = NUMBERING_RUN) const uint RUN = 1;                // numbers from one contiguous run of outputs to the next
layout(constant_id = NUMBERING_RUN_POSITIONS) const uint RUN_POSITIONS = 1;  // of these, positions that may exist
layout(constant_id = NUMBERING_SEGMENTS) const uint SEGMENTS = 1;      // runs that a tile can touch
layout(constant_id = NUMBERING_FIRST_ELEMENT) const uint FIRST_ELEMENT = 255;  // of each run where a vector begins

const uint GAP_W = PITCH_W - STRIP_W;
const uint GAP_H = PITCH_H - SIZE_H;

struct Numbered {
  uint image;
  uint strip;
  ivec3 at;     // position of the phase: depth, height, width; in a gap it does not exist
  bool exists;  // an image has it
};

const uint IMAGE_NUMBERS = STRIPS * SIZE_D * PITCH_H * PITCH_W;

uint count_numbers(uint images) { return images * IMAGE_NUMBERS; }

// A row of numbers, counted through all strips and slices; before_h of them stand for what lies before a slice. The width is
// where the row begins.
Numbered decode_row(int row, uint images, uint before_h) {
  const int shifted = row + int(before_h);
  uint rest = uint(shifted);
  Numbered result;
  result.at.y = int(rest % PITCH_H) - int(before_h);
  rest /= PITCH_H;
  result.at.x = int(rest % SIZE_D);
  rest /= SIZE_D;
  result.strip = rest % STRIPS;
  result.image = rest / STRIPS;
  result.exists = shifted >= 0 && result.image < images;
  result.at.z = int(result.strip * STRIP_STEP);
  return result;
}

// Of a position, or a number in the gap behind a row or slice.
Numbered decode_number(uint number, uint images) {
  Numbered result = decode_row(int(number / PITCH_W), images, 0u);
  result.at.z += int(number % PITCH_W);
  return result;
}

#endif

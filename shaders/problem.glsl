// What tiled.comp and matrix.comp have in common: the problem as specialization constants, the positions of a phase
// numbered through its rows and images, and which of them a workgroup computes. Axes are depth, height, width.
#ifndef VKTCONV_PROBLEM_GLSL_
#define VKTCONV_PROBLEM_GLSL_

#include "geometry.glsl"
#include "input.glsl"
#include "output.glsl"
#include "post_ops.glsl"
#include "tensor.glsl"

layout(constant_id = PROBLEM_HAS_BIAS) const bool HAS_BIAS = false;
layout(constant_id = PROBLEM_INPUT_SIZE + 0) const uint INPUT_D = 1;
layout(constant_id = PROBLEM_INPUT_SIZE + 1) const uint INPUT_H = 1;
layout(constant_id = PROBLEM_INPUT_SIZE + 2) const uint INPUT_W = 1;
layout(constant_id = PROBLEM_OUTPUT_SIZE + 0) const uint OUTPUT_D = 1;
layout(constant_id = PROBLEM_OUTPUT_SIZE + 1) const uint OUTPUT_H = 1;
layout(constant_id = PROBLEM_OUTPUT_SIZE + 2) const uint OUTPUT_W = 1;
layout(constant_id = PROBLEM_PADDING_BEGIN + 0) const int PADDING_D = 0;
layout(constant_id = PROBLEM_PADDING_BEGIN + 1) const int PADDING_H = 0;
layout(constant_id = PROBLEM_PADDING_BEGIN + 2) const int PADDING_W = 0;
layout(constant_id = PROBLEM_IN_CHANNELS) const uint IN_CHANNELS = 1;    // of one group
layout(constant_id = PROBLEM_OUT_CHANNELS) const uint OUT_CHANNELS = 1;  // of one group
layout(constant_id = PROBLEM_GROUPS) const uint GROUPS = 1;              // of the problem

// Merged phases (tiled.comp): their number, or 0 for one phase of the width in each workgroup.
layout(constant_id = PROBLEM_MERGED) const uint MERGED = 0;
layout(constant_id = PROBLEM_FIRST_POSITION_W) const int FIRST_POSITION_W = 0;  // merged: the lowest position
layout(constant_id = PROBLEM_POSITIONS_W) const uint SIZE_W = 1;                // positions along the width

const uint INPUT_PLANE = INPUT_D * INPUT_H * INPUT_W;
const uint OUTPUT_PLANE = OUTPUT_D * OUTPUT_H * OUTPUT_W;
const uint INPUT_IMAGE = INPUT_PLANE * IN_CHANNELS * GROUPS;
const uint OUTPUT_IMAGE = OUTPUT_PLANE * OUT_CHANNELS * GROUPS;
// In elements, from one pixel or channel of an image to the next.
const uint INPUT_PIXEL_STRIDE = INPUT_CHANNELS_LAST ? IN_CHANNELS * GROUPS : 1u;
const uint INPUT_CHANNEL_STRIDE = INPUT_CHANNELS_LAST ? 1u : INPUT_PLANE;
// Steps along the in-channels of a group (input.glsl).
const uint IN_STEPS = (IN_CHANNELS + STEP_CHANNELS - 1u) / STEP_CHANNELS;
const bool INPUT_IN_WORDS = (INPUT_CHANNELS_LAST ? IN_CHANNELS % STEP_CHANNELS : 1u) == 0u;
const uint OUTPUT_PIXEL_STRIDE = OUTPUT_CHANNELS_LAST ? OUT_CHANNELS * GROUPS : 1u;
const uint OUTPUT_CHANNEL_STRIDE = OUTPUT_CHANNELS_LAST ? 1u : OUTPUT_PLANE;
// Positions of a phase along each axis. Phases may differ by one: the larger count is used.
const uint SIZE_D = (OUTPUT_D - 1u) / STRIDE_D + 1u;
const uint SIZE_H = (OUTPUT_H - 1u) / STRIDE_H + 1u;
const uint TAPS_W = MERGED > 0u ? uint((KERNEL_W + TAP_STEP_W - 1) / TAP_STEP_W) : uint(KERNEL_W);  // packed

struct Position {
  uint image;
  uvec3 at;  // within the phase: depth, height, width
};

// pitch: numbers of a row, SIZE_W or more.
Position decode(uint position, uint pitch) {
  Position result;
  result.at.z = position % pitch;
  position /= pitch;
  result.at.y = position % SIZE_H;
  position /= SIZE_H;
  result.at.x = position % SIZE_D;
  result.image = position / SIZE_D;
  return result;
}

// The taps [x, y) of a phase that reach an input from some position in first..last.
ivec2 tap_range(Phase phase, uint first, uint last, uint input_size, int input_step) {
  const int low = int(first) + phase.first_input - int(input_size);
  const int high = int(last) + phase.first_input;
  const int begin = low < 0 ? 0 : low / input_step + 1;
  const int end = high < 0 ? 0 : min(phase.taps, high / input_step + 1);
  return ivec2(begin, max(begin, end));
}

// What a workgroup computes: a tile of positions of one phase, for one block of out-channels.
struct Work {
  uint block;          // of the dispatch, counted over its groups
  uvec3 first_output;  // of the phase; of merged phases, the width is 0
  uint tile;
};

// Blocks and phases of the same positions are neighbours in time: they share input, and their stores interleave.
Work find_work(SlabParams slab) {
  uvec3 phases = min(uvec3(STRIDE_D, STRIDE_H, STRIDE_W), uvec3(OUTPUT_D, OUTPUT_H, OUTPUT_W));
  if (MERGED > 0u) phases.z = 1u;
  uint number = linear_workgroup();
  Work work;
  work.block = number % (slab.groups * slab.blocks);
  number /= slab.groups * slab.blocks;
  work.first_output.z = number % phases.z;
  number /= phases.z;
  work.first_output.y = number % phases.y;
  number /= phases.y;
  work.first_output.x = number % phases.x;
  work.tile = number / phases.x;
  return work;
}

// The phase of the width, or, of merged phases, what they have in common.
Phase find_work_phase_w(Work work) {
  if (MERGED > 0u) return Phase(0, int(TAPS_W), FIRST_POSITION_W);
  return find_phase_w(work.first_output.z, PADDING_W);
}

#endif

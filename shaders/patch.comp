// Patches of outputs in registers, for problems with few channels in a group: every input is fetched about once, and every
// weight multiplies several inputs.
//
// Layouts: input [batch, in-channels, spatial] or [batch, spatial, in-channels], packed weights [group, out-channel block,
// outer tap, in-channel, out-channel of the block x inner tap, rounded up to four] as Accumulator (pack_weights.comp), bias
// [out-channels], output [batch, out-channels, spatial] or [batch, spatial, out-channels].
//
// An axis is cut into cells: the STRIDE outputs that begin at a multiple of the stride, one of each phase. Tap k brings input
// c - floor((k * dilation - padding) / stride) to the output of cell c that has the remainder of that division as its number.
// So all phases of a cell read from one window of inputs, whatever stride, padding and dilation are, phases without taps
// stay at zero, and rows of outputs begin where cells do.
//
// An invocation computes a patch: CELLS_H x CELLS_W neighbouring cells, for CHANNELS out-channels of one group, all sums in
// registers. Of each in-channel it fetches the window of inputs under the patch, then takes one weight after the other. The
// taps of the MERGED_AXES last axes (inner taps) are unrolled, with constant places in the window and among the sums. Of
// the other axes the workgroup computes one phase, whose (outer) taps are a loop; a cell is one output there.
//
// Neighbouring invocations have neighbouring patches, and read and write neighbouring memory. Weights are the same for all:
// they are read from shared memory, DEPTH in-channels at a time, or (DEPTH is 0) where they were packed.
//
// Constraints: floating-point elements; weights are finite (inputs that do not exist count as zeros); few enough inputs,
// sums and products for registers and the instruction cache; 32-bit limits as in gather.comp. See
// src/algorithms/patch_tile.cpp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "problem.glsl"

layout(local_size_x_id = PATCH_LOCAL_SIZE) in;
layout(constant_id = PATCH_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = PATCH_CHANNELS) const uint CHANNELS = 1;
layout(constant_id = PATCH_CELLS_H) const uint CELLS_H = 1;
layout(constant_id = PATCH_CELLS_W) const uint CELLS_W = 1;
layout(constant_id = PATCH_MERGED_AXES) const uint MERGED_AXES = 1;  // the width; and the height; and the depth
layout(constant_id = PATCH_DEPTH) const uint DEPTH = 0;
layout(constant_id = PATCH_AHEAD) const bool AHEAD = false;  // inputs are fetched before they are waited for: while others are multiplied
layout(constant_id = PATCH_STAGED_ROWS) const uint STAGED_ROWS = 0;  // rows of outputs put in order together; 0: none are
layout(constant_id = PATCH_VECTOR) const uint VECTOR = 1;  // outputs stored together

#include "patch_window.glsl"

const uint INNER_TAPS = uint(KERNEL_W) * (MERGED_H ? uint(KERNEL_H) : 1u) * (MERGED_D ? uint(KERNEL_D) : 1u);
const uint OUTER_TAPS_H = MERGED_H ? 1u : uint(KERNEL_H);
const uint OUTER_TAPS_D = MERGED_D ? 1u : uint(KERNEL_D);
const uint UNIT = CHANNELS * INNER_TAPS;  // weights of an in-channel
const uint UNIT_QUADS = (UNIT + 3u) / 4u;

// Sums are numbered by out-channel, then as outputs lie in memory: depth, row, column.
const uint RUN = CELLS_W * STRIDE_W;  // outputs of a row
const uint CHANNEL_ROWS = PHASES_D * CELLS_H * PHASES_H;
const uint SUMS = CHANNELS * CHANNEL_ROWS * RUN;

// Outputs on their way through shared memory (patch_output.glsl).
const uint STAGED_RUN = OUTPUT_CHANNELS_LAST ? RUN * CHANNELS : RUN;  // of an invocation, neighbours in memory
const uint STAGED_PITCH = LOCAL + (STAGED_RUN < 32u ? (31u + STAGED_RUN) / STAGED_RUN : 1u);
const uint STAGED_QUADS = (STAGED_ROWS * STAGED_RUN * STAGED_PITCH + 3u) / 4u;

// Weights, then outputs.
const uint WEIGHT_QUADS = DEPTH * UNIT_QUADS;
const uint POOL_QUADS = WEIGHT_QUADS > STAGED_QUADS ? WEIGHT_QUADS : STAGED_QUADS;
shared Accumulator4 pool[POOL_QUADS > 0u ? POOL_QUADS : 1u];

DECLARE_INPUT(0)
DECLARE_BUFFER(1, readonly, PackedWeights, Accumulator4)
DECLARE_BUFFER(2, readonly, BiasTensor, BiasWord)
DECLARE_OUTPUT(3)
#if !defined(PACKED_16BIT)
DECLARE_BUFFER(3, writeonly, OutputVectors, uvec4)
#endif
DECLARE_POST_OP_BUFFERS(4)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  POST_OP_MEMBERS
  SlabParams params;
} push;

#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)

Accumulator sums[SUMS];

#include "patch_output.glsl"

// ---- the product ----------------------------------------------------------------------------------------------------

Accumulator fetched[WINDOW];  // inputs on their way
Accumulator inputs[WINDOW];

// origin: the index of the input under the patch's first cell; it may be before the tensor (and wrap).
void fetch(uint origin) {
  [[unroll]] for (uint i = 0; i < WINDOW; ++i) {
    fetched[i] = Accumulator(0);
    if (is_inside(i)) fetched[i] = LOAD(INPUT, origin + uint(window_offset(i)) * INPUT_PIXEL_STRIDE);
  }
}

void multiply(uint weights_at) {
  [[unroll]] for (uint q = 0; q < UNIT_QUADS; ++q) {
    Accumulator4 weights;
    if (DEPTH > 0u) {
      weights = pool[weights_at + q];
    } else {
      weights = WEIGHTS.words[weights_at + q];
    }
    [[unroll]] for (uint i = 0; i < 4u; ++i) {
      const uint channel = (q * 4u + i) / INNER_TAPS;
      const int tap = int((q * 4u + i) % INNER_TAPS);
      const int tap_w = tap % KERNEL_W;
      const int tap_h = MERGED_H ? tap / KERNEL_W % KERNEL_H : 0;
      const int tap_d = MERGED_D ? tap / KERNEL_W / KERNEL_H : 0;
      if (channel < CHANNELS) {
        [[unroll]] for (uint h = 0; h < CELLS_H; ++h) {
          const uint row = (channel * PHASES_D + phase_d(tap_d)) * CELLS_H * PHASES_H + h * PHASES_H + phase_h(tap_h);
          const uint inputs_row = (slice_of(tap_d) * ROWS + row_of(tap_h, h)) * COLUMNS;
          [[unroll]] for (uint w = 0; w < CELLS_W; ++w) {
            const uint sum = row * RUN + w * STRIDE_W + phase_w(tap_w);
            sums[sum] = fma(weights[i], inputs[inputs_row + column_of(tap_w, w)], sums[sum]);
          }
        }
      }
    }
  }
}

// All in-channels under one outer tap. weights_from: where the tap's weights begin.
void add_products(uint origin, uint weights_from) {
  if (AHEAD) fetch(origin);
  const uint step = DEPTH > 0u ? DEPTH : IN_CHANNELS;
  for (uint chunk = 0; chunk < IN_CHANNELS; chunk += step) {
    const uint end = min(chunk + step, IN_CHANNELS);
    if (DEPTH > 0u) {
      barrier();  // the chunk before has been read
      for (uint i = gl_LocalInvocationID.x; i < (end - chunk) * UNIT_QUADS; i += LOCAL) {
        pool[i] = WEIGHTS.words[weights_from + chunk * UNIT_QUADS + i];
      }
      barrier();
    }
    [[dont_unroll]] for (uint channel = chunk; channel < end; ++channel) {
      if (!AHEAD) fetch(origin + channel * INPUT_CHANNEL_STRIDE);
      [[unroll]] for (uint i = 0; i < WINDOW; ++i) inputs[i] = fetched[i];
      if (AHEAD && channel + 1u < IN_CHANNELS) fetch(origin + (channel + 1u) * INPUT_CHANNEL_STRIDE);
      multiply(DEPTH > 0u ? (channel - chunk) * UNIT_QUADS : weights_from + channel * UNIT_QUADS);
    }
  }
}

void main() {
  const SlabParams params = push.params;
  // Blocks and phases of the same patches are neighbours in time: they share input, and their stores interleave.
  uint number = linear_workgroup();
  const uint blocks = params.groups * params.blocks;
  const uint block = number % blocks;
  number /= blocks;
  const uint phases_h = MERGED_H ? 1u : min(STRIDE_H, OUTPUT_H), phases_d = MERGED_D ? 1u : min(STRIDE_D, OUTPUT_D);
  const uvec2 first_output = uvec2(number / phases_h % phases_d, number % phases_h);  // of the phase, depth and height
  const uint first_patch = number / phases_h / phases_d * LOCAL;
  const uint end_patch = params.batch * SIZE_D * PATCHES_H * PATCHES_W;
  if (first_patch >= end_patch) return;
  const uint group = block / params.blocks;
  const uint first_channel = (params.first_block + block % params.blocks) * CHANNELS;  // within the group

  const uint own_patch = first_patch + gl_LocalInvocationID.x;
  const Patch patch_ = decode_patch(own_patch);
  const Phase outer_d = MERGED_D ? Phase(0, 1, 0) : find_phase_d(first_output.x, PADDING_D);
  const Phase outer_h = MERGED_H ? Phase(0, 1, 0) : find_phase_h(first_output.y, PADDING_H);
  const ivec3 first_input = ivec3(patch_.cell) + ivec3(outer_d.first_input, outer_h.first_input, 0);
  const uint image_input = params.input_offset + patch_.image * INPUT_IMAGE + group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  const uint weights_block = params.weights_offset + block * OUTER_TAPS_D * OUTER_TAPS_H * IN_CHANNELS * UNIT_QUADS;

  [[unroll]] for (uint i = 0; i < SUMS; ++i) sums[i] = Accumulator(0);
  [[dont_unroll]] for (int d = 0; d < outer_d.taps; ++d) {
    [[dont_unroll]] for (int h = 0; h < outer_h.taps; ++h) {
      const ivec3 at = first_input - ivec3(d * INPUT_STEP_D, h * INPUT_STEP_H, 0);
      find_inside(at, own_patch < end_patch);
      const uint pixel = uint((at.x * int(INPUT_H) + at.y) * int(INPUT_W) + at.z);
      const uint outer_tap = uint(outer_d.first_tap + d * TAP_STEP_D) * OUTER_TAPS_H + uint(outer_h.first_tap + h * TAP_STEP_H);
      add_products(image_input + pixel * INPUT_PIXEL_STRIDE, weights_block + outer_tap * IN_CHANNELS * UNIT_QUADS);
    }
  }

  OutputBlock target;
  target.first_output = first_output;
  target.first_patch = first_patch;
  target.end_patch = end_patch;
  target.first_channel = first_channel;
  target.bias_index = (params.first_group + group) * OUT_CHANNELS + first_channel;
  target.base = params.output_offset + (group * OUT_CHANNELS + first_channel - params.first_block * CHANNELS) * OUTPUT_CHANNEL_STRIDE;
  if (HAS_BIAS) add_bias(target);
  if (STAGED_ROWS > 0u) {
    store_in_order(target);
  } else {
    store_directly(target);
  }
}

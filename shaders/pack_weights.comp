// Weights [in-channels, out-channels / groups, taps] to [group, out-channel block, tap, step along the in-channels
// (input.glsl), row of the block] as Accumulator, so that a kernel reads the rows of its block as vectors. A row is an out-channel, or an out-channel in one of the
// merged phases of the width (tiled.comp). What does not exist is zero. One invocation writes one element, of 8-bit integers
// four in-channels as the bytes of one; a dispatch covers some blocks and some in-channels of each.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"

layout(local_size_x_id = PACK_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = PACK_WEIGHTS_ROWS) const uint ROWS = 4;

DECLARE_BUFFER(0, readonly, Weights, Word)
DECLARE_BUFFER(1, writeonly, PackedWeights, Accumulator)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(Weights, weights)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  PackWeightsParams params;
} push;

#define WEIGHTS BUFFER_REF(Weights, weights)
#define PACKED BUFFER_REF(PackedWeights, packed_weights)

void main() {
  const PackWeightsParams params = push.params;
  const uint index = linear_workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (index >= params.total) return;
  const uint row = index % ROWS;
  uint rest = index / ROWS;
  const uint chunk_steps = params.chunk_in_channels / STEP_CHANNELS;
  const uint in_channel = params.first_in_channel + rest % chunk_steps * STEP_CHANNELS;  // the first of a step
  rest /= chunk_steps;
  const uint packed_taps = params.outer_taps * params.packed_taps_w;
  const uint packed_tap = rest % packed_taps;
  const uint block = rest / packed_taps;  // of this dispatch
  const uint group = (params.first_block + block) / params.blocks_per_group;
  const uint first_group = params.first_block / params.blocks_per_group;

  const uint channel_of_block = row / params.merged;
  const uint out_channel = ((params.first_block + block) % params.blocks_per_group) * params.block_channels + channel_of_block;
  const uint tap_w = row % params.merged + packed_tap % params.packed_taps_w * params.tap_step_w;

  Accumulator value = Accumulator(0);
  if (channel_of_block < params.block_channels && out_channel < params.out_channels && in_channel < params.in_channels &&
      tap_w < params.kernel_w) {
    const uint source_row = (group - first_group) * params.in_channels + in_channel - params.first_in_channel;
    const uint tap = packed_tap / params.packed_taps_w * params.kernel_w + tap_w;
    const uint taps = params.outer_taps * params.kernel_w;
    const uint source = params.source_offset + (source_row * params.out_channels + out_channel) * taps + tap;
#if defined(DATA_I8)
    for (uint c = 0; c < STEP_CHANNELS && in_channel + c < params.in_channels; ++c) {
      value |= (LOAD(WEIGHTS, source + c * params.out_channels * taps) & 0xff) << (8u * c);
    }
#else
    value = LOAD(WEIGHTS, source);
#endif
  }
  const uint packed_steps = params.packed_in_channels / STEP_CHANNELS;
  PACKED.words[params.packed_offset + ((block * packed_taps + packed_tap) * packed_steps + in_channel / STEP_CHANNELS) * ROWS + row] = value;
}

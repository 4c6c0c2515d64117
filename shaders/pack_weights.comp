// Weights [in-channels, out-channels / groups, taps] to [group, out-channel block, tap, in-channel, channel of the block] as
// Accumulator, so that a kernel reads the out-channels of its block as vectors. Channels past the last are zero. One
// invocation writes one element; a dispatch covers some blocks and some in-channels of each.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"

layout(local_size_x_id = PACK_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = PACK_WEIGHTS_CHANNELS) const uint CHANNELS = 4;

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
  const uint channel_of_block = index % CHANNELS;
  uint rest = index / CHANNELS;
  const uint in_channel = params.first_in_channel + rest % params.chunk_in_channels;
  rest /= params.chunk_in_channels;
  const uint tap = rest % params.taps;
  const uint block = rest / params.taps;  // of this dispatch
  const uint group = (params.first_block + block) / params.blocks_per_group;
  const uint first_group = params.first_block / params.blocks_per_group;
  const uint out_channel = ((params.first_block + block) % params.blocks_per_group) * CHANNELS + channel_of_block;

  Accumulator value = Accumulator(0);
  if (out_channel < params.out_channels && in_channel < params.in_channels) {
    const uint row = (group - first_group) * params.in_channels + in_channel - params.first_in_channel;
    value = LOAD(WEIGHTS, params.source_offset + (row * params.out_channels + out_channel) * params.taps + tap);
  }
  PACKED.words[params.packed_offset + ((block * params.taps + tap) * params.packed_in_channels + in_channel) * CHANNELS + channel_of_block] = value;
}

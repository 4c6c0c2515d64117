// Weights [in-channels, out-channels / groups, taps] to [group, out-channel block, phase of the width, tap of the depth, chunk
// of DEPTH in-channels, group of taps, tap of the height, in-channel, point, channel of the block], transformed along the
// width (winograd.glsl), for winograd.comp. The taps of the height are in the order of their phases: those of one phase lie
// together. What does not exist is zero. One invocation transforms the TAPS taps of one group; a dispatch covers some blocks
// and some in-channels of each.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"

layout(local_size_x_id = PACK_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = PACK_WEIGHTS_ROWS) const uint ROWS = 4;
layout(constant_id = PACK_WINOGRAD_POINTS) const uint POINTS = 4;
layout(constant_id = PACK_WINOGRAD_TAPS) const uint TAPS = 3;
layout(constant_id = PACK_WINOGRAD_TAP_GROUPS) const uint TAP_GROUPS = 1;
layout(constant_id = PACK_WINOGRAD_TAP_STEP_W) const uint TAP_STEP_W = 1;
layout(constant_id = PACK_WINOGRAD_TAP_STEP_H) const uint TAP_STEP_H = 1;
layout(constant_id = PACK_WINOGRAD_KERNEL_H) const uint KERNEL_H = 1;
layout(constant_id = PACK_WINOGRAD_DEPTH) const uint DEPTH = 1;

#include "winograd.glsl"

DECLARE_BUFFER(0, readonly, Weights, Word)
DECLARE_BUFFER(1, writeonly, PackedWeights, float)

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
  const uint in_channel = params.first_in_channel + rest % params.chunk_in_channels;
  rest /= params.chunk_in_channels;
  const uint tap_h = rest % KERNEL_H;
  rest /= KERNEL_H;
  const uint kernel_d = params.outer_taps / KERNEL_H;
  const uint tap_d = rest % kernel_d;
  rest /= kernel_d;
  const uint tap_group = rest % TAP_GROUPS;
  rest /= TAP_GROUPS;
  const uint phases_w = params.packed_taps_w / (TAP_GROUPS * POINTS);
  const uint phase_w = rest % phases_w;  // the first tap of the phase
  const uint block = rest / phases_w;    // of this dispatch
  const uint group = (params.first_block + block) / params.blocks_per_group;
  const uint first_group = params.first_block / params.blocks_per_group;

  const uint out_channel = (params.first_block + block) % params.blocks_per_group * params.block_channels + row;
  const bool exists = row < params.block_channels && out_channel < params.out_channels && in_channel < params.in_channels;
  const uint source_row = (group - first_group) * params.in_channels + in_channel - params.first_in_channel;
  const uint source = params.source_offset + ((source_row * params.out_channels + out_channel) * params.outer_taps + tap_d * KERNEL_H + tap_h) * params.kernel_w;

  // Taps count against the inputs: the last of the group meets the first input of a tile.
  float taps[MOST_POINTS];
  float transformed[MOST_POINTS];
  [[unroll]] for (uint j = 0; j < MOST_POINTS; ++j) {
    taps[j] = 0.0;
    transformed[j] = 0.0;
    if (j < TAPS) {
      const uint tap_w = phase_w + (tap_group * TAPS + TAPS - 1u - j) * TAP_STEP_W;
      if (exists && tap_w < params.kernel_w) taps[j] = LOAD(WEIGHTS, source + tap_w);
    }
  }
  transform_weights(taps, transformed);

  const uint phase_h = tap_h % TAP_STEP_H;
  const uint ordered_h = phase_h * (KERNEL_H / TAP_STEP_H) + min(phase_h, KERNEL_H % TAP_STEP_H) + tap_h / TAP_STEP_H;
  const uint chunks = params.packed_in_channels / DEPTH;
  uint at = (block * phases_w + phase_w) * kernel_d + tap_d;
  at = (at * chunks + in_channel / DEPTH) * TAP_GROUPS + tap_group;
  at = (at * KERNEL_H + ordered_h) * DEPTH + in_channel % DEPTH;
  at = params.packed_offset + at * POINTS * ROWS + row;
  [[unroll]] for (uint point = 0; point < POINTS; ++point) PACKED.words[at + point * ROWS] = transformed[point];
}

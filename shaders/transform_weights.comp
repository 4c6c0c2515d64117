// Winograd's transform of the weights for matrix_winograd, in fp32: [in-channels, out-channels / groups, taps of depth and height, taps
// of the width] to [group, point, group of TAPS taps, in-channel of the group, out-channel / groups, taps of depth and height].
// So to what packs them for matrix_window.comp (weight_scales.comp, pack_fragments.comp) every point of a group is a group of its own,
// and every group of taps has in-channels of its own. What does not exist is zero. One invocation transforms TAPS taps; a dispatch
// covers some groups.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"

layout(local_size_x_id = TRANSFORM_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = TRANSFORM_WEIGHTS_POINTS) const uint POINTS = 4;
layout(constant_id = TRANSFORM_WEIGHTS_TAPS) const uint TAPS = 3;
layout(constant_id = TRANSFORM_WEIGHTS_TAP_GROUPS) const uint TAP_GROUPS = 1;
layout(constant_id = TRANSFORM_WEIGHTS_KERNEL_W) const uint KERNEL_W = 3;

#include "winograd.glsl"

DECLARE_BUFFER(0, readonly, Weights, float)
DECLARE_BUFFER(1, writeonly, TransformedWeights, float)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(Weights, weights)
  BUFFER_MEMBER(TransformedWeights, transformed_weights)
  TransformWeightsParams params;
} push;

#define WEIGHTS BUFFER_REF(Weights, weights)
#define TRANSFORMED BUFFER_REF(TransformedWeights, transformed_weights)

void main() {
  const TransformWeightsParams params = push.params;
  const uint index = linear_workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (index >= params.total) return;
  const uint group = index / params.of_group, of_group = index % params.of_group;
  const uint rows = params.of_group / TAP_GROUPS;  // of KERNEL_W taps, in a group
  const uint tap_group = of_group / rows;
  const uint source = params.source_offset + (group * rows + of_group % rows) * KERNEL_W;
  // Taps count against the inputs: the last meets the first input of a tile.
  float g[MOST_POINTS];
  float u[MOST_POINTS];
  [[unroll]] for (uint j = 0; j < MOST_POINTS; ++j) {
    g[j] = 0.0;
    const uint tap = (TAP_GROUPS - tap_group) * TAPS - 1u - j;
    if (j < TAPS && tap < KERNEL_W) g[j] = WEIGHTS.words[source + tap];
  }
  transform_weights(g, u);
  const uint at = params.transformed_offset + group * (POINTS * params.of_group) + of_group;
  [[unroll]] for (uint i = 0; i < POINTS; ++i) TRANSFORMED.words[at + i * params.of_group] = u[i];
}

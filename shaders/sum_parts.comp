// Adds up partial sums (src/algorithms/split.cpp), always in the same order; adds the bias and applies the post-ops. Sums in fp32,
// laid out like the output with `parts` times as many out-channels in each group: block by block of `block` neighbours
// (channels-first the channels of a group, channels-last those of a group in a pixel), each with its parts one behind the other.
// One invocation makes one output.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "output.glsl"
#include "post_ops.glsl"

layout(local_size_x_id = SUM_PARTS_LOCAL_SIZE) in;

DECLARE_BUFFER(0, readonly, PartialSums, float)
DECLARE_BUFFER(1, readonly, BiasTensor, BiasWord)
DECLARE_OUTPUT(2)
DECLARE_POST_OP_BUFFERS(3)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(PartialSums, partial_sums)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  POST_OP_MEMBERS
  SumPartsParams params;
} push;

#define PARTIAL_SUMS BUFFER_REF(PartialSums, partial_sums)
#define BIAS BUFFER_REF(BiasTensor, bias)

void main() {
  const SumPartsParams params = push.params;
  const uint index = linear_workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (index >= params.total) return;
  const uint from = index / params.block * params.parts * params.block + index % params.block;
  float sum = PARTIAL_SUMS.words[from];
  for (uint part = 1; part < params.parts; ++part) sum += PARTIAL_SUMS.words[from + part * params.block];
  const uint channel = index / params.channel_stride % params.out_channels;
  if (params.has_bias != 0u) sum += LOAD_BIAS(BIAS, channel);
  STORE_RESULT(index, sum, CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel));
}

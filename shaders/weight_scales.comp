// For each out-channel a power of two that brings its largest weight to 8 .. 16: so fp16 parts (split.glsl) lose nothing of
// layers with small weights, and the products of raised ones (matrix_window.comp) do not overflow. Weights of 512 and more do
// not count, or one of them would cost the others their precision: what does not fit the parts makes its sums infinite or
// NaN, and these are computed again in fp32. Weights [in-channels, out-channels / groups, taps]. A dispatch reads some
// in-channels; later ones lower what earlier ones wrote. A workgroup does one out-channel.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "shared/params.h"
#include "tensor.glsl"

layout(local_size_x_id = WEIGHT_SCALES_LOCAL_SIZE) in;
layout(constant_id = WEIGHT_SCALES_LOCAL) const uint LOCAL = 64;  // the same number, usable in array sizes

shared uint largest[LOCAL];

DECLARE_BUFFER(0, readonly, Weights, float)
DECLARE_BUFFER(1, , Scales, float)  // [out-channels]

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(Weights, weights)
  BUFFER_MEMBER(Scales, scales)
  WeightScalesParams params;
}
push;

#define WEIGHTS BUFFER_REF(Weights, weights)
#define SCALES BUFFER_REF(Scales, scales)

void main() {
  const WeightScalesParams params = push.params;
  const uint number = linear_workgroup();
  if (number >= params.groups * params.out_channels) return;
  const uint group = params.first_in_channel / params.in_channels + number / params.out_channels;
  const uint out_channel = number % params.out_channels;
  const uint begin = max(group * params.in_channels, params.first_in_channel);
  const uint end = min((group + 1u) * params.in_channels, params.end_in_channel);

  uint of_invocation = 0u;  // as bits: those of positive numbers have their order
  const uint lane = gl_LocalInvocationID.x;
  for (uint in_channel = begin; in_channel < end; ++in_channel) {
    const uint row = params.source_offset +
                     ((in_channel - params.first_in_channel) * params.out_channels + out_channel) * params.taps;
    for (uint tap = lane; tap < params.taps; tap += LOCAL) {
      const uint magnitude = floatBitsToUint(WEIGHTS.words[row + tap]) & 0x7fffffffu;
      if (magnitude < floatBitsToUint(512.0)) of_invocation = max(of_invocation, magnitude);
    }
  }
  largest[lane] = of_invocation;
  barrier();
  if (lane > 0u) return;
  for (uint i = 1; i < LOCAL; ++i) of_invocation = max(of_invocation, largest[i]);
  // The exponents of the weight and the scale, biased by 127 each, add up to that of 8; neither the scale nor its
  // inverse is subnormal.
  float scale = uintBitsToFloat(clamp(257u - (of_invocation >> 23), 3u, 252u) << 23);
  const uint at = group * params.out_channels + out_channel;
  if (begin > group * params.in_channels) scale = min(scale, SCALES.words[at]);
  SCALES.words[at] = scale;
}

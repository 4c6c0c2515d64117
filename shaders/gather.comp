// The universal kernel: every output gathers the inputs that land on it. Serves every problem on every device.
//
// Layouts: input [batch, in-channels, spatial] or [batch, spatial, in-channels], packed weights [group, out-channel block,
// tap, step along the in-channels (input.glsl), channel of the block] as Accumulator (pack_weights.comp), bias
// [out-channels], output [batch, out-channels, spatial] or [batch, spatial, out-channels].
//
// A workgroup computes one phase (one residue of the output position modulo the stride on each axis), so all its
// invocations take the same taps: no modulo and no structural zero in the loops, and weights are read at addresses
// that are the same for the whole workgroup. An invocation computes POSITIONS outputs times CHANNEL_QUADS * 4
// out-channels; neighbouring invocations have neighbouring positions of the phase, so reads of a channels-first input are
// contiguous. Of a channels-last one each invocation reads the channels of its own pixel, which are.
//
// Constraints: (input - 1) * stride + dilation * (kernel - 1) and padding below 2^31 on each axis; less than 2^32
// elements in each window and less than 2^32 workgroups (src/algorithms/gather.cpp).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "input.glsl"
#include "output.glsl"
#include "post_ops.glsl"
#include "tensor.glsl"
#include "shared/params.h"
#include "geometry.glsl"

layout(local_size_x_id = GATHER_LOCAL_SIZE) in;
layout(constant_id = GATHER_POSITIONS) const uint POSITIONS = 1;
layout(constant_id = GATHER_CHANNEL_QUADS) const uint CHANNEL_QUADS = 1;
layout(constant_id = GATHER_HAS_BIAS) const bool HAS_BIAS = false;
layout(constant_id = GATHER_OUT_CHANNELS) const uint OUT_CHANNELS = 1;  // of one group
layout(constant_id = GATHER_GROUPS) const uint GROUPS = 1;              // of the problem

DECLARE_INPUT(0)
DECLARE_BUFFER(1, readonly, PackedWeights, Accumulator4)
DECLARE_BUFFER(2, readonly, BiasTensor, BiasWord)
DECLARE_OUTPUT(3)
DECLARE_POST_OP_BUFFERS(4)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  POST_OP_MEMBERS
  GatherParams params;
} push;

#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)

void main() {
  const GatherParams params = push.params;
  const uint phases_d = min(STRIDE_D, params.output_size[0]);
  const uint phases_h = min(STRIDE_H, params.output_size[1]);
  const uint phases_w = min(STRIDE_W, params.output_size[2]);

  // Positions of the phase, all images together. Phases may differ by one along an axis: the larger count is used.
  const uint size_d = (params.output_size[0] - 1u) / STRIDE_D + 1u;
  const uint size_h = (params.output_size[1] - 1u) / STRIDE_H + 1u;
  const uint size_w = (params.output_size[2] - 1u) / STRIDE_W + 1u;
  const uint positions = params.slab.batch * size_d * size_h * size_w;
  const uint position_blocks = (positions - 1u) / (gl_WorkGroupSize.x * POSITIONS) + 1u;

  uint work = linear_workgroup();
  const uint position_block = work % position_blocks;
  work /= position_blocks;
  const uint first_w = work % phases_w;
  work /= phases_w;
  const uint first_h = work % phases_h;
  work /= phases_h;
  const uint first_d = work % phases_d;
  const uint block = work / phases_d;
  if (block >= params.slab.groups * params.slab.blocks) return;
  const uint group = block / params.slab.blocks;
  const uint first_channel = (params.slab.first_block + block % params.slab.blocks) * CHANNEL_QUADS * 4u;  // within the group

  const Phase phase_d = find_phase_d(first_d, params.padding_begin[0]);
  const Phase phase_h = find_phase_h(first_h, params.padding_begin[1]);
  const Phase phase_w = find_phase_w(first_w, params.padding_begin[2]);

  const uint input_plane = params.input_size[0] * params.input_size[1] * params.input_size[2];
  const uint output_plane = params.output_size[0] * params.output_size[1] * params.output_size[2];
  const uint all_in_channels = params.in_channels * GROUPS, all_out_channels = OUT_CHANNELS * GROUPS;
  const uint input_pixel_stride = INPUT_CHANNELS_LAST ? all_in_channels : 1u;
  const uint input_channel_stride = INPUT_CHANNELS_LAST ? 1u : input_plane;
  const uint output_pixel_stride = OUTPUT_CHANNELS_LAST ? all_out_channels : 1u;
  const uint output_channel_stride = OUTPUT_CHANNELS_LAST ? 1u : output_plane;

  bool wanted[POSITIONS];
  uint output_index[POSITIONS];
  uint input_base[POSITIONS];
  ivec3 input_position[POSITIONS];
  Accumulator4 sum[POSITIONS][CHANNEL_QUADS];
  [[unroll]] for (uint p = 0; p < POSITIONS; ++p) {
    uint position = (position_block * POSITIONS + p) * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    const uint w = position % size_w;
    position /= size_w;
    const uint h = position % size_h;
    position /= size_h;
    const uint d = position % size_d;
    const uint image = position / size_d;
    const uint out_d = first_d + d * STRIDE_D, out_h = first_h + h * STRIDE_H, out_w = first_w + w * STRIDE_W;
    wanted[p] = image < params.slab.batch && out_d < params.output_size[0] && out_h < params.output_size[1] &&
                out_w < params.output_size[2];
    const uint output_pixel = (out_d * params.output_size[1] + out_h) * params.output_size[2] + out_w;
    output_index[p] = params.slab.output_offset + image * all_out_channels * output_plane +
                      (group * OUT_CHANNELS + first_channel - params.slab.first_block * CHANNEL_QUADS * 4u) * output_channel_stride +
                      output_pixel * output_pixel_stride;
    input_base[p] = params.slab.input_offset + image * all_in_channels * input_plane + group * params.in_channels * input_channel_stride;
    input_position[p] = ivec3(d, h, w) + ivec3(phase_d.first_input, phase_h.first_input, phase_w.first_input);
    [[unroll]] for (uint q = 0; q < CHANNEL_QUADS; ++q) sum[p][q] = Accumulator4(0);
  }

  const uint steps = (params.in_channels + STEP_CHANNELS - 1u) / STEP_CHANNELS;
  const bool in_words = INPUT_CHANNELS_LAST && params.in_channels % STEP_CHANNELS == 0u;
  const uint weights_block = params.slab.weights_offset + block * uint(KERNEL_D * KERNEL_H * KERNEL_W) * steps * CHANNEL_QUADS;
  for (int jd = 0; jd < phase_d.taps; ++jd) {
    for (int jh = 0; jh < phase_h.taps; ++jh) {
      for (int jw = 0; jw < phase_w.taps; ++jw) {
        const int tap = ((phase_d.first_tap + jd * TAP_STEP_D) * KERNEL_H + phase_h.first_tap + jh * TAP_STEP_H) * KERNEL_W +
                        phase_w.first_tap + jw * TAP_STEP_W;
        bool inside[POSITIONS];
        uint input_index[POSITIONS];
        [[unroll]] for (uint p = 0; p < POSITIONS; ++p) {
          const ivec3 at = input_position[p] - ivec3(jd * INPUT_STEP_D, jh * INPUT_STEP_H, jw * INPUT_STEP_W);
          // A negative position is a large unsigned one.
          inside[p] = wanted[p] && uint(at.x) < params.input_size[0] && uint(at.y) < params.input_size[1] &&
                      uint(at.z) < params.input_size[2];
          const uint input_pixel = (uint(at.x) * params.input_size[1] + uint(at.y)) * params.input_size[2] + uint(at.z);
          input_index[p] = input_base[p] + input_pixel * input_pixel_stride;
        }
        uint weight_index = weights_block + uint(tap) * steps * CHANNEL_QUADS;
        [[dont_unroll]] for (uint step = 0; step < steps; ++step) {
          Accumulator4 weight[CHANNEL_QUADS];
          [[unroll]] for (uint q = 0; q < CHANNEL_QUADS; ++q) weight[q] = WEIGHTS.words[weight_index + q];
          weight_index += CHANNEL_QUADS;
          [[unroll]] for (uint p = 0; p < POSITIONS; ++p) {
            // Skipped rather than multiplied by zero: weights may be infinite.
            if (inside[p]) {
              Accumulator value;
              LOAD_STEP(value, input_index[p], input_channel_stride, params.in_channels - step * STEP_CHANNELS, in_words);
              [[unroll]] for (uint q = 0; q < CHANNEL_QUADS; ++q) sum[p][q] = multiply_add(value, weight[q], sum[p][q]);
            }
            input_index[p] += STEP_CHANNELS * input_channel_stride;
          }
        }
      }
    }
  }

  const uint bias_index = (params.slab.first_group + group) * OUT_CHANNELS + first_channel;
  [[unroll]] for (uint q = 0; q < CHANNEL_QUADS; ++q) {
    [[unroll]] for (uint c = 0; c < 4; ++c) {
      const uint channel = q * 4u + c;
      if (first_channel + channel < OUT_CHANNELS) {
        Accumulator bias = Accumulator(0);
        if (HAS_BIAS) bias = LOAD_BIAS(BIAS, bias_index + channel);
        const float scale = CHANNEL_SCALE(bias_index + channel), shift = CHANNEL_SHIFT(bias_index + channel);
        [[unroll]] for (uint p = 0; p < POSITIONS; ++p) {
          if (wanted[p]) STORE_RESULT(output_index[p] + channel * output_channel_stride, sum[p][q][c] + bias, scale, shift);
        }
      }
    }
  }
}

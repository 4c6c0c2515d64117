// Winograd's first transform for matrix_winograd: the input, [batch, in-channels, spatial] or [batch, spatial, in-channels], tile
// by tile of the width, each at POINTS points, in two fp16 parts (split.glsl), as matrix_window.comp reads prepared inputs
// (channels_last.comp): [image, group, point, chunk, row, tile, part, DEPTH channels] with a row for each depth and height. So
// to it every point of a group is a group of its own, and tiles are pixels.
//
// A tile is OUTPUTS neighbouring outputs of a row, STEP_W apart: rows of a dilated kernel are STEP_W interleaved ones. Its inputs are
// POINTS, STEP_W apart, too; what does not exist is zero. More taps than TAPS are TAP_GROUPS groups, whose products go to the same
// sums: to matrix_window.comp the inputs of each are further in-channels.
//
// One invocation transforms eight channels of a tile, in registers. Neighbours have the next eight of the chunk, then the next
// tile: they write whole sectors of 32 bytes, and what they read of the same sectors is close in time.
//
// Constraints: DEPTH a multiple of 8, and with several TAP_GROUPS the channels of a group; INPUT_QUADS: channels-last, and the channels of a group and of an image and the slab's offset are
// multiples of 4; fewer than 2^32 invocations.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"
#include "split.glsl"

layout(local_size_x_id = TRANSFORM_INPUT_LOCAL_SIZE) in;
layout(constant_id = TRANSFORM_INPUT_POINTS) const uint POINTS = 4;
layout(constant_id = TRANSFORM_INPUT_TAPS) const uint TAPS = 3;
layout(constant_id = TRANSFORM_INPUT_TAP_GROUPS) const uint TAP_GROUPS = 1;
layout(constant_id = TRANSFORM_INPUT_DEPTH) const uint DEPTH = 16;
layout(constant_id = TRANSFORM_INPUT_STEP_W) const uint STEP_W = 1;
layout(constant_id = TRANSFORM_INPUT_CHANNELS_LAST) const bool INPUT_CHANNELS_LAST = false;
layout(constant_id = TRANSFORM_INPUT_QUADS) const bool INPUT_QUADS = false;  // four channels are read together
layout(constant_id = TRANSFORM_INPUT_WHOLE_OCTETS) const bool WHOLE_OCTETS = false;  // a group's channels are a multiple of 8

#include "winograd.glsl"

const uint OUTPUTS = POINTS - TAPS + 1u;
const uint PART_OCTETS = DEPTH / 8u;
const uint ROW_OCTETS = 2u * PART_OCTETS;

DECLARE_VIEW(0, readonly, InputTensor, float)
DECLARE_VIEW(0, readonly, InputQuads, vec4)
DECLARE_BUFFER(1, writeonly, PreparedInput, uvec4)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PreparedInput, prepared_input)
  TransformInputParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define INPUT_VECTORS VIEW_REF(InputQuads, input_tensor)
#define PREPARED_INPUT BUFFER_REF(PreparedInput, prepared_input)

void main() {
  const TransformInputParams params = push.params;
  uint work = linear_workgroup() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (work >= params.total) return;
  const uint chunks = (TAP_GROUPS * params.in_channels + DEPTH - 1u) / DEPTH;
  const uint octet = work % PART_OCTETS;
  work /= PART_OCTETS;
  const uint tile = work % params.tiles;
  work /= params.tiles;
  const uint row = work % params.rows;
  work /= params.rows;
  const uint chunk = work % chunks;
  work /= chunks;
  const uint group = work % params.groups;
  const uint image = work / params.groups;

  const uint plane = params.rows * params.width;
  const uint channel_stride = INPUT_CHANNELS_LAST ? 1u : plane, pixel_stride = INPUT_CHANNELS_LAST ? params.all_channels : 1u;
  const uint tap_group = TAP_GROUPS > 1u ? (chunk * DEPTH + octet * 8u) / params.in_channels : 0u;
  const uint first_channel = chunk * DEPTH + octet * 8u - tap_group * params.in_channels;
  const int first_x = params.first_input + int(tile / STEP_W * STEP_W * OUTPUTS + tile % STEP_W + tap_group * TAPS * STEP_W);
  // first_x may be negative: this wraps, and wraps back where there is an input.
  const uint from = params.input_offset + image * params.all_channels * plane + (group * params.in_channels + first_channel) * channel_stride +
                    (row * params.width + uint(first_x)) * pixel_stride;
  uint exists = 0u;  // a bit for each point
  [[unroll]] for (uint i = 0; i < POINTS; ++i) {
    // A negative position is a large unsigned one.
    if (uint(first_x + int(i * STEP_W)) < params.width) exists |= 1u << i;
  }
  // The last chunk may have more channels than there are.
  if (tap_group >= TAP_GROUPS || first_channel >= params.in_channels) exists = 0u;

  uvec4 high[POINTS];
  uvec4 low[POINTS];
  [[unroll]] for (uint quad = 0; quad < 2u; ++quad) {  // of channels
    vec4 x[POINTS];
    [[unroll]] for (uint i = 0; i < POINTS; ++i) {
      x[i] = vec4(0.0);
      const uint at = from + quad * 4u * channel_stride + i * STEP_W * pixel_stride;
      if ((exists & (1u << i)) != 0u) {
        if (INPUT_QUADS) {
          if (WHOLE_OCTETS || first_channel + quad * 4u < params.in_channels) x[i] = INPUT_VECTORS.words[at / 4u];
        } else {
          [[unroll]] for (uint c = 0; c < 4u; ++c) {
            if (WHOLE_OCTETS || first_channel + quad * 4u + c < params.in_channels) x[i][c] = INPUT.words[at + c * channel_stride];
          }
        }
      }
    }
    float v[4 * MOST_POINTS];  // at all points, channel by channel
    [[unroll]] for (uint c = 0; c < 4u; ++c) {
      float of_channel[MOST_POINTS];
      float transformed[MOST_POINTS];
      [[unroll]] for (uint i = 0; i < MOST_POINTS; ++i) of_channel[i] = i < POINTS ? x[min(i, POINTS - 1u)][c] : 0.0;
      transform_input(of_channel, transformed);
      [[unroll]] for (uint i = 0; i < POINTS; ++i) v[c * MOST_POINTS + i] = transformed[i];
    }
    [[unroll]] for (uint i = 0; i < POINTS; ++i) {
      [[unroll]] for (uint pair = 0; pair < 2u; ++pair) {
        uint high_pair, low_pair;
        split_pair(v[2u * pair * MOST_POINTS + i], v[(2u * pair + 1u) * MOST_POINTS + i], high_pair, low_pair);
        high[i][quad * 2u + pair] = high_pair;
        low[i][quad * 2u + pair] = low_pair;
      }
    }
  }

  const uint point_stride = chunks * params.rows * params.tiles * ROW_OCTETS;
  const uint to = (image * params.groups + group) * POINTS * point_stride + ((chunk * params.rows + row) * params.tiles + tile) * ROW_OCTETS + octet;
  [[unroll]] for (uint i = 0; i < POINTS; ++i) {
    PREPARED_INPUT.words[to + i * point_stride] = high[i];
    PREPARED_INPUT.words[to + i * point_stride + PART_OCTETS] = low[i];
  }
}

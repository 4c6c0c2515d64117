// The input, [batch, in-channels, spatial] or [batch, spatial, in-channels], as matrix units want it (matrix.comp, matrix_window.comp): [image, group, chunk, pixel, part, DEPTH
// channels] in 16 bits, of int8 in 8, the channels of a group rounded up to DEPTH with zeros. fp32 becomes two fp16 parts (split.glsl);
// 16-bit elements and int8 stay what they are. A workgroup turns around one chunk of LOCAL / PART_OCTETS pixels through shared
// memory: it reads along the pixels and writes along the channels.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"
#include "octets.glsl"
#include "split.glsl"

layout(local_size_x_id = CHANNELS_LAST_LOCAL_SIZE) in;
layout(constant_id = CHANNELS_LAST_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = CHANNELS_LAST_DEPTH) const uint DEPTH = 16;

layout(constant_id = CHANNELS_LAST_INPUT) const bool INPUT_CHANNELS_LAST = false;  // it is already, but not in chunks or parts
layout(constant_id = CHANNELS_LAST_PARTS) const uint PARTS = 1;  // of an element: 2, or 1; fp32 only
const uint PART_OCTETS = DEPTH / OCTET_ELEMENTS;
const uint ROW_OCTETS = PARTS * PART_OCTETS;
const uint PIXELS = LOCAL / PART_OCTETS;
const uint PITCH = ROW_OCTETS | 1u;  // odd: no bank conflicts

shared uvec4 turned[PIXELS * PITCH];

DECLARE_BUFFER(0, readonly, InputTensor, Word)
DECLARE_BUFFER(1, writeonly, PreparedInput, uvec4)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PreparedInput, prepared_input)
  ChannelsLastParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define PREPARED_INPUT BUFFER_REF(PreparedInput, prepared_input)

void main() {
  const ChannelsLastParams params = push.params;
  uint work = linear_workgroup();
  const uint pixel_blocks = (params.pixels + PIXELS - 1u) / PIXELS;
  const uint chunks = (params.in_channels + DEPTH - 1u) / DEPTH;
  const uint chunk = work % chunks;
  work /= chunks;
  const uint first_pixel = work % pixel_blocks * PIXELS;
  work /= pixel_blocks;
  const uint group = work % params.groups;
  const uint image = work / params.groups;
  if (image >= params.batch) return;

  // Neighbouring invocations read what is side by side in memory.
  const uint of_block = INPUT_CHANNELS_LAST ? gl_LocalInvocationID.x / PART_OCTETS : gl_LocalInvocationID.x % PIXELS;
  const uint octet = INPUT_CHANNELS_LAST ? gl_LocalInvocationID.x % PART_OCTETS : gl_LocalInvocationID.x / PIXELS;
  const uint first_channel = chunk * DEPTH + octet * OCTET_ELEMENTS;
  const uint channel_stride = INPUT_CHANNELS_LAST ? 1u : params.pixels, pixel_stride = INPUT_CHANNELS_LAST ? params.all_channels : 1u;
  const uint from = params.input_offset + image * params.all_channels * params.pixels + (group * params.in_channels + first_channel) * channel_stride + (first_pixel + of_block) * pixel_stride;
#if defined(DATA_F32)
  float raw[8];
#else
  uint raw[OCTET_ELEMENTS];
#endif
  [[unroll]] for (uint c = 0; c < OCTET_ELEMENTS; ++c) {
    const bool exists = first_pixel + of_block < params.pixels && first_channel + c < params.in_channels;
#if defined(DATA_F32)
    raw[c] = exists ? INPUT.words[from + c * channel_stride] : 0.0;
#else
    raw[c] = exists ? RAW_OF(INPUT.words[from + c * channel_stride]) : 0u;
#endif
  }
#if defined(DATA_F32)
  uvec4 high, low;
  split_octet(raw, high, low);
  turned[of_block * PITCH + octet] = high;
  if (PARTS == 2u) turned[of_block * PITCH + PART_OCTETS + octet] = low;
#elif defined(DATA_I8)
  turned[of_block * PITCH + octet] = octet_of_bytes(raw);
#else
  turned[of_block * PITCH + octet] = uvec4(raw[0] | (raw[1] << 16), raw[2] | (raw[3] << 16), raw[4] | (raw[5] << 16), raw[6] | (raw[7] << 16));
#endif
  barrier();
  [[unroll]] for (uint i = 0; i < PARTS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    const uint pixel = item / ROW_OCTETS;
    if (first_pixel + pixel < params.pixels) {
      PREPARED_INPUT.words[(((image * params.groups + group) * chunks + chunk) * params.pixels + first_pixel + pixel) * ROW_OCTETS + item % ROW_OCTETS] =
          turned[pixel * PITCH + item % ROW_OCTETS];
    }
  }
}

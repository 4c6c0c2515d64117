// Weights [in-channels, out-channels / groups, taps] to [group, out-channel block, tap, chunk, row of the block, part, DEPTH
// in-channels] in 16 bits, of int8 in 8, for matrix.comp: rows are in its order, TILE_M of them hold whole out-channels. fp32 becomes two
// fp16 parts, scaled up (split.glsl); 16-bit elements and int8 stay what they are. What does not exist is zero. One invocation
// writes a vector of in-channels of a row; a dispatch covers some blocks and some in-channels of each.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "tensor.glsl"
#include "shared/params.h"
#include "octets.glsl"
#include "split.glsl"

layout(local_size_x_id = PACK_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = PACK_WEIGHTS_ROWS) const uint ROWS = 16;
layout(constant_id = PACK_MATRIX_DEPTH) const uint DEPTH = 16;
layout(constant_id = PACK_MATRIX_TILE_M) const uint TILE_M = 16;

layout(constant_id = PACK_MATRIX_PARTS) const uint PARTS = 1;  // of an element: 2, or 1; fp32 only
const uint PART_OCTETS = DEPTH / OCTET_ELEMENTS;

DECLARE_BUFFER(0, readonly, Weights, Word)
DECLARE_BUFFER(1, writeonly, PackedWeights, uvec4)

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
  const uint octet = index % PART_OCTETS;
  const uint row = index / PART_OCTETS % ROWS;
  uint rest = index / PART_OCTETS / ROWS;
  const uint dispatch_chunks = params.chunk_in_channels / DEPTH;
  const uint chunk = params.first_in_channel / DEPTH + rest % dispatch_chunks;
  rest /= dispatch_chunks;
  const uint packed_taps = params.outer_taps * params.packed_taps_w;
  const uint packed_tap = rest % packed_taps;
  const uint block = rest / packed_taps;  // of this dispatch
  const uint group = (params.first_block + block) / params.blocks_per_group;
  const uint first_group = params.first_block / params.blocks_per_group;

  const uint tile_channels = TILE_M / params.merged;
  const uint row_of_tile = row % TILE_M;
  const uint channel_of_block = row / TILE_M * tile_channels + row_of_tile / params.merged;
  const uint out_channel = (params.first_block + block) % params.blocks_per_group * params.block_channels + channel_of_block;
  const uint tap_w = row_of_tile % params.merged + packed_tap % params.packed_taps_w * params.tap_step_w;
  const bool row_exists = row_of_tile < tile_channels * params.merged && out_channel < params.out_channels && tap_w < params.kernel_w;
  const uint tap = packed_tap / params.packed_taps_w * params.kernel_w + tap_w;

#if defined(DATA_F32)
  float raw[8];
#else
  uint raw[OCTET_ELEMENTS];
#endif
  [[unroll]] for (uint c = 0; c < OCTET_ELEMENTS; ++c) {
    const uint in_channel = chunk * DEPTH + octet * OCTET_ELEMENTS + c;
    const bool exists = row_exists && in_channel < params.in_channels;
    const uint source_row = (group - first_group) * params.in_channels + in_channel - params.first_in_channel;
    const uint source = params.source_offset + (source_row * params.out_channels + out_channel) * params.outer_taps * params.kernel_w + tap;
#if defined(DATA_F32)
    raw[c] = exists ? WEIGHTS.words[source] * SPLIT_WEIGHT_SCALE : 0.0;
#else
    raw[c] = exists ? RAW_OF(WEIGHTS.words[source]) : 0u;
#endif
  }
  const uint at = params.packed_offset +
                  (((block * packed_taps + packed_tap) * (params.packed_in_channels / DEPTH) + chunk) * ROWS + row) * PARTS * PART_OCTETS + octet;
#if defined(DATA_F32)
  uvec4 high, low;
  split_octet(raw, high, low);
  PACKED.words[at] = high;
  if (PARTS == 2u) PACKED.words[at + PART_OCTETS] = low;
#elif defined(DATA_I8)
  PACKED.words[at] = octet_of_bytes(raw);
#else
  PACKED.words[at] = uvec4(raw[0] | (raw[1] << 16), raw[2] | (raw[3] << 16), raw[4] | (raw[5] << 16), raw[6] | (raw[7] << 16));
#endif
}

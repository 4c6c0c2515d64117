// Weights [in-channels, out-channels / groups, taps] to whole matrices for matrix_window.comp: [group, out-channel block, tap, TILE_K
// in-channels, TILE_M rows, part], each as matrix_fragments.glsl says; fp32 becomes two fp16 parts (split.glsl) of weights that each
// out-channel has its own scale for (weight_scales.comp). Rows are in its order, TILE_M of them, or
// those of a subgroup together, hold whole out-channels. What does not exist is zero. A workgroup is one subgroup and writes one matrix; a dispatch covers some blocks
// and some in-channels of each.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "tensor.glsl"
#include "matrix_types.glsl"
#include "shared/params.h"
#include "split.glsl"

layout(local_size_x_id = PACK_WEIGHTS_LOCAL_SIZE) in;
layout(constant_id = PACK_WEIGHTS_ROWS) const uint ROWS = 16;
layout(constant_id = PACK_FRAGMENTS_TILE_M) const uint TILE_M = 16;
layout(constant_id = PACK_FRAGMENTS_TILE_K) const uint TILE_K = 16;

layout(constant_id = PACK_FRAGMENTS_PARTS) const uint PARTS = 1;  // of an element: 2, or 1; fp32 only
layout(constant_id = PACK_FRAGMENTS_BY_INVOCATION) const bool BY_INVOCATION = false;
layout(constant_id = PACK_FRAGMENTS_M) const uint FRAGMENTS_M = 1;  // matrices of a subgroup
layout(constant_id = PACK_FRAGMENTS_ROW_LANES) const uint ROW_LANES = 0;
layout(constant_id = PACK_FRAGMENTS_LANE_CHANNELS) const uint LANE_CHANNELS = 1;
layout(constant_id = PACK_FRAGMENTS_SUBGROUP) const uint SUBGROUP = 32;  // the local size, usable in array sizes

#include "matrix_fragments.glsl"

shared uvec4 matrix[PARTS * LEFT_OCTETS];  // row by row

DECLARE_BUFFER(0, readonly, Weights, Word)
DECLARE_BUFFER(1, writeonly, PackedWeights, uvec4)
#if defined(DATA_F32)
DECLARE_BUFFER(2, readonly, Scales, float)  // [out-channels]
#endif

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(Weights, weights)
  BUFFER_MEMBER(PackedWeights, packed_weights)
#if defined(DATA_F32)
  BUFFER_MEMBER(Scales, scales)
#endif
  PackWeightsParams params;
} push;

#define WEIGHTS BUFFER_REF(Weights, weights)
#define PACKED BUFFER_REF(PackedWeights, packed_weights)

#if defined(DATA_F32)
// What would overflow when matrix_window.comp raises it becomes larger than fp16 can hold already here: its part is NaN.
float in_range(float scaled) {
  return PARTS == 1u || abs(scaled) < 65472.0 / SPLIT_SCALE ? scaled : 3e38;
}

#define Raw float
#define RAW(index) in_range(WEIGHTS.words[index] * scale)
#else
#define Raw uint
#define RAW(index) uint(WEIGHTS.words[index])
#endif

// Eight in-channels of a row.
void read_octet(uint out_channel, uint tap, uint first_in_channel, uint of_group, bool row_exists, out uvec4 high, out uvec4 low) {
  const PackWeightsParams params = push.params;
  Raw raw[8];
#if defined(DATA_F32)
  const uint group = params.first_block / params.blocks_per_group + of_group;
  const float scale = row_exists ? BUFFER_REF(Scales, scales).words[group * params.out_channels + out_channel] : 0.0;
#endif
  [[unroll]] for (uint c = 0; c < 8u; ++c) {
    const uint in_channel = first_in_channel + c;
    const bool exists = row_exists && in_channel < params.in_channels;
    const uint source_row = of_group * params.in_channels + in_channel - params.first_in_channel;
    const uint source = params.source_offset + (source_row * params.out_channels + out_channel) * params.outer_taps * params.kernel_w + tap;
    raw[c] = exists ? RAW(source) : Raw(0);
  }
#if defined(DATA_F32)
  split_octet(raw, high, low);
#else
  high = uvec4(raw[0] | (raw[1] << 16), raw[2] | (raw[3] << 16), raw[4] | (raw[5] << 16), raw[6] | (raw[7] << 16));
  low = uvec4(0u);
#endif
}

void main() {
  const PackWeightsParams params = push.params;
  const uint number = linear_workgroup();
  if (number * LEFT_OCTETS >= params.total) return;
  const uint tile_m = number % (ROWS / TILE_M);
  uint rest = number / (ROWS / TILE_M);
  const uint dispatch_tiles = params.chunk_in_channels / TILE_K;
  const uint tile_k = params.first_in_channel / TILE_K + rest % dispatch_tiles;
  rest /= dispatch_tiles;
  const uint packed_taps = params.outer_taps * params.packed_taps_w;
  const uint packed_tap = rest % packed_taps;
  const uint block = rest / packed_taps;  // of this dispatch
  const uint of_group = (params.first_block + block) / params.blocks_per_group - params.first_block / params.blocks_per_group;
  const uint tile_channels = TILE_M / params.merged;

  for (uint octet = gl_SubgroupInvocationID; octet < LEFT_OCTETS; octet += SUBGROUP) {
    const uint row = octet / TILE_K_OCTETS;
    uint channel_of_block = tile_m * tile_channels + row / params.merged, phase = row % params.merged;
    bool row_exists = row < tile_channels * params.merged;
    if (ROW_LANES > 0u) {
      const uint own_row = lane_row(tile_m % FRAGMENTS_M, row);
      channel_of_block = tile_m / FRAGMENTS_M * (FRAGMENTS_M * TILE_M / params.merged) + lane_channel(row % ROW_STEP, own_row / params.merged);
      phase = own_row % params.merged;
      row_exists = true;
    }
    const uint out_channel = (params.first_block + block) % params.blocks_per_group * params.block_channels + channel_of_block;
    const uint tap_w = phase + packed_tap % params.packed_taps_w * params.tap_step_w;
    row_exists = row_exists && out_channel < params.out_channels && tap_w < params.kernel_w;
    const uint tap = packed_tap / params.packed_taps_w * params.kernel_w + tap_w;
    uvec4 high, low;
    read_octet(out_channel, tap, tile_k * TILE_K + octet % TILE_K_OCTETS * 8u, of_group, row_exists, high, low);
    matrix[octet] = high;
    if (PARTS == 2u) matrix[(PARTS - 1u) * LEFT_OCTETS + octet] = low;
  }
  barrier();
  const uint packed_tile = ((block * packed_taps + packed_tap) * (params.packed_in_channels / TILE_K) + tile_k) * (ROWS / TILE_M) + tile_m;
  [[unroll]] for (uint part = 0; part < PARTS; ++part) {
    const uint at = params.packed_offset + (packed_tile * PARTS + part) * LEFT_OCTETS;
    Left left;
    coopMatLoad(left, matrix, part * LEFT_OCTETS, TILE_K_OCTETS, gl_CooperativeMatrixLayoutRowMajor);
    if (IN_INVOCATION_ORDER(left)) {
      [[unroll]] for (uint o = 0; o < INVOCATION_OCTETS; ++o) {
        uvec4 words;
        [[unroll]] for (uint i = 0; i < 4u; ++i) {
          const uint element = o * 8u + 2u * i;
          words[i] = BITS_OF_ELEMENT(left[element]) | (BITS_OF_ELEMENT(left[element + 1u]) << 16);
        }
        PACKED.words[at + o * SUBGROUP + gl_SubgroupInvocationID] = IN_MEMORY_ORDER(words);
      }
    } else {
      for (uint octet = gl_SubgroupInvocationID; octet < LEFT_OCTETS; octet += SUBGROUP) {
        PACKED.words[at + octet] = matrix[part * LEFT_OCTETS + octet];
      }
    }
  }
}

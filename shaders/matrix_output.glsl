// How a workgroup of matrix.comp stores its outputs: sums of TILE_M rows of each subgroup lie in shared memory, and invocations
// share them out so that neighbours store neighbours.
#ifndef VKTCONV_MATRIX_OUTPUT_GLSL_
#define VKTCONV_MATRIX_OUTPUT_GLSL_

#if defined(DATA_F32)
#include "exact.glsl"
#endif

const uint OUTPUTS_OF_POSITION = MERGED > 0u ? STRIDE_W : 1u;
const uint STAGED_ROW = POSITIONS * OUTPUTS_OF_POSITION;

struct Place {  // of an output of a row
  uint of_tile;   // position within the tile
  uint phase;     // of the width
  uint image;
  ivec3 at;
  uint index;     // within the image, for channel 0
  bool wanted;
};

Place find_place(uint element, uvec3 first_output, uint first_position, uint end_position) {
  Place place;
  place.of_tile = element / OUTPUTS_OF_POSITION;
  place.phase = element % OUTPUTS_OF_POSITION;
  const Position column = decode(first_position + place.of_tile, PITCH_W);
  place.image = column.image;
  place.at = ivec3(first_output + column.at * uvec3(STRIDE_D, STRIDE_H, STRIDE_W));
  if (MERGED > 0u) place.at.z = (int(column.at.z) + FIRST_POSITION_W) * int(STRIDE_W) + int(place.phase) - PADDING_W;
  place.wanted = element < STAGED_ROW && first_position + place.of_tile < end_position && column.at.z < SIZE_W &&
                 uint(place.at.x) < OUTPUT_D && uint(place.at.y) < OUTPUT_H && uint(place.at.z) < OUTPUT_W;
  place.index = column.image * OUTPUT_IMAGE + ((uint(place.at.x) * OUTPUT_H + uint(place.at.y)) * OUTPUT_W + uint(place.at.z)) * OUTPUT_PIXEL_STRIDE;
  return place;
}

// Neighbouring invocations store neighbours in memory: outputs of a row or, of a channels-last tensor, out-channels of an output,
// CHANNEL_LANES at a time.
const uint FEW_CHANNELS = TILE_CHANNELS < OUT_CHANNELS ? TILE_CHANNELS : OUT_CHANNELS;
const uint POWER_OF_TWO = FEW_CHANNELS >= 16u ? 16u : FEW_CHANNELS >= 8u ? 8u : FEW_CHANNELS >= 4u ? 4u : 1u;
const uint DIVIDING_LANES = LOCAL % POWER_OF_TWO == 0u ? POWER_OF_TWO : 1u;
const uint CHANNEL_LANES = OUTPUT_CHANNELS_LAST ? DIVIDING_LANES : 1u;
const uint PLACES = (STAGED_ROW * CHANNEL_LANES + LOCAL - 1u) / LOCAL;  // outputs of a row that one invocation stores
// Out-channels: enough that loads overlap, few enough for the instruction cache.
const uint STORED_TOGETHER = CHANNEL_LANES > 1u ? WARPS_M : 4u;

const uint NO_CHANNEL = 0xffffffffu;

uint channel_lane() { return gl_LocalInvocationID.x % CHANNEL_LANES; }

Place find_own_place(uint n, uvec3 first_output, uint first_position, uint end_position) {
  return find_place((n * LOCAL + gl_LocalInvocationID.x) / CHANNEL_LANES, first_output, first_position, end_position);
}

// channel: of the problem, for the vectors of the post-ops.
void store_result(uint index, Accumulator sum, uint channel, float residual) {
#if defined(DATA_I8)
  if (OUTPUT_TYPE == TYPE_I32) {
    OUTPUT_WORDS.words[index] = uint(sum);
    return;
  }
  const float value = apply_post_ops(float(sum), CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel), residual);
#else
  const float value = CHAIN_LENGTH == 0u ? sum : apply_post_ops(sum, CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel), residual);
#endif
#if defined(DATA_F16)
  if (OUTPUT_TYPE != TYPE_F32) {
    OUTPUT.words[index] = float16BitsToUint16(float16_t(value));
    return;
  }
#endif
  STORE_OUTPUT(index, value);
}

// The outputs of TILE_M rows of each subgroup lie in shared memory; whole rows of outputs are stored. Returns whether all of
// them were finite.
bool store_staged(uint fragment_m, uvec3 first_output, uint first_position, uint end_position, uint first_channel,
                  uint output_base, uint post_op_channel) {
  const uint dilation_w = uint(INPUT_STEP_W * GCD_W);
  bool finite = true;
  [[dont_unroll]] for (uint n = 0; n < PLACES; ++n) {
    const Place place = find_own_place(n, first_output, first_position, end_position);
    if (!place.wanted) continue;
    const uint phase_row = place.phase / dilation_w;
    const bool computed = place.phase % dilation_w == 0u && phase_row < PHASES_IN_ROWS;
    [[dont_unroll]] for (uint first = channel_lane(); first < WARPS_M * TILE_CHANNELS; first += STORED_TOGETHER * CHANNEL_LANES) {
      // All residuals are on their way before the first is needed, and before anything is stored.
      Accumulator sums_of_channels[STORED_TOGETHER];
      float residuals[STORED_TOGETHER];
      uint channels[STORED_TOGETHER];
      [[unroll]] for (uint i = 0; i < STORED_TOGETHER; ++i) {
        const uint of_staged = first + i * CHANNEL_LANES;
        const uint warp = of_staged / TILE_CHANNELS, of_warp = of_staged % TILE_CHANNELS;
        const uint channel = (warp * FRAGMENTS_M + fragment_m) * TILE_CHANNELS + of_warp;
        channels[i] = NO_CHANNEL;
        if (of_staged < WARPS_M * TILE_CHANNELS && first_channel + channel < OUT_CHANNELS) {
          const uint staged = (warp * TILE_M + of_warp * PHASES_IN_ROWS + phase_row) * STAGED_PITCH + place.of_tile;
#if defined(DATA_I8)
          int sum = computed ? int(pool[staged / 4u][staged % 4u]) : 0;
#else
          float sum = computed ? uintBitsToFloat(pool[staged / 4u][staged % 4u]) : 0.0;
#endif
#if defined(DATA_F32)
          sum *= 1.0 / SPLIT_WEIGHT_SCALE;
#endif
          if (HAS_BIAS) sum += block_bias[channel];
#if defined(DATA_F32)
          finite = finite && is_finite(sum);
#endif
          sums_of_channels[i] = sum;
          residuals[i] = RESIDUAL(output_base + place.index + channel * OUTPUT_CHANNEL_STRIDE);
          channels[i] = channel;
        }
      }
      [[unroll]] for (uint i = 0; i < STORED_TOGETHER; ++i) {
        if (channels[i] != NO_CHANNEL) {
          store_result(output_base + place.index + channels[i] * OUTPUT_CHANNEL_STRIDE, sums_of_channels[i],
                       post_op_channel + channels[i], residuals[i]);
        }
      }
    }
  }
  return finite;
}

#if defined(DATA_F32)
// Computes again what this invocation has stored and is not finite.
void repair(uvec3 first_output, uint first_position, uint end_position, uint group, uint block, uint first_channel,
            uint output_base, uint bias_index) {
  const uint block_rows = (BLOCK_CHANNELS + 3u) / 4u * 4u;
  const uint weights_from = push.params.exact_offset + block * uint(KERNEL_D * KERNEL_H * KERNEL_W) * IN_CHANNELS * block_rows;
  const uint input_from = push.params.slab.input_offset + group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  [[dont_unroll]] for (uint n = 0; n < PLACES; ++n) {
    const Place place = find_own_place(n, first_output, first_position, end_position);
    if (!place.wanted) continue;
    for (uint channel = 0; channel < BLOCK_CHANNELS && first_channel + channel < OUT_CHANNELS; ++channel) {
      const uint of_staged = channel / (TILE_CHANNELS * FRAGMENTS_M) * TILE_CHANNELS + channel % TILE_CHANNELS;
      if (of_staged % CHANNEL_LANES != channel_lane()) continue;
      const uint index = output_base + place.index + channel * OUTPUT_CHANNEL_STRIDE;
      // What a post-op made of it does not tell.
      if (CHAIN_LENGTH == 0u && is_finite(OUTPUT.words[index])) continue;
      float sum = compute_exactly(input_from + place.image * INPUT_IMAGE, weights_from + channel, block_rows, place.at);
      if (HAS_BIAS) sum += BIAS.words[bias_index + channel];
      store_result(index, sum, bias_index + channel, RESIDUAL(index));
    }
  }
}
#endif

#endif

// How a workgroup of matrix_window.comp stores channels-last outputs through shared memory: a pixel's channels lie side by side in both, so
// that they move in vectors of eight where the number of channels is a multiple of it.
#ifndef VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_
#define VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_

const uint STAGED_PIXELS = WARPS_N * TILE_N;  // at a time: a matrix column of each subgroup

// Lists where the tile's outputs lie in memory: for each position, in the order in which they are staged if they are, the index of
// the block's first channel.
void list_pixels(OutputTile tile) {
  for (uint i = gl_LocalInvocationID.x; i < POSITIONS; i += LOCAL) {
    const uint fragment_n = i / STAGED_PIXELS, staged = i % STAGED_PIXELS;
    const uint position = tile.first_position + (LANE_STORES ? i : (staged / TILE_N * FRAGMENTS_N + fragment_n) * TILE_N + staged % TILE_N);
    const Numbered number = decode_number(position, 0xffffffffu);
    const uvec3 at = tile.first_output + uvec3(number.at) * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
    const bool wanted = position < tile.end_position && position % PITCH_W < STRIP_W && uint(number.at.y) < SIZE_H &&
                        at.x < OUTPUT_D && at.y < OUTPUT_H && at.z < OUTPUT_W;
    const uint pixel = (at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z;
    output_pixels[i] = wanted ? tile.output_base + number.image * OUTPUT_IMAGE + pixel * OUTPUT_PIXEL_STRIDE : NOWHERE;
  }
}

const uint BLOCK_OCTETS = ROWS / 8u;
const uint STAGED_ITEMS = STAGED_PIXELS * BLOCK_OCTETS;
// Octets that an invocation reads before it stores any, so that reads overlap. Where it can be, all of them are of the same channels.
const bool SAME_CHANNELS = LOCAL % BLOCK_OCTETS == 0u;
const uint OWN_ITEMS = (STAGED_ITEMS + LOCAL - 1u) / LOCAL;
const uint OCTETS_AT_ONCE = CHAIN_LENGTH > 0u ? 1u : OWN_ITEMS % 4u == 0u ? 4u : OWN_ITEMS % 2u == 0u ? 2u : 1u;

// channels: how many of the eight exist. first: channel of the block.
void store_octet(OutputTile tile, uint index, uint first, uint channels, float values[8]) {
#if defined(DATA_F32)
  [[unroll]] for (uint c = 0; c < 8u; ++c) magnitudes += OUTPUT_OCTETS || c < channels ? abs(values[c]) : 0.0;
#endif
  if (CHAIN_LENGTH > 0u) {
    float scales[8], shifts[8], residuals[8];  // all of them are on their way before the first is needed
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      const uint channel = tile.bias_index + first + min(c, channels - 1u);
      scales[c] = CHANNEL_SCALE(channel);
      shifts[c] = CHANNEL_SHIFT(channel);
      residuals[c] = RESIDUAL(index + min(c, channels - 1u));
    }
    // Not unrolled: a chain is long. But every index is a constant, for the arrays turn.
    [[dont_unroll]] for (uint turn = 0; turn < 8u; ++turn) {
      const float result = apply_post_ops(values[0], scales[0], shifts[0], residuals[0]);
      [[unroll]] for (uint c = 0; c < 7u; ++c) {
        values[c] = values[c + 1u];
        scales[c] = scales[c + 1u];
        shifts[c] = shifts[c + 1u];
        residuals[c] = residuals[c + 1u];
      }
      values[7] = result;
    }
  }
  if (OUTPUT_OCTETS) {
    if (OUTPUT_TYPE == TYPE_F32) {
      OUTPUT_VECTORS.words[index / 4u] = floatBitsToUint(vec4(values[0], values[1], values[2], values[3]));
      OUTPUT_VECTORS.words[index / 4u + 1u] = floatBitsToUint(vec4(values[4], values[5], values[6], values[7]));
    } else {
      OUTPUT_VECTORS.words[index / 8u] = uvec4(ENCODE_PAIR(values[0], values[1]), ENCODE_PAIR(values[2], values[3]),
                                               ENCODE_PAIR(values[4], values[5]), ENCODE_PAIR(values[6], values[7]));
    }
  } else {
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      if (c < channels) {
        STORE_ELEMENT(index + c, values[c]);
      }
    }
  }
}

// Sums of TILE_N positions of each subgroup, its matrix column fragment_n, lie in shared memory, ROWS of each.
void store_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < STAGED_ITEMS; item += OCTETS_AT_ONCE * LOCAL) {
    uint pixels[OCTETS_AT_ONCE];
    uvec4 quads[2u * OCTETS_AT_ONCE];
    [[unroll]] for (uint i = 0; i < OCTETS_AT_ONCE; ++i) {
      const uint staged = SAME_CHANNELS ? item / BLOCK_OCTETS + i * (LOCAL / BLOCK_OCTETS) : (item + i * LOCAL) / BLOCK_OCTETS;
      const uint octet = SAME_CHANNELS ? item % BLOCK_OCTETS : (item + i * LOCAL) % BLOCK_OCTETS;
      const bool exists = STAGED_ITEMS % LOCAL == 0u ? true : staged < STAGED_PIXELS;
      const uint read = exists ? staged : 0u;
      pixels[i] = exists ? output_pixels[fragment_n * STAGED_PIXELS + read] : NOWHERE;
      quads[2u * i] = pool[read * (PIXEL_PITCH / 4u) + octet * 2u];
      quads[2u * i + 1u] = pool[read * (PIXEL_PITCH / 4u) + octet * 2u + 1u];
    }
    [[unroll]] for (uint i = 0; i < OCTETS_AT_ONCE; ++i) {
      const uint first = (SAME_CHANNELS ? item % BLOCK_OCTETS : (item + i * LOCAL) % BLOCK_OCTETS) * 8u;
      const uint channels = OUT_CHANNELS % ROWS == 0u ? 8u : min(8u, OUT_CHANNELS - min(tile.first_channel + first, OUT_CHANNELS));
      if (pixels[i] == NOWHERE || channels == 0u) continue;
      float values[8];
      [[unroll]] for (uint c = 0; c < 8u; ++c) {
        values[c] = SCALED(uintBitsToFloat(quads[2u * i + c / 4u][c % 4u]), first + c) + (HAS_BIAS ? block_bias[first + c] : 0.0);
      }
      store_octet(tile, pixels[i] + first, first, channels, values);
    }
  }
}

#if defined(DATA_F32)
// The same once more, for outputs whose sums are not finite: each invocation those that it has stored.
void mend_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < STAGED_ITEMS; item += LOCAL) {
    const uint staged = item / BLOCK_OCTETS, first = item % BLOCK_OCTETS * 8u;
    const uint pixel = output_pixels[fragment_n * STAGED_PIXELS + staged];
    if (pixel == NOWHERE) continue;
    [[dont_unroll]] for (uint channel = first; channel < first + 8u; ++channel) {
      if (tile.first_channel + channel >= OUT_CHANNELS) break;
      const uint at = staged * PIXEL_PITCH + channel;
      mend(tile, SCALED(uintBitsToFloat(pool[at / 4u][at % 4u]), channel) + (HAS_BIAS ? block_bias[channel] : 0.0), pixel + channel, channel);
    }
  }
}
#endif

#endif

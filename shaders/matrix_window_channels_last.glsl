// How a workgroup of matrix_window.comp reads channels-last and prepared inputs and stores channels-last outputs: a pixel's
// channels lie side by side, in memory as in shared memory, so that they move in vectors of eight where the numbers of channels
// are multiples of it. Needs
// matrix_window_input.glsl and matrix_window_output.glsl for NOWHERE, ROWS_BEFORE, OutputTile and how outputs are rounded.
#ifndef VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_
#define VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_

// ---- input ------------------------------------------------------------------------------------------------------------

// Each invocation brings a few octets of channels. Those next to each other are next to each other in memory.
const uint PIXEL_ITEMS = INPUT_BY_PIXELS ? (INPUT_ROWS * ROW_OCTETS + LOCAL - 1u) / LOCAL : 1u;

uint pixel_at[PIXEL_ITEMS];      // of the first chunk of in-channels, or NOWHERE; prepared inputs in octets
uvec4 pixel_octets[PIXEL_ITEMS];  // on their way

// first_position: of the tile; offset: from a position to the input that the last tap of the window brings to it.
void locate_pixels(int first_position, ivec3 offset, uint group) {
  const SlabParams params = push.params.slab;
  const uint first_number = uint(first_position - int((WINDOW_H - 1u) * STEP_H + (WINDOW_W - 1u) * STEP_W) + int(GAP_W + ROWS_BEFORE * PITCH_W));
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    const uint number = first_number + item / ROW_OCTETS;
    const Numbered from = decode_row(int(number / PITCH_W) - int(ROWS_BEFORE), params.batch, GAP_H);
    const ivec3 at = ivec3(from.at.xy, from.at.z + int(number % PITCH_W) - int(GAP_W)) + offset;
    const uint pixel = (uint(at.x) * INPUT_H + uint(at.y)) * INPUT_W + uint(at.z);
    // A negative position is a large unsigned one.
    const bool exists = from.exists && uint(at.x) < INPUT_D && uint(at.y) < INPUT_H && uint(at.z) < INPUT_W;
    uint place = params.input_offset + from.image * INPUT_IMAGE + pixel * INPUT_PIXEL_STRIDE + group * IN_CHANNELS + item % ROW_OCTETS * 8u;
    if (PREPARED) place = ((from.image * params.groups + group) * CHUNKS * INPUT_PLANE + pixel) * ROW_OCTETS + item % ROW_OCTETS;
    pixel_at[i] = exists ? place : NOWHERE;
  }
}

// Eight channels from `first` on, of which the group has `count` or fewer.
uvec4 load_octet(uint first, uint count) {
  if (INPUT_OCTETS) return INPUT_VECTORS.words[first / 8u];
  uvec4 octet = uvec4(0u);
#if !defined(DATA_F32)  // which is always prepared
  [[unroll]] for (uint c = 0; c < 8u; ++c) {
    if (c < count) octet[c / 2u] |= uint(INPUT.words[first + c]) << (c % 2u * 16u);
  }
#endif
  return octet;
}

void fetch_pixels(uint chunk) {
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    const uint channel = chunk * DEPTH + (i * LOCAL + gl_LocalInvocationID.x) % ROW_OCTETS * 8u;
    pixel_octets[i] = uvec4(0u);
    if (PREPARED) {
      if (pixel_at[i] != NOWHERE) pixel_octets[i] = PREPARED_INPUT.words[pixel_at[i] + chunk * (INPUT_PLANE * ROW_OCTETS)];
    } else if (pixel_at[i] != NOWHERE && (IN_CHANNELS % DEPTH == 0u || channel < IN_CHANNELS)) {
      pixel_octets[i] = load_octet(pixel_at[i] + chunk * DEPTH, IN_CHANNELS - channel);
    }
  }
}

void put_pixels() {
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    if (item < INPUT_ROWS * ROW_OCTETS) pool[item / ROW_OCTETS * PITCH + item % ROW_OCTETS] = pixel_octets[i];
  }
}

// ---- output -----------------------------------------------------------------------------------------------------------

// Lists where the tile's outputs lie in memory: for each position the index of the block's first channel.
void list_pixels(OutputTile tile) {
  for (uint i = gl_LocalInvocationID.x; i < POSITIONS; i += LOCAL) {
    const uint position = tile.first_position + i;
    const Numbered number = decode_number(position, 0xffffffffu);
    const uvec3 at = tile.first_output + uvec3(number.at) * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
    const bool wanted = position < tile.end_position && position % PITCH_W < STRIP_W && uint(number.at.y) < SIZE_H &&
                        at.x < OUTPUT_D && at.y < OUTPUT_H && at.z < OUTPUT_W;
    const uint pixel = (at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z;
    output_pixels[i] = wanted ? tile.output_base + number.image * OUTPUT_IMAGE + pixel * OUTPUT_PIXEL_STRIDE : NOWHERE;
  }
}

const uint BLOCK_OCTETS = ROWS / 8u;

// Sums of TILE_N positions of each subgroup, its matrix column fragment_n, lie in shared memory, ROWS of each.
void store_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < WARPS_N * TILE_N * BLOCK_OCTETS; item += LOCAL) {
    const uint staged = item / BLOCK_OCTETS, first = item % BLOCK_OCTETS * 8u;
    const uint pixel = output_pixels[(staged / TILE_N * FRAGMENTS_N + fragment_n) * TILE_N + staged % TILE_N];
    const uint channels = min(8u, OUT_CHANNELS - min(tile.first_channel + first, OUT_CHANNELS));
    if (pixel == NOWHERE || channels == 0u) continue;
    const uvec4 low = pool[(staged * PIXEL_PITCH + first) / 4u], high = pool[(staged * PIXEL_PITCH + first) / 4u + 1u];
    float values[8];
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      values[c] = SCALED(uintBitsToFloat(c < 4u ? low[c % 4u] : high[c % 4u]), first + c) + (HAS_BIAS ? block_bias[first + c] : 0.0);
    }
    const uint index = pixel + first;
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
}

#if defined(DATA_F32)
// The same once more, for outputs whose sums are not finite: each invocation those that it has stored.
void mend_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < WARPS_N * TILE_N * BLOCK_OCTETS; item += LOCAL) {
    const uint staged = item / BLOCK_OCTETS, first = item % BLOCK_OCTETS * 8u;
    const uint pixel = output_pixels[(staged / TILE_N * FRAGMENTS_N + fragment_n) * TILE_N + staged % TILE_N];
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

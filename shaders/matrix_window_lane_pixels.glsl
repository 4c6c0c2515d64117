// How an invocation of matrix_window.comp stores what it holds into a channels-last tensor: of each pixel LANE_CHANNELS out-channels side
// by side.
#ifndef VKTCONV_MATRIX_WINDOW_LANE_PIXELS_GLSL_
#define VKTCONV_MATRIX_WINDOW_LANE_PIXELS_GLSL_

// The first out-channel of a subgroup in its block, and how many an invocation has.
#define FIRST_CHANNEL(warp_m) (warp_m) * FRAGMENTS_M * TILE_M
const uint LANE_OUT_CHANNELS = COLUMN_ROWS;

bool channel_exists(OutputTile tile, uint channel) { return OUT_CHANNELS % ROWS == 0u || tile.first_channel + channel < OUT_CHANNELS; }

void store_neighbours(OutputTile tile, uint index, uint channel, float values[LANE_CHANNELS]) {
  if (!OUTPUT_OCTETS) {
    [[unroll]] for (uint c = 0; c < LANE_CHANNELS; ++c) {
      if (channel_exists(tile, channel + c)) STORE_ELEMENT(index + c, values[c]);
    }
    return;
  }
  if (!channel_exists(tile, channel)) return;
  const uint of_word = OUTPUT_TYPE == TYPE_F32 ? 1u : 2u;
  const uint words = LANE_CHANNELS / of_word;
  uint word[4];
  [[unroll]] for (uint i = 0; i < 4u; ++i) {
    const uint first = (i * of_word) % LANE_CHANNELS, second = (i * of_word + 1u) % LANE_CHANNELS;
    word[i] = OUTPUT_TYPE == TYPE_F32 ? floatBitsToUint(values[first]) : ENCODE_PAIR(values[first], values[second]);
  }
  if (words == 4u) {
    OUTPUT_VECTORS.words[index / LANE_CHANNELS] = uvec4(word[0], word[1], word[2], word[3]);
  } else if (words == 2u) {
    OUTPUT_PAIRS.words[index / LANE_CHANNELS] = uvec2(word[0], word[1]);
  } else {
#if !defined(DATA_F32)  // of which there are two at least
    OUTPUT_WORDS.words[index / of_word] = word[0];
#endif
  }
}

// All sums, one matrix of each subgroup after the other through shared memory: those that are not finite, of fp32, or all.
void store_one_by_one(OutputTile tile, uint warp_m, uint warp_n, bool all) {
  const uint begin = gl_SubgroupID * MATRIX_QUADS;
  [[dont_unroll]] for (uint turn = 0; turn < SUMS; ++turn) {
    STAGE_MATRIX(turn, begin)
    const uint m = turn / FRAGMENTS_N, n = turn % FRAGMENTS_N;
#if defined(DATA_F32)
    // Those that an invocation is expected to hold: what it mends it has stored itself.
    [[dont_unroll]] for (uint own = 0; own < LANE_ROWS * LANE_COLUMNS; ++own) {
      const uint i = (row_lane() + own / LANE_COLUMNS * ROW_STEP) * TILE_N + lane_column(own % LANE_COLUMNS);
#else
    // Nothing has been stored before. In the order of above, kernels of 16 bits took up to 1.4 times as long (docs/performance-log.md).
    [[dont_unroll]] for (uint i = gl_SubgroupInvocationID; i < TILE_M * TILE_N; i += SUBGROUP) {
#endif
      const uint channel = FIRST_CHANNEL(warp_m) + channel_of_row(m, i / TILE_N);
      const uint pixel = output_pixels[(warp_n * FRAGMENTS_N + n) * TILE_N + i % TILE_N];
      if (pixel == NOWHERE || !channel_exists(tile, channel)) continue;
      const float value = finish_sum(uintBitsToFloat(pool[begin + i / 4u][i % 4u]), channel);
      if (all) STORE_ELEMENT(pixel + channel, value);
#if defined(DATA_F32)
      if (MENDS) mend(tile, value, pixel + channel, channel);
#endif
    }
  }
}

// What an invocation holds of a column of the tile's matrices.
void store_columns(OutputTile tile, uint fragment, uint first_channel, float own[HELD_SUMS], float scales[LANE_OUT_CHANNELS],
                   float biases[LANE_OUT_CHANNELS]) {
  uint pixels[LANE_COLUMNS];
  [[unroll]] for (uint column = 0; column < LANE_COLUMNS; ++column) pixels[column] = output_pixels[fragment * TILE_N + lane_column(column)];
  [[unroll]] for (uint column = 0; column < LANE_COLUMNS; ++column) {
    if (pixels[column] == NOWHERE) continue;
    [[unroll]] for (uint first = 0; first < COLUMN_ROWS; first += LANE_CHANNELS) {
      const uint channel = first_channel + lane_channel(row_lane(), first);
      float values[LANE_CHANNELS];
      [[unroll]] for (uint c = 0; c < LANE_CHANNELS; ++c) {
        values[c] = own[lane_element(first + c, column)] * scales[first + c] + biases[first + c];
#if defined(DATA_F32)
        magnitudes += channel_exists(tile, channel + c) ? abs(values[c]) : 0.0;
#endif
      }
      store_neighbours(tile, pixels[column] + channel, channel, values);
    }
  }
}

#endif

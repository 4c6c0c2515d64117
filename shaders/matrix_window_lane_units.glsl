// How an invocation of matrix_window.comp stores what it holds into a channels-first tensor: of each of its out-channels, units of
// UNIT_POSITIONS neighbouring positions, whose outputs, with all phases where these are merged, are neighbours in memory. Rows of
// numbers begin with units, so that each lies in one row. It is stored in the largest vectors that its place in memory allows; four
// invocations that are neighbours store neighbouring units. A module of its own (OUTPUT_IN_UNITS): beside the other ways of storing,
// whose code does not even run, fp32 took more registers than there are (docs/performance-log.md).
//
// Needs matrix_window_lanes.glsl, matrix_window_elements.glsl and matrix_window_exact.glsl. Constraints: MERGED divides COLUMN_ROWS, or STRIDE_W
// is 1; a unit has a bit of a word for each output; PITCH_W and TILE_STEP are multiples of UNIT_POSITIONS; no post-ops.
#ifndef VKTCONV_MATRIX_WINDOW_LANE_UNITS_GLSL_
#define VKTCONV_MATRIX_WINDOW_LANE_UNITS_GLSL_

const uint OUTPUTS_OF_POSITION = MERGED > 0u ? STRIDE_W : 1u;
const uint UNIT_OUTPUTS = UNIT_POSITIONS * OUTPUTS_OF_POSITION;
const uint WHOLE_UNIT = (1u << UNIT_OUTPUTS) - 1u;
const uint PHASE_STEP = MERGED > 0u ? uint(INPUT_STEP_W * GCD_W) : 1u;  // outputs from one merged phase to the next
const uint COLUMN_UNITS = LANE_COLUMNS / UNIT_POSITIONS;                // of an invocation, in a matrix
// The first out-channel of a subgroup in its block, and how many an invocation has.
const uint LANE_OUT_CHANNELS = COLUMN_ROWS / PHASES_IN_ROWS;
const uint SUBGROUP_CHANNELS = LANE_OUT_CHANNELS * ROW_STEP;
#define FIRST_CHANNEL(warp_m) (warp_m) * SUBGROUP_CHANNELS

// Whether output n of a position has a sum, not the bias alone.
bool has_sum(uint n) { return n % PHASE_STEP == 0u && n / PHASE_STEP < PHASES_IN_ROWS; }

bool channel_exists(OutputTile tile, uint channel) {
  return OUT_CHANNELS % BLOCK_CHANNELS == 0u || tile.first_channel + channel < OUT_CHANNELS;
}

// Lists the tile's units: the index of the first output in the block's first channel, which may be before the tensor (and wrap), and
// a bit for each output that the tile has to store.
void list_units(OutputTile tile) {
  for (uint i = gl_LocalInvocationID.x; i < POSITIONS / UNIT_POSITIONS; i += LOCAL) {
    const uint position = tile.first_position + i * UNIT_POSITIONS;
    const Numbered number = decode_number(position, 0xffffffffu);
    ivec3 at = ivec3(tile.first_output) + number.at * ivec3(STRIDE_D, STRIDE_H, STRIDE_W);
    if (MERGED > 0u) at.z = (number.at.z + FIRST_POSITION_W) * int(STRIDE_W) - PADDING_W;
    const bool row_exists = uint(number.at.y) < SIZE_H && uint(at.x) < OUTPUT_D && uint(at.y) < OUTPUT_H;
    // Of the unit's outputs those that the strip, the tile and the row of outputs have.
    const uint of_strip = STRIP_W - min(position % PITCH_W, STRIP_W), of_tile = max(tile.end_position, position) - position;
    const uint positions = min(min(of_strip, of_tile), UNIT_POSITIONS);
    const int low = clamp(-at.z, 0, int(UNIT_OUTPUTS)), high = clamp(int(OUTPUT_W) - at.z, 0, int(positions * OUTPUTS_OF_POSITION));
    const uint wanted = row_exists && low < high ? ((1u << high) - 1u) & ~((1u << low) - 1u) : 0u;
    output_units[i] = uvec2(tile.output_base + number.image * OUTPUT_IMAGE + (uint(at.x) * OUTPUT_H + uint(at.y)) * OUTPUT_W + uint(at.z), wanted);
  }
}

// Two outputs from an even index on.
void store_pair(uint index, float first, float second) {
#if !defined(DATA_F32)
  if (OUTPUT_TYPE != TYPE_F32) {
    OUTPUT_WORDS.words[index / 2u] = ENCODE_PAIR(first, second);
    return;
  }
#endif
  OUTPUT_PAIRS.words[index / 2u] = uvec2(floatBitsToUint(first), floatBitsToUint(second));
}

// In pairs from output `begin` on, 0 or 1; what is left over alone.
void store_pairs(uint index, uint begin, float values[UNIT_OUTPUTS]) {
  if (begin == 1u) {
    STORE_ELEMENT(index, values[0]);
  }
  [[unroll]] for (uint n = begin; n + 1u < UNIT_OUTPUTS; n += 2u) store_pair(index + n, values[n], values[(n + 1u) % UNIT_OUTPUTS]);
  if ((UNIT_OUTPUTS - begin) % 2u == 1u) {
    STORE_ELEMENT(index + UNIT_OUTPUTS - 1u, values[UNIT_OUTPUTS - 1u]);
  }
}

const uint WORD_OUTPUTS = OUTPUT_TYPE == TYPE_F32 ? 1u : 2u;

uint word_of(float values[UNIT_OUTPUTS], uint word) {
  const uint first = word * WORD_OUTPUTS % UNIT_OUTPUTS, second = (word * WORD_OUTPUTS + 1u) % UNIT_OUTPUTS;
  return OUTPUT_TYPE == TYPE_F32 ? floatBitsToUint(values[first]) : ENCODE_PAIR(values[first], values[second]);
}

void store_unit(uint index, uint wanted, float values[UNIT_OUTPUTS]) {
  if (wanted != WHOLE_UNIT) {
    [[unroll]] for (uint n = 0; n < UNIT_OUTPUTS; ++n) {
      if ((wanted & (1u << n)) != 0u) {
        STORE_ELEMENT(index + n, values[n]);
      }
    }
  } else if (UNIT_OUTPUTS % (4u * WORD_OUTPUTS) == 0u && index % (4u * WORD_OUTPUTS) == 0u) {
    [[unroll]] for (uint w = 0; w < UNIT_OUTPUTS / WORD_OUTPUTS; w += 4u) {
      OUTPUT_VECTORS.words[(index / WORD_OUTPUTS + w) / 4u] =
          uvec4(word_of(values, w), word_of(values, w + 1u), word_of(values, w + 2u), word_of(values, w + 3u));
    }
  } else if (WORD_OUTPUTS == 2u && UNIT_OUTPUTS % 4u == 0u && index % 4u == 0u) {
    [[unroll]] for (uint w = 0; w < UNIT_OUTPUTS / WORD_OUTPUTS; w += 2u) {
      OUTPUT_PAIRS.words[(index / WORD_OUTPUTS + w) / 2u] = uvec2(word_of(values, w), word_of(values, w + 1u));
    }
  } else if (index % 2u == 0u) {
    store_pairs(index, 0u, values);
  } else {
    store_pairs(index, 1u, values);
  }
}

// What an invocation holds of column `fragment` of the tile's matrices.
void store_columns(OutputTile tile, uint fragment, uint first_channel, float own[HELD_SUMS], float scales[LANE_OUT_CHANNELS],
                   float biases[LANE_OUT_CHANNELS]) {
  [[unroll]] for (uint u = 0; u < COLUMN_UNITS; ++u) {
    const uvec2 unit = output_units[(fragment * TILE_N + lane_column(u * UNIT_POSITIONS)) / UNIT_POSITIONS];
    if (unit.y == 0u) continue;
    [[unroll]] for (uint c = 0; c < LANE_OUT_CHANNELS; ++c) {
      const uint channel = first_channel + lane_channel(row_lane(), c);
      if (!channel_exists(tile, channel)) continue;
      float values[UNIT_OUTPUTS];
      [[unroll]] for (uint n = 0; n < UNIT_OUTPUTS; ++n) {
        const uint position = n / OUTPUTS_OF_POSITION, of_position = n % OUTPUTS_OF_POSITION;
        const uint row = c * PHASES_IN_ROWS + of_position / PHASE_STEP % PHASES_IN_ROWS;
        const float sum = has_sum(of_position) ? own[lane_element(row, u * UNIT_POSITIONS + position)] * scales[c] : 0.0;
        values[n] = sum + biases[c];
#if defined(DATA_F32)
        magnitudes += abs(values[n]);
#endif
      }
      store_unit(unit.x + channel * OUTPUT_PLANE, unit.y, values);
    }
  }
}

// All sums, one matrix of each subgroup after the other through shared memory: those that are not finite, of fp32, or all.
void store_one_by_one(OutputTile tile, uint warp_m, uint warp_n, bool all) {
  const uint begin = gl_SubgroupID * MATRIX_QUADS;
  [[dont_unroll]] for (uint turn = 0; turn < SUMS; ++turn) {
    STAGE_MATRIX(turn, begin)
    const uint m = turn / FRAGMENTS_N, n = turn % FRAGMENTS_N;
    // Those that an invocation is expected to hold: what it mends it has stored itself.
    [[dont_unroll]] for (uint own = 0; own < LANE_ROWS * LANE_COLUMNS; ++own) {
      const uint row = row_lane() + own / LANE_COLUMNS * ROW_STEP, column = lane_column(own % LANE_COLUMNS);
      const uint position = (warp_n * FRAGMENTS_N + n) * TILE_N + column, own_row = lane_row(m, row);
      const uint channel = FIRST_CHANNEL(warp_m) + lane_channel(row % ROW_STEP, own_row / PHASES_IN_ROWS);
      if (!channel_exists(tile, channel)) continue;
      const uvec2 unit = output_units[position / UNIT_POSITIONS];
      const uint first = position % UNIT_POSITIONS * OUTPUTS_OF_POSITION, phase = own_row % PHASES_IN_ROWS;
      const uint index = unit.x + channel * OUTPUT_PLANE, at = row * TILE_N + column;
      const float value = finish_sum(uintBitsToFloat(pool[begin + at / 4u][at % 4u]), channel);
      if (all) {
        // And with the first phase those that have none.
        [[dont_unroll]] for (uint i = 0; i < OUTPUTS_OF_POSITION; ++i) {
          const bool of_phase = i == phase * PHASE_STEP;
          if (!of_phase && (phase > 0u || has_sum(i))) continue;
          if ((unit.y & (1u << (first + i))) != 0u) {
            STORE_ELEMENT(index + first + i, of_phase ? value : finish_sum(0.0, channel));
          }
        }
      }
#if defined(DATA_F32)
      const uint wanted = first + phase * PHASE_STEP;
      if (MENDS && (unit.y & (1u << wanted)) != 0u) mend(tile, value, index + wanted, channel);
#endif
    }
  }
}

#endif

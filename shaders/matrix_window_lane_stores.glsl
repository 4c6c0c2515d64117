// An invocation of matrix_window.comp stores all that it holds, column by column of its subgroup's matrices. Needs matrix_window_lanes.glsl, and
// of matrix_window_lane_pixels.glsl or matrix_window_lane_units.glsl store_columns, store_one_by_one, LANE_OUT_CHANNELS and FIRST_CHANNEL.
#ifndef VKTCONV_MATRIX_WINDOW_LANE_STORES_GLSL_
#define VKTCONV_MATRIX_WINDOW_LANE_STORES_GLSL_

void store_lanes(OutputTile tile, uint warp_m, uint warp_n) {
  if (lanes_hold_others != 0u) {
    store_one_by_one(tile, warp_m, warp_n, true);
    return;
  }
  const uint first_channel = FIRST_CHANNEL(warp_m);
  float scales[LANE_OUT_CHANNELS], biases[LANE_OUT_CHANNELS];
  [[unroll]] for (uint i = 0; i < LANE_OUT_CHANNELS; ++i) {
    const uint channel = first_channel + lane_channel(row_lane(), i);
    scales[i] = SCALED(1.0, channel);
    biases[i] = HAS_BIAS ? block_bias[channel] : 0.0;
  }
#if !defined(OUTPUT_IN_UNITS)  // which take more code
  if (FRAGMENTS_N * HELD_SUMS <= 16u * LANE_CHANNELS) {
    [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
      float own[HELD_SUMS];
      [[unroll]] for (uint e = 0; e < HELD_SUMS; ++e) own[e] = HELD_SUM(n, e);
      store_columns(tile, warp_n * FRAGMENTS_N + n, first_channel, own, scales, biases);
    }
  } else
#endif
  {
    // Not unrolled, but every index of sums is a constant: else they would live in memory.
    [[dont_unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
      float own[HELD_SUMS];
      [[unroll]] for (uint i = 0; i < FRAGMENTS_N; ++i) {
        if (i != n) continue;
        [[unroll]] for (uint e = 0; e < HELD_SUMS; ++e) own[e] = HELD_SUM(i, e);
      }
      store_columns(tile, warp_n * FRAGMENTS_N + n, first_channel, own, scales, biases);
    }
  }
#if defined(DATA_F32)
  if (must_mend()) store_one_by_one(tile, warp_m, warp_n, false);
#endif
}

#endif

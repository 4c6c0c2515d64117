// Outputs of matrix_window.comp can be stored straight from the registers in which sums are, without shared memory and its barriers
// (matrix_window_lane_pixels.glsl, matrix_window_lane_units.glsl). Which elements of a matrix an invocation holds is the device's affair.
// ROW_LANES says what to expect: that many invocations share each column, and of a row each holds every ROW_LANES-th element of
// the column. Weights are packed so that what an invocation holds of a column are neighbours in memory (matrix_fragments.glsl).
//
// That it is so is looked up by each workgroup when it begins. Where it is not, sums go through shared memory one matrix after the
// other: slow, but right.
#ifndef VKTCONV_MATRIX_WINDOW_LANES_GLSL_
#define VKTCONV_MATRIX_WINDOW_LANES_GLSL_

const uint LANE_ROWS = TILE_M / ROW_STEP;       // of a matrix, in one column
const uint COLUMN_LANES = SUBGROUP / ROW_STEP;  // invocations along a row
const uint LANE_COLUMNS = LANE_STORES ? TILE_N / COLUMN_LANES : 1u;

const uint COLUMN_ROWS = FRAGMENTS_M * LANE_ROWS;   // of all matrices of a subgroup, in one column of an invocation
const uint HELD_SUMS = COLUMN_ROWS * LANE_COLUMNS;  // of a column of a subgroup's matrices

// Columns come in pairs of neighbours where rows are shared.
uint lane_column(uint i) {
  const uint lane = gl_SubgroupInvocationID % COLUMN_LANES;
  return ROW_LANES > 1u ? i / 2u * (2u * COLUMN_LANES) + lane * 2u + i % 2u : i * COLUMN_LANES + lane;
}

uint row_lane() { return gl_SubgroupInvocationID / COLUMN_LANES; }

// The element of an invocation's part of a matrix, or of those of a subgroup one below the other.
uint lane_element(uint row, uint column) { return row * LANE_COLUMNS + column; }

shared uint lanes_hold_others;

// Two small whole numbers.
uint element_pair(uint first, uint second) {
#if defined(DATA_BF16)
  return (floatBitsToUint(float(first)) >> 16) | (floatBitsToUint(float(second)) & 0xffff0000u);
#else
  return packHalf2x16(vec2(first, second));
#endif
}

// By all invocations, before the pool is needed: a product whose element (row, column) is row * TILE_N + column. Early, for it takes
// registers; and no matrix of sums is loaded, for which one driver (NVIDIA 580) takes shared memory of its own.
void find_what_lanes_hold() {
  for (uint i = gl_LocalInvocationID.x; i < (TILE_M + TILE_N) * TILE_K_OCTETS; i += LOCAL) {
    const uint row = i / TILE_K_OCTETS;
    const uint pair = row < TILE_M ? element_pair(row * TILE_N, 1u) : element_pair(1u, row - TILE_M);
    pool[i] = uvec4(i % TILE_K_OCTETS == 0u ? pair : 0u, 0u, 0u, 0u);
  }
  if (gl_LocalInvocationID.x == 0u) lanes_hold_others = 0u;
  barrier();
  Left rows;
  Right columns;
  coopMatLoad(rows, pool, 0u, TILE_K_OCTETS, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(columns, pool, TILE_M * TILE_K_OCTETS, TILE_K_OCTETS, gl_CooperativeMatrixLayoutColumnMajor);
  const Sum numbers = coopMatMulAdd(rows, columns, Sum(0.0));
  bool expected = uint(numbers.length()) == LANE_ROWS * LANE_COLUMNS;
  [[unroll]] for (uint column = 0; column < LANE_COLUMNS; ++column) {
    [[unroll]] for (uint row = 0; row < LANE_ROWS; ++row) {
      const uint number = (row_lane() + row * ROW_STEP) * TILE_N + lane_column(column);
      if (uint(numbers[lane_element(row, column)]) != number) expected = false;
    }
  }
  if (!expected) lanes_hold_others = 1u;
}

// An output of the block's channel from its sum.
float finish_sum(float sum, uint channel) { return SCALED(sum, channel) + (HAS_BIAS ? block_bias[channel] : 0.0); }

// Sum e of those that an invocation holds of column n of its subgroup's matrices.
#define HELD_SUM(n, e) sums[(e) / (LANE_ROWS * LANE_COLUMNS) * FRAGMENTS_N + (n)][(e) % (LANE_ROWS * LANE_COLUMNS)]

// Puts the turn-th matrix of each subgroup into shared memory, whole. With barriers: by all invocations.
#define STAGE_MATRIX(turn, begin)                                                                                       \
  barrier();                                                                                                             \
  [[unroll]] for (uint i = 0; i < SUMS; ++i) {                                                                           \
    if (i == turn) coopMatStore(sums[i], pool, begin, TILE_N / 4u, gl_CooperativeMatrixLayoutRowMajor);                  \
  }                                                                                                                      \
  barrier();

#endif

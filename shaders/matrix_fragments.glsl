// How matrices of weights lie in memory: as pack_fragments.comp writes them and matrix_window.comp loads them. Where the device gives
// each element of a matrix to one invocation, and to each a multiple of eight, they can lie in the order of the invocations
// (BY_INVOCATION), so that each reads whole vectors; elsewhere they lie row by row. Both shaders ask the device the
// same question, with the same matrix type and subgroup size. Either way a matrix has LEFT_OCTETS vectors of eight 16-bit
// elements.
//
// Where invocations store the sums that they hold (matrix_window_lanes.glsl), a subgroup's rows are in an order in which what an
// invocation holds of a column are neighbours in memory: ROW_LANES invocations share a column of a matrix and take turns along its
// rows. Each holds LANE_CHANNELS out-channels side by side of a channels-last output, or all merged phases of each of its out-channels
// of a channels-first one. ROW_LANES is 0 elsewhere, and rows are out-channels as they come.
//
// Needs TILE_M, TILE_K, SUBGROUP, BY_INVOCATION, FRAGMENTS_M, ROW_LANES, LANE_CHANNELS and the Element type.
#ifndef VKTCONV_MATRIX_FRAGMENTS_GLSL_
#define VKTCONV_MATRIX_FRAGMENTS_GLSL_

const uint ROW_STEP = ROW_LANES > 0u ? ROW_LANES : 1u;

// Out-channel i of an invocation, counted from the subgroup's first.
uint lane_channel(uint row_lane, uint i) { return i / LANE_CHANNELS * (ROW_STEP * LANE_CHANNELS) + row_lane * LANE_CHANNELS + i % LANE_CHANNELS; }

// Which of its invocation's rows, of all matrices of the subgroup, a row of matrix m is.
uint lane_row(uint m, uint row) { return m * (TILE_M / ROW_STEP) + row / ROW_STEP; }

// The out-channel of a row of matrix m of a subgroup, without merged phases.
uint channel_of_row(uint m, uint row) {
  if (ROW_LANES == 0u) return m * TILE_M + row;
  return lane_channel(row % ROW_STEP, lane_row(m, row));
}

#define Left coopmat<Element, gl_ScopeSubgroup, TILE_M, TILE_K, gl_MatrixUseA>

const uint TILE_K_OCTETS = TILE_K / 8u;
const uint LEFT_OCTETS = TILE_M * TILE_K_OCTETS;
const uint INVOCATION_OCTETS = LEFT_OCTETS >= SUBGROUP ? LEFT_OCTETS / SUBGROUP : 1u;

#define IN_INVOCATION_ORDER(left) (BY_INVOCATION && uint((left).length()) * SUBGROUP == LEFT_OCTETS * 8u && LEFT_OCTETS % SUBGROUP == 0u)

#if defined(DATA_BF16)
#define ELEMENT_OF_BITS(bits) uintBitsToBFloat16EXT(uint16_t(bits))
#define BITS_OF_ELEMENT(element) uint(bfloat16BitsToUintEXT(element))
#else
#define ELEMENT_OF_BITS(bits) uint16BitsToFloat16(uint16_t(bits))
#define BITS_OF_ELEMENT(element) uint(float16BitsToUint16(element))
#endif

// Octet o of an invocation's elements, from its words in memory. NVIDIA's matrix instructions take the second and third word
// the other way round, so they lie in the order of its registers. Written out, without a loop, and in the order of the
// elements: drivers make the best of that (docs/performance-log.md).
#define IN_MEMORY_ORDER(words) (words).xzyw
#if defined(DATA_BF16)
#define SET_PAIR(left, element, word)                   \
  left[element] = ELEMENT_OF_BITS((word) & 0xffffu);    \
  left[(element) + 1u] = ELEMENT_OF_BITS((word) >> 16);
#else
#define SET_PAIR(left, element, word)                       \
  {                                                         \
    const f16vec2 pair = unpackFloat2x16(word);             \
    left[element] = pair.x;                                 \
    left[(element) + 1u] = pair.y;                          \
  }
#endif
#define SET_OCTET(left, o, words)           \
  {                                         \
    SET_PAIR(left, (o) * 8u, words.x)       \
    SET_PAIR(left, (o) * 8u + 2u, words.z)  \
    SET_PAIR(left, (o) * 8u + 4u, words.y)  \
    SET_PAIR(left, (o) * 8u + 6u, words.w)  \
  }

#endif

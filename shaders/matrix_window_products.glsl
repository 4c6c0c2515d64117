// The products of matrix_window.comp: what a subgroup adds to its sums of one chunk of in-channels under one window of taps.
#ifndef VKTCONV_MATRIX_WINDOW_PRODUCTS_GLSL_
#define VKTCONV_MATRIX_WINDOW_PRODUCTS_GLSL_

#define Right coopmat<Element, gl_ScopeSubgroup, TILE_K, TILE_N, gl_MatrixUseB>
#define Sum coopmat<float, gl_ScopeSubgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator>

const uint SUMS = FRAGMENTS_M * FRAGMENTS_N;

Sum sums[SUMS];
#if defined(DATA_F32)
// Matrix units do not round sums to nearest. So the products of a few times TILE_K in-channels are summed from zero, and
// these sums, SPLIT_SCALE times too large, are added up in proper fp32: SUMS_APART, unless there are no more of them in all.
const uint PARTIAL_TILES = WINDOW_SUMMED_TILES;  // a multiple of CHUNK_TILES
Sum partial[SUMS_APART ? SUMS : 1u];

void begin_partial_sums() {
  if (SUMS_APART) {
    [[unroll]] for (uint i = 0; i < SUMS; ++i) partial[SUMS_APART ? i : 0u] = Sum(0.0);
  }
}

void add_partial_sums() {
  if (SUMS_APART) {
    [[unroll]] for (uint i = 0; i < SUMS; ++i) sums[i] = sums[i] + partial[SUMS_APART ? i : 0u];
  }
}
#endif
Left left[FRAGMENTS_M * PARTS];  // the parts of a matrix are neighbours

void load_left(uint from) {
  [[unroll]] for (uint i = 0; i < FRAGMENTS_M * PARTS; ++i) {
    if (IN_INVOCATION_ORDER(left[i])) {
      [[unroll]] for (uint o = 0; o < INVOCATION_OCTETS; ++o) {
        const uvec4 words = WEIGHTS.words[from + i * LEFT_OCTETS + o * SUBGROUP + gl_SubgroupInvocationID];
        SET_OCTET(left[i], o, words);
      }
    } else {
      coopMatLoad(left[i], WEIGHTS.words, from + i * LEFT_OCTETS, TILE_K_OCTETS, gl_CooperativeMatrixLayoutRowMajor);
    }
  }
}

#if defined(DATA_F32)
void multiply_parts(uint right_at) {
  Left raised[FRAGMENTS_M];  // high parts, with the scale of the low ones: so all products go into the same sum
  [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) raised[m] = left[PARTS * m] * Element(SPLIT_SCALE);
  [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
    Right high, low;
    coopMatLoad(high, pool, right_at + n * TILE_N * PITCH, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    coopMatLoad(low, pool, right_at + n * TILE_N * PITCH + PART_OCTETS, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
      const uint left_low = PARTS == 2u ? 2u * m + 1u : 0u;
      const uint at = m * FRAGMENTS_N + n;
      if (SUMS_APART) {
        const uint apart = SUMS_APART ? at : 0u;
        partial[apart] = coopMatMulAdd(left[PARTS * m], low, partial[apart]);
        partial[apart] = coopMatMulAdd(left[left_low], high, partial[apart]);
        partial[apart] = coopMatMulAdd(raised[m], high, partial[apart]);
      } else {
        sums[at] = coopMatMulAdd(left[PARTS * m], low, sums[at]);
        sums[at] = coopMatMulAdd(left[left_low], high, sums[at]);
        sums[at] = coopMatMulAdd(raised[m], high, sums[at]);
      }
    }
  }
}
#endif

// right_at: where the inputs of this subgroup's first position lie, for the tap and the TILE_K in-channels.
void multiply(uint right_at) {
#if defined(DATA_F32)
  if (PARTS == 2u) {
    multiply_parts(right_at);
    return;
  }
#endif
  [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
    Right right;
    coopMatLoad(right, pool, right_at + n * TILE_N * PITCH, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
      sums[m * FRAGMENTS_N + n] = coopMatMulAdd(left[PARTS * m], right, sums[m * FRAGMENTS_N + n]);
    }
  }
}

// The taps of a window that the tile takes, and where the weights of the first lie.
struct Window {
  uint first_h;  // tap of the window
  uint taps_h;
  uint taps_w;
  uint weights;  // of its first tap, for the chunk and this subgroup's rows
  uint weights_step_h;
  uint weights_step_w;
};

// Taps are unrolled so that the loads of the next overlap the products of this one: those of a row, or of a whole window
// (UNROLLS_WINDOW).

uint left_of(Window window, uint row, uint w, uint k) {
  return row + w * window.weights_step_w + k * (ROWS / TILE_M) * TILE_OF_WEIGHTS;
}

uint right_of(uint row, uint w, uint k) { return row - w * STEP_W * PITCH + k * TILE_K_OCTETS; }

// Before TILE_K in-channels under a tap, the turn-th of those that are summed one after the other.
void begin_turn(uint turn) {
#if defined(DATA_F32)
  if (turn > 0u && turn % PARTIAL_TILES == 0u) {
    add_partial_sums();
    begin_partial_sums();
  }
#endif
}

// Before the first turn, always: else compilers would keep what the sums were before.
void begin_turns() {
#if defined(DATA_F32)
  begin_partial_sums();
#endif
}

void end_turns() {
#if defined(DATA_F32)
  add_partial_sums();
#endif
}

// All taps of a window; the weights of the first are loaded.
void multiply_whole(Window window, uint right_row) {
  begin_turns();
  [[unroll]] for (uint h = 0; h < WINDOW_H; ++h) {
    [[unroll]] for (uint w = 0; w < WINDOW_W; ++w) {
      [[unroll]] for (uint k = 0; k < CHUNK_TILES; ++k) {
        const uint turn = (h * WINDOW_W + w) * CHUNK_TILES + k;
        begin_turn(turn);
        if (turn > 0u) load_left(left_of(window, window.weights + h * window.weights_step_h, w, k));
        multiply(right_of(right_row - h * STEP_H * PITCH, w, k));
      }
    }
  }
  end_turns();
}

// All taps of a row of a window.
void multiply_row(Window window, uint left_row, uint right_row) {
  begin_turns();
  [[unroll]] for (uint w = 0; w < WINDOW_W; ++w) {
    [[unroll]] for (uint k = 0; k < CHUNK_TILES; ++k) {
      begin_turn(w * CHUNK_TILES + k);
      load_left(left_of(window, left_row, w, k));
      multiply(right_of(right_row, w, k));
    }
  }
  end_turns();
}

// The same, of a window that has fewer taps.
void multiply_short_row(Window window, uint left_row, uint right_row) {
  begin_turns();
  [[dont_unroll]] for (uint w = 0; w < window.taps_w; ++w) {
    begin_turn(w * CHUNK_TILES);  // PARTIAL_TILES is a multiple of CHUNK_TILES
    [[unroll]] for (uint k = 0; k < CHUNK_TILES; ++k) {
      load_left(left_of(window, left_row, w, k));
      multiply(right_of(right_row, w, k));
    }
  }
  end_turns();
}

// One chunk of in-channels under one window. Of a window that is unrolled, the weights of the first tap are loaded.
void multiply_window(Window window, uint warp_n) {
  const uint right_row = (warp_n * FRAGMENTS_N * TILE_N + (WINDOW_H - 1u - window.first_h) * STEP_H + (WINDOW_W - 1u) * STEP_W) * PITCH;
  if (UNROLLS_WINDOW && window.taps_h == WINDOW_H && window.taps_w == WINDOW_W) {
    multiply_whole(window, right_row);
    return;
  }
  [[dont_unroll]] for (uint h = 0; h < window.taps_h; ++h) {
    const uint left_at = window.weights + h * window.weights_step_h, right_at = right_row - h * STEP_H * PITCH;
    if (!UNROLLS_WINDOW && window.taps_w == WINDOW_W) multiply_row(window, left_at, right_at);
    else multiply_short_row(window, left_at, right_at);
  }
}

#endif

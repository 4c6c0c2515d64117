// Implicit matrix product over phases on matrix units (VK_KHR_cooperative_matrix): rows (out-channels, or out-channels in
// one of the merged phases of the width) x positions x (taps x in-channels). Products of 16-bit elements, sums in fp32; of int8,
// in int32.
//
// Layouts: input [batch, in-channels, spatial], [batch, spatial, in-channels] or, PREPARED, as channels_last.comp left it:
// [image, group, chunk, pixel, part, DEPTH channels] in 16 bits, of int8 in 8; packed weights [group, out-channel block, tap, chunk, row,
// part, DEPTH channels] (pack_matrix.comp); bias [out-channels]; output [batch, out-channels, spatial] or [batch, spatial,
// out-channels].
//
// Shared memory holds, of one chunk of DEPTH in-channels, the inputs under WINDOW_TAPS neighbouring taps of the width,
// a row for each position with its channels side by side, and the weights of these taps. Positions are numbered through
// rows of PITCH_W, wide enough that what lies outside of a row of the input falls into the gap between two rows. So tap t
// of sixteen neighbouring positions is sixteen neighbouring rows of shared memory, wherever the positions begin: no
// matrix is ever put together, only loaded from a shifted address. A row has a spare vector, so that eight rows
// fall into different banks.
//
// fp32 (PARTS = 2): x = high + low / 2048 with both parts in fp16, and x * w = high * high + (high * low + low * high) /
// 2048; what is left out is below 2^-21 of the product. Matrix units do not round sums to nearest, so the large products of
// TILE_K in-channels are summed from zero and added to the total in proper fp32; for the small ones it does not matter.
// Inputs beyond fp16's range have an infinite or NaN high part (split.glsl); every output that comes out infinite or NaN is computed again from the tensors themselves. PARTS = 1: the high
// part alone.
//
// Merged phases of the width are those of tiled.comp; TILE_M rows hold whole out-channels, TILE_M / MERGED of them.
//
// Constraints: LOCAL = WARPS_M * WARPS_N subgroups, whole ones; ROWS = WARPS_M * n * TILE_M, POSITIONS = WARPS_N * n *
// TILE_N; LOCAL divides POSITIONS or POSITIONS divides LOCAL; DEPTH a multiple of TILE_K and OCTET_ELEMENTS; MERGED <= TILE_M; weights
// are finite; 32-bit limits as in gather.comp. See src/algorithms/matrix.cpp.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "problem.glsl"
#include "matrix_types.glsl"
#include "octets.glsl"
#include "round_to_half.glsl"
#include "split.glsl"

layout(local_size_x_id = MATRIX_LOCAL_SIZE) in;
layout(constant_id = MATRIX_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = MATRIX_TILE_M) const uint TILE_M = 16;
layout(constant_id = MATRIX_TILE_N) const uint TILE_N = 16;
layout(constant_id = MATRIX_TILE_K) const uint TILE_K = 16;
layout(constant_id = MATRIX_ROWS) const uint ROWS = 16;
layout(constant_id = MATRIX_POSITIONS) const uint POSITIONS = 32;
layout(constant_id = MATRIX_DEPTH) const uint DEPTH = 16;
layout(constant_id = MATRIX_WARPS_M) const uint WARPS_M = 1;
layout(constant_id = MATRIX_WARPS_N) const uint WARPS_N = 1;
layout(constant_id = MATRIX_WINDOW_TAPS) const uint WINDOW_TAPS = 1;
layout(constant_id = MATRIX_PREPARED) const bool PREPARED = false;
layout(constant_id = MATRIX_PITCH_W) const uint PITCH_W = 1;                   // numbers of positions in a row
layout(constant_id = MATRIX_PARTS) const uint PARTS = 1;                       // of an element: 2, or 1; fp32 only

// Channels-last inputs of 16 or 8 bits that have whole chunks in each group are as good as prepared; see PreparedInput.
// (A sum, for glslang 16 makes no constant of && in all variants.)
const bool INPUT_IN_OCTETS = IN_CHANNELS % DEPTH + (INPUT_CHANNELS_LAST ? 0u : 1u) + (ELEMENT_BYTES * OCTET_ELEMENTS - 16u) == 0u;

const uint CHUNKS = (IN_CHANNELS + DEPTH - 1u) / DEPTH;
const uint PHASES_IN_ROWS = MERGED > 0u ? MERGED : 1u;
const uint TILE_CHANNELS = TILE_M / PHASES_IN_ROWS;  // whole out-channels in TILE_M rows
const uint BLOCK_CHANNELS = ROWS / TILE_M * TILE_CHANNELS;

// In vectors of 16 bytes (octets.glsl).
const uint PART_OCTETS = DEPTH / OCTET_ELEMENTS;
const uint ROW_OCTETS = PARTS * PART_OCTETS;
#if defined(DATA_I8)
// A matrix begins with a vector of shared memory: where it begins with the second half of one in memory, each half has a
// vector to itself, and the rest of it is not used.
const uint HALVES = TILE_K % OCTET_ELEMENTS == 0u ? 1u : 2u;
const uint PITCH = ROW_OCTETS * HALVES + 1u;
const uint TILE_K_OCTETS = TILE_K * HALVES / OCTET_ELEMENTS;
#else
const uint PITCH = ROW_OCTETS + 1u;
const uint TILE_K_OCTETS = TILE_K / 8u;
#endif

const uint INPUT_ROWS = POSITIONS + (WINDOW_TAPS - 1u) * uint(INPUT_STEP_W);
const uint INPUT_OCTETS = INPUT_ROWS * (PREPARED ? ROW_OCTETS : PART_OCTETS);  // to fetch: parts are made here or before
const uint INPUT_ITEMS = (INPUT_OCTETS + LOCAL - 1u) / LOCAL;
const uint WEIGHT_OCTETS = ROWS * ROW_OCTETS;  // of a tap and a chunk
const uint WEIGHT_ITEMS = (WEIGHT_OCTETS + LOCAL - 1u) / LOCAL;
// From one tap of a window to the next in packed weights: of a phase, taps are TAP_STEP_W apart.
const uint WINDOW_TAP_OCTETS = (MERGED > 0u ? 1u : uint(TAP_STEP_W)) * CHUNKS * WEIGHT_OCTETS;
const uint WEIGHTS_BEGIN = INPUT_ROWS * PITCH;
const uint TILE_OCTETS = WEIGHTS_BEGIN + WINDOW_TAPS * ROWS * PITCH;

const uint FRAGMENTS_M = ROWS / WARPS_M / TILE_M;
const uint FRAGMENTS_N = POSITIONS / WARPS_N / TILE_N;

// Sums on their way out: TILE_M rows of each of the WARPS_M, in 32 bits.
const uint STAGED_PITCH = POSITIONS + 4u;
const uint STAGED_QUADS = WARPS_M * TILE_M * STAGED_PITCH / 4u;

shared uvec4 pool[TILE_OCTETS > STAGED_QUADS ? TILE_OCTETS : STAGED_QUADS];
shared Accumulator block_bias[ROWS];

DECLARE_BUFFER(0, readonly, InputTensor, Word)
DECLARE_BUFFER(1, readonly, PackedWeights, uvec4)
DECLARE_BUFFER(2, readonly, BiasTensor, BiasWord)
#if defined(DATA_F32)
DECLARE_BUFFER(3, , OutputTensor, Word)  // read back by repair()
#else
DECLARE_OUTPUT(3)
#endif
DECLARE_BUFFER(4, readonly, PreparedInput, uvec4)
DECLARE_BUFFER(5, readonly, ExactWeights, float)  // [group, block, tap, in-channel, channel of the block] (pack_weights.comp)

DECLARE_POST_OP_BUFFERS(6)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  BUFFER_MEMBER(PreparedInput, prepared_input)
  BUFFER_MEMBER(ExactWeights, exact_weights)
  POST_OP_MEMBERS
  MatrixParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)
#define OUTPUT BUFFER_REF(OutputTensor, output_tensor)
#define PREPARED_INPUT BUFFER_REF(PreparedInput, prepared_input)
#define EXACT_WEIGHTS BUFFER_REF(ExactWeights, exact_weights)

// ---- what an invocation brings ----------------------------------------------------------------------------------------
// Of the inputs, vector i * LOCAL + invocation: neighbouring invocations, neighbouring memory.

ivec2 item_row[INPUT_ITEMS];   // depth and height of the input, for the first taps of the phase; far outside: none
uint item_base[INPUT_ITEMS];   // where in the tensor, for input depth 0 and height 0

const int NOWHERE = -0x40000000;

uint item_octet(uint item) { return PREPARED ? item % ROW_OCTETS : item / INPUT_ROWS; }
uint item_input_row(uint item) { return PREPARED ? item / ROW_OCTETS : item % INPUT_ROWS; }

// first_number: the number of the position, in rows of the input, that shared row 0 holds.
void locate(int first_number, uint group, Phase phase_d, Phase phase_h) {
  const SlabParams params = push.params.slab;
  [[unroll]] for (uint i = 0; i < INPUT_ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    const int number = first_number + int(item_input_row(item));
    const Position from = decode(uint(number), PITCH_W);
    const bool exists = number >= 0 && from.image < params.batch && from.at.z < INPUT_W;
    item_row[i] = exists ? ivec2(from.at.xy) + ivec2(phase_d.first_input, phase_h.first_input) : ivec2(NOWHERE);
    if (PREPARED && INPUT_IN_OCTETS) {
      item_base[i] = (params.input_offset + from.image * INPUT_IMAGE + group * IN_CHANNELS + from.at.z * INPUT_PIXEL_STRIDE) / OCTET_ELEMENTS + item_octet(item);
    } else if (PREPARED) {
      item_base[i] = ((from.image * params.groups + group) * CHUNKS * INPUT_PLANE + from.at.z) * ROW_OCTETS + item_octet(item);
    } else {
      item_base[i] = params.input_offset + from.image * INPUT_IMAGE + (group * IN_CHANNELS + item_octet(item) * OCTET_ELEMENTS) * INPUT_CHANNEL_STRIDE + from.at.z * INPUT_PIXEL_STRIDE;
    }
  }
}

// What is on its way into shared memory, in registers. Elements become octets, and parts, when they are put there: not
// before all of them have been asked for.
#if defined(DATA_F32)
#define RAW(index) INPUT.words[index]
#define Raw float
#else
#define RAW(index) RAW_OF(INPUT.words[index])
#define Raw uint
#endif
Raw raw_inputs[PREPARED ? 1u : INPUT_ITEMS * OCTET_ELEMENTS];
uvec4 input_octets[PREPARED ? INPUT_ITEMS : 1u];
uvec4 weight_octets[WINDOW_TAPS * WEIGHT_ITEMS];

void fetch_inputs(ivec2 step, uint chunk) {
  [[unroll]] for (uint i = 0; i < INPUT_ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    const ivec2 at = item_row[i] - step;
    bool inside = uint(at.x) < INPUT_D && uint(at.y) < INPUT_H;  // a negative number is a large unsigned one
    if (INPUT_OCTETS % LOCAL != 0u) inside = inside && item < INPUT_OCTETS;
    const uint row = (uint(at.x) * INPUT_H + uint(at.y)) * INPUT_W;
    if (PREPARED) {
      input_octets[i] = uvec4(0);
      if (inside && INPUT_IN_OCTETS) {
        input_octets[i] = PREPARED_INPUT.words[item_base[i] + chunk * ROW_OCTETS + row * (INPUT_PIXEL_STRIDE / OCTET_ELEMENTS)];
      } else if (inside) {
        input_octets[i] = PREPARED_INPUT.words[item_base[i] + (chunk * INPUT_PLANE + row) * ROW_OCTETS];
      }
    } else {
      [[unroll]] for (uint c = 0; c < OCTET_ELEMENTS; ++c) {
        raw_inputs[i * OCTET_ELEMENTS + c] = Raw(0);
        const uint channel = chunk * DEPTH + item_octet(item) * OCTET_ELEMENTS + c;
        if (inside && (IN_CHANNELS % DEPTH == 0u || channel < IN_CHANNELS)) {
          raw_inputs[i * OCTET_ELEMENTS + c] = RAW(item_base[i] + (chunk * DEPTH + c) * INPUT_CHANNEL_STRIDE + row * INPUT_PIXEL_STRIDE);
        }
      }
    }
  }
}

void fetch_weights(uint from, uint window_taps) {
  [[unroll]] for (uint t = 0; t < WINDOW_TAPS; ++t) {
    if (t < window_taps) {
      [[unroll]] for (uint i = 0; i < WEIGHT_ITEMS; ++i) {
        const uint item = i * LOCAL + gl_LocalInvocationID.x;
        if (WEIGHT_OCTETS % LOCAL == 0u || item < WEIGHT_OCTETS) {
          weight_octets[t * WEIGHT_ITEMS + i] = WEIGHTS.words[from + t * WINDOW_TAP_OCTETS + item];
        }
      }
    }
  }
}

// Where in a row of shared memory a vector is, and how it gets there.
#if defined(DATA_I8)
#define OF_ROW(octet) (octet) * HALVES
#define PUT(at, octet) put_octet(at, octet)
void put_octet(uint at, uvec4 octet) {
  if (HALVES == 1u) {
    pool[at] = octet;
  } else {
    pool[at] = uvec4(octet.xy, 0u, 0u);
    pool[at + 1u] = uvec4(octet.zw, 0u, 0u);
  }
}
#else
#define OF_ROW(octet) octet
#define PUT(at, octet) pool[at] = octet
#endif

void put_into_shared() {
  [[unroll]] for (uint i = 0; i < INPUT_ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    if (INPUT_OCTETS % LOCAL == 0u || item < INPUT_OCTETS) {
      const uint at = item_input_row(item) * PITCH + OF_ROW(item_octet(item));
      if (PREPARED) {
        PUT(at, input_octets[i]);
      } else {
#if defined(DATA_F32)
        float values[8];
        [[unroll]] for (uint c = 0; c < 8u; ++c) values[c] = raw_inputs[i * 8u + c];
        uvec4 high, low;
        split_octet_by_conversion(values, push.params.zero, high, low);
        pool[at] = high;
        if (PARTS == 2u) pool[at + PART_OCTETS] = low;
#elif defined(DATA_I8)
        uint values[16];
        [[unroll]] for (uint c = 0; c < 16u; ++c) values[c] = raw_inputs[i * 16u + c];
        PUT(at, octet_of_bytes(values));
#else
        uvec4 octet;
        [[unroll]] for (uint c = 0; c < 4u; ++c) octet[c] = raw_inputs[i * 8u + 2u * c] | (raw_inputs[i * 8u + 2u * c + 1u] << 16);
        PUT(at, octet);
#endif
      }
    }
  }
  [[unroll]] for (uint t = 0; t < WINDOW_TAPS; ++t) {
    [[unroll]] for (uint i = 0; i < WEIGHT_ITEMS; ++i) {
      const uint item = i * LOCAL + gl_LocalInvocationID.x;
      if (WEIGHT_OCTETS % LOCAL == 0u || item < WEIGHT_OCTETS) {
        PUT(WEIGHTS_BEGIN + (t * ROWS + item / ROW_OCTETS) * PITCH + OF_ROW(item % ROW_OCTETS), weight_octets[t * WEIGHT_ITEMS + i]);
      }
    }
  }
}

// ---- the product ------------------------------------------------------------------------------------------------------

#define Left coopmat<Element, gl_ScopeSubgroup, TILE_M, TILE_K, gl_MatrixUseA>
#define Right coopmat<Element, gl_ScopeSubgroup, TILE_K, TILE_N, gl_MatrixUseB>
#define Sum coopmat<Accumulator, gl_ScopeSubgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator>

Sum sums[FRAGMENTS_M * FRAGMENTS_N];
#if defined(DATA_F32)
Sum small_sums[PARTS == 2u ? FRAGMENTS_M * FRAGMENTS_N : 1u];  // of the products with a low part, SPLIT_SCALE times as large
#endif

// left_at, right_at: of the matrices for the first TILE_K in-channels.
#if defined(DATA_F32)
void multiply_parts(uint left_at, uint right_at) {
  Left high[FRAGMENTS_M];
  Left low[FRAGMENTS_M];
  [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
    const uint at = left_at + m * TILE_M * PITCH;
    coopMatLoad(high[m], pool, at, PITCH, gl_CooperativeMatrixLayoutRowMajor);
    coopMatLoad(low[m], pool, at + PART_OCTETS, PITCH, gl_CooperativeMatrixLayoutRowMajor);
  }
  [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
    Right right_high;
    Right right_low;
    const uint at = right_at + n * TILE_N * PITCH;
    coopMatLoad(right_high, pool, at, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    coopMatLoad(right_low, pool, at + PART_OCTETS, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
      const uint at_sum = m * FRAGMENTS_N + n;
      const uint at_small = PARTS == 2u ? at_sum : 0u;
      small_sums[at_small] = coopMatMulAdd(high[m], right_low, small_sums[at_small]);
      small_sums[at_small] = coopMatMulAdd(low[m], right_high, small_sums[at_small]);
      Sum large = Sum(0.0);
      large = coopMatMulAdd(high[m], right_high, large);
      sums[at_sum] = sums[at_sum] + large;
    }
  }
}
#endif

void multiply_whole(uint left_at, uint right_at) {
  Left left[FRAGMENTS_M];
  [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
    coopMatLoad(left[m], pool, left_at + m * TILE_M * PITCH, PITCH, gl_CooperativeMatrixLayoutRowMajor);
  }
  [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
    Right right;
    coopMatLoad(right, pool, right_at + n * TILE_N * PITCH, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
    [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
      sums[m * FRAGMENTS_N + n] = coopMatMulAdd(left[m], right, sums[m * FRAGMENTS_N + n]);
    }
  }
}

void multiply(uint window_tap, uint warp_m, uint warp_n) {
  const uint left_at = WEIGHTS_BEGIN + (window_tap * ROWS + warp_m * FRAGMENTS_M * TILE_M) * PITCH;
  const uint right_at = (warp_n * FRAGMENTS_N * TILE_N + (WINDOW_TAPS - 1u - window_tap) * uint(INPUT_STEP_W)) * PITCH;
  [[unroll]] for (uint k = 0; k < DEPTH / TILE_K; ++k) {
#if defined(DATA_F32)
    if (PARTS == 2u) {
      multiply_parts(left_at + k * TILE_K_OCTETS, right_at + k * TILE_K_OCTETS);
      continue;
    }
#endif
    multiply_whole(left_at + k * TILE_K_OCTETS, right_at + k * TILE_K_OCTETS);
  }
}

#include "matrix_output.glsl"

void main() {
  const SlabParams params = push.params.slab;
  const Work work = find_work(params);
  const uint first_position = work.tile * POSITIONS;
  const uint end_position = params.batch * SIZE_D * SIZE_H * PITCH_W;
  if (first_position >= end_position) return;
  const uint block = work.block;
  const uint group = block / params.blocks;
  const uint first_channel = (params.first_block + block % params.blocks) * BLOCK_CHANNELS;  // within the group

  const Phase phase_d = find_phase_d(work.first_output.x, PADDING_D);
  const Phase phase_h = find_phase_h(work.first_output.y, PADDING_H);
  const Phase phase_w = find_work_phase_w(work);

  // The box of positions that the tile covers decides which taps are needed.
  const Position first = decode(first_position, PITCH_W);
  const Position last = decode(min(first_position + POSITIONS, end_position) - 1u, PITCH_W);
  const bool one_image = first.image == last.image;
  const bool one_slice = one_image && first.at.x == last.at.x;
  const ivec2 range_d = tap_range(phase_d, one_image ? first.at.x : 0u, one_image ? last.at.x : SIZE_D - 1u, INPUT_D, INPUT_STEP_D);
  const ivec2 range_h = tap_range(phase_h, one_slice ? first.at.y : 0u, one_slice ? last.at.y : SIZE_H - 1u, INPUT_H, INPUT_STEP_H);

  [[unroll]] for (uint i = 0; i < FRAGMENTS_M * FRAGMENTS_N; ++i) {
    sums[i] = Sum(Accumulator(0));
#if defined(DATA_F32)
    if (PARTS == 2u) small_sums[PARTS == 2u ? i : 0u] = Sum(0.0);
#endif
  }
  const uint bias_index = (params.first_group + group) * OUT_CHANNELS + first_channel;
  if (HAS_BIAS) {
    for (uint c = gl_LocalInvocationID.x; c < BLOCK_CHANNELS && first_channel + c < OUT_CHANNELS; c += LOCAL) {
      block_bias[c] = LOAD_BIAS(BIAS, bias_index + c);
    }
  }

  const uint warp_m = gl_SubgroupID % WARPS_M;
  const uint warp_n = gl_SubgroupID / WARPS_M;
  const uint weights_block = params.weights_offset + block * uint(KERNEL_D * KERNEL_H) * TAPS_W * CHUNKS * WEIGHT_OCTETS;

  const uvec2 outer_taps = uvec2(range_d.y - range_d.x, range_h.y - range_h.x);
  const uint steps = outer_taps.x * outer_taps.y * CHUNKS;
  for (int first_tap = 0; first_tap < phase_w.taps; first_tap += int(WINDOW_TAPS)) {
    const uint window_taps = min(WINDOW_TAPS, uint(phase_w.taps - first_tap));
    const uint tap_w = uint(phase_w.first_tap + first_tap * (MERGED > 0u ? 1 : TAP_STEP_W));
    locate(int(first_position) + phase_w.first_input - (first_tap + int(WINDOW_TAPS) - 1) * INPUT_STEP_W, group, phase_d, phase_h);
    ivec2 tap = ivec2(range_d.x, range_h.x);  // of depth and height, counted within the phase
    uint chunk = 0;
    [[dont_unroll]] for (uint step = 0; step < steps; ++step) {
      const uint outer_tap = uint(phase_d.first_tap + tap.x * TAP_STEP_D) * uint(KERNEL_H) + uint(phase_h.first_tap + tap.y * TAP_STEP_H);
      fetch_inputs(tap * ivec2(INPUT_STEP_D, INPUT_STEP_H), chunk);
      fetch_weights(weights_block + ((outer_tap * TAPS_W + tap_w) * CHUNKS + chunk) * WEIGHT_OCTETS, window_taps);
      if (++chunk == CHUNKS) {
        chunk = 0;
        if (++tap.y == range_h.y) {
          tap.y = range_h.x;
          ++tap.x;
        }
      }
      barrier();  // the step before has been read
      put_into_shared();
      barrier();
      // In a window that is full, the loads of the next tap overlap the products of this one.
      if (window_taps == WINDOW_TAPS) {
        [[unroll]] for (uint t = 0; t < WINDOW_TAPS; ++t) multiply(t, warp_m, warp_n);
      } else {
        [[dont_unroll]] for (uint t = 0; t < window_taps; ++t) multiply(t, warp_m, warp_n);
      }
    }
  }

  const uint output_base = params.output_offset + (group * OUT_CHANNELS + first_channel - params.first_block * BLOCK_CHANNELS) * OUTPUT_CHANNEL_STRIDE;
#if defined(DATA_F32)
  if (PARTS == 2u) {
    [[unroll]] for (uint i = 0; i < FRAGMENTS_M * FRAGMENTS_N; ++i) sums[i] = sums[i] + small_sums[PARTS == 2u ? i : 0u] * (1.0 / SPLIT_SCALE);
  }
#endif
  bool finite = true;
  // Not unrolled, but every index of sums is a constant: else they would live in memory.
  [[dont_unroll]] for (uint fragment_m = 0; fragment_m < FRAGMENTS_M; ++fragment_m) {
    barrier();  // what was in the pool has been read
    [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
      if (m == fragment_m) {
        [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
          coopMatStore(sums[m * FRAGMENTS_N + n], pool, (warp_m * TILE_M * STAGED_PITCH + (warp_n * FRAGMENTS_N + n) * TILE_N) / 4u,
                       STAGED_PITCH / 4u, gl_CooperativeMatrixLayoutRowMajor);
        }
      }
    }
    barrier();
    finite = store_staged(fragment_m, work.first_output, first_position, end_position, first_channel, output_base, bias_index) && finite;
  }
#if defined(DATA_F32)
  if (!finite) repair(work.first_output, first_position, end_position, group, block, first_channel, output_base, bias_index);
#endif
}

// Implicit matrix product over phases on matrix units (VK_KHR_cooperative_matrix): rows (out-channels, or out-channels in one
// of the merged phases of the width) x positions x (taps x in-channels). Products of 16-bit elements, sums in fp32.
//
// Layouts: input [batch, in-channels, spatial], [batch, spatial, in-channels] or, PREPARED, as channels_last.comp left it:
// [image, group, chunk, pixel, part, DEPTH channels] in 16 bits; packed weights [group, out-channel block, tap, TILE_K
// in-channels, TILE_M rows, part] of whole matrices (pack_fragments.comp); bias [out-channels]; output in either layout.
//
// What differs from matrix.comp: shared memory holds, of one chunk of DEPTH in-channels, the inputs under a window of WINDOW_H
// x WINDOW_W taps, so that an input is fetched once for all of them; weights are loaded from memory, where the nearest cache
// holds them, and leave shared memory, which is scarce (docs/performance-log.md), to the inputs; and outputs are stored as
// whole aligned vectors (matrix_window_output.glsl, matrix_window_channels_last.glsl), or straight from registers
// (matrix_window_lanes.glsl; channels-first ones in modules of their own, OUTPUT_IN_UNITS). As there, shared memory has a row for
// each number (numbering.glsl) with its channels side by side: a tap of sixteen neighbouring positions is sixteen
// neighbouring rows, wherever they begin. A row has a spare vector, so that eight rows fall into different banks.
//
// fp32 is prepared, or split as it is read. PARTS = 2: x = high + low / 2048 with both parts in fp16, and 2048 * x * w = high * (2048 * high) + high *
// low + low * high; what is left out is below 2^-21 of the product. PARTS = 1: the high part alone. Inputs beyond fp16's range
// have an infinite or NaN high part (split.glsl): what comes out infinite or NaN is stored once more, computed from the tensors
// themselves, if it MENDS; else who reads the sums sees to it (transform_output.comp).
//
// Merged phases of the width are those of tiled.comp; TILE_M rows hold whole out-channels, TILE_M / MERGED of them;
// or, OUTPUT_IN_UNITS, those of a subgroup together.
//
// Constraints: LOCAL = WARPS_M * WARPS_N subgroups, whole ones; ROWS = WARPS_M * n * TILE_M, POSITIONS = WARPS_N * n *
// TILE_N; DEPTH a multiple of TILE_K, TILE_K and TILE_M of 8, and where INPUT_BY_PIXELS, LOCAL of ITEM_OCTETS; MERGED <= TILE_M, and 0 where the output is channels-last;
// INPUT_VECTOR divides INPUT_W and the slab's input_offset, and is 1 where the input is channels-last; INPUT_OCTETS and
// OUTPUT_OCTETS: the channels of a group and the slab's offset are multiples of 8; 16-bit weights are finite; FETCHES_AHEAD only INPUT_BY_PIXELS,
// SUMS_APART only of two parts; ROW_LANES only without post-ops, of channels-last outputs and always OUTPUT_IN_UNITS; 32-bit limits as in gather.comp. See src/algorithms/matrix_window.cpp.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#include "numbering.glsl"
#include "matrix_types.glsl"
#include "round_to_half.glsl"
#include "split.glsl"

layout(local_size_x_id = WINDOW_LOCAL_SIZE) in;
layout(constant_id = WINDOW_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = WINDOW_TILE_M) const uint TILE_M = 16;
layout(constant_id = WINDOW_TILE_N) const uint TILE_N = 16;
layout(constant_id = WINDOW_TILE_K) const uint TILE_K = 16;
layout(constant_id = WINDOW_ROWS) const uint ROWS = 16;
layout(constant_id = WINDOW_POSITIONS) const uint POSITIONS = 32;
layout(constant_id = WINDOW_TILE_STEP) const uint TILE_STEP = 32;  // positions from one tile to the next: they overlap
layout(constant_id = WINDOW_DEPTH) const uint DEPTH = 16;
layout(constant_id = WINDOW_WARPS_M) const uint WARPS_M = 1;
layout(constant_id = WINDOW_WARPS_N) const uint WARPS_N = 1;
layout(constant_id = WINDOW_TAPS_H) const uint WINDOW_H = 1;
layout(constant_id = WINDOW_TAPS_W) const uint WINDOW_W = 1;
layout(constant_id = WINDOW_INPUT_VECTOR) const uint INPUT_VECTOR = 1;  // neighbours that are read together: 2 or 1
layout(constant_id = WINDOW_INPUT_OCTETS) const bool INPUT_OCTETS = false;    // channels-last: eight channels are read together,
layout(constant_id = WINDOW_OUTPUT_OCTETS) const bool OUTPUT_OCTETS = false;  // or stored
layout(constant_id = WINDOW_BY_INVOCATION) const bool BY_INVOCATION = false;
layout(constant_id = WINDOW_PREPARED) const bool PREPARED = false;
layout(constant_id = WINDOW_PARTS) const uint PARTS = 1;  // of an element: 2, or 1; fp32 only
layout(constant_id = WINDOW_MENDS) const bool MENDS = true;   // fp32 only
layout(constant_id = WINDOW_UNROLLED) const bool UNROLLS_WINDOW = false;     // a whole window, not only its rows
layout(constant_id = WINDOW_FETCHES_AHEAD) const bool FETCHES_AHEAD = false;  // the next chunk's inputs, while this one's are multiplied
layout(constant_id = WINDOW_ROW_LANES) const uint ROW_LANES = 0;          // matrix_window_lanes.glsl
layout(constant_id = WINDOW_LANE_CHANNELS) const uint LANE_CHANNELS = 1;
layout(constant_id = WINDOW_SUMS_APART) const bool SUMS_APART = false;       // fp32 only: matrix_window_products.glsl

const uint CHUNKS = (IN_CHANNELS + DEPTH - 1u) / DEPTH;
const uint PHASES_IN_ROWS = MERGED > 0u ? MERGED : 1u;
const uint TILE_CHANNELS = TILE_M / PHASES_IN_ROWS;  // whole out-channels in TILE_M rows
#if defined(OUTPUT_IN_UNITS)
const uint BLOCK_CHANNELS = ROWS / PHASES_IN_ROWS;  // in all rows of a subgroup together
#else
const uint BLOCK_CHANNELS = ROWS / TILE_M * TILE_CHANNELS;
#endif
const uint FRAGMENTS_M = ROWS / WARPS_M / TILE_M;
const uint FRAGMENTS_N = POSITIONS / WARPS_N / TILE_N;

const uint SUBGROUPS = WARPS_M * WARPS_N;
const uint SUBGROUP = LOCAL / SUBGROUPS;

#include "matrix_fragments.glsl"

// Whether an invocation brings channels of one pixel into shared memory, not of two neighbours.
#if defined(DATA_F32)
const bool INPUT_BY_PIXELS = true;
#else
const bool INPUT_BY_PIXELS = PREPARED ? true : INPUT_CHANNELS_LAST;
#endif

// In vectors of eight 16-bit elements.
const uint PART_OCTETS = DEPTH / 8u;
const uint ROW_OCTETS = PARTS * PART_OCTETS;
const uint PITCH = ROW_OCTETS + 1u;
const uint CHUNK_TILES = DEPTH / TILE_K;
const uint TILE_OF_WEIGHTS = PARTS * LEFT_OCTETS;
const uint TAP_OCTETS = CHUNKS * CHUNK_TILES * (ROWS / TILE_M) * TILE_OF_WEIGHTS;

// From one tap of a window to the next, in numbers.
const uint STEP_W = uint(INPUT_STEP_W);
const uint STEP_H = uint(INPUT_STEP_H) * PITCH_W;
const uint INPUT_ROWS = POSITIONS + (WINDOW_H - 1u) * STEP_H + (WINDOW_W - 1u) * STEP_W;
const uint TILE_OCTETS = INPUT_ROWS * PITCH;

// Sums on their way out: TILE_M rows of each of the WARPS_M, in fp32.
const uint STAGED_PITCH = POSITIONS + 8u;  // of whole matrix rows, neighbours into different banks
// In between, lanes that are laid out from the beginning of a sector may read what is before and behind the rows.
const uint STAGED_BEGIN = 16;
const uint STAGED_ROW_QUADS = (STAGED_BEGIN + WARPS_M * TILE_M * STAGED_PITCH + 16u) / 4u;
// Or, of a channels-last output, all ROWS of TILE_N positions of each of the WARPS_N.
const uint PIXEL_PITCH = ROWS + 4u;
const uint STAGES = OUTPUT_CHANNELS_LAST ? FRAGMENTS_N : FRAGMENTS_M;
// Or one matrix of each subgroup.
const bool LANE_STORES = ROW_LANES > 0u;
const uint MATRIX_QUADS = TILE_M * TILE_N / 4u;
const uint STAGED_QUADS = LANE_STORES ? SUBGROUPS * MATRIX_QUADS : OUTPUT_CHANNELS_LAST ? WARPS_N * TILE_N * PIXEL_PITCH / 4u : STAGED_ROW_QUADS;

shared uvec4 pool[TILE_OCTETS > STAGED_QUADS ? TILE_OCTETS : STAGED_QUADS];
shared float block_bias[ROWS];
#if defined(DATA_F32)
shared float block_scale[ROWS];  // that sums are to be multiplied by
#endif
#if defined(OUTPUT_IN_UNITS)
const uint UNIT_POSITIONS = ROW_LANES > 1u ? 2u : 1u;  // neighbours in what an invocation holds of a row (matrix_window_lanes.glsl)
shared uvec2 output_units[POSITIONS / UNIT_POSITIONS];  // matrix_window_lane_units.glsl
#else
shared ivec4 output_runs[OUTPUT_CHANNELS_LAST ? 1u : 2u * SEGMENTS];   // matrix_window_output.glsl
shared uint output_pixels[OUTPUT_CHANNELS_LAST ? POSITIONS : 1u];  // matrix_window_channels_last.glsl
#endif

DECLARE_VIEW(0, readonly, InputTensor, Word)
DECLARE_VIEW(0, readonly, InputPairs, uint)
DECLARE_VIEW(0, readonly, InputVectors, uvec4)
DECLARE_BUFFER(1, readonly, PackedWeights, uvec4)
DECLARE_BUFFER(2, readonly, BiasTensor, Word)
DECLARE_VIEW(3, writeonly, OutputTensor, Word)
DECLARE_VIEW(3, writeonly, OutputVectors, uvec4)
DECLARE_VIEW(3, writeonly, OutputPairs, uvec2)
DECLARE_VIEW(3, writeonly, OutputWords, uint)

DECLARE_BUFFER(4, readonly, PreparedInput, uvec4)
DECLARE_BUFFER(5, readonly, ExactWeights, float)  // [group, block, tap, in-channel, channel of the block] (pack_weights.comp)

DECLARE_BUFFER(6, readonly, WeightScales, float)         // [out-channels] (weight_scales.comp)

DECLARE_POST_OP_BUFFERS(7)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  BUFFER_MEMBER(PreparedInput, prepared_input)
  BUFFER_MEMBER(ExactWeights, exact_weights)
  BUFFER_MEMBER(WeightScales, weight_scales)
  POST_OP_MEMBERS
  MatrixParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define INPUT_PAIRS VIEW_REF(InputPairs, input_tensor)
#define INPUT_VECTORS VIEW_REF(InputVectors, input_tensor)
#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)
#define OUTPUT BUFFER_REF(OutputTensor, output_tensor)
#define OUTPUT_VECTORS VIEW_REF(OutputVectors, output_tensor)
#define OUTPUT_PAIRS VIEW_REF(OutputPairs, output_tensor)
#define PREPARED_INPUT BUFFER_REF(PreparedInput, prepared_input)
#define EXACT_WEIGHTS BUFFER_REF(ExactWeights, exact_weights)
#define WEIGHT_SCALES BUFFER_REF(WeightScales, weight_scales)

#include "matrix_window_input.glsl"
#include "matrix_window_exact.glsl"
#include "matrix_window_elements.glsl"
#if defined(OUTPUT_IN_UNITS)
#include "matrix_window_input_pixels.glsl"
#include "matrix_window_products.glsl"
#include "matrix_window_lanes.glsl"
#include "matrix_window_lane_units.glsl"
#include "matrix_window_lane_stores.glsl"
#else
#include "matrix_window_output.glsl"
#include "matrix_window_input_pixels.glsl"
#include "matrix_window_channels_last.glsl"
#include "matrix_window_products.glsl"
#include "matrix_window_lanes.glsl"
#include "matrix_window_lane_pixels.glsl"
#include "matrix_window_lane_stores.glsl"

// Puts sums into shared memory: matrix row `stage` of each subgroup, or, of a channels-last output, matrix column.
void stage_sums(uint stage, uint warp_m, uint warp_n) {
  [[unroll]] for (uint i = 0; i < STAGES; ++i) {
    if (i != stage) continue;
    if (OUTPUT_CHANNELS_LAST) {
      [[unroll]] for (uint m = 0; m < FRAGMENTS_M; ++m) {
        coopMatStore(sums[m * FRAGMENTS_N + i % FRAGMENTS_N], pool, (warp_n * TILE_N * PIXEL_PITCH + (warp_m * FRAGMENTS_M + m) * TILE_M) / 4u,
                     PIXEL_PITCH / 4u, gl_CooperativeMatrixLayoutColumnMajor);
      }
    } else {
      [[unroll]] for (uint n = 0; n < FRAGMENTS_N; ++n) {
        coopMatStore(sums[i % FRAGMENTS_M * FRAGMENTS_N + n], pool, (STAGED_BEGIN + warp_m * TILE_M * STAGED_PITCH + (warp_n * FRAGMENTS_N + n) * TILE_N) / 4u,
                     STAGED_PITCH / 4u, gl_CooperativeMatrixLayoutRowMajor);
      }
    }
  }
}
#endif

// What the stores need to know, in shared memory.
void prepare_outputs(OutputTile tile) {
  for (uint c = gl_LocalInvocationID.x; c < BLOCK_CHANNELS && tile.first_channel + c < OUT_CHANNELS; c += LOCAL) {
    if (HAS_BIAS) block_bias[c] = LOAD(BIAS, tile.bias_index + c);
#if defined(DATA_F32)
    // The inverse of a power of two, exactly.
    block_scale[c] = uintBitsToFloat(0x7f000000u - floatBitsToUint(WEIGHT_SCALES.words[tile.bias_index + c]));
#endif
  }
#if defined(DATA_F32)
  if (gl_LocalInvocationID.x == 0u) needs_mending = 0u;
#endif
#if defined(OUTPUT_IN_UNITS)
  list_units(tile);
#else
  if (OUTPUT_CHANNELS_LAST) list_pixels(tile);
  else list_runs(tile);
#endif
}

void main() {
  const SlabParams params = push.params.slab;
  const Work work = find_work(params);
  const uint first_position = work.tile * TILE_STEP;
  const uint end_position = count_numbers(params.batch);
  if (first_position >= end_position) return;
  if (LANE_STORES) find_what_lanes_hold();
  const uint block = work.block;
  const uint group = block / params.blocks;
  const uint first_channel = (params.first_block + block % params.blocks) * BLOCK_CHANNELS;  // within the group

  const Phase phase_d = find_phase_d(work.first_output.x, PADDING_D);
  const Phase phase_h = find_phase_h(work.first_output.y, PADDING_H);
  const Phase phase_w = find_work_phase_w(work);
  const ivec3 first_input = ivec3(phase_d.first_input, phase_h.first_input, phase_w.first_input);

  // The box of positions that the tile covers decides which taps are needed.
  const Numbered first = decode_number(first_position, params.batch);
  const Numbered last = decode_number(min(first_position + POSITIONS, end_position) - 1u, params.batch);
  const bool one_strip = first.image == last.image && first.strip == last.strip;
  const bool one_slice = one_strip && first.at.x == last.at.x;
  const ivec2 range_d = tap_range(phase_d, one_strip ? uint(first.at.x) : 0u, one_strip ? uint(last.at.x) : SIZE_D - 1u, INPUT_D, INPUT_STEP_D);
  const ivec2 range_h = tap_range(phase_h, one_slice ? uint(first.at.y) : 0u, one_slice ? uint(last.at.y) : SIZE_H - 1u, INPUT_H, INPUT_STEP_H);

  [[unroll]] for (uint i = 0; i < SUMS; ++i) {
    sums[i] = Sum(0.0);
  }
  OutputTile tile;
  tile.first_output = work.first_output;
  tile.first_position = first_position;
  tile.end_position = min(first_position + POSITIONS, end_position);
  tile.first_channel = first_channel;
  tile.bias_index = (params.first_group + group) * OUT_CHANNELS + first_channel;
  tile.input_base = params.input_offset + group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  tile.exact_base = push.params.exact_offset + block * uint(KERNEL_D * KERNEL_H * KERNEL_W) * IN_CHANNELS * EXACT_ROWS;
  tile.output_base = params.output_offset + (group * OUT_CHANNELS + first_channel - params.first_block * BLOCK_CHANNELS) * OUTPUT_CHANNEL_STRIDE;
  bool prepared_outputs = false;

  const uint warp_m = gl_SubgroupID % WARPS_M;
  const uint warp_n = gl_SubgroupID / WARPS_M;
  const uint weights_block = params.weights_offset + block * uint(KERNEL_D * KERNEL_H) * TAPS_W * TAP_OCTETS + warp_m * FRAGMENTS_M * TILE_OF_WEIGHTS;
  const uint packed_step_w = MERGED > 0u ? 1u : uint(TAP_STEP_W);  // a merged phase's taps are packed side by side

  Window window;
  window.weights_step_w = packed_step_w * TAP_OCTETS;
  window.weights_step_h = uint(TAP_STEP_H) * TAPS_W * TAP_OCTETS;
  [[dont_unroll]] for (int tap_h = 0; tap_h < range_h.y; tap_h += int(WINDOW_H)) {
    const int begin_h = max(range_h.x, tap_h), end_h = min(range_h.y, tap_h + int(WINDOW_H));
    if (begin_h >= end_h) continue;
    window.first_h = uint(begin_h - tap_h);
    window.taps_h = uint(end_h - begin_h);
    [[dont_unroll]] for (int tap_w = 0; tap_w < phase_w.taps; tap_w += int(WINDOW_W)) {
      window.taps_w = uint(min(int(WINDOW_W), phase_w.taps - tap_w));
      [[dont_unroll]] for (int tap_d = range_d.x; tap_d < range_d.y; ++tap_d) {
        const uint first_tap = (uint(phase_d.first_tap + tap_d * TAP_STEP_D) * uint(KERNEL_H) + uint(phase_h.first_tap + begin_h * TAP_STEP_H)) * TAPS_W +
                               uint(phase_w.first_tap) + uint(tap_w) * packed_step_w;
        const ivec3 offset = first_input - ivec3(tap_d * INPUT_STEP_D, tap_h * INPUT_STEP_H, tap_w * INPUT_STEP_W);
        if (INPUT_BY_PIXELS) locate_pixels(int(first_position), offset, group);
        else locate_inputs(int(first_position), offset, group);
        if (FETCHES_AHEAD) fetch_pixels(0u);
        [[dont_unroll]] for (uint chunk = 0; chunk < CHUNKS; ++chunk) {
          window.weights = weights_block + first_tap * TAP_OCTETS + chunk * CHUNK_TILES * (ROWS / TILE_M) * TILE_OF_WEIGHTS;
          if (INPUT_BY_PIXELS && !FETCHES_AHEAD) fetch_pixels(chunk);
          if (INPUT_BY_PIXELS && !prepared_outputs) {
            prepare_outputs(tile);  // while the first inputs are on their way
            prepared_outputs = true;
          }
          if (UNROLLS_WINDOW) load_left(window.weights);  // they are there when the inputs are
          barrier();  // the inputs before have been read
          if (INPUT_BY_PIXELS) put_pixels();
          else bring_inputs(chunk);
          barrier();
          if (FETCHES_AHEAD && chunk + 1u < CHUNKS) fetch_pixels(chunk + 1u);
          multiply_window(window, warp_n);
        }
      }
    }
  }

#if defined(DATA_F32)
  if (PARTS == 2u) {
    [[unroll]] for (uint i = 0; i < SUMS; ++i) sums[i] = sums[i] * (1.0 / SPLIT_SCALE);
  }
#endif
  if (!prepared_outputs) {
    prepare_outputs(tile);
    if (LANE_STORES) barrier();
  }
  if (LANE_STORES) {
    store_lanes(tile, warp_m, warp_n);
    return;
  }
#if !defined(OUTPUT_IN_UNITS)
  // Not unrolled, but every index of sums is a constant: else they would live in memory.
  [[dont_unroll]] for (uint stage = 0; stage < STAGES; ++stage) {
    barrier();  // what was in the pool has been read
    stage_sums(stage, warp_m, warp_n);
    barrier();
    if (OUTPUT_CHANNELS_LAST) store_pixels(tile, stage);
    else store_staged(tile, stage);
  }
#if defined(DATA_F32)
  if (!must_mend()) return;
  [[dont_unroll]] for (uint stage = 0; stage < STAGES; ++stage) {
    barrier();
    stage_sums(stage, warp_m, warp_n);
    barrier();
    if (OUTPUT_CHANNELS_LAST) mend_pixels(tile, stage);
    else mend_staged(tile, stage);
  }
#endif
#endif
}

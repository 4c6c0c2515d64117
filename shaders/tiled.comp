// Implicit matrix product over phases: out-channels x positions x (taps x in-channels), tiled through shared memory and
// registers. For problems that are bound by arithmetic.
//
// Layouts: input [batch, in-channels, spatial] or [batch, spatial, in-channels], packed weights [group, out-channel block,
// tap, step along the in-channels (input.glsl; rounded up to DEPTH), channel of the block] as Accumulator
// (pack_weights.comp), bias [out-channels], output [batch, out-channels, spatial] or [batch, spatial, out-channels].
//
// A workgroup computes CHANNELS rows of POSITIONS outputs of one phase, a row being an out-channel, or (MERGED) an
// out-channel in one of the phases of the width. Positions are numbered through the rows and images of the phase, so that
// nothing is wasted where a row is no multiple of the tile. Each round brings DEPTH steps along the in-channels of one tap
// (a step is one in-channel, or, of 8-bit integers, four as the bytes of a word) into shared memory; the next round's
// elements are on their way in registers meanwhile. Taps that no position of the tile takes are skipped. An invocation
// holds THREAD_CHANNELS x THREAD_POSITIONS sums; its positions are POSITIONS / THREAD_POSITIONS apart, so that
// neighbouring invocations read and write neighbouring elements, yet lie together in shared memory, where they are read
// four at a time.
//
// Merged phases of the width: outputs with o + padding = q * stride + r belong to position q. Where (merged - 1) *
// dilation < stride, phase r = tap * dilation takes the taps tap, tap + TAP_STEP_W, ... from the inputs q, q -
// INPUT_STEP_W, ...: all phases from the same. So they are rows of one product, share its input, and their outputs are
// neighbours: they are put in order in shared memory, phases without taps are filled in, and whole rows are stored.
//
// Constraints: LOCAL = CHANNELS / THREAD_CHANNELS * POSITIONS / THREAD_POSITIONS; THREAD_CHANNELS and THREAD_POSITIONS
// multiples of 4; LOCAL divides POSITIONS or POSITIONS divides LOCAL, and then LOCAL / POSITIONS divides DEPTH; weights
// are finite (inputs that do not exist count as zeros); 32-bit limits as in gather.comp. See src/algorithms/tiled.cpp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "problem.glsl"

layout(local_size_x_id = TILED_LOCAL_SIZE) in;
layout(constant_id = TILED_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = TILED_CHANNELS) const uint CHANNELS = 32;
layout(constant_id = TILED_POSITIONS) const uint POSITIONS = 32;
layout(constant_id = TILED_DEPTH) const uint DEPTH = 8;
layout(constant_id = TILED_THREAD_CHANNELS) const uint THREAD_CHANNELS = 8;
layout(constant_id = TILED_THREAD_POSITIONS) const uint THREAD_POSITIONS = 4;
layout(constant_id = TILED_BUFFERS) const uint BUFFERS = 1;  // of shared memory: 2 saves a barrier in each step
layout(constant_id = TILED_STAGED_CHANNELS) const uint STAGED_CHANNELS = 1;   // merged: put in order together
layout(constant_id = TILED_OUTPUT_QUADS) const bool OUTPUT_QUADS = false;  // fp32, channels-last: groups and the slab's offset are multiples of 4

const uint CHUNKS = (IN_STEPS + DEPTH - 1u) / DEPTH;
const uint BLOCK_CHANNELS = MERGED > 0u ? CHANNELS / MERGED : CHANNELS;  // out-channels of a block

// Which elements an invocation brings: COLUMNS positions, ROWS steps along the in-channels of each, ROW_STEP apart.
const uint COLUMNS = POSITIONS > LOCAL ? POSITIONS / LOCAL : 1u;
const uint ROW_STEP = LOCAL > POSITIONS ? LOCAL / POSITIONS : 1u;
const uint ROWS = DEPTH / ROW_STEP;

// Neighbouring invocations bring neighbouring elements, as far as their numbers go: positions, or in-channels.
uint column_of(uint c) {
  return c * LOCAL + (INPUT_CHANNELS_LAST ? gl_LocalInvocationID.x / ROW_STEP : gl_LocalInvocationID.x % POSITIONS);
}
uint first_row() {
  return INPUT_CHANNELS_LAST ? gl_LocalInvocationID.x % ROW_STEP : LOCAL > POSITIONS ? gl_LocalInvocationID.x / POSITIONS : 0u;
}

const uint WEIGHT_QUADS = DEPTH * CHANNELS / 4u;  // of a step
const uint WEIGHT_LOADS = (WEIGHT_QUADS + LOCAL - 1u) / LOCAL;

const uint THREADS_X = POSITIONS / THREAD_POSITIONS;
const uint THREAD_QUADS = THREAD_CHANNELS / 4u;
// An odd number of vectors between neighbouring invocations keeps their reads in different banks.
const uint INPUT_PITCH = (THREAD_POSITIONS / 4u) | 1u;
const uint INPUT_ROW = THREADS_X * INPUT_PITCH;

const uint WEIGHTS_BEGIN = BUFFERS * DEPTH * INPUT_ROW;
const uint TILE_QUADS = WEIGHTS_BEGIN + BUFFERS * WEIGHT_QUADS;
const uint STAGED_ROW = POSITIONS * STRIDE_W;
const uint STAGED_ITEMS = (STAGED_ROW + LOCAL - 1u) / LOCAL;  // of a row, stored by one invocation
const uint STAGED_QUADS = MERGED > 0u ? (STAGED_CHANNELS * STAGED_ROW + 3u) / 4u : 0u;

// The tile of inputs, then of weights; after the product the outputs that are put in order.
shared Accumulator4 pool[TILE_QUADS > STAGED_QUADS ? TILE_QUADS : STAGED_QUADS];

DECLARE_INPUT(0)
DECLARE_BUFFER(1, readonly, PackedWeights, Accumulator4)
DECLARE_BUFFER(2, readonly, BiasTensor, BiasWord)
DECLARE_OUTPUT(3)
#if defined(DATA_F32)
DECLARE_BUFFER(3, writeonly, OutputQuads, vec4)  // the same memory, where it is stored in vectors
#endif
DECLARE_POST_OP_BUFFERS(4)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  POST_OP_MEMBERS
  SlabParams params;
} push;

#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)

// What the invocation brings into shared memory in the next step.
Accumulator input_elements[COLUMNS * ROWS];
Accumulator4 weight_elements[WEIGHT_LOADS];

ivec3 column_position[COLUMNS];  // of the input, for tap 0 of the phase
uint column_base[COLUMNS];       // of its first in-channel
bool column_exists[COLUMNS];

void fetch(ivec3 step, uint tap, uint chunk, uint weights_block) {
  const uint weights_at = weights_block + (tap * CHUNKS + chunk) * WEIGHT_QUADS;
  [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
    const uint quad = i * LOCAL + gl_LocalInvocationID.x;
    if (WEIGHT_QUADS % LOCAL == 0u || quad < WEIGHT_QUADS) weight_elements[i] = WEIGHTS.words[weights_at + quad];
  }
  const uint first_step = chunk * DEPTH + first_row();
  [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
    const ivec3 at = column_position[c] - step;
    // A negative position is a large unsigned one.
    const bool inside = column_exists[c] && uint(at.x) < INPUT_D && uint(at.y) < INPUT_H && uint(at.z) < INPUT_W;
    const uint pixel = (uint(at.x) * INPUT_H + uint(at.y)) * INPUT_W + uint(at.z);
    const uint index = column_base[c] + first_step * STEP_CHANNELS * INPUT_CHANNEL_STRIDE + pixel * INPUT_PIXEL_STRIDE;
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      const uint row_step = first_step + r * ROW_STEP;
      const bool exists = inside && (IN_STEPS % DEPTH == 0u || row_step < IN_STEPS);
      input_elements[c * ROWS + r] = Accumulator(0);
      if (exists) {
        LOAD_STEP(input_elements[c * ROWS + r], index + r * ROW_STEP * STEP_CHANNELS * INPUT_CHANNEL_STRIDE,
                  INPUT_CHANNEL_STRIDE, IN_CHANNELS - row_step * STEP_CHANNELS, INPUT_IN_WORDS);
      }
    }
  }
}

void put_into_shared(uint stage) {
  [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
    const uint quad = i * LOCAL + gl_LocalInvocationID.x;
    if (WEIGHT_QUADS % LOCAL == 0u || quad < WEIGHT_QUADS) pool[WEIGHTS_BEGIN + stage * WEIGHT_QUADS + quad] = weight_elements[i];
  }
  [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
    const uint column = column_of(c);
    const uint of_thread = column / THREADS_X;  // the position's number within the invocation that computes it
    const uint at = (column % THREADS_X) * INPUT_PITCH + of_thread / 4u;
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      pool[(stage * DEPTH + first_row() + r * ROW_STEP) * INPUT_ROW + at][of_thread % 4u] = input_elements[c * ROWS + r];
    }
  }
}

Accumulator4 sums[THREAD_POSITIONS][THREAD_QUADS];

void multiply(uint stage, uint thread_x, uint thread_y) {
  [[unroll]] for (uint k = 0; k < DEPTH; ++k) {
    Accumulator4 weight[THREAD_QUADS];
    Accumulator4 value[THREAD_POSITIONS / 4u];
    [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) {
      weight[q] = pool[WEIGHTS_BEGIN + stage * WEIGHT_QUADS + k * (CHANNELS / 4u) + thread_y * THREAD_QUADS + q];
    }
    [[unroll]] for (uint p = 0; p < THREAD_POSITIONS / 4u; ++p) {
      value[p] = pool[(stage * DEPTH + k) * INPUT_ROW + thread_x * INPUT_PITCH + p];
    }
    [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
      [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) {
        sums[p][q] = multiply_add(value[p / 4u][p % 4u], weight[q], sums[p][q]);
      }
    }
  }
}

// Each invocation stores its own sums: neighbouring invocations, neighbouring positions of the phase.
void store_directly(uvec3 first_output, uint first_position, uint end_position, uint output_base, uint first_channel,
                    uint bias_index, uint thread_x, uint thread_y) {
  uint output_index[THREAD_POSITIONS];
  bool wanted[THREAD_POSITIONS];
  [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
    const uint position = first_position + p * THREADS_X + thread_x;
    const Position column = decode(position, SIZE_W);
    const uvec3 at = first_output + column.at * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
    wanted[p] = position < end_position && at.x < OUTPUT_D && at.y < OUTPUT_H && at.z < OUTPUT_W;
    output_index[p] = output_base + column.image * OUTPUT_IMAGE + ((at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z) * OUTPUT_PIXEL_STRIDE;
  }
  [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) {
    [[unroll]] for (uint i = 0; i < 4u; ++i) {
      const uint channel = thread_y * THREAD_CHANNELS + q * 4u + i;
      if (first_channel + channel < OUT_CHANNELS) {
        Accumulator bias = Accumulator(0);
        if (HAS_BIAS) bias = LOAD_BIAS(BIAS, bias_index + channel);
        const float scale = CHANNEL_SCALE(bias_index + channel), shift = CHANNEL_SHIFT(bias_index + channel);
        [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
          if (wanted[p]) STORE_RESULT(output_index[p] + channel * OUTPUT_CHANNEL_STRIDE, sums[p][q][i] + bias, scale, shift);
        }
      }
    }
  }
}

#if defined(DATA_F32)
// The same of a channels-last output: four channels at once.
void store_quads(uvec3 first_output, uint first_position, uint end_position, uint output_base, uint first_channel,
                 uint bias_index, uint thread_x, uint thread_y) {
  [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
    const uint position = first_position + p * THREADS_X + thread_x;
    const Position column = decode(position, SIZE_W);
    const uvec3 at = first_output + column.at * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
    if (position >= end_position || at.x >= OUTPUT_D || at.y >= OUTPUT_H || at.z >= OUTPUT_W) continue;
    const uint pixel = output_base + column.image * OUTPUT_IMAGE + ((at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z) * OUTPUT_PIXEL_STRIDE;
    [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) {
      const uint channel = thread_y * THREAD_CHANNELS + q * 4u;
      if (first_channel + channel >= OUT_CHANNELS) continue;
      vec4 values = sums[p][q];
      [[unroll]] for (uint i = 0; i < 4u; ++i) {
        const uint vector_index = bias_index + channel + i;
        if (HAS_BIAS) values[i] += LOAD_BIAS(BIAS, vector_index);
        values[i] = apply_post_ops(values[i], CHANNEL_SCALE(vector_index), CHANNEL_SHIFT(vector_index), RESIDUAL(pixel + channel + i));
      }
      VIEW_REF(OutputQuads, output_tensor).words[(pixel + channel) / 4u] = values;
    }
  }
}
#endif

// Merged phases: STAGED_CHANNELS out-channels at a time are put in order in shared memory, then stored as whole rows.
void store_in_order(uint first_d, uint first_h, uint first_position, uint end_position, uint output_base, uint first_channel,
                    uint bias_index, uint thread_x, uint thread_y) {
  const int dilation = INPUT_STEP_W * GCD_W;
  uint output_index[STAGED_ITEMS];
  bool wanted[STAGED_ITEMS];
  bool computed[STAGED_ITEMS];
  [[unroll]] for (uint n = 0; n < STAGED_ITEMS; ++n) {
    const uint element = n * LOCAL + gl_LocalInvocationID.x;
    const uint phase = element % STRIDE_W;
    const uint position = first_position + element / STRIDE_W;
    const Position column = decode(position, SIZE_W);
    const uint at_d = first_d + column.at.x * STRIDE_D, at_h = first_h + column.at.y * STRIDE_H;
    const int at_w = (int(column.at.z) + FIRST_POSITION_W) * int(STRIDE_W) + int(phase) - PADDING_W;
    wanted[n] = element < STAGED_ROW && position < end_position && at_d < OUTPUT_D && at_h < OUTPUT_H && uint(at_w) < OUTPUT_W;
    computed[n] = int(phase) % dilation == 0 && int(phase) / dilation < int(MERGED);
    const uint pixel = (at_d * OUTPUT_H + at_h) * OUTPUT_W + uint(at_w);
    output_index[n] = output_base + column.image * OUTPUT_IMAGE + pixel * OUTPUT_PIXEL_STRIDE;
  }
  for (uint staged = 0; staged < BLOCK_CHANNELS && first_channel + staged < OUT_CHANNELS; staged += STAGED_CHANNELS) {
    barrier();  // what was in the pool has been read
    [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) {
      [[unroll]] for (uint i = 0; i < 4u; ++i) {
        const uint row = thread_y * THREAD_CHANNELS + q * 4u + i;
        const uint channel = row / MERGED - staged;  // a smaller one is a large unsigned number
        const uint phase = row % MERGED * uint(dilation);
        if (channel < STAGED_CHANNELS && row < BLOCK_CHANNELS * MERGED) {
          [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
            const uint at = channel * STAGED_ROW + (p * THREADS_X + thread_x) * STRIDE_W + phase;
            pool[at / 4u][at % 4u] = sums[p][q][i];
          }
        }
      }
    }
    barrier();
    for (uint channel = 0; channel < STAGED_CHANNELS; ++channel) {
      if (staged + channel >= BLOCK_CHANNELS || first_channel + staged + channel >= OUT_CHANNELS) break;
      Accumulator bias = Accumulator(0);
      const uint vector_index = bias_index + staged + channel;
      if (HAS_BIAS) bias = LOAD_BIAS(BIAS, vector_index);
      const float scale = CHANNEL_SCALE(vector_index), shift = CHANNEL_SHIFT(vector_index);
      [[unroll]] for (uint n = 0; n < STAGED_ITEMS; ++n) {
        const uint at = channel * STAGED_ROW + n * LOCAL + gl_LocalInvocationID.x;
        if (wanted[n]) {
          const Accumulator sum = computed[n] ? pool[at / 4u][at % 4u] : Accumulator(0);
          STORE_RESULT(output_index[n] + (staged + channel) * OUTPUT_CHANNEL_STRIDE, sum + bias, scale, shift);
        }
      }
    }
  }
}

void main() {
  const SlabParams params = push.params;
  const Work work = find_work(params);
  const uint first_position = work.tile * POSITIONS;
  const uint end_position = params.batch * SIZE_D * SIZE_H * SIZE_W;
  if (first_position >= end_position) return;
  const uint block = work.block;
  const uint group = block / params.blocks;
  const uint first_channel = (params.first_block + block % params.blocks) * BLOCK_CHANNELS;  // within the group

  const Phase phase_d = find_phase_d(work.first_output.x, PADDING_D);
  const Phase phase_h = find_phase_h(work.first_output.y, PADDING_H);
  const Phase phase_w = find_work_phase_w(work);

  // The box of positions that the tile covers decides which taps are needed.
  const Position first = decode(first_position, SIZE_W);
  const Position last = decode(min(first_position + POSITIONS, end_position) - 1u, SIZE_W);
  const bool one_image = first.image == last.image;
  const bool one_slice = one_image && first.at.x == last.at.x;
  const bool one_row = one_slice && first.at.y == last.at.y;
  const ivec2 range_d = tap_range(phase_d, one_image ? first.at.x : 0u, one_image ? last.at.x : SIZE_D - 1u, INPUT_D, INPUT_STEP_D);
  const ivec2 range_h = tap_range(phase_h, one_slice ? first.at.y : 0u, one_slice ? last.at.y : SIZE_H - 1u, INPUT_H, INPUT_STEP_H);
  const ivec2 range_w = tap_range(phase_w, one_row ? first.at.z : 0u, one_row ? last.at.z : SIZE_W - 1u, INPUT_W, INPUT_STEP_W);
  const uint steps = uint((range_d.y - range_d.x) * (range_h.y - range_h.x) * (range_w.y - range_w.x)) * CHUNKS;

  [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
    const uint position = first_position + column_of(c);
    const Position column = decode(position, SIZE_W);
    column_exists[c] = position < end_position;
    column_position[c] = ivec3(column.at) + ivec3(phase_d.first_input, phase_h.first_input, phase_w.first_input);
    column_base[c] = params.input_offset + column.image * INPUT_IMAGE + group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  }

  [[unroll]] for (uint p = 0; p < THREAD_POSITIONS; ++p) {
    [[unroll]] for (uint q = 0; q < THREAD_QUADS; ++q) sums[p][q] = Accumulator4(0);
  }

  const uint thread_x = gl_LocalInvocationID.x % THREADS_X;
  const uint thread_y = gl_LocalInvocationID.x / THREADS_X;
  const uint weights_block = params.weights_offset + block * uint(KERNEL_D * KERNEL_H) * TAPS_W * CHUNKS * WEIGHT_QUADS;

  // The taps of a row are innermost: their inputs overlap, and are still in the nearest cache.
  ivec3 tap = ivec3(range_d.x, range_h.x, range_w.x);  // counted within the phase
  uint chunk = 0;
  for (uint step = 0; step <= steps; ++step) {
    // Fetches of this turn are for step `step`; what was fetched in the turn before is multiplied now.
    const uint stage = BUFFERS == 2u ? (step + 1u) & 1u : 0u;
    if (step > 0u) {
      if (BUFFERS == 1u) barrier();  // the step before has been read
      put_into_shared(stage);
      barrier();
    }
    if (step < steps) {
      const uint tap_d = uint(phase_d.first_tap + tap.x * TAP_STEP_D);
      const uint tap_h = uint(phase_h.first_tap + tap.y * TAP_STEP_H);
      const uint tap_w = uint(phase_w.first_tap + tap.z * (MERGED > 0u ? 1 : TAP_STEP_W));
      fetch(tap * ivec3(INPUT_STEP_D, INPUT_STEP_H, INPUT_STEP_W), (tap_d * uint(KERNEL_H) + tap_h) * TAPS_W + tap_w, chunk,
            weights_block);
      if (++tap.z == range_w.y) {
        tap.z = range_w.x;
        if (++chunk == CHUNKS) {
          chunk = 0;
          if (++tap.y == range_h.y) {
            tap.y = range_h.x;
            ++tap.x;
          }
        }
      }
    }
    if (step > 0u) multiply(stage, thread_x, thread_y);
  }

  const uint bias_index = (params.first_group + group) * OUT_CHANNELS + first_channel;
  const uint output_base = params.output_offset + (group * OUT_CHANNELS + first_channel - params.first_block * BLOCK_CHANNELS) * OUTPUT_CHANNEL_STRIDE;
  if (MERGED > 0u) {
    store_in_order(work.first_output.x, work.first_output.y, first_position, end_position, output_base, first_channel, bias_index, thread_x, thread_y);
#if defined(DATA_F32)
  } else if (OUTPUT_QUADS) {
    store_quads(work.first_output, first_position, end_position, output_base, first_channel, bias_index, thread_x, thread_y);
#endif
  } else {
    store_directly(work.first_output, first_position, end_position, output_base, first_channel, bias_index, thread_x, thread_y);
  }
}

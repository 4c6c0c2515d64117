// Winograd's way along the width, fused: the transforms of inputs and outputs happen on the way into and out of shared
// memory, no tensor but the weights is ever stored transformed. For phases of the width with several taps; winograd.glsl
// says what is computed, and why POINTS products replace TAPS * OUTPUTS.
//
// Layouts: input [batch, in-channels, spatial], packed weights [group, out-channel block, phase of the width, tap of the
// depth, chunk of DEPTH in-channels, group of taps, tap of the height, in-channel, point, channel of the block]
// (pack_winograd.comp), exact weights [group, block, tap, in-channel, channel of the block] (pack_weights.comp), bias
// [out-channels], output [batch, out-channels, spatial].
//
// A *column* is OUTPUTS neighbouring outputs of a row of the phase (INPUT_STEP_W apart where the inputs of a phase are), and
// the same in ROWS rows, a *strip*. Columns are numbered along the strip, then along the depth, then from strip to strip and
// image to image, so that nothing is wasted where a row is no multiple of the workgroup's COLUMNS. A workgroup computes
// CHANNELS out-channels of COLUMNS columns of one phase; each invocation, at one of the points, THREAD_CHANNELS x ROWS x
// THREAD_COLUMNS sums over in-channels and taps of depth and height.
//
// A step brings DEPTH in-channels of the inputs under ROW_TAPS neighbouring taps of the height: each row is fetched and
// transformed once and serves up to ROW_TAPS taps, from registers where one invocation has several ROWS. Weights come
// straight from memory (one subgroup reads what it alone needs, the cache holds the rest) or through shared memory
// (SHARED_WEIGHTS). More than TAPS taps of the width are cut into groups of TAPS, whose products go to the same sums.
//
// Errors grow with what a whole tile of the width multiplies, so an output that takes much less than its neighbours would
// not be as exact as a sum of its own: outputs with few products are computed from the tensors themselves, and so is what
// comes out infinite or NaN. src/algorithms/winograd.cpp says how few.
//
// Constraints: LOCAL = POINTS * (CHANNELS / THREAD_CHANNELS) * (COLUMNS / THREAD_COLUMNS); COLUMNS divides LOCAL;
// THREAD_CHANNELS and THREAD_COLUMNS multiples of 4; ROW_TAPS is 1 or INPUT_STEP_H is 1; POINTS + (TAP_GROUPS - 1) * TAPS <=
// 32; STAGED_LANES divides CHANNELS / THREAD_CHANNELS; 32-bit limits as in gather.comp.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "problem.glsl"

layout(local_size_x_id = WINOGRAD_LOCAL_SIZE) in;
layout(constant_id = WINOGRAD_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = WINOGRAD_POINTS) const uint POINTS = 4;
layout(constant_id = WINOGRAD_TAPS) const uint TAPS = 3;
layout(constant_id = WINOGRAD_CHANNELS) const uint CHANNELS = 4;
layout(constant_id = WINOGRAD_COLUMNS) const uint COLUMNS = 4;
layout(constant_id = WINOGRAD_ROWS) const uint ROWS = 1;
layout(constant_id = WINOGRAD_THREAD_CHANNELS) const uint THREAD_CHANNELS = 4;
layout(constant_id = WINOGRAD_THREAD_COLUMNS) const uint THREAD_COLUMNS = 4;
layout(constant_id = WINOGRAD_DEPTH) const uint DEPTH = 1;
layout(constant_id = WINOGRAD_ROW_TAPS) const uint ROW_TAPS = 1;
layout(constant_id = WINOGRAD_BUFFERS) const uint BUFFERS = 1;   // of shared memory: 2 saves a barrier in each step
layout(constant_id = WINOGRAD_AHEAD) const bool AHEAD = false;   // fetch the next step before this one is multiplied
layout(constant_id = WINOGRAD_SHARED_WEIGHTS) const bool SHARED_WEIGHTS = false;
layout(constant_id = WINOGRAD_STAGED_LANES) const uint STAGED_LANES = 1;
layout(constant_id = WINOGRAD_LEAST_PRODUCTS) const uint LEAST_PRODUCTS = 0;

#include "few_products.glsl"
#include "winograd.glsl"

const uint OUTPUTS = POINTS - TAPS + 1u;
const uint TAP_GROUPS = ((uint(KERNEL_W) + uint(TAP_STEP_W) - 1u) / uint(TAP_STEP_W) + TAPS - 1u) / TAPS;
const uint CHUNKS = (IN_CHANNELS + DEPTH - 1u) / DEPTH;
const uint PHASES_W = TAP_STEP_W < KERNEL_W ? uint(TAP_STEP_W) : uint(KERNEL_W);  // with taps

// Columns: of each of the INPUT_STEP_W interleaved parts of a row as many.
const uint STEP_W = uint(INPUT_STEP_W);
const uint ROW_COLUMNS = STEP_W * (((SIZE_W + STEP_W - 1u) / STEP_W + OUTPUTS - 1u) / OUTPUTS);
const uint STRIPS = (SIZE_H + ROWS - 1u) / ROWS;

// Invocations of a point. Neighbours share channels or columns: such reads of shared memory go together.
const uint CHANNEL_LANES = CHANNELS / THREAD_CHANNELS;
const uint COLUMN_LANES = COLUMNS / THREAD_COLUMNS;
const uint THREAD_CHANNEL_QUADS = THREAD_CHANNELS / 4u;
const uint THREAD_COLUMN_QUADS = THREAD_COLUMNS / 4u;
const bool ZIGZAG = CHANNEL_LANES % 2u == 0u && COLUMN_LANES % 2u == 0u;

// Shared memory in vectors of four: inputs [in-channel, point, row, column], weights [tap, in-channel, point, channel].
const uint INPUT_ROWS = ROWS + ROW_TAPS - 1u;
const uint COLUMN_QUADS = COLUMNS / 4u;
const uint INPUT_QUADS = DEPTH * POINTS * INPUT_ROWS * COLUMN_QUADS;
const uint CHANNEL_QUADS = CHANNELS / 4u;
const uint TAP_QUADS = DEPTH * POINTS * CHANNEL_QUADS;  // weights of a tap of the height, in a step
const uint WEIGHT_QUADS = SHARED_WEIGHTS ? ROW_TAPS * TAP_QUADS : 0u;
const uint WEIGHTS_BEGIN = BUFFERS * INPUT_QUADS;
const uint TILE_QUADS = WEIGHTS_BEGIN + BUFFERS * WEIGHT_QUADS;

// Sums on their way out: one channel of each of STAGED_LANES lanes, at all points. The pitch keeps the lanes that store
// together in different banks.
const uint TILES = ROWS * COLUMNS;
const uint STAGED_PITCH = (TILES + 31u) / 32u * 32u + (COLUMN_LANES < 4u ? 4u * COLUMN_LANES : 16u);
const uint STAGED_PLANE = STAGED_LANES * STAGED_PITCH;
const uint STAGED_QUADS = POINTS * STAGED_PLANE / 4u;

// What an invocation brings: JOBS tiles of inputs, all of one column.
const uint JOB_STEP = LOCAL / COLUMNS;
const uint TILES_IN = DEPTH * INPUT_ROWS;  // of each column, in a step
const uint JOBS = (TILES_IN + JOB_STEP - 1u) / JOB_STEP;
const uint WEIGHT_LOADS = (WEIGHT_QUADS + LOCAL - 1u) / LOCAL;

shared vec4 pool[TILE_QUADS > STAGED_QUADS ? TILE_QUADS : STAGED_QUADS];
shared ivec4 column_places[COLUMNS];  // image, and position of the first output within the phase; depth is -1: there is none
shared float block_bias[CHANNELS];

DECLARE_BUFFER(0, readonly, InputTensor, Word)
DECLARE_BUFFER(1, readonly, PackedWeights, vec4)
DECLARE_BUFFER(2, readonly, BiasTensor, Word)
DECLARE_TYPED_BUFFER(3, , OutputTensor, OutputWords)  // read back by compute_elsewhere()
DECLARE_BUFFER(4, readonly, ExactWeights, vec4)
DECLARE_POST_OP_BUFFERS(5)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(PackedWeights, packed_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  BUFFER_MEMBER(ExactWeights, exact_weights)
  POST_OP_MEMBERS
  WinogradParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define WEIGHTS BUFFER_REF(PackedWeights, packed_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)
#define EXACT_WEIGHTS BUFFER_REF(ExactWeights, exact_weights)

#define EXACT_QUADS
#include "exact.glsl"

// ---- columns ----------------------------------------------------------------------------------------------------------

struct Column {
  uint image;
  uint strip;
  uint depth;  // position of the phase
  uint width;  // of the first output
};

Column decode_column(uint number) {
  Column column;
  const uint of_row = number % ROW_COLUMNS;
  number /= ROW_COLUMNS;
  column.depth = number % SIZE_D;
  number /= SIZE_D;
  column.strip = number % STRIPS;
  column.image = number / STRIPS;
  column.width = of_row / STEP_W * STEP_W * OUTPUTS + of_row % STEP_W;
  return column;
}

// What all invocations know of the workgroup's work.
Phase phase_d, phase_h, phase_w;
uvec3 first_output;
uint output_base;    // of the block's first channel
uint out_channels;   // of the block that exist
uint first_channel;  // of the block, counted over all groups of the problem
bool thin;           // some outputs may have so few products that they are computed from the tensors themselves

// No position of a box, given by its first and its last, has fewer taps. Counts rise, then fall; where the input is shorter
// than the taps reach and these are more than one input apart, they go up and down by one in between.
int fewest_taps(Phase phase, uvec2 box, uint input_size, int input_step) {
  const int at_ends = min(count_taps(phase, box.x, input_size, input_step), count_taps(phase, box.y, input_size, input_step));
  const bool wavers = input_step > 1 && int(input_size) < phase.taps * input_step;
  return wavers ? max(at_ends - 1, 0) : at_ends;
}

bool has_few_products(int taps_d, int taps_h, int taps_w) { return has_few_products(taps_d, taps_h, taps_w, phase_w.taps); }

bool has_few_products(ivec3 position) {
  return has_few_products(count_taps(phase_d, uint(position.x), INPUT_D, INPUT_STEP_D),
                          count_taps(phase_h, uint(position.y), INPUT_H, INPUT_STEP_H),
                          count_taps(phase_w, uint(position.z), INPUT_W, INPUT_STEP_W));
}

// ---- inputs and weights into shared memory ----------------------------------------------------------------------------

ivec2 fetch_row;    // depth and height of the input, of the column's first row and the first taps of the phase
uint fetch_base;    // of the first in-channel, moved to the first input of the last group of taps
uint fetch_exists;  // a bit for each input from there on

float fetched[JOBS * POINTS];
vec4 fetched_weights[WEIGHT_LOADS > 0u ? WEIGHT_LOADS : 1u];

void locate(uint number, uint end_column, uint group) {
  const Column column = decode_column(number);
  const bool exists = number < end_column;
  fetch_row = ivec2(column.depth, column.strip * ROWS) + ivec2(phase_d.first_input, phase_h.first_input);
  const int first = int(column.width) + phase_w.first_input - INPUT_STEP_W * int(TAP_GROUPS * TAPS - 1u);
  fetch_base = push.params.slab.input_offset + column.image * INPUT_IMAGE + group * IN_CHANNELS * INPUT_PLANE + uint(first);
  fetch_exists = 0u;
  [[unroll]] for (uint i = 0; i < POINTS + (TAP_GROUPS - 1u) * TAPS; ++i) {
    // A negative position is a large unsigned one.
    if (exists && uint(first + int(i) * INPUT_STEP_W) < INPUT_W) fetch_exists |= 1u << i;
  }
  if (gl_LocalInvocationID.x < COLUMNS) {
    column_places[gl_LocalInvocationID.x] =
        ivec4(column.image, exists ? int(column.depth) : -1, column.strip * ROWS, column.width);
  }
}

struct Step {
  int tap_d;        // counted within the phase
  int first_tap_h;  // of ROW_TAPS
  uint chunk;
  uint tap_group;
};

void fetch_inputs(Step step) {
  const uint shift = (TAP_GROUPS - 1u - step.tap_group) * TAPS;
  const int at_d = fetch_row.x - step.tap_d * INPUT_STEP_D;
  const int first_h = fetch_row.y - step.first_tap_h * INPUT_STEP_H - int(ROW_TAPS - 1u);
  [[unroll]] for (uint j = 0; j < JOBS; ++j) {
    const uint tile = j * JOB_STEP + gl_LocalInvocationID.x / COLUMNS;
    const uint channel = step.chunk * DEPTH + tile / INPUT_ROWS;
    const int at_h = first_h + int(tile % INPUT_ROWS);
    bool exists = uint(at_d) < INPUT_D && uint(at_h) < INPUT_H;
    if (IN_CHANNELS % DEPTH != 0u) exists = exists && channel < IN_CHANNELS;
    if (TILES_IN % JOB_STEP != 0u) exists = exists && tile < TILES_IN;
    const uint bits = exists ? fetch_exists >> shift : 0u;
    const uint base = fetch_base + channel * INPUT_PLANE + (uint(at_d) * INPUT_H + uint(at_h)) * INPUT_W + shift * STEP_W;
    [[unroll]] for (uint i = 0; i < POINTS; ++i) {
      fetched[j * POINTS + i] = 0.0;
      if ((bits & (1u << i)) != 0u) fetched[j * POINTS + i] = LOAD(INPUT, base + i * STEP_W);
    }
  }
}

void fetch_weights(uint weights_at, uint taps) {
  [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
    const uint quad = i * LOCAL + gl_LocalInvocationID.x;
    if (quad < taps * TAP_QUADS) fetched_weights[i] = WEIGHTS.words[weights_at + quad];
  }
}

void put_into_shared(uint stage) {
  [[unroll]] for (uint j = 0; j < JOBS; ++j) {
    float x[MOST_POINTS];
    float v[MOST_POINTS];
    [[unroll]] for (uint i = 0; i < MOST_POINTS; ++i) x[i] = i < POINTS ? fetched[j * POINTS + min(i, POINTS - 1u)] : 0.0;
    transform_input(x, v);
    const uint tile = j * JOB_STEP + gl_LocalInvocationID.x / COLUMNS;
    if (TILES_IN % JOB_STEP == 0u || tile < TILES_IN) {
      const uint at = (stage * DEPTH + tile / INPUT_ROWS) * POINTS * INPUT_ROWS * COLUMNS + tile % INPUT_ROWS * COLUMNS + gl_LocalInvocationID.x % COLUMNS;
      [[unroll]] for (uint i = 0; i < POINTS; ++i) {
        const uint element = at + i * INPUT_ROWS * COLUMNS;
        pool[element / 4u][element % 4u] = v[i];
      }
    }
  }
  [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
    const uint quad = i * LOCAL + gl_LocalInvocationID.x;
    if (WEIGHT_QUADS % LOCAL == 0u || quad < WEIGHT_QUADS) pool[WEIGHTS_BEGIN + stage * WEIGHT_QUADS + quad] = fetched_weights[i];
  }
}

// ---- the product ------------------------------------------------------------------------------------------------------

vec4 sums[THREAD_CHANNELS][ROWS][THREAD_COLUMN_QUADS];
vec4 values[INPUT_ROWS][THREAD_COLUMN_QUADS];

// One tap of the height: the rows of outputs take the rows of inputs from first_row on.
void multiply_tap(uint weights_at, uint first_row) {
  vec4 weight[THREAD_CHANNEL_QUADS];
  [[unroll]] for (uint q = 0; q < THREAD_CHANNEL_QUADS; ++q) {
    weight[q] = SHARED_WEIGHTS ? pool[weights_at + q] : WEIGHTS.words[weights_at + q];
  }
  [[unroll]] for (uint c = 0; c < THREAD_CHANNELS; ++c) {
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      [[unroll]] for (uint q = 0; q < THREAD_COLUMN_QUADS; ++q) {
        sums[c][r][q] = fma(vec4(weight[c / 4u][c % 4u]), values[first_row + r][q], sums[c][r][q]);
      }
    }
  }
}

void load_row(uint row, uint at) {
  [[unroll]] for (uint q = 0; q < THREAD_COLUMN_QUADS; ++q) values[row][q] = pool[at + q];
}

// One in-channel, taps of the height [0, taps) of the step. The first tap takes the last rows.
void multiply_channel(uint inputs_at, uint weights_at, uint taps) {
  if (taps == ROW_TAPS) {
    [[unroll]] for (uint r = 0; r + 1u < ROWS; ++r) load_row(r, inputs_at + r * COLUMN_QUADS);
    [[unroll]] for (uint t = 0; t < ROW_TAPS; ++t) {
      load_row(t + ROWS - 1u, inputs_at + (t + ROWS - 1u) * COLUMN_QUADS);
      multiply_tap(weights_at + (ROW_TAPS - 1u - t) * TAP_QUADS, t);
    }
  } else {
    [[dont_unroll]] for (uint t = ROW_TAPS - taps; t < ROW_TAPS; ++t) {
      [[unroll]] for (uint r = 0; r < ROWS; ++r) load_row(r, inputs_at + (t + r) * COLUMN_QUADS);
      multiply_tap(weights_at + (ROW_TAPS - 1u - t) * TAP_QUADS, 0u);
    }
  }
}

void multiply(uint inputs_at, uint weights_at, uint taps) {
  const uint input_step = POINTS * INPUT_ROWS * COLUMN_QUADS, weight_step = POINTS * CHANNEL_QUADS;
  if (ROW_TAPS == 1u) {
    [[unroll]] for (uint k = 0; k < DEPTH; ++k) multiply_channel(inputs_at + k * input_step, weights_at + k * weight_step, 1u);
  } else {  // unrolled over the taps: enough for the instruction cache
    [[dont_unroll]] for (uint k = 0; k < DEPTH; ++k) multiply_channel(inputs_at + k * input_step, weights_at + k * weight_step, taps);
  }
}

#include "winograd_output.glsl"

// ---- all of it --------------------------------------------------------------------------------------------------------

void main() {
  const SlabParams params = push.params.slab;
  const Work work = find_work(params);
  const uint first_column = work.tile * COLUMNS;
  const uint end_column = params.batch * STRIPS * SIZE_D * ROW_COLUMNS;
  if (first_column >= end_column) return;
  const uint group = work.block / params.blocks;
  const uint channel_of_group = (params.first_block + work.block % params.blocks) * CHANNELS;
  first_channel = (params.first_group + group) * OUT_CHANNELS + channel_of_group;
  out_channels = min(CHANNELS, OUT_CHANNELS - channel_of_group);
  first_output = work.first_output;
  output_base = params.output_offset + (group * OUT_CHANNELS + channel_of_group - params.first_block * CHANNELS) * OUTPUT_PLANE;
  phase_d = find_phase_d(first_output.x, PADDING_D);
  phase_h = find_phase_h(first_output.y, PADDING_H);
  phase_w = find_work_phase_w(work);

  // The box of positions decides which taps are needed, and whether there may be outputs with few products: at its ends.
  const Column first = decode_column(first_column);
  const Column last = decode_column(min(first_column + COLUMNS, end_column) - 1u);
  const bool one_image = first.image == last.image;
  const bool one_strip = one_image && first.strip == last.strip;
  const bool one_row = one_strip && first.depth == last.depth;
  const uvec2 box_d = one_strip ? uvec2(first.depth, last.depth) : uvec2(0u, SIZE_D - 1u);
  const uvec2 box_h = one_image ? uvec2(first.strip * ROWS, min((last.strip + 1u) * ROWS, SIZE_H) - 1u) : uvec2(0u, SIZE_H - 1u);
  const uvec2 box_w = one_row ? uvec2(first.width - first.width % STEP_W, min(last.width + STEP_W * OUTPUTS, SIZE_W) - 1u) : uvec2(0u, SIZE_W - 1u);
  const ivec2 range_d = tap_range(phase_d, box_d.x, box_d.y, INPUT_D, INPUT_STEP_D);
  const ivec2 range_h = tap_range(phase_h, box_h.x, box_h.y, INPUT_H, INPUT_STEP_H);
  const uint taps_d = uint(range_d.y - range_d.x), windows_h = (uint(range_h.y - range_h.x) + ROW_TAPS - 1u) / ROW_TAPS;
  const uint groups_w = (uint(phase_w.taps) + TAPS - 1u) / TAPS;
  const uint steps = taps_d * windows_h * groups_w * CHUNKS;
  thin = steps > 0u && has_few_products(fewest_taps(phase_d, box_d, INPUT_D, INPUT_STEP_D), fewest_taps(phase_h, box_h, INPUT_H, INPUT_STEP_H),
                                        fewest_taps(phase_w, box_w, INPUT_W, INPUT_STEP_W));

  locate(first_column + gl_LocalInvocationID.x % COLUMNS, end_column, group);
  for (uint c = gl_LocalInvocationID.x; c < out_channels; c += LOCAL) {
    block_bias[c] = 0.0;
    if (HAS_BIAS) block_bias[c] = LOAD(BIAS, first_channel + c);
  }

  const uint point = gl_LocalInvocationID.x / (CHANNEL_LANES * COLUMN_LANES);
  const uint lane = gl_LocalInvocationID.x % (CHANNEL_LANES * COLUMN_LANES);
  const uint pairs = max(COLUMN_LANES / 2u, 1u);
  const uint column_lane = ZIGZAG ? lane / 4u % pairs * 2u + lane % 2u : lane % COLUMN_LANES;
  const uint channel_lane = ZIGZAG ? lane / 4u / pairs * 2u + lane / 2u % 2u : lane / COLUMN_LANES;

  const uint inputs_lane = point * INPUT_ROWS * COLUMN_QUADS + column_lane * THREAD_COLUMN_QUADS;
  const uint weights_lane = point * CHANNEL_QUADS + channel_lane * THREAD_CHANNEL_QUADS;
  const uint weights_phase = params.weights_offset + (work.block * PHASES_W + uint(phase_w.first_tap)) * uint(KERNEL_D) * CHUNKS * TAP_GROUPS * uint(KERNEL_H) * TAP_QUADS;
  // Taps of the height in the order of the packing, of this phase.
  const uint first_ordered_h = uint(phase_h.first_tap * (KERNEL_H / TAP_STEP_H) + min(phase_h.first_tap, KERNEL_H % TAP_STEP_H));

  [[unroll]] for (uint c = 0; c < THREAD_CHANNELS; ++c) {
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      [[unroll]] for (uint q = 0; q < THREAD_COLUMN_QUADS; ++q) sums[c][r][q] = vec4(0.0);
    }
  }

  // Groups of taps of the width are innermost: their inputs overlap. Then chunks, then taps.
  Step step = Step(range_d.x, range_h.x, 0u, 0u);
  uint weights_at = 0, taps = 0;           // of the step that is multiplied
  uint next_weights_at = 0, next_taps = 0;  // of the one that has been fetched
  [[dont_unroll]] for (uint turn = AHEAD ? 0u : 1u; turn <= steps; ++turn) {
    const uint stage = BUFFERS == 2u ? turn & 1u : 0u;
    if (AHEAD && turn > 0u) {
      if (BUFFERS == 1u) barrier();  // the step before has been read
      put_into_shared(stage);
      barrier();
      weights_at = next_weights_at;
      taps = next_taps;
    }
    if (!AHEAD || turn < steps) {
      const uint tap_d = uint(phase_d.first_tap + step.tap_d * TAP_STEP_D);
      next_taps = min(ROW_TAPS, uint(range_h.y - step.first_tap_h));
      next_weights_at = weights_phase + (((tap_d * CHUNKS + step.chunk) * TAP_GROUPS + step.tap_group) * uint(KERNEL_H) + first_ordered_h + uint(step.first_tap_h)) * TAP_QUADS;
      fetch_inputs(step);
      if (SHARED_WEIGHTS) fetch_weights(next_weights_at, next_taps);
      if (++step.tap_group == groups_w) {
        step.tap_group = 0u;
        if (++step.chunk == CHUNKS) {
          step.chunk = 0u;
          step.first_tap_h += int(ROW_TAPS);
          if (step.first_tap_h >= range_h.y) {
            step.first_tap_h = range_h.x;
            ++step.tap_d;
          }
        }
      }
    }
    if (!AHEAD) {
      if (BUFFERS == 1u) barrier();
      put_into_shared(stage);
      barrier();
      weights_at = next_weights_at;
      taps = next_taps;
    }
    if (turn > 0u) {
      multiply(stage * INPUT_QUADS + inputs_lane, weights_lane + (SHARED_WEIGHTS ? WEIGHTS_BEGIN + stage * WEIGHT_QUADS : weights_at), taps);
    }
  }

  bool finite = true;
  [[dont_unroll]] for (uint part = 0; part < CHANNEL_LANES / STAGED_LANES; ++part) {
    [[dont_unroll]] for (uint component = 0; component < THREAD_CHANNELS; ++component) {
      barrier();  // what was in the pool has been read
      stage_sums(part, component, point, channel_lane, column_lane);
      barrier();
      finite = store_staged(part, component) && finite;
    }
  }
  const uint input_from = params.input_offset + group * IN_CHANNELS * INPUT_PLANE;
  const uint exact_block = push.params.exact_offset + work.block * uint(KERNEL_D * KERNEL_H * KERNEL_W) * IN_CHANNELS * CHANNEL_QUADS;
  if (thin || !finite) compute_elsewhere(finite, input_from, exact_block);
}

// Winograd's last transform for matrix_winograd: sums at all points, as matrix_window.comp leaves them, to outputs with bias and
// post-ops, in fp32. Outputs that come out infinite or NaN, and those with few products (few_products.glsl), are computed from
// the tensors themselves.
//
// The sums are laid out like the output, with a tile of the width for each of its OUTPUTS (transform_input.comp): channels-first
// [image, group, point, out-channel, row, tile], or channels-last [image, row, tile, group, point, out-channel], of the
// images and groups of the slab. So neighbouring invocations read neighbours in memory in either layout.
//
// An invocation transforms one tile of one out-channel. Channels-last, its neighbours have the next out-channels, and every
// store is one of neighbours. Channels-first, its neighbours have the next tiles: where a tile is a whole aligned vector of outputs
// everywhere (WHOLE_VECTORS), each stores its own; else outputs are put in order in shared memory, which a whole
// workgroup's are in the output as well, and stored in aligned vectors; those of interleaved rows one by one.
//
// Constraints: STEP_W of the geometry is the dilation, the stride of the width is 1; WHOLE_VECTORS: four outputs, STEP_W is 1, OUTPUT_W
// and the slab's output_offset are multiples of 4; 32-bit limits as in gather.comp, and fewer than 2^32 sums.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "problem.glsl"

layout(local_size_x_id = TRANSFORM_OUTPUT_LOCAL_SIZE) in;
layout(constant_id = TRANSFORM_OUTPUT_LOCAL) const uint LOCAL = 32;  // the same number, usable in array sizes
layout(constant_id = TRANSFORM_OUTPUT_POINTS) const uint POINTS = 4;
layout(constant_id = TRANSFORM_OUTPUT_TAPS) const uint TAPS = 3;
layout(constant_id = TRANSFORM_OUTPUT_LEAST_PRODUCTS) const uint LEAST_PRODUCTS = 0;
layout(constant_id = TRANSFORM_OUTPUT_WHOLE_VECTORS) const bool WHOLE_VECTORS = false;

#include "few_products.glsl"
#include "winograd.glsl"

const uint OUTPUTS = POINTS - TAPS + 1u;
const uint STEP_W = uint(INPUT_STEP_W);
const uint TILES = STEP_W * (((OUTPUT_W + STEP_W - 1u) / STEP_W + OUTPUTS - 1u) / OUTPUTS);  // of a row
const uint ROWS = OUTPUT_D * OUTPUT_H;

// A skip after every 32 words: lanes that are two or four words apart fall into different banks.
const bool IN_ORDER = OUTPUT_CHANNELS_LAST ? false : WHOLE_VECTORS ? false : STEP_W == 1u;
shared float staged[IN_ORDER ? LOCAL * OUTPUTS / 32u * 33u + 33u : 1u];

uint staged_at(uint output_of_workgroup) { return output_of_workgroup + output_of_workgroup / 32u; }

DECLARE_BUFFER(0, readonly, InputTensor, Word)
DECLARE_BUFFER(1, readonly, ExactWeights, float)  // [group, tap, in-channel, out-channel of the group] (pack_weights.comp)
DECLARE_BUFFER(2, readonly, BiasTensor, Word)
DECLARE_VIEW(3, writeonly, OutputTensor, Word)
DECLARE_VIEW(3, writeonly, OutputVectors, vec4)
DECLARE_BUFFER(4, readonly, Sums, float)
DECLARE_POST_OP_BUFFERS(5)

layout(push_constant, std430) uniform Push {
  BUFFER_MEMBER(InputTensor, input_tensor)
  BUFFER_MEMBER(ExactWeights, exact_weights)
  BUFFER_MEMBER(BiasTensor, bias)
  BUFFER_MEMBER(OutputTensor, output_tensor)
  BUFFER_MEMBER(Sums, sums)
  POST_OP_MEMBERS
  SlabParams params;
} push;

#define INPUT BUFFER_REF(InputTensor, input_tensor)
#define EXACT_WEIGHTS BUFFER_REF(ExactWeights, exact_weights)
#define BIAS BUFFER_REF(BiasTensor, bias)
#define SUMS BUFFER_REF(Sums, sums)
#define OUTPUT_VECTORS VIEW_REF(OutputVectors, output_tensor)

#include "exact.glsl"

const uint EXACT_ROWS = (OUT_CHANNELS + 3u) / 4u * 4u;

// What an invocation transforms.
struct Place {
  uint image;
  uint group;    // of the slab
  uint channel;  // of the group
  uint row;
  uint tile;
};

uint first_output_w(uint tile) { return tile / STEP_W * STEP_W * OUTPUTS + tile % STEP_W; }

// Taps of the width that reach an output.
int count_taps_w(uint output_w) {
  const Phase phase = Phase(0, KERNEL_W, PADDING_W);
  return count_taps(phase, output_w, INPUT_W, INPUT_STEP_W);
}

int count_taps_d(uint output_d) {
  const Phase phase = find_phase_d(output_d % STRIDE_D, PADDING_D);
  return count_taps(phase, output_d / STRIDE_D, INPUT_D, INPUT_STEP_D);
}

int count_taps_h(uint output_h) {
  const Phase phase = find_phase_h(output_h % STRIDE_H, PADDING_H);
  return count_taps(phase, output_h / STRIDE_H, INPUT_H, INPUT_STEP_H);
}

// The outputs of a tile, with bias; what lies behind the row of outputs is anything.
void transform_tile(Place place, uint sums_at, uint point_stride, out float y[OUTPUTS]) {
  float m[MOST_POINTS];
  [[unroll]] for (uint i = 0; i < MOST_POINTS; ++i) {
    m[i] = 0.0;
    if (i < POINTS) m[i] = SUMS.words[sums_at + i * point_stride];
  }
  const ivec2 row = ivec2(place.row / OUTPUT_H, place.row % OUTPUT_H);
  const int taps_d = count_taps_d(uint(row.x)), taps_h = count_taps_h(uint(row.y));
  const uint first_w = first_output_w(place.tile);
  uint elsewhere = 0u;  // a bit for each output
  [[unroll]] for (uint i = 0; i < OUTPUTS; ++i) {
    y[i] = transform_output(m, i);
    const bool few = has_few_products(taps_d, taps_h, count_taps_w(first_w + i * STEP_W), KERNEL_W);
    if ((few || !is_finite(y[i])) && first_w + i * STEP_W < OUTPUT_W) elsewhere |= 1u << i;
  }
  const uint input_from = push.params.input_offset + place.image * INPUT_IMAGE + place.group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  const uint weights_from = push.params.weights_offset * 4u + place.group * uint(KERNEL_D * KERNEL_H * KERNEL_W) * IN_CHANNELS * EXACT_ROWS + place.channel;
  while (elsewhere != 0u) {
    const int i = findLSB(elsewhere);
    elsewhere &= elsewhere - 1u;
    const float sum = compute_exactly(input_from, weights_from, EXACT_ROWS, ivec3(row, first_w + uint(i) * STEP_W));
    // Every index is a constant: else the outputs would live in memory.
    [[unroll]] for (int j = 0; j < int(OUTPUTS); ++j) y[j] = j == i ? sum : y[j];
  }
  if (HAS_BIAS) {
    const float bias = LOAD(BIAS, (push.params.first_group + place.group) * OUT_CHANNELS + place.channel);
    [[unroll]] for (uint i = 0; i < OUTPUTS; ++i) y[i] += bias;
  }
}

// An output of a channel, counted over all groups.
void store_output(uint index, float y, uint channel) {
  BUFFER_REF(OutputTensor, output_tensor).words[index] = CHAIN_LENGTH > 0u ? apply_post_ops(y, CHANNEL_SCALE(channel), CHANNEL_SHIFT(channel), RESIDUAL(index)) : y;
}

// Four neighbours from an aligned index on.
void store_vector(uint index, vec4 y, uvec4 channels) {
  if (CHAIN_LENGTH > 0u) {
    vec4 residual, scale, shift;  // all of them are on their way before the first is needed
    [[unroll]] for (uint n = 0; n < 4u; ++n) {
      residual[n] = RESIDUAL(index + n);
      scale[n] = CHANNEL_SCALE(channels[n]);
      shift[n] = CHANNEL_SHIFT(channels[n]);
    }
    // Not unrolled: a chain is long. But every index is a constant, for the vectors turn.
    [[dont_unroll]] for (uint turn = 0; turn < 4u; ++turn) {
      y = vec4(y.yzw, apply_post_ops(y.x, scale.x, shift.x, residual.x));
      residual = residual.yzwx;
      scale = scale.yzwx;
      shift = shift.yzwx;
    }
  }
  OUTPUT_VECTORS.words[index / 4u] = y;
}

// ---- channels-last ----------------------------------------------------------------------------------------------------

void transform_channels_last(uint item) {
  const uint channels = push.params.groups * OUT_CHANNELS;
  Place place;
  place.channel = item % channels;
  place.group = place.channel / OUT_CHANNELS;
  place.channel -= place.group * OUT_CHANNELS;
  const uint pixel = item / channels;  // tiles, in fact
  place.tile = pixel % TILES;
  place.row = pixel / TILES % ROWS;
  place.image = pixel / TILES / ROWS;
  if (place.image >= push.params.batch) return;
  float y[OUTPUTS];
  transform_tile(place, (pixel * push.params.groups + place.group) * (POINTS * OUT_CHANNELS) + place.channel, OUT_CHANNELS, y);
  const uint first_w = first_output_w(place.tile), of_group = place.group * OUT_CHANNELS + place.channel;
  const uint index = push.params.output_offset + place.image * OUTPUT_IMAGE + (place.row * OUTPUT_W + first_w) * OUTPUT_PIXEL_STRIDE + of_group;
  [[unroll]] for (uint i = 0; i < OUTPUTS; ++i) {
    if (first_w + i * STEP_W < OUTPUT_W) {
      store_output(index + i * STEP_W * OUTPUT_PIXEL_STRIDE, y[i], push.params.first_group * OUT_CHANNELS + of_group);
    }
  }
}

// ---- channels-first ---------------------------------------------------------------------------------------------------

// Rows of all channels of a group follow each other, in the output as in the sums of a point.
const uint GROUP_ROWS = OUT_CHANNELS * ROWS;
const uint GROUP_TILES = GROUP_ROWS * TILES;

// Outputs of the workgroup, in order, from [begin, end) of those of the group.
void store_in_order(uint group_index, uint first_channel, uint first_tile) {
  const uint last_tile = min(first_tile + LOCAL, GROUP_TILES) - 1u;
  const uint first_row = first_tile / TILES, last_row = last_tile / TILES;
  const uint first_staged = first_tile % TILES * OUTPUTS;  // of the first row, what lies before is another workgroup's
  const uint begin = first_row * OUTPUT_W + first_staged;
  const uint end = last_row * OUTPUT_W + min((last_tile % TILES + 1u) * OUTPUTS, OUTPUT_W);
  // Vectors are aligned in the tensor, not in the group.
  const uint before = (group_index + begin) % 4u;
  for (uint vector = gl_LocalInvocationID.x; vector * 4u < end - begin + before; vector += LOCAL) {
    const int first = int(vector * 4u) - int(before);  // counted from begin
    uint row = (begin + uint(max(first, 0))) / OUTPUT_W;
    uint w = begin + uint(max(first, 0)) - row * OUTPUT_W;
    vec4 y = vec4(0.0);
    uvec4 channels = uvec4(0u);
    [[unroll]] for (uint n = 0; n < 4u; ++n) {
      const bool exists = first + int(n) >= 0 && begin + uint(first + int(n)) < end;
      if (exists) {
        y[n] = staged[staged_at((row - first_row) * (TILES * OUTPUTS) + w - first_staged)];
        channels[n] = first_channel + row / ROWS;
        if (++w == OUTPUT_W) {
          w = 0u;
          ++row;
        }
      }
    }
    const uint index = group_index + begin + uint(first);
    if (first >= 0 && begin + uint(first) + 4u <= end) {
      store_vector(index, y, channels);
    } else {
      [[dont_unroll]] for (uint n = 0; n < 4u; ++n) {
        if (first + int(n) >= 0 && begin + uint(first) + n < end) store_output(index + n, y.x, channels.x);
        y = y.yzwx;  // so that every index is a constant
        channels = channels.yzwx;
      }
    }
  }
}

void transform_channels_first(uint number) {
  const uint group_parts = (GROUP_TILES + LOCAL - 1u) / LOCAL;
  const uint first_tile = number % group_parts * LOCAL;
  number /= group_parts;
  Place place;
  place.group = number % push.params.groups;
  place.image = number / push.params.groups;
  if (place.image >= push.params.batch) return;
  const uint of_group = first_tile + gl_LocalInvocationID.x;
  const uint row = of_group / TILES;  // of the group
  place.tile = of_group - row * TILES;
  place.channel = row / ROWS;
  place.row = row - place.channel * ROWS;
  const uint group_index = push.params.output_offset + place.image * OUTPUT_IMAGE + place.group * OUT_CHANNELS * OUTPUT_PLANE;
  const uint first_channel = (push.params.first_group + place.group) * OUT_CHANNELS;
  const uint first_w = first_output_w(place.tile);
  if (of_group < GROUP_TILES) {
    float y[OUTPUTS];
    transform_tile(place, (place.image * push.params.groups + place.group) * (POINTS * GROUP_TILES) + of_group, GROUP_TILES, y);
    const uint index = group_index + row * OUTPUT_W + first_w;
    if (WHOLE_VECTORS) {
      store_vector(index, vec4(y[0], y[1 % OUTPUTS], y[2 % OUTPUTS], y[3 % OUTPUTS]), uvec4(first_channel + place.channel));
    } else {
      [[unroll]] for (uint i = 0; i < OUTPUTS; ++i) {
        if (IN_ORDER) staged[staged_at(gl_LocalInvocationID.x * OUTPUTS + i)] = y[i];
        else if (first_w + i * STEP_W < OUTPUT_W) store_output(index + i * STEP_W, y[i], first_channel + place.channel);
      }
    }
  }
  if (IN_ORDER) {
    barrier();
    store_in_order(group_index, first_channel, first_tile);
  }
}

void main() {
  if (OUTPUT_CHANNELS_LAST) transform_channels_last(linear_workgroup() * LOCAL + gl_LocalInvocationID.x);
  else transform_channels_first(linear_workgroup());
}

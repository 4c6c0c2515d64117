// The way out of winograd.comp: sums at all points through shared memory, Winograd's last transform, stores of whole rows;
// and the outputs that are computed from the tensors themselves.
//
// An invocation computes and stores one output of one column (or one in each of SPAN_PASSES), for some rows and channels:
// neighbouring invocations, neighbouring outputs.
#ifndef VKTCONV_WINOGRAD_OUTPUT_GLSL_
#define VKTCONV_WINOGRAD_OUTPUT_GLSL_

const uint SPAN = (COLUMNS + STEP_W - 1u) / STEP_W * STEP_W * OUTPUTS;  // places of a row
const uint TEAMS = LOCAL > SPAN ? LOCAL / SPAN : 1u;
const uint SPAN_PASSES = LOCAL > SPAN ? 1u : (SPAN + LOCAL - 1u) / LOCAL;

struct Place {
  uint column;
  uint output_of_column;
  uint image;
  ivec3 position;  // within the phase, of the first row
  uint index;      // of the output of the first row, for the block's first channel
  bool wanted;
};

Place find_place(uint of_span) {
  Place place;
  place.column = of_span / (STEP_W * OUTPUTS) * STEP_W + of_span % STEP_W;
  place.output_of_column = of_span / STEP_W % OUTPUTS;
  const ivec4 of_column = column_places[min(place.column, COLUMNS - 1u)];
  place.image = uint(of_column.x);
  place.position = of_column.yzw + ivec3(0, 0, place.output_of_column * STEP_W);
  const uvec3 at = first_output + uvec3(place.position) * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
  place.wanted = of_span < SPAN && place.column < COLUMNS && place.position.x >= 0 && at.x < OUTPUT_D && at.z < OUTPUT_W;
  place.index = output_base + place.image * OUTPUT_IMAGE + (at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z;
  return place;
}

bool row_exists(Place place, uint row) { return first_output.y + (uint(place.position.y) + row) * STRIDE_H < OUTPUT_H; }

ivec3 output_position(Place place, uint row) {
  return ivec3(first_output) + (place.position + ivec3(0, row, 0)) * ivec3(STRIDE_D, STRIDE_H, STRIDE_W);
}

float transform_staged(uint staged_at, uint output_of_column) {
  float m[MOST_POINTS];
  [[unroll]] for (uint i = 0; i < POINTS; ++i) {
    const uint at = staged_at + i * STAGED_PLANE;
    m[i] = pool[at / 4u][at % 4u];
  }
  return transform_output(m, output_of_column);
}

// Sums of channel `component` of the lanes part * STAGED_LANES and on.
void stage_sums(uint part, uint component, uint point, uint channel_lane, uint column_lane) {
  if (channel_lane / STAGED_LANES != part) return;
  const uint at = (point * STAGED_PLANE + channel_lane % STAGED_LANES * STAGED_PITCH) / 4u + column_lane * THREAD_COLUMN_QUADS;
  [[unroll]] for (uint c = 0; c < THREAD_CHANNELS; ++c) {
    if (c == component) {  // every index of sums is a constant: else they would live in memory
      [[unroll]] for (uint r = 0; r < ROWS; ++r) {
        [[unroll]] for (uint q = 0; q < THREAD_COLUMN_QUADS; ++q) pool[at + r * COLUMN_QUADS + q] = sums[c][r][q];
      }
    }
  }
}

// Returns whether all outputs were finite.
bool store_staged(uint part, uint component) {
  bool finite = true;
  [[unroll]] for (uint pass = 0; pass < SPAN_PASSES; ++pass) {
    const uint team = LOCAL > SPAN ? gl_LocalInvocationID.x / SPAN : 0u;
    const Place place = find_place(LOCAL > SPAN ? gl_LocalInvocationID.x % SPAN : pass * LOCAL + gl_LocalInvocationID.x);
    if (!place.wanted || team >= TEAMS) continue;
    uint wanted_rows = 0u;
    [[unroll]] for (uint row = 0; row < ROWS; ++row) {
      const bool elsewhere = thin && has_few_products(place.position + ivec3(0, row, 0));
      if (row_exists(place, row) && !elsewhere) wanted_rows |= 1u << row;
    }
    [[dont_unroll]] for (uint item = team; item < STAGED_LANES * ROWS; item += TEAMS) {
      const uint row = item % ROWS, lane = item / ROWS;
      const uint channel = (part * STAGED_LANES + lane) * THREAD_CHANNELS + component;
      if ((wanted_rows & (1u << row)) != 0u && channel < out_channels) {
        const float sum = transform_staged(lane * STAGED_PITCH + row * COLUMNS + place.column, place.output_of_column) + block_bias[channel];
        STORE_RESULT(place.index + channel * OUTPUT_PLANE + row * STRIDE_H * OUTPUT_W, sum, CHANNEL_SCALE(first_channel + channel), CHANNEL_SHIFT(first_channel + channel));
        finite = finite && is_finite(sum);
      }
    }
  }
  return finite;
}

const uint STORED_ITEMS = (STAGED_LANES * ROWS + TEAMS - 1u) / TEAMS;  // of an invocation, in each round of staging
const uint STORED = SPAN_PASSES * CHANNEL_LANES / STAGED_LANES * STORED_ITEMS * THREAD_CHANNELS;
const uint SPREAD = SPAN * ROWS * CHANNEL_QUADS;  // outputs of the workgroup, four channels each
const uint SPREAD_TURNS = (SPREAD + LOCAL - 1u) / LOCAL;

// Computes from the tensors themselves: first, if `thin`, the outputs with few products, spread over all invocations; then,
// if not all were finite, what this very invocation has stored and is not finite. One loop for both: compilers take their
// time over the sums.
void compute_elsewhere(bool finite, uint input_from, uint exact_block) {
  const uint team = LOCAL > SPAN ? gl_LocalInvocationID.x / SPAN : 0u;
  const uint turns = SPREAD_TURNS + (finite || team >= TEAMS ? 0u : STORED);
  [[dont_unroll]] for (uint turn = thin ? 0u : SPREAD_TURNS; turn < turns; ++turn) {
    const bool repairs = turn >= SPREAD_TURNS;
    const uint item = turn * LOCAL + gl_LocalInvocationID.x, stored = turn - SPREAD_TURNS;
    // In the order of store_staged: channel, item of the team, part, pass.
    const uint stored_item = team + stored / THREAD_CHANNELS % STORED_ITEMS * TEAMS;
    const uint rounds = stored / THREAD_CHANNELS / STORED_ITEMS, parts = CHANNEL_LANES / STAGED_LANES;
    const uint stored_channel = (rounds % parts * STAGED_LANES + stored_item / ROWS) * THREAD_CHANNELS + stored % THREAD_CHANNELS;
    const uint stored_place = LOCAL > SPAN ? gl_LocalInvocationID.x % SPAN : rounds / parts * LOCAL + gl_LocalInvocationID.x;

    const Place place = find_place(repairs ? stored_place : item / CHANNEL_QUADS % SPAN);
    const uint row = repairs ? stored_item % ROWS : item / CHANNEL_QUADS / SPAN;
    const uint quad = repairs ? stored_channel / 4u : item % CHANNEL_QUADS;
    const uint index = place.index + row * STRIDE_H * OUTPUT_W;
    if (!place.wanted || !row_exists(place, row) || (!repairs && item >= SPREAD)) continue;
    const bool few = thin && has_few_products(place.position + ivec3(0, row, 0));
    if (few == repairs) continue;
    uint channels = 15u;  // of the quad, a bit each
    if (repairs) {
      if (stored_item >= STAGED_LANES * ROWS || stored_channel >= out_channels) continue;
      // What a post-op made of it does not tell.
      if (CHAIN_LENGTH == 0u && is_finite(LOAD_OUTPUT_LIKE(OutputTensor, OutputWords, output_tensor, index + stored_channel * OUTPUT_PLANE))) continue;
      channels = 1u << stored_channel % 4u;
    }
    const vec4 exact = compute_exactly(input_from + place.image * INPUT_IMAGE, exact_block + quad, CHANNEL_QUADS, output_position(place, row));
    [[unroll]] for (uint i = 0; i < 4u; ++i) {
      const uint channel = quad * 4u + i;
      if ((channels & (1u << i)) != 0u && channel < out_channels) {
        STORE_RESULT(index + channel * OUTPUT_PLANE, exact[i] + block_bias[channel], CHANNEL_SCALE(first_channel + channel), CHANNEL_SHIFT(first_channel + channel));
      }
    }
  }
}

#endif

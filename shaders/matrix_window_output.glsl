// How a workgroup of matrix_window.comp stores its outputs into a channels-first tensor. Sums of TILE_M rows of each subgroup lie in shared memory; outputs that
// are neighbours in memory (a run: a row, or a whole plane where rows follow each other) are stored by the lanes of a
// subgroup side by side, in vectors of 16 aligned bytes, which begin elsewhere in each channel's run. Memory is written in
// sectors of 32 bytes, and one that is written in pieces costs several times as much (docs/performance-log.md): so tiles
// and strips overlap by as many positions as a vector reaches beyond its first output, and a vector is stored whole by the
// tile where it begins. Only the ends of runs are stored in pieces.
#ifndef VKTCONV_MATRIX_WINDOW_OUTPUT_GLSL_
#define VKTCONV_MATRIX_WINDOW_OUTPUT_GLSL_

const uint OUTPUTS_OF_POSITION = MERGED > 0u ? STRIDE_W : 1u;
const uint ELEMENT_STEP = MERGED > 0u ? 1u : STRIDE_W;  // from one output of a run to the next, in memory
const uint LANE_OUTPUTS = ELEMENT_STEP > 1u ? 1u : OUTPUT_TYPE == TYPE_F32 ? 4u : 8u;
const uint DILATION_W = uint(INPUT_STEP_W * GCD_W);
const bool HALVED = MERGED > 0u && STRIDE_W == 2u;  // two phases of the width: of each, half as many as outputs

// The outputs of a run that the tile computes: elements low .. high - 1, counted from the run's first position.
struct OutputRun {
  int low;
  int high;
  int own_high;      // vectors that begin here or later are another tile's
  int first_staged;  // the run's first position, counted from the tile's; may be negative
  uint index;        // in the output, of element 0 in the tile's first channel; may be before the tensor (and wrap)
  bool cut;          // the run begins before low: vectors that do so, too, are another tile's
};

OutputRun find_run(OutputTile tile, uint segment) {
  const uint begin = (tile.first_position / RUN + segment) * RUN;
  const Numbered first = decode_number(begin, 0xffffffffu);
  OutputRun run;
  run.first_staged = int(begin) - int(tile.first_position);
  ivec3 at = ivec3(tile.first_output) + first.at * ivec3(STRIDE_D, STRIDE_H, STRIDE_W);
  if (MERGED > 0u) at.z = (first.at.z + FIRST_POSITION_W) * int(STRIDE_W) - PADDING_W;
  run.index = tile.output_base + first.image * OUTPUT_IMAGE +
              (uint(at.x) * OUTPUT_H + uint(at.y)) * OUTPUT_W + uint(at.z);
  const int from = max(-run.first_staged, 0), to = min(int(tile.end_position - begin), int(RUN_POSITIONS));
  int own = min(to, int(TILE_STEP) - run.first_staged);
  if (first.strip + 1u < STRIPS) own = min(own, int(STRIP_STEP));
  run.low = from * int(OUTPUTS_OF_POSITION);
  run.high = to * int(OUTPUTS_OF_POSITION);
  run.own_high = own * int(OUTPUTS_OF_POSITION);
  run.cut = ELEMENT_STEP == 1u && (from > 0 || first.strip > 0u);
  if (RUN == PITCH_W) {  // a row: some of its positions may have no output
    run.low = max(run.low, ELEMENT_STEP == 1u ? -at.z : 0);
    run.high = min(run.high, (int(OUTPUT_W) - at.z + int(ELEMENT_STEP) - 1) / int(ELEMENT_STEP));
    run.own_high = min(run.own_high, run.high);
  }
  const bool row_exists = begin < tile.end_position && uint(first.at.y) < SIZE_H && uint(at.x) < OUTPUT_D && uint(at.y) < OUTPUT_H;
  if (!row_exists) run.own_high = run.low;
  return run;
}

// Whether all vectors of 16 bytes begin at the same element of their runs, modulo the vector: FIRST_ELEMENT. Then, where runs and
// tiles have even numbers of positions, or multiples of four, it is known by what words a lane's sums lie beside a quad's begin.
const bool ELEMENT_KNOWN = FIRST_ELEMENT < LANE_OUTPUTS;
const uint KNOWN_POSITION = STAGED_BEGIN + (HALVED ? FIRST_ELEMENT / 2u : FIRST_ELEMENT);
const uint LANE_POSITIONS = HALVED ? LANE_OUTPUTS / 2u : LANE_OUTPUTS;
const bool ONE_KNOWN = ELEMENT_KNOWN ? (RUN | TILE_STEP | LANE_POSITIONS) % 2u == 0u : false;
const bool TWO_KNOWN = ELEMENT_KNOWN ? (RUN | TILE_STEP | LANE_POSITIONS) % 4u == 0u : false;

// Neighbours in a staged row: whole vectors, shifted. Scalar reads of lanes that are several words apart would fall into few
// banks.
const uint NEIGHBOURS = HALVED ? LANE_OUTPUTS / 2u + 1u : LANE_OUTPUTS;
const uint NEIGHBOUR_QUADS = (NEIGHBOURS + 6u) / 4u;

// Other sums of a lane are read one by one.
const bool ONE_BY_ONE = LANE_OUTPUTS == 1u ? true : MERGED > 0u ? !HALVED : false;

// Where a lane's outputs of a run lie: the same for all channels whose runs begin at the same place of a vector.
struct LanePlace {
  int element;    // the first of LANE_OUTPUTS
  bool wanted;    // whether any is the tile's own,
  bool whole;     // and all are computed
  uint quad;      // where its sum lies in shared memory, counted from the channel's first staged row: the vector,
  bool two, one;  // and the word of it
  bool odd;       // HALVED: the element is of the second phase
  uint words[8];  // ONE_BY_ONE: where each sum lies
  uint computed;  // and a bit for each, whether there is one
};

LanePlace find_place(OutputRun run, int element) {
  LanePlace place;
  place.element = element;
  place.wanted = element < run.own_high;
  place.whole = element >= run.low && element + int(LANE_OUTPUTS) <= run.high;
  const int begin = run.first_staged + int(STAGED_BEGIN);
  place.computed = 0u;
  if (ONE_BY_ONE) {
    const uint shifted = uint(element + int(LANE_OUTPUTS * OUTPUTS_OF_POSITION));  // not negative
    uint phase = shifted % OUTPUTS_OF_POSITION;
    int position = begin + int(shifted / OUTPUTS_OF_POSITION) - int(LANE_OUTPUTS);
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
      const uint row = MERGED > 0u ? phase / DILATION_W : 0u;
      const bool computed = MERGED > 0u ? phase % DILATION_W == 0u && row < MERGED : true;
      if (computed) place.computed |= 1u << n;
      place.words[n] = computed ? row * STAGED_PITCH + uint(position) : 0u;
      ++phase;
      if (phase == OUTPUTS_OF_POSITION) {
        phase = 0u;
        ++position;
      }
    }
    return place;
  }
  const uint shifted = uint(element + int(LANE_OUTPUTS * 2u));  // not negative
  place.odd = HALVED ? (ELEMENT_KNOWN ? FIRST_ELEMENT % 2u != 0u : (shifted & 1u) != 0u) : false;
  const int from_run = HALVED ? int(shifted / 2u) - int(LANE_OUTPUTS) : element;
  const uint at = uint(begin + from_run);
  place.quad = at / 4u;
  place.two = TWO_KNOWN ? (KNOWN_POSITION & 2u) != 0u : (at & 2u) != 0u;
  place.one = ONE_KNOWN ? (KNOWN_POSITION & 1u) != 0u : (at & 1u) != 0u;
  return place;
}

void read_neighbours(uint quad, LanePlace place, out uint neighbours[NEIGHBOURS]) {
  uint words[NEIGHBOUR_QUADS * 4u];
  [[unroll]] for (uint q = 0; q < NEIGHBOUR_QUADS; ++q) {
    const uvec4 of_quad = pool[quad + q];
    [[unroll]] for (uint i = 0; i < 4u; ++i) words[q * 4u + i] = of_quad[i];
  }
  [[unroll]] for (uint n = 0; n < NEIGHBOURS + 1u; ++n) words[n] = place.two ? words[n + 2u] : words[n];
  [[unroll]] for (uint n = 0; n < NEIGHBOURS; ++n) neighbours[n] = place.one ? words[n + 1u] : words[n];
}

// row_begin: where the channel's first staged row has the run's first position.
float read_staged_one(int row_begin, int element) {
  uint row = 0u;
  uint place = uint(row_begin + element);
  bool computed = true;
  if (MERGED > 0u) {
    const uint shifted = uint(element + int(LANE_OUTPUTS * STRIDE_W));  // not negative
    const uint phase = shifted % STRIDE_W;
    place = uint(row_begin + int(shifted / STRIDE_W) - int(LANE_OUTPUTS));
    row = phase / DILATION_W;
    computed = phase % DILATION_W == 0u && row < MERGED;
  }
  const uint at = place + row * STAGED_PITCH;
  return computed ? uintBitsToFloat(pool[at / 4u][at % 4u]) : 0.0;
}

int staged_row_begin(OutputRun run, uint channel_row) {
  return int(channel_row * STAGED_PITCH) + run.first_staged + int(STAGED_BEGIN);
}

// The sums of a lane; of elements outside of the tile, anything. channel_row: the first staged row of the channel.
void read_staged(LanePlace place, uint channel_row, out float sums_of_lane[LANE_OUTPUTS]) {
  if (ONE_BY_ONE) {
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
      const uint at = place.words[n] + channel_row * STAGED_PITCH;
      sums_of_lane[n] = uintBitsToFloat((place.computed & (1u << n)) != 0u ? pool[at / 4u][at % 4u] : 0u);
    }
    return;
  }
  const uint quad = channel_row * (STAGED_PITCH / 4u) + place.quad;
  uint neighbours[NEIGHBOURS];
  read_neighbours(quad, place, neighbours);
  if (HALVED) {
    uint odd_phase[NEIGHBOURS];
    [[unroll]] for (uint n = 0; n < NEIGHBOURS; ++n) odd_phase[n] = 0u;
    if (MERGED == 2u) read_neighbours(quad + STAGED_PITCH / 4u, place, odd_phase);
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
      const uint i = (n / 2u) % NEIGHBOURS, next = ((n + 1u) / 2u) % NEIGHBOURS;
      sums_of_lane[n] = uintBitsToFloat(n % 2u == 0u ? (place.odd ? odd_phase[i] : neighbours[i])
                                                     : (place.odd ? neighbours[next] : odd_phase[i]));
    }
  } else {
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) sums_of_lane[n] = uintBitsToFloat(neighbours[n % NEIGHBOURS]);
  }
}

const uint STAGED_CHANNELS = WARPS_M * TILE_CHANNELS;

// The channel of the block that staged channel i is, when matrix row fragment_m of each subgroup is staged.
uint staged_channel(uint i, uint fragment_m) {
  return (i / TILE_CHANNELS * FRAGMENTS_M + fragment_m) * TILE_CHANNELS + i % TILE_CHANNELS;
}

uint staged_channel_row(uint i) { return i / TILE_CHANNELS * TILE_M + i % TILE_CHANNELS * PHASES_IN_ROWS; }  // its first

// The first element that lanes of this tile store in a channel's run, so that their vectors are aligned. run_index: of
// element 0 in the channel.
int first_element(OutputRun run, uint run_index) {
  const int before = int((run_index + uint(run.low) * ELEMENT_STEP) % LANE_OUTPUTS);
  return run.cut ? run.low + (int(LANE_OUTPUTS) - before) % int(LANE_OUTPUTS) : run.low - before;
}

// Lanes that go through a run together; a subgroup takes several short runs at once.
const uint OWN_RUN = STRIPS > 1u ? STRIP_W : RUN_POSITIONS;  // of the last strip, all
const uint LONGEST_RUN = (TILE_STEP < OWN_RUN ? TILE_STEP : OWN_RUN) * OUTPUTS_OF_POSITION;
// Vectors that this many outputs touch, from wherever they begin; or from a vector's first, where tiles do not overlap.
const uint RUN_SLOTS = (LONGEST_RUN + (TILE_STEP < POSITIONS ? 2u : 1u) * (LANE_OUTPUTS - 1u)) / LANE_OUTPUTS;
const uint ENOUGH_LANES = RUN_SLOTS <= 1u ? 1u : RUN_SLOTS <= 2u ? 2u : RUN_SLOTS <= 4u ? 4u : RUN_SLOTS <= 8u ? 8u : RUN_SLOTS <= 16u ? 16u : RUN_SLOTS <= 32u ? 32u : 64u;
const uint RUN_LANES = ENOUGH_LANES < SUBGROUP ? ENOUGH_LANES : SUBGROUP;
const uint RUNS_AT_ONCE = SUBGROUP / RUN_LANES;
const uint RUN_TURNS = (RUN_SLOTS + RUN_LANES - 1u) / RUN_LANES;

// channel: of the problem.
void apply_chain(OutputRun run, LanePlace place, inout float values[LANE_OUTPUTS], uint run_index, uint channel) {
  const float scale = CHANNEL_SCALE(channel), shift = CHANNEL_SHIFT(channel);
  float residuals[LANE_OUTPUTS];  // all of them are on their way before the first is needed
  [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
    const int at = place.element + int(n);
    residuals[n] = at >= run.low && at < run.high ? RESIDUAL(run_index + uint(at) * ELEMENT_STEP) : 0.0;
  }
  // Not unrolled: a chain is long. But every index is a constant, for the arrays turn.
  [[dont_unroll]] for (uint turn = 0; turn < LANE_OUTPUTS; ++turn) {
    const float result = apply_post_ops(values[0], scale, shift, residuals[0]);
    [[unroll]] for (uint n = 0; n + 1u < LANE_OUTPUTS; ++n) {
      values[n] = values[n + 1u];
      residuals[n] = residuals[n + 1u];
    }
    values[LANE_OUTPUTS - 1u] = result;
  }
}

// Whether the tile computes output n of the lane.
bool is_computed(OutputRun run, LanePlace place, uint n) {
  return place.element + int(n) >= run.low && place.element + int(n) < run.high;
}

void store_lane(OutputRun run, LanePlace place, float values[LANE_OUTPUTS], uint run_index) {
  const uint index = run_index + uint(place.element) * ELEMENT_STEP;
  if (LANE_OUTPUTS == 1u) {
    STORE_ELEMENT(index, values[0]);
  } else if (place.whole) {
    uvec4 words;
    [[unroll]] for (uint i = 0; i < 4u; ++i) {
      words[i] = LANE_OUTPUTS == 4u ? floatBitsToUint(values[i % LANE_OUTPUTS])
                                    : ENCODE_PAIR(values[(2u * i) % LANE_OUTPUTS], values[(2u * i + 1u) % LANE_OUTPUTS]);
    }
    OUTPUT_VECTORS.words[index / LANE_OUTPUTS] = words;
  } else {
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
      if (is_computed(run, place, n)) STORE_ELEMENT(index + n, values[n]);
    }
  }
}

// Lists the runs for the loops below.
void list_runs(OutputTile tile) {
  for (uint segment = gl_LocalInvocationID.x; segment < SEGMENTS; segment += LOCAL) {
    const OutputRun run = find_run(tile, segment);
    output_runs[2u * segment] = ivec4(run.low, run.high, run.own_high, run.first_staged);
    output_runs[2u * segment + 1u] = ivec4(int(run.index), run.cut ? 1 : 0, 0, 0);
  }
}

OutputRun listed_run(uint segment) {
  const ivec4 first = output_runs[2u * segment], second = output_runs[2u * segment + 1u];
  return OutputRun(first.x, first.y, first.z, first.w, uint(second.x), second.y != 0);
}

// A subgroup takes every SUBGROUPS-th of the staged channels. Among these, every PLACES-th has a run that begins at the same place
// of a vector, and what lanes need to know about that is computed once for all of them.
const uint PLACE_PERIOD = OUTPUT_PLANE % LANE_OUTPUTS == 0u ? 1u : OUTPUT_PLANE * 2u % LANE_OUTPUTS == 0u ? 2u : OUTPUT_PLANE * 4u % LANE_OUTPUTS == 0u ? 4u : 8u;
const uint PERIOD_PLACES = SUBGROUPS % PLACE_PERIOD == 0u ? 1u : PLACE_PERIOD % SUBGROUPS == 0u ? PLACE_PERIOD / SUBGROUPS : PLACE_PERIOD;
const uint OWN_CHANNELS = (STAGED_CHANNELS + SUBGROUPS - 1u) / SUBGROUPS;
// From one matrix's channels to those of the subgroup's next there is a step of any size: the places repeat within a matrix,
// or there is only one.
const bool REPEATED = TILE_CHANNELS % (PERIOD_PLACES * SUBGROUPS) == 0u ? true : PLACE_PERIOD == 1u ? SUBGROUPS % TILE_CHANNELS == 0u : false;
const uint PLACES = REPEATED ? PERIOD_PLACES : OWN_CHANNELS;
const uint PLACE_STEP = PLACES * SUBGROUPS;  // staged channels from one to the next of the same place
// Channels of a place that are read before any is stored, so that reads overlap. All of these lie at the same distances from the
// first, wherever that is.
const uint MOST_AT_ONCE = LANE_OUTPUTS > 4u ? 2u : 4u;
const uint IN_A_MATRIX = TILE_CHANNELS / PLACE_STEP;  // of a place; or 0
const uint CHANNELS_AT_ONCE = !REPEATED ? 1u : IN_A_MATRIX == 0u ? MOST_AT_ONCE : IN_A_MATRIX % MOST_AT_ONCE == 0u ? MOST_AT_ONCE :
                              MOST_AT_ONCE % IN_A_MATRIX == 0u ? MOST_AT_ONCE : IN_A_MATRIX % 2u == 0u ? 2u : 1u;
const bool ALL_STAGED = STAGED_CHANNELS % (PLACE_STEP * CHANNELS_AT_ONCE) == 0u;
const bool ALL_CHANNELS = OUT_CHANNELS % BLOCK_CHANNELS == 0u;

// Stores a lane's outputs of CHANNELS_AT_ONCE channels, of the staged channel `first` and those after it.
void store_channels(OutputTile tile, OutputRun run, LanePlace place, uint first, uint fragment_m) {
  const uint first_channel = staged_channel(first, fragment_m), first_row = staged_channel_row(first);
  float values[CHANNELS_AT_ONCE * LANE_OUTPUTS];
  [[unroll]] for (uint c = 0; c < CHANNELS_AT_ONCE; ++c) {
    const uint behind = c * PLACE_STEP;
    if (!ALL_STAGED && first + behind >= STAGED_CHANNELS) continue;
    float of_channel[LANE_OUTPUTS];
    read_staged(place, first_row + staged_channel_row(behind), of_channel);
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) values[c * LANE_OUTPUTS + n] = of_channel[n];
  }
  [[unroll]] for (uint c = 0; c < CHANNELS_AT_ONCE; ++c) {
    const uint behind = c * PLACE_STEP;
    const uint channel = first_channel + staged_channel(behind, 0u);
    if (!ALL_STAGED && first + behind >= STAGED_CHANNELS) continue;
    if (!ALL_CHANNELS && tile.first_channel + channel >= OUT_CHANNELS) continue;
    const float bias = HAS_BIAS ? block_bias[channel] : 0.0;
    float of_channel[LANE_OUTPUTS];
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) of_channel[n] = SCALED(values[c * LANE_OUTPUTS + n], channel) + bias;
#if defined(DATA_F32)
    // Also of what is not stored, at the ends of runs: to tell costs more than to look for nothing once in a while.
    [[unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) magnitudes += abs(of_channel[n]);
#endif
    const uint run_index = run.index + channel * OUTPUT_PLANE;
    if (CHAIN_LENGTH > 0u) apply_chain(run, place, of_channel, run_index, tile.bias_index + channel);
    store_lane(run, place, of_channel, run_index);
  }
}

// Where a lane's outputs of a channel of the block lie, in the turn-th part of the run.
LanePlace find_place_in_turn(OutputRun run, uint turn, uint channel) {
  const uint of_lane = (turn * RUN_LANES + gl_SubgroupInvocationID % RUN_LANES) * LANE_OUTPUTS;
  return find_place(run, first_element(run, run.index + channel * OUTPUT_PLANE) + int(of_lane));
}

// Stores what is staged of matrix row fragment_m of each subgroup.
void store_staged(OutputTile tile, uint fragment_m) {
  [[dont_unroll]] for (uint first_run = 0; first_run < SEGMENTS; first_run += RUNS_AT_ONCE) {
    const uint segment = first_run + gl_SubgroupInvocationID / RUN_LANES;
    const OutputRun run = listed_run(min(segment, SEGMENTS - 1u));
    if (segment >= SEGMENTS || run.low >= run.own_high) continue;
    [[dont_unroll]] for (uint turn = 0; turn < RUN_TURNS; ++turn) {
      [[dont_unroll]] for (uint i = gl_SubgroupID; i < min(PLACE_STEP, STAGED_CHANNELS); i += SUBGROUPS) {
        const LanePlace place = find_place_in_turn(run, turn, staged_channel(i, fragment_m));
        if (!place.wanted) continue;
        [[dont_unroll]] for (uint first = i; first < STAGED_CHANNELS; first += PLACE_STEP * CHANNELS_AT_ONCE) {
          store_channels(tile, run, place, first, fragment_m);
        }
      }
    }
  }
}

#if defined(DATA_F32)
// The same once more, for outputs whose sums are not finite: each invocation those that it has stored.
void mend_staged(OutputTile tile, uint fragment_m) {
  [[dont_unroll]] for (uint first_run = 0; first_run < SEGMENTS; first_run += RUNS_AT_ONCE) {
    const uint segment = first_run + gl_SubgroupInvocationID / RUN_LANES;
    const OutputRun run = listed_run(min(segment, SEGMENTS - 1u));
    if (segment >= SEGMENTS || run.low >= run.own_high) continue;
    [[dont_unroll]] for (uint turn = 0; turn < RUN_TURNS; ++turn) {
      [[dont_unroll]] for (uint i = gl_SubgroupID; i < STAGED_CHANNELS; i += SUBGROUPS) {
        const uint channel = staged_channel(i, fragment_m);
        const uint run_index = run.index + channel * OUTPUT_PLANE;
        const LanePlace place = find_place_in_turn(run, turn, channel);
        if (tile.first_channel + channel >= OUT_CHANNELS || !place.wanted) continue;
        const int row_begin = staged_row_begin(run, staged_channel_row(i));
        [[dont_unroll]] for (uint n = 0; n < LANE_OUTPUTS; ++n) {
          if (!is_computed(run, place, n)) continue;
          const int element = place.element + int(n);
          const float sum = SCALED(read_staged_one(row_begin, element), channel) + (HAS_BIAS ? block_bias[channel] : 0.0);
          mend(tile, sum, run_index + uint(element) * ELEMENT_STEP, channel);
        }
      }
    }
  }
}
#endif

#endif

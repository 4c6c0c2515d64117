// How a workgroup of matrix_window.comp reads what comes pixel by pixel (channels-last and prepared inputs, and fp32 of either
// layout) and stores channels-last outputs: a pixel's channels lie side by side in shared memory, so that they move in vectors of
// eight where the numbers of channels are multiples of it. Needs matrix_window_input.glsl and matrix_window_output.glsl for
// NOWHERE, OutputTile and how outputs are rounded.
#ifndef VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_
#define VKTCONV_MATRIX_WINDOW_CHANNELS_LAST_GLSL_

// ---- input ------------------------------------------------------------------------------------------------------------

// Each invocation brings a few octets of channels: what is next to each other is next to each other in memory. An octet of
// fp32 that is not prepared becomes both parts.
#if defined(DATA_F32)
const bool SPLITS = !PREPARED;
#else
const bool SPLITS = false;
#endif
const uint ITEM_OCTETS = SPLITS ? PART_OCTETS : ROW_OCTETS;  // items of a pixel
const uint ITEM_WORDS = SPLITS ? 2u : 1u;                    // vectors of 16 bytes in memory
const bool ALONG_PIXELS = SPLITS ? !INPUT_CHANNELS_LAST : false;
const uint ITEM_ROWS = LOCAL / ITEM_OCTETS;  // from one of an invocation's items to the next
const uint PIXEL_ITEMS = INPUT_BY_PIXELS ? (INPUT_ROWS + ITEM_ROWS - 1u) / ITEM_ROWS : 1u;
const uint WINDOW_REACH = (WINDOW_H - 1u) * STEP_H + (WINDOW_W - 1u) * STEP_W;
// Images that are added before numbers are divided, so that nothing negative is.
const uint IMAGES_BEFORE = (WINDOW_REACH + IMAGE_NUMBERS - 1u) / IMAGE_NUMBERS;

uint pixel_at[PIXEL_ITEMS];      // of the first chunk of in-channels, or NOWHERE; prepared inputs in octets
uvec4 pixel_octets[PIXEL_ITEMS * ITEM_WORDS];  // on their way

uint item_first_row() { return ALONG_PIXELS ? gl_LocalInvocationID.x % ITEM_ROWS : gl_LocalInvocationID.x / ITEM_OCTETS; }

uint pixel_octet() { return ALONG_PIXELS ? gl_LocalInvocationID.x / ITEM_ROWS : gl_LocalInvocationID.x % ITEM_OCTETS; }

// A number, taken apart, with what stands for numbers before a row or slice added.
struct NumberDigits {
  uint column;
  uint row;
  uint slice;
  uint strip;
  uint image;
};

// The number `distance` after it, a constant: carries in place of divisions.
void advance(inout NumberDigits number, uint distance) {
  const uint rows = distance / PITCH_W, slices = rows / PITCH_H, strips = slices / SIZE_D;
  number.column += distance % PITCH_W;
  bool carry = number.column >= PITCH_W;
  if (carry) number.column -= PITCH_W;
  number.row += rows % PITCH_H + (carry ? 1u : 0u);
  carry = number.row >= PITCH_H;
  if (carry) number.row -= PITCH_H;
  if (SIZE_D > 1u) {
    number.slice += slices % SIZE_D + (carry ? 1u : 0u);
    carry = number.slice >= SIZE_D;
    if (carry) number.slice -= SIZE_D;
  }
  if (STRIPS > 1u) {
    number.strip += strips % STRIPS + (carry ? 1u : 0u);
    carry = number.strip >= STRIPS;
    if (carry) number.strip -= STRIPS;
  }
  number.image += strips / STRIPS + (carry ? 1u : 0u);
}

// first_position: of the tile; offset: from a position to the input that the last tap of the window brings to it.
void locate_pixels(int first_position, ivec3 offset, uint group) {
  const SlabParams params = push.params.slab;
  uint rest = uint(first_position) + IMAGES_BEFORE * IMAGE_NUMBERS + GAP_H * PITCH_W + GAP_W - WINDOW_REACH + item_first_row();
  NumberDigits number;
  number.column = rest % PITCH_W;
  rest /= PITCH_W;
  number.row = rest % PITCH_H;
  rest /= PITCH_H;
  number.slice = rest % SIZE_D;
  rest /= SIZE_D;
  number.strip = rest % STRIPS;
  number.image = rest / STRIPS - IMAGES_BEFORE;  // a negative one is a large unsigned one
  const uint group_begin = PREPARED ? group * CHUNKS * INPUT_PLANE * ROW_OCTETS
                                    : params.input_offset + group * IN_CHANNELS * INPUT_CHANNEL_STRIDE;
  const uint image_step = PREPARED ? params.groups * CHUNKS * INPUT_PLANE * ROW_OCTETS : INPUT_IMAGE;
  const uint pixel_step = PREPARED ? ROW_OCTETS : INPUT_PIXEL_STRIDE;
  const uint own_begin = group_begin + pixel_octet() * (PREPARED ? 1u : 8u * INPUT_CHANNEL_STRIDE);
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    if (i > 0u) advance(number, ITEM_ROWS);
    const uint x = number.column + number.strip * STRIP_STEP + uint(offset.z - int(GAP_W));
    const uint y = number.row + uint(offset.y - int(GAP_H)), z = number.slice + uint(offset.x);
    const uint pixel = (z * INPUT_H + y) * INPUT_W + x;
    // A negative position is a large unsigned one.
    const bool exists = number.image < params.batch && z < INPUT_D && y < INPUT_H && x < INPUT_W;
    pixel_at[i] = exists ? own_begin + number.image * image_step + pixel * pixel_step : NOWHERE;
  }
}

// Item i: eight channels from `first` on, of which the group has `count` or fewer.
void load_octet(uint i, uint first, uint count) {
  if (INPUT_OCTETS && !ALONG_PIXELS) {
    const uint vector = first / (SPLITS ? 4u : 8u);
    [[unroll]] for (uint w = 0; w < ITEM_WORDS; ++w) pixel_octets[i * ITEM_WORDS + w] = INPUT_VECTORS.words[vector + w];
    return;
  }
  [[unroll]] for (uint c = 0; c < 8u; ++c) {
    if (c >= count) continue;
#if defined(DATA_F32)
    pixel_octets[i * ITEM_WORDS + c / 4u % ITEM_WORDS][c % 4u] = floatBitsToUint(INPUT.words[first + c * INPUT_CHANNEL_STRIDE]);
#else
    pixel_octets[i][c / 2u] |= uint(INPUT.words[first + c]) << (c % 2u * 16u);
#endif
  }
}

void fetch_pixels(uint chunk) {
  const uint channel = chunk * DEPTH + pixel_octet() * 8u;
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    [[unroll]] for (uint w = 0; w < ITEM_WORDS; ++w) pixel_octets[i * ITEM_WORDS + w] = uvec4(0u);
    if (PREPARED) {
      if (pixel_at[i] != NOWHERE) pixel_octets[i] = PREPARED_INPUT.words[pixel_at[i] + chunk * (INPUT_PLANE * ROW_OCTETS)];
    } else if (pixel_at[i] != NOWHERE && (IN_CHANNELS % DEPTH == 0u || channel < IN_CHANNELS)) {
      load_octet(i, pixel_at[i] + chunk * DEPTH * INPUT_CHANNEL_STRIDE, IN_CHANNELS % 8u == 0u ? 8u : IN_CHANNELS - channel);
    }
  }
}

void put_pixels() {
  const uint first = item_first_row() * PITCH + pixel_octet();
  [[unroll]] for (uint i = 0; i < PIXEL_ITEMS; ++i) {
    const bool exists = (i + 1u) * ITEM_ROWS <= INPUT_ROWS ? true : i * ITEM_ROWS + item_first_row() < INPUT_ROWS;
    if (!exists) continue;
    const uint at = first + i * ITEM_ROWS * PITCH;
#if defined(DATA_F32)
    if (SPLITS) {
      float values[8];
      [[unroll]] for (uint c = 0; c < 8u; ++c) values[c] = uintBitsToFloat(pixel_octets[i * ITEM_WORDS + c / 4u % ITEM_WORDS][c % 4u]);
      uvec4 high, low;
      split_octet_by_conversion(values, push.params.zero, high, low);
      pool[at] = high;
      if (PARTS == 2u) pool[at + PART_OCTETS] = low;
      continue;
    }
#endif
    pool[at] = pixel_octets[i];
  }
}

// ---- output -----------------------------------------------------------------------------------------------------------

const uint STAGED_PIXELS = WARPS_N * TILE_N;  // at a time: a matrix column of each subgroup

// Lists where the tile's outputs lie in memory: for each position, in the order in which they are staged if they are, the index of
// the block's first channel.
void list_pixels(OutputTile tile) {
  for (uint i = gl_LocalInvocationID.x; i < POSITIONS; i += LOCAL) {
    const uint fragment_n = i / STAGED_PIXELS, staged = i % STAGED_PIXELS;
    const uint position = tile.first_position + (LANE_STORES ? i : (staged / TILE_N * FRAGMENTS_N + fragment_n) * TILE_N + staged % TILE_N);
    const Numbered number = decode_number(position, 0xffffffffu);
    const uvec3 at = tile.first_output + uvec3(number.at) * uvec3(STRIDE_D, STRIDE_H, STRIDE_W);
    const bool wanted = position < tile.end_position && position % PITCH_W < STRIP_W && uint(number.at.y) < SIZE_H &&
                        at.x < OUTPUT_D && at.y < OUTPUT_H && at.z < OUTPUT_W;
    const uint pixel = (at.x * OUTPUT_H + at.y) * OUTPUT_W + at.z;
    output_pixels[i] = wanted ? tile.output_base + number.image * OUTPUT_IMAGE + pixel * OUTPUT_PIXEL_STRIDE : NOWHERE;
  }
}

const uint BLOCK_OCTETS = ROWS / 8u;
const uint STAGED_ITEMS = STAGED_PIXELS * BLOCK_OCTETS;
// Octets that an invocation reads before it stores any, so that reads overlap. Where it can be, all of them are of the same channels.
const bool SAME_CHANNELS = LOCAL % BLOCK_OCTETS == 0u;
const uint OWN_ITEMS = (STAGED_ITEMS + LOCAL - 1u) / LOCAL;
const uint OCTETS_AT_ONCE = CHAIN_LENGTH > 0u ? 1u : OWN_ITEMS % 4u == 0u ? 4u : OWN_ITEMS % 2u == 0u ? 2u : 1u;

// channels: how many of the eight exist. first: channel of the block.
void store_octet(OutputTile tile, uint index, uint first, uint channels, float values[8]) {
#if defined(DATA_F32)
  [[unroll]] for (uint c = 0; c < 8u; ++c) magnitudes += OUTPUT_OCTETS || c < channels ? abs(values[c]) : 0.0;
#endif
  if (CHAIN_LENGTH > 0u) {
    float scales[8], shifts[8], residuals[8];  // all of them are on their way before the first is needed
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      const uint channel = tile.bias_index + first + min(c, channels - 1u);
      scales[c] = CHANNEL_SCALE(channel);
      shifts[c] = CHANNEL_SHIFT(channel);
      residuals[c] = RESIDUAL(index + min(c, channels - 1u));
    }
    // Not unrolled: a chain is long. But every index is a constant, for the arrays turn.
    [[dont_unroll]] for (uint turn = 0; turn < 8u; ++turn) {
      const float result = apply_post_ops(values[0], scales[0], shifts[0], residuals[0]);
      [[unroll]] for (uint c = 0; c < 7u; ++c) {
        values[c] = values[c + 1u];
        scales[c] = scales[c + 1u];
        shifts[c] = shifts[c + 1u];
        residuals[c] = residuals[c + 1u];
      }
      values[7] = result;
    }
  }
  if (OUTPUT_OCTETS) {
    if (OUTPUT_TYPE == TYPE_F32) {
      OUTPUT_VECTORS.words[index / 4u] = floatBitsToUint(vec4(values[0], values[1], values[2], values[3]));
      OUTPUT_VECTORS.words[index / 4u + 1u] = floatBitsToUint(vec4(values[4], values[5], values[6], values[7]));
    } else {
      OUTPUT_VECTORS.words[index / 8u] = uvec4(ENCODE_PAIR(values[0], values[1]), ENCODE_PAIR(values[2], values[3]),
                                               ENCODE_PAIR(values[4], values[5]), ENCODE_PAIR(values[6], values[7]));
    }
  } else {
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      if (c < channels) {
        STORE_ELEMENT(index + c, values[c]);
      }
    }
  }
}

// Sums of TILE_N positions of each subgroup, its matrix column fragment_n, lie in shared memory, ROWS of each.
void store_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < STAGED_ITEMS; item += OCTETS_AT_ONCE * LOCAL) {
    uint pixels[OCTETS_AT_ONCE];
    uvec4 quads[2u * OCTETS_AT_ONCE];
    [[unroll]] for (uint i = 0; i < OCTETS_AT_ONCE; ++i) {
      const uint staged = SAME_CHANNELS ? item / BLOCK_OCTETS + i * (LOCAL / BLOCK_OCTETS) : (item + i * LOCAL) / BLOCK_OCTETS;
      const uint octet = SAME_CHANNELS ? item % BLOCK_OCTETS : (item + i * LOCAL) % BLOCK_OCTETS;
      const bool exists = STAGED_ITEMS % LOCAL == 0u ? true : staged < STAGED_PIXELS;
      const uint read = exists ? staged : 0u;
      pixels[i] = exists ? output_pixels[fragment_n * STAGED_PIXELS + read] : NOWHERE;
      quads[2u * i] = pool[read * (PIXEL_PITCH / 4u) + octet * 2u];
      quads[2u * i + 1u] = pool[read * (PIXEL_PITCH / 4u) + octet * 2u + 1u];
    }
    [[unroll]] for (uint i = 0; i < OCTETS_AT_ONCE; ++i) {
      const uint first = (SAME_CHANNELS ? item % BLOCK_OCTETS : (item + i * LOCAL) % BLOCK_OCTETS) * 8u;
      const uint channels = OUT_CHANNELS % ROWS == 0u ? 8u : min(8u, OUT_CHANNELS - min(tile.first_channel + first, OUT_CHANNELS));
      if (pixels[i] == NOWHERE || channels == 0u) continue;
      float values[8];
      [[unroll]] for (uint c = 0; c < 8u; ++c) {
        values[c] = SCALED(uintBitsToFloat(quads[2u * i + c / 4u][c % 4u]), first + c) + (HAS_BIAS ? block_bias[first + c] : 0.0);
      }
      store_octet(tile, pixels[i] + first, first, channels, values);
    }
  }
}

#if defined(DATA_F32)
// The same once more, for outputs whose sums are not finite: each invocation those that it has stored.
void mend_pixels(OutputTile tile, uint fragment_n) {
  [[dont_unroll]] for (uint item = gl_LocalInvocationID.x; item < STAGED_ITEMS; item += LOCAL) {
    const uint staged = item / BLOCK_OCTETS, first = item % BLOCK_OCTETS * 8u;
    const uint pixel = output_pixels[fragment_n * STAGED_PIXELS + staged];
    if (pixel == NOWHERE) continue;
    [[dont_unroll]] for (uint channel = first; channel < first + 8u; ++channel) {
      if (tile.first_channel + channel >= OUT_CHANNELS) break;
      const uint at = staged * PIXEL_PITCH + channel;
      mend(tile, SCALED(uintBitsToFloat(pool[at / 4u][at % 4u]), channel) + (HAS_BIAS ? block_bias[channel] : 0.0), pixel + channel, channel);
    }
  }
}
#endif

#endif

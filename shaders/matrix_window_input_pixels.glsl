// How a workgroup of matrix_window.comp reads what comes pixel by pixel: channels-last and prepared inputs, and fp32 of either layout. A
// pixel's channels lie side by side in shared memory, so that they move in vectors of eight where the number of channels is a
// multiple of it. Needs matrix_window_input.glsl for NOWHERE.
#ifndef VKTCONV_MATRIX_WINDOW_INPUT_PIXELS_GLSL_
#define VKTCONV_MATRIX_WINDOW_INPUT_PIXELS_GLSL_

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

#endif

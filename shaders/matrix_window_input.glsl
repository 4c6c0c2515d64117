// How a workgroup of matrix_window.comp brings the inputs of a window into shared memory from a channels-first tensor of 16 bits: each
// invocation a few items of INPUT_VECTOR neighbours of a row by eight in-channels.
#ifndef VKTCONV_MATRIX_WINDOW_INPUT_GLSL_
#define VKTCONV_MATRIX_WINDOW_INPUT_GLSL_

// The window's numbers lie in pieces of rows: of the first row its end, of the last its beginning.
const uint PIECES = (INPUT_ROWS + PITCH_W - 2u) / PITCH_W + 1u;
const uint PIECE_NUMBERS = INPUT_ROWS < PITCH_W ? INPUT_ROWS : PITCH_W;
const uint PIECE_VECTORS = (PIECE_NUMBERS + INPUT_VECTOR - 2u) / INPUT_VECTOR + 1u;  // wherever it begins
const uint ALL_ITEMS = PIECES * PIECE_VECTORS * ROW_OCTETS;
const uint ITEMS = (ALL_ITEMS + LOCAL - 1u) / LOCAL;
// Rows that are added before numbers are divided, so that nothing negative is.
const uint ROWS_BEFORE = GAP_H + (WINDOW_H - 1u) * uint(INPUT_STEP_H) + ((WINDOW_W - 1u) * STEP_W) / PITCH_W + 2u;

const uint NOWHERE = 0xffffffffu;

// Where an invocation's items are in memory, for the first chunk of in-channels, and where they go.
uint item_at[ITEMS];
int item_row[ITEMS];       // of shared memory, of the first of the INPUT_VECTOR neighbours
uint item_wanted[ITEMS];   // a bit for each of them

// Items next to each other are next to each other in memory.
uint item_octet(uint item) { return item / (PIECES * PIECE_VECTORS); }
uint item_vector(uint item) { return item % (PIECES * PIECE_VECTORS); }

// first_position: of the tile; offset: from a position to the input that the last tap of the window brings to it.
void locate_inputs(int first_position, ivec3 offset, uint group) {
  const SlabParams params = push.params.slab;
  const uint first_number = uint(first_position - int((WINDOW_H - 1u) * STEP_H + (WINDOW_W - 1u) * STEP_W) + int(GAP_W + ROWS_BEFORE * PITCH_W));
  const int first_row = int(first_number / PITCH_W) - int(ROWS_BEFORE);
  const int first_column = int(first_number % PITCH_W);
  [[unroll]] for (uint i = 0; i < ITEMS; ++i) {
    const uint item = i * LOCAL + gl_LocalInvocationID.x;
    const uint piece = item_vector(item) / PIECE_VECTORS;
    const int piece_begin = piece == 0u ? 0 : int(piece * PITCH_W) - first_column;  // in rows of shared memory
    const int piece_end = min(int(INPUT_ROWS), int((piece + 1u) * PITCH_W) - first_column);
    const Numbered from = decode_row(first_row + int(piece), params.batch, GAP_H);
    const int first_x = (piece == 0u ? first_column : 0) - int(GAP_W) + from.at.z + offset.z;
    const int x = (first_x & -int(INPUT_VECTOR)) + int(item_vector(item) % PIECE_VECTORS * INPUT_VECTOR);
    const int at_d = from.at.x + offset.x, at_h = from.at.y + offset.y;
    item_row[i] = piece_begin + x - first_x;
    item_wanted[i] = 0u;
    [[unroll]] for (uint v = 0; v < INPUT_VECTOR; ++v) {
      const int row = item_row[i] + int(v);
      if (item < ALL_ITEMS && row >= piece_begin && row < piece_end) item_wanted[i] |= 1u << v;
    }
    const uint pixel = (uint(at_d) * INPUT_H + uint(at_h)) * INPUT_W + uint(x);
    item_at[i] = params.input_offset + from.image * INPUT_IMAGE + (group * IN_CHANNELS + item_octet(item) * 8u) * INPUT_PLANE + pixel;
    // A negative position is a large unsigned one. INPUT_VECTOR divides INPUT_W: neighbours exist together.
    const bool exists = from.exists && uint(at_d) < INPUT_D && uint(at_h) < INPUT_H && uint(x) < INPUT_W;
    if (!exists || item_wanted[i] == 0u) item_at[i] = NOWHERE;
  }
}

void bring_inputs(uint chunk) {
#if !defined(DATA_F32)  // which comes by pixels
  uint raw[ITEMS * 8u];  // INPUT_VECTOR neighbours of a channel
  [[unroll]] for (uint i = 0; i < ITEMS; ++i) {
    const uint channel = chunk * DEPTH + item_octet(i * LOCAL + gl_LocalInvocationID.x) * 8u;
    [[unroll]] for (uint c = 0; c < 8u; ++c) {
      raw[i * 8u + c] = 0u;
      const uint from = item_at[i] + (chunk * DEPTH + c) * INPUT_PLANE;
      if (item_at[i] != NOWHERE && (IN_CHANNELS % DEPTH == 0u || channel + c < IN_CHANNELS)) {
        if (INPUT_VECTOR == 2u) {
          raw[i * 8u + c] = INPUT_PAIRS.words[from / 2u];
        } else {
          raw[i * 8u + c] = uint(INPUT.words[from]);
        }
      }
    }
  }
  [[unroll]] for (uint i = 0; i < ITEMS; ++i) {
    const uint octet_at = item_octet(i * LOCAL + gl_LocalInvocationID.x);
    [[unroll]] for (uint v = 0; v < INPUT_VECTOR; ++v) {
      if ((item_wanted[i] & (1u << v)) != 0u) {
        uvec4 octet;
        [[unroll]] for (uint c = 0; c < 4u; ++c) {
          const uint first = raw[i * 8u + 2u * c], second = raw[i * 8u + 2u * c + 1u];
          octet[c] = v == 0u ? (first & 0xffffu) | (second << 16) : (first >> 16) | (second & 0xffff0000u);
        }
        pool[uint(item_row[i] + int(v)) * PITCH + octet_at] = octet;
      }
    }
  }
#endif
}

#endif

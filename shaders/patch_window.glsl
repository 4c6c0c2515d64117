// The inputs under a patch of patch.comp, and which of them a tap takes. Everything here but the position of the patch is
// constant once loops are unrolled.
#ifndef VKTCONV_PATCH_WINDOW_GLSL_
#define VKTCONV_PATCH_WINDOW_GLSL_

const bool MERGED_H = MERGED_AXES >= 2u;
const bool MERGED_D = MERGED_AXES >= 3u;
const uint PHASES_D = MERGED_D ? STRIDE_D : 1u;  // of a cell
const uint PHASES_H = MERGED_H ? STRIDE_H : 1u;
const uint PATCHES_W = (SIZE_W + CELLS_W - 1u) / CELLS_W;
const uint PATCHES_H = (SIZE_H + CELLS_H - 1u) / CELLS_H;

struct Patch {
  uint image;
  uvec3 cell;  // the first: depth, height, width
};

Patch decode_patch(uint number) {
  Patch result;
  result.cell.z = number % PATCHES_W * CELLS_W;
  number /= PATCHES_W;
  result.cell.y = number % PATCHES_H * CELLS_H;
  number /= PATCHES_H;
  result.cell.x = number % SIZE_D;
  result.image = number / SIZE_D;
  return result;
}

// Tap k brings input cell - shift to the output `phase` of the cell: k * dilation - padding = shift * stride + phase.
#define FLOOR_DIV(value, divisor) ((value) >= 0 ? (value) / (divisor) : -(((divisor) - 1 - (value)) / (divisor)))

int floor_div(int value, int divisor) { return FLOOR_DIV(value, divisor); }

const int DILATION_D = INPUT_STEP_D * GCD_D;
const int DILATION_H = INPUT_STEP_H * GCD_H;
const int DILATION_W = INPUT_STEP_W * GCD_W;

int shift_d(int tap) { return floor_div(tap * DILATION_D - PADDING_D, int(STRIDE_D)); }
int shift_h(int tap) { return floor_div(tap * DILATION_H - PADDING_H, int(STRIDE_H)); }
int shift_w(int tap) { return floor_div(tap * DILATION_W - PADDING_W, int(STRIDE_W)); }
uint phase_d(int tap) { return MERGED_D ? uint(tap * DILATION_D - PADDING_D - shift_d(tap) * int(STRIDE_D)) : 0u; }
uint phase_h(int tap) { return MERGED_H ? uint(tap * DILATION_H - PADDING_H - shift_h(tap) * int(STRIDE_H)) : 0u; }
uint phase_w(int tap) { return uint(tap * DILATION_W - PADDING_W - shift_w(tap) * int(STRIDE_W)); }

// Along a merged axis the window holds all inputs from the last tap's to the first one's, which neighbouring cells share; or,
// where taps are so far apart that this is more, each tap's own. Of another axis, one input for each cell.
const int FIRST_SHIFT_D = FLOOR_DIV(-PADDING_D, int(STRIDE_D));
const int FIRST_SHIFT_H = FLOOR_DIV(-PADDING_H, int(STRIDE_H));
const int FIRST_SHIFT_W = FLOOR_DIV(-PADDING_W, int(STRIDE_W));
const int LAST_SHIFT_D = FLOOR_DIV((KERNEL_D - 1) * DILATION_D - PADDING_D, int(STRIDE_D));
const int LAST_SHIFT_H = FLOOR_DIV((KERNEL_H - 1) * DILATION_H - PADDING_H, int(STRIDE_H));
const int LAST_SHIFT_W = FLOOR_DIV((KERNEL_W - 1) * DILATION_W - PADDING_W, int(STRIDE_W));
const uint REACH_D = uint(LAST_SHIFT_D - FIRST_SHIFT_D) + 1u, BY_TAPS_D = uint(KERNEL_D);
const uint REACH_H = uint(LAST_SHIFT_H - FIRST_SHIFT_H) + CELLS_H, BY_TAPS_H = uint(KERNEL_H) * CELLS_H;
const uint REACH_W = uint(LAST_SHIFT_W - FIRST_SHIFT_W) + CELLS_W, BY_TAPS_W = uint(KERNEL_W) * CELLS_W;
const uint SLICES = MERGED_D ? (REACH_D <= BY_TAPS_D ? REACH_D : BY_TAPS_D) : 1u;
const uint ROWS = MERGED_H ? (REACH_H <= BY_TAPS_H ? REACH_H : BY_TAPS_H) : CELLS_H;
const uint COLUMNS = REACH_W <= BY_TAPS_W ? REACH_W : BY_TAPS_W;
const uint WINDOW = SLICES * ROWS * COLUMNS;

// Where in the window the input lies that a tap brings to a cell of the patch.
uint slice_of(int tap) { return !MERGED_D ? 0u : REACH_D <= BY_TAPS_D ? uint(LAST_SHIFT_D - shift_d(tap)) : uint(tap); }
uint row_of(int tap, uint cell) {
  return !MERGED_H ? cell : REACH_H <= BY_TAPS_H ? uint(LAST_SHIFT_H - shift_h(tap)) + cell : uint(tap) * CELLS_H + cell;
}
uint column_of(int tap, uint cell) {
  return REACH_W <= BY_TAPS_W ? uint(LAST_SHIFT_W - shift_w(tap)) + cell : uint(tap) * CELLS_W + cell;
}

// The inverse: how far from the input under the patch's first cell.
int slice_offset(uint slice) {
  return !MERGED_D ? 0 : REACH_D <= BY_TAPS_D ? int(slice) - LAST_SHIFT_D : -shift_d(int(slice));
}
int row_offset(uint row) {
  return !MERGED_H ? int(row) : REACH_H <= BY_TAPS_H ? int(row) - LAST_SHIFT_H : int(row % CELLS_H) - shift_h(int(row / CELLS_H));
}
int column_offset(uint column) {
  return REACH_W <= BY_TAPS_W ? int(column) - LAST_SHIFT_W : int(column % CELLS_W) - shift_w(int(column / CELLS_W));
}

// In pixels.
int window_offset(uint i) {
  return (slice_offset(i / COLUMNS / ROWS) * int(INPUT_H) + row_offset(i / COLUMNS % ROWS)) * int(INPUT_W) + column_offset(i % COLUMNS);
}

uint inside[(WINDOW + 31u) / 32u];  // a bit for each input of the window that exists

void find_inside(ivec3 at, bool patch_exists) {
  [[unroll]] for (uint n = 0; n < (WINDOW + 31u) / 32u; ++n) inside[n] = 0u;
  [[unroll]] for (uint i = 0; i < WINDOW; ++i) {
    // A negative position is a large unsigned one.
    const bool exists = patch_exists && uint(at.x + slice_offset(i / COLUMNS / ROWS)) < INPUT_D &&
                        uint(at.y + row_offset(i / COLUMNS % ROWS)) < INPUT_H && uint(at.z + column_offset(i % COLUMNS)) < INPUT_W;
    inside[i / 32u] |= exists ? 1u << (i % 32u) : 0u;
  }
}

bool is_inside(uint i) { return (inside[i / 32u] & (1u << (i % 32u))) != 0u; }

#endif

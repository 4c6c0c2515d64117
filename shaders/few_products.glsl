// Which outputs take so few products that a sum over a whole tile of the width, by Winograd, is not as exact as one of their
// own. Needs problem.glsl and LEAST_PRODUCTS: src/algorithms/winograd_tile.cpp and matrix_winograd_tile.cpp say
// how few.
#ifndef VKTCONV_FEW_PRODUCTS_GLSL_
#define VKTCONV_FEW_PRODUCTS_GLSL_

int count_taps(Phase phase, uint position, uint input_size, int input_step) {
  const ivec2 range = tap_range(phase, position, position, input_size, input_step);
  return range.y - range.x;
}

// A sum over a tile of the width is as exact as one of its own where as many products reach the output as reach its
// neighbours; where the row of inputs ends, more are needed.
bool has_few_products(int taps_d, int taps_h, int taps_w, int all_taps_w) {
  return IN_CHANNELS * uint(taps_d * taps_h * taps_w) < (taps_w == all_taps_w ? LEAST_PRODUCTS / 4u : LEAST_PRODUCTS);
}

#endif

// The outputs of a tile of matrix_window.comp, and those of fp32 that fp16 parts cannot tell: computed from the tensors
// themselves.
#ifndef VKTCONV_MATRIX_WINDOW_EXACT_GLSL_
#define VKTCONV_MATRIX_WINDOW_EXACT_GLSL_

struct OutputTile {
  uvec3 first_output;   // of the phase
  uint first_position;
  uint end_position;
  uint first_channel;   // within the group
  uint output_base;     // of the first channel, image 0
  uint bias_index;      // of the first channel, and in the vectors of the post-ops
  uint input_base;      // of the group, image 0
  uint exact_base;      // of the block, in the exact weights
};

const uint EXACT_ROWS = (BLOCK_CHANNELS + 3u) / 4u * 4u;

#if defined(DATA_F32)
#include "exact.glsl"

// An output with its bias: value, if it is finite. index: in the output; channel: of the block.
float mend(OutputTile tile, float value, uint index, uint channel) {
  if (!MENDS || is_finite(value)) return value;
  const uint from_base = index - push.params.slab.output_offset;
  const uint of_image = from_base % OUTPUT_IMAGE;
  const uint pixel = OUTPUT_CHANNELS_LAST ? of_image / OUTPUT_PIXEL_STRIDE : of_image % OUTPUT_PLANE;
  const ivec3 at = ivec3(pixel / (OUTPUT_H * OUTPUT_W), pixel / OUTPUT_W % OUTPUT_H, pixel % OUTPUT_W);
  const float sum = compute_exactly(tile.input_base + from_base / OUTPUT_IMAGE * INPUT_IMAGE, tile.exact_base + channel, EXACT_ROWS, at);
  return sum + (HAS_BIAS ? block_bias[channel] : 0.0);
}
#endif

#endif

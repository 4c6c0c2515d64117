// The outputs of a tile of matrix_window.comp, and those of fp32 that fp16 parts cannot tell, which are computed from the
// tensors themselves.
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

// Outputs are watched while they are stored, and computed exactly in a turn of their own if need be: that code in the midst
// of the stores slows them down even when it does not run (docs/performance-log.md).
shared uint needs_mending;
float magnitudes = 0.0;  // of the invocation's sums, added up: finite only if all of them are

// By all invocations, after all stores of the tile.
bool must_mend() {
  if (!MENDS) return false;
  if (!is_finite(magnitudes)) needs_mending = 1u;
  barrier();
  return needs_mending != 0u;
}

// An output with its bias. index: in the output; channel: of the block.
float compute_output_exactly(OutputTile tile, uint index, uint channel) {
  const uint from_base = index - push.params.slab.output_offset;
  const uint of_image = from_base % OUTPUT_IMAGE;
  const uint pixel = OUTPUT_CHANNELS_LAST ? of_image / OUTPUT_PIXEL_STRIDE : of_image % OUTPUT_PLANE;
  const ivec3 at = ivec3(pixel / (OUTPUT_H * OUTPUT_W), pixel / OUTPUT_W % OUTPUT_H, pixel % OUTPUT_W);
  const float sum = compute_exactly(tile.input_base + from_base / OUTPUT_IMAGE * INPUT_IMAGE, tile.exact_base + channel, EXACT_ROWS, at);
  return sum + (HAS_BIAS ? block_bias[channel] : 0.0);
}

// Stores an output again if its sum is not finite. sum: with its bias.
void mend(OutputTile tile, float sum, uint index, uint channel) {
  if (is_finite(sum)) return;
  float value = compute_output_exactly(tile, index, channel);
  if (CHAIN_LENGTH > 0u) {
    value = apply_post_ops(value, CHANNEL_SCALE(tile.bias_index + channel), CHANNEL_SHIFT(tile.bias_index + channel), RESIDUAL(index));
  }
  OUTPUT.words[index] = value;
}
#endif

#endif

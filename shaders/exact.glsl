// Outputs of a floating-point problem from the tensors themselves, by multiply-adds in the order of taps and in-channels:
// for kernels that compute most outputs another way, and see that one came out infinite or NaN.
//
// Needs problem.glsl, and INPUT and EXACT_WEIGHTS: weights as pack_weights.comp leaves them, [group, block, tap,
// in-channel, channel of the block]. With EXACT_QUADS, EXACT_WEIGHTS has words of four out-channels, and so has the sum.
#ifndef VKTCONV_EXACT_GLSL_
#define VKTCONV_EXACT_GLSL_

#if defined(EXACT_QUADS)
#define ExactSum vec4
#else
#define ExactSum float
#endif

// By its bits: a compiler may suppose that there are no NaNs.
bool is_finite(float value) { return (floatBitsToUint(value) & 0x7f800000u) != 0x7f800000u; }

// input_from: where the first in-channel begins; weights_from: the word of the block's first tap and in-channel, and the
// channel; block_rows: words from one in-channel to the next.
ExactSum compute_exactly(uint input_from, uint weights_from, uint block_rows, ivec3 output_at) {
  const ivec3 dilation = ivec3(INPUT_STEP_D * GCD_D, INPUT_STEP_H * GCD_H, INPUT_STEP_W * GCD_W);
  const ivec3 reach = output_at + ivec3(PADDING_D, PADDING_H, PADDING_W);
  ExactSum sum = ExactSum(0.0);
  // Seldom needed: not worth the compiler's time.
  [[dont_unroll]] for (int k_d = 0; k_d < KERNEL_D; ++k_d) {
    const int from_d = reach.x - k_d * dilation.x;
    if (from_d < 0 || uint(from_d) % STRIDE_D != 0u || uint(from_d) / STRIDE_D >= INPUT_D) continue;
    [[dont_unroll]] for (int k_h = 0; k_h < KERNEL_H; ++k_h) {
      const int from_h = reach.y - k_h * dilation.y;
      if (from_h < 0 || uint(from_h) % STRIDE_H != 0u || uint(from_h) / STRIDE_H >= INPUT_H) continue;
      [[dont_unroll]] for (int k_w = 0; k_w < KERNEL_W; ++k_w) {
        const int from_w = reach.z - k_w * dilation.z;
        if (from_w < 0 || uint(from_w) % STRIDE_W != 0u || uint(from_w) / STRIDE_W >= INPUT_W) continue;
        const uint pixel = (uint(from_d) / STRIDE_D * INPUT_H + uint(from_h) / STRIDE_H) * INPUT_W + uint(from_w) / STRIDE_W;
        const uint tap = uint((k_d * KERNEL_H + k_h) * KERNEL_W + k_w);
        for (uint c = 0; c < IN_CHANNELS; ++c) {
          sum = fma(ExactSum(LOAD(INPUT, input_from + c * INPUT_CHANNEL_STRIDE + pixel * INPUT_PIXEL_STRIDE)),
                    EXACT_WEIGHTS.words[weights_from + (tap * IN_CHANNELS + c) * block_rows], sum);
        }
      }
    }
  }
  return sum;
}

#endif

// The chain of post-ops: what becomes of a sum, bias included, on its way into the output. In fp32, before the one rounding
// of the store. Kinds and parameters are specialization constants, so that an empty chain leaves nothing behind.
//
// A kernel includes this before its push constants and
//   - declares DECLARE_POST_OP_BUFFERS(slot) after its other buffers: slot, slot + 1 and slot + 2 are scale, shift (fp32, one
//     for each out-channel of the problem) and residual (like the output; its window is that of the output);
//   - puts POST_OP_MEMBERS behind its own BUFFER_MEMBERs;
//   - stores each output by STORE_RESULT(index, sum, scale, shift), index as for STORE_OUTPUT, with CHANNEL_SCALE(channel)
//     and CHANNEL_SHIFT(channel) for its out-channel, counted over all groups.
// The buffers are there with POST_OP_BUFFERS or DEVICE_ADDRESS; without, chains that need them are none of the shader's.
//
// A NaN stays one through every post-op. Infinities go to the limits: SiLU, GELU and Mish of -infinity are 0.
#ifndef VKTCONV_POST_OPS_GLSL_
#define VKTCONV_POST_OPS_GLSL_

#include "output.glsl"
#include "shared/params.h"

#if defined(DATA_I32)

// Outputs in int32 have no post-ops.
#define DECLARE_POST_OP_BUFFERS(slot)
#define POST_OP_MEMBERS
#define CHANNEL_SCALE(channel) 0.0
#define CHANNEL_SHIFT(channel) 0.0
#define STORE_RESULT(index, sum, scale, shift) STORE_OUTPUT(index, sum)

#else

#if defined(DEVICE_ADDRESS)
#define POST_OP_BUFFERS
#endif

layout(constant_id = POST_OP_COUNT) const uint CHAIN_LENGTH = 0;
#define DECLARE_POST_OP(n)                                                   \
  layout(constant_id = POST_OP_KIND + n) const uint POST_OP_KIND_##n = 0;     \
  layout(constant_id = POST_OP_ALPHA + n) const float POST_OP_ALPHA_##n = 0; \
  layout(constant_id = POST_OP_BETA + n) const float POST_OP_BETA_##n = 0;
DECLARE_POST_OP(0)
DECLARE_POST_OP(1)
DECLARE_POST_OP(2)
DECLARE_POST_OP(3)
DECLARE_POST_OP(4)
DECLARE_POST_OP(5)
DECLARE_POST_OP(6)
DECLARE_POST_OP(7)

// GLSL knows no arrays of specialization constants. Once the loop over the chain is unrolled, nothing is left of this.
#define OF_CHAIN(i, NAME)                                                                               \
  (i == 0u ? NAME##_0 : i == 1u ? NAME##_1 : i == 2u ? NAME##_2 : i == 3u ? NAME##_3 : i == 4u ? NAME##_4 : \
   i == 5u ? NAME##_5 : i == 6u ? NAME##_6 : NAME##_7)

#define POST_OP_IS(n, kind) (POST_OP_KIND_##n == kind)
#define CHAIN_HAS(kind)                                                                                        \
  (POST_OP_IS(0, kind) || POST_OP_IS(1, kind) || POST_OP_IS(2, kind) || POST_OP_IS(3, kind) || POST_OP_IS(4, kind) || \
   POST_OP_IS(5, kind) || POST_OP_IS(6, kind) || POST_OP_IS(7, kind))
const bool HAS_SCALE_SHIFT = CHAIN_HAS(POST_OP_SCALE_SHIFT);
const bool HAS_RESIDUAL = CHAIN_HAS(POST_OP_RESIDUAL);

#if defined(POST_OP_BUFFERS)
#define DECLARE_POST_OP_BUFFERS(slot)                    \
  DECLARE_BUFFER(slot, readonly, ScaleVector, float)     \
  DECLARE_BUFFER(slot + 1, readonly, ShiftVector, float) \
  DECLARE_OUTPUT_LIKE(slot + 2, ResidualTensor, ResidualWords)
#define POST_OP_MEMBERS                     \
  BUFFER_MEMBER(ScaleVector, scale_vector)  \
  BUFFER_MEMBER(ShiftVector, shift_vector)  \
  BUFFER_MEMBER(ResidualTensor, residual_tensor)
#define CHANNEL_SCALE(channel) (HAS_SCALE_SHIFT ? BUFFER_REF(ScaleVector, scale_vector).words[channel] : 1.0)
#define CHANNEL_SHIFT(channel) (HAS_SCALE_SHIFT ? BUFFER_REF(ShiftVector, shift_vector).words[channel] : 0.0)
#define RESIDUAL(index) (HAS_RESIDUAL ? LOAD_OUTPUT_LIKE(ResidualTensor, ResidualWords, residual_tensor, index) : 0.0)
#else
#define DECLARE_POST_OP_BUFFERS(slot)
#define POST_OP_MEMBERS
#define CHANNEL_SCALE(channel) 1.0
#define CHANNEL_SHIFT(channel) 0.0
#define RESIDUAL(index) 0.0
#endif

// By its bits: compilers may take it for granted that there are none.
bool is_nan(float x) {
  return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u;
}

// exp(x) for x <= 0, to a few units in the last place; 0 below -87.7. Vulkan's own exp() may be off by 2 * |x| units, so it is
// left with no more than half a power of two: x = whole * ln(2) + rest, where ln(2) is split so that the larger product is
// exact.
float exp_of_negative(float x) {
  x = max(x, -88.0);
  const float whole = floor(x * 1.44269504 + 0.5);
  precise float rest = x - whole * 0.693359375;
  rest = rest - whole * -2.12194440e-4;
  return exp2(rest * 1.44269504) * uintBitsToFloat(uint(int(whole) + 127) << 23);
}

// The post-ops of an exponential, from SiLU to tanh. One call of exp_of_negative serves them all: every call is compiled
// where it stands, before drivers find out which of them are needed.
//
// e is below 1 and taken of a magnitude, so nothing overflows and no infinity is divided by another:
//   logistic function  1 / (1 + e) or e / (1 + e), with e = exp(-|x|)
//   GELU with tanh     (1 + tanh(u)) / 2 is the logistic function of 2 u
//   GELU with erf      e = 1 - erf(|x| / sqrt(2)): an exponential of a polynomial far out, nearby one minus a polynomial
//   Mish               tanh(ln(1 + t)) = ((1 + t)^2 - 1) / ((1 + t)^2 + 1), divided by t^2 where t = exp(x) is large
//   tanh               (1 - e) / (1 + e), with e = exp(-2 |x|), nearby a polynomial
float smooth_post_op(uint kind, float x) {
  const bool negative = x < 0.0;
  float magnitude = abs(x);
  float argument = -magnitude;
  float nearby = 0.0;
  if (kind == POST_OP_GELU_TANH) {
    magnitude = min(magnitude, 20.0);
    argument = -1.59576912 * magnitude * (1.0 + 0.044715 * magnitude * magnitude);
  }
  if (kind == POST_OP_GELU_ERF) {
    magnitude = min(magnitude, 15.0) * 0.707106781;
    const float square = magnitude * magnitude;
    float far = -1.72853470e-5 * magnitude + 3.83197126e-4;
    far = far * square + (-3.88396438e-3 * magnitude + 2.42546219e-2);
    far = far * magnitude - 1.06777877e-1;
    far = far * magnitude - 6.34846687e-1;
    far = far * magnitude - 1.28717512e-1;
    argument = far * magnitude - magnitude;
    nearby = -5.96761703e-4 * square + 4.99119423e-3;
    nearby = nearby * square - 2.67681349e-2;
    nearby = nearby * square + 1.12819925e-1;
    nearby = nearby * square - 3.76125336e-1;
    nearby = nearby * square + 1.28379166e-1;
    nearby = 1.0 - (nearby * magnitude + magnitude);
  }
  if (kind == POST_OP_TANH) {
    argument = -2.0 * magnitude;
    const float square = x * x;
    nearby = -5.70498872745e-3 * square + 2.06390887954e-2;
    nearby = nearby * square - 5.37397155531e-2;
    nearby = nearby * square + 1.33314422036e-1;
    nearby = nearby * square - 3.33332819422e-1;
    nearby = nearby * square * x + x;
  }
  const float e = exp_of_negative(argument);

  if (kind == POST_OP_TANH) {
    const float far = (1.0 - e) / (1.0 + e);
    return magnitude < 0.625 ? nearby : negative ? -far : far;
  }
  const float upper = 1.0 / (1.0 + e);
  float share = negative ? e * upper : upper;
  if (kind == POST_OP_SIGMOID) return share;
  if (kind == POST_OP_GELU_ERF) {
    const float beyond = 0.5 * (magnitude < 0.927734375 ? nearby : e);
    share = negative ? beyond : 1.0 - beyond;
  }
  if (kind == POST_OP_MISH) {
    const float below = e * (e + 2.0), above = 1.0 + 2.0 * e;
    share = negative ? below / (below + 2.0) : above / (above + 2.0 * e * e);
  }
  // x is cut off where nothing is left of the product: -infinity times 0 would be NaN.
  return max(x, -104.0) * share;
}

float apply_post_op(uint kind, float alpha, float beta, float x, float scale, float shift, float residual) {
  if (kind == POST_OP_LINEAR) return alpha * x + beta;
  if (kind == POST_OP_SCALE_SHIFT) return scale * x + shift;
  if (kind == POST_OP_RESIDUAL) return x + residual;
  float y = x;
  if (kind == POST_OP_RELU) y = max(x, 0.0);
  if (kind == POST_OP_LEAKY_RELU) y = x < 0.0 ? alpha * x : x;
  if (kind == POST_OP_CLAMP) y = min(max(x, alpha), beta);
  if (kind >= POST_OP_SILU && kind <= POST_OP_TANH) y = smooth_post_op(kind, x);
  return is_nan(x) ? x : y;
}

float apply_post_ops(float x, float scale, float shift, float residual) {
  [[unroll]] for (uint i = 0; i < CHAIN_LENGTH; ++i) {
    x = apply_post_op(OF_CHAIN(i, POST_OP_KIND), OF_CHAIN(i, POST_OP_ALPHA), OF_CHAIN(i, POST_OP_BETA), x, scale, shift, residual);
  }
  return x;
}

#if defined(DATA_I8)
// The sums as they are, or in fp32 through the chain.
#define STORE_RESULT(index, sum, scale, shift)                                                              \
  {                                                                                                         \
    const uint result_index = (index);                                                                      \
    const int result_sum = (sum);                                                                           \
    if (OUTPUT_TYPE == TYPE_I32) {                                                                          \
      OUTPUT_WORDS.words[result_index] = uint(result_sum);                                                  \
    } else {                                                                                                \
      STORE_OUTPUT(result_index, apply_post_ops(float(result_sum), scale, shift, RESIDUAL(result_index)));  \
    }                                                                                                       \
  }
#else
#define STORE_RESULT(index, sum, scale, shift)                                                       \
  {                                                                                                  \
    const uint result_index = (index);                                                               \
    const float result_sum = (sum);                                                                  \
    STORE_OUTPUT(result_index, apply_post_ops(result_sum, scale, shift, RESIDUAL(result_index)));    \
  }
#endif

#endif

#endif

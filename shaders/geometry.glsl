// The geometry of a problem as specialization constants, and the phases that follow from it. Axes are depth, height, width.
#ifndef VKTCONV_GEOMETRY_GLSL_
#define VKTCONV_GEOMETRY_GLSL_

#include "shared/params.h"

layout(constant_id = GEOMETRY_KERNEL + 0) const int KERNEL_D = 1;
layout(constant_id = GEOMETRY_KERNEL + 1) const int KERNEL_H = 1;
layout(constant_id = GEOMETRY_KERNEL + 2) const int KERNEL_W = 1;
layout(constant_id = GEOMETRY_TAP_STEP + 0) const int TAP_STEP_D = 1;
layout(constant_id = GEOMETRY_TAP_STEP + 1) const int TAP_STEP_H = 1;
layout(constant_id = GEOMETRY_TAP_STEP + 2) const int TAP_STEP_W = 1;
layout(constant_id = GEOMETRY_INPUT_STEP + 0) const int INPUT_STEP_D = 1;
layout(constant_id = GEOMETRY_INPUT_STEP + 1) const int INPUT_STEP_H = 1;
layout(constant_id = GEOMETRY_INPUT_STEP + 2) const int INPUT_STEP_W = 1;
layout(constant_id = GEOMETRY_GCD + 0) const int GCD_D = 1;
layout(constant_id = GEOMETRY_GCD + 1) const int GCD_H = 1;
layout(constant_id = GEOMETRY_GCD + 2) const int GCD_W = 1;
layout(constant_id = GEOMETRY_TAP_INVERSE + 0) const int TAP_INVERSE_D = 0;
layout(constant_id = GEOMETRY_TAP_INVERSE + 1) const int TAP_INVERSE_H = 0;
layout(constant_id = GEOMETRY_TAP_INVERSE + 2) const int TAP_INVERSE_W = 0;

const uint STRIDE_D = uint(TAP_STEP_D * GCD_D);
const uint STRIDE_H = uint(TAP_STEP_H * GCD_H);
const uint STRIDE_W = uint(TAP_STEP_W * GCD_W);

struct Phase {
  int first_tap;
  int taps;  // 0: bias alone
  int first_input;
};

// The % of a negative number is undefined in GLSL (and an NVIDIA driver makes something else of it than lavapipe does).
int floor_mod(int value, int modulus) {
  if (value >= 0) return int(uint(value) % uint(modulus));
  return modulus - 1 - int(uint(-1 - value) % uint(modulus));
}

// The counterpart of split_phases in src/phases.cpp, for one phase.
Phase find_phase(int first_output, int padding, int kernel, int tap_step, int input_step, int gcd, int inverse) {
  const int stride = tap_step * gcd;
  const int remainder = floor_mod(first_output + padding, stride);
  Phase phase = Phase(0, 0, 0);
  if (remainder % gcd != 0) return phase;
  // Both factors are below tap_step; their product can pass 2^32 only for strides above 65536.
  uint product_high, product_low;
  umulExtended(uint(remainder / gcd), uint(inverse), product_high, product_low);
  int first_tap;
  if (product_high == 0u) {
    first_tap = int(product_low % uint(tap_step));
  } else {  // (high * 2^32 + low) mod tap_step, bit by bit
    uint rest = product_high % uint(tap_step);
    for (int bit = 31; bit >= 0; --bit) {
      rest = (rest << 1) | ((product_low >> bit) & 1u);
      if (rest >= uint(tap_step)) rest -= uint(tap_step);
    }
    first_tap = int(rest);
  }
  if (first_tap >= kernel) return phase;
  phase.first_tap = first_tap;
  phase.taps = (kernel - first_tap + tap_step - 1) / tap_step;
  phase.first_input = (first_output + padding - first_tap * (input_step * gcd)) / stride;
  return phase;
}

Phase find_phase_d(uint first_output, int padding) {
  return find_phase(int(first_output), padding, KERNEL_D, TAP_STEP_D, INPUT_STEP_D, GCD_D, TAP_INVERSE_D);
}
Phase find_phase_h(uint first_output, int padding) {
  return find_phase(int(first_output), padding, KERNEL_H, TAP_STEP_H, INPUT_STEP_H, GCD_H, TAP_INVERSE_H);
}
Phase find_phase_w(uint first_output, int padding) {
  return find_phase(int(first_output), padding, KERNEL_W, TAP_STEP_W, INPUT_STEP_W, GCD_W, TAP_INVERSE_W);
}

#endif

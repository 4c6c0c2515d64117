// Each axis of a transposed convolution with stride s splits into s phases: outputs o with the same o mod s are reached
// by the same taps, and within a phase the problem is an ordinary correlation of stride 1. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "shape.h"

namespace vktconv {

// The outputs first_output + stride * q, q = 0 .. outputs - 1. Output q takes the taps first_tap + j * tap_step,
// j = 0 .. taps - 1, of the input positions q + first_input - j * input_step (where those exist).
struct Phase {
  int64_t first_output = 0;
  int64_t outputs = 0;
  int64_t first_tap = 0;
  int64_t taps = 0;  // 0: a structural zero, the outputs are bias alone
  int64_t first_input = 0;
};

struct AxisPhases {
  int64_t tap_step = 1;       // stride / gcd(stride, dilation)
  int64_t input_step = 1;     // dilation / gcd(stride, dilation)
  std::vector<Phase> phases;  // min(stride, output) of them, by first_output
};

AxisPhases split_phases(const Axis& axis);

// What a shader needs to find the first tap of a phase without a table:
// first_tap = (r / gcd) * tap_inverse mod tap_step where gcd divides r = (first_output + padding_begin) mod stride.
int64_t phase_gcd(const Axis& axis);
int64_t tap_inverse(const Axis& axis);  // inverse of dilation / gcd modulo stride / gcd; 0 where that is 1

}  // namespace vktconv

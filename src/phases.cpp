#include "phases.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace vktconv {
namespace {

int64_t floor_mod(int64_t value, int64_t modulus) {
  const int64_t remainder = value % modulus;
  return remainder < 0 ? remainder + modulus : remainder;
}

}  // namespace

int64_t phase_gcd(const Axis& axis) { return std::gcd(axis.stride, axis.dilation); }

int64_t tap_inverse(const Axis& axis) {
  const int64_t gcd = phase_gcd(axis);
  const int64_t modulus = axis.stride / gcd;
  if (modulus == 1) return 0;
  // Extended Euclid: old_s * (dilation / gcd) = 1 (mod modulus).
  int64_t old_r = (axis.dilation / gcd) % modulus, r = modulus;
  int64_t old_s = 1, s = 0;
  while (r != 0) {
    const int64_t quotient = old_r / r;
    old_r = std::exchange(r, old_r - quotient * r);
    old_s = std::exchange(s, old_s - quotient * s);
  }
  return floor_mod(old_s, modulus);
}

AxisPhases split_phases(const Axis& axis) {
  const int64_t gcd = phase_gcd(axis);
  AxisPhases result;
  result.tap_step = axis.stride / gcd;
  result.input_step = axis.dilation / gcd;
  const int64_t inverse = tap_inverse(axis);
  const int64_t count = std::min(axis.stride, axis.output);
  result.phases.reserve(static_cast<size_t>(count));
  for (int64_t first_output = 0; first_output < count; ++first_output) {
    Phase phase;
    phase.first_output = first_output;
    phase.outputs = (axis.output - first_output + axis.stride - 1) / axis.stride;
    const int64_t remainder = floor_mod(first_output + axis.padding_begin, axis.stride);
    if (remainder % gcd == 0) {
      phase.first_tap = (remainder / gcd) * inverse % result.tap_step;
      if (phase.first_tap < axis.kernel) {
        phase.taps = (axis.kernel - phase.first_tap + result.tap_step - 1) / result.tap_step;
        phase.first_input = (first_output + axis.padding_begin - phase.first_tap * axis.dilation) / axis.stride;
      }
    }
    result.phases.push_back(phase);
  }
  return result;
}

}  // namespace vktconv

#include "half.h"

#include <bit>

namespace vktconv::support {
namespace {

// Rounds a finite or infinite double to a format with an 8-bit or 5-bit exponent, in one step. The value bits above
// `dropped` are kept; what is cut off decides the rounding, and a carry runs into the exponent as IEEE 754 wants.
template <int exponent_bits, int mantissa_bits>
uint16_t round_double(double value) {
  constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  constexpr uint64_t infinity = ((uint64_t{1} << exponent_bits) - 1) << mantissa_bits;
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t sign = (bits >> 63) << (exponent_bits + mantissa_bits);
  const uint64_t magnitude = bits & ~(uint64_t{1} << 63);
  if (magnitude > 0x7ff0000000000000u) {  // NaN: keep the sign and the upper payload, and make it quiet.
    const uint64_t payload = (magnitude & 0x000fffffffffffffu) >> (52 - mantissa_bits);
    return static_cast<uint16_t>(sign | infinity | payload | (uint64_t{1} << (mantissa_bits - 1)));
  }
  const int exponent = static_cast<int>(magnitude >> 52) - 1023;
  if (exponent > bias) return static_cast<uint16_t>(sign | infinity);
  // Below the smallest normal number the exponent field is 0 and more bits are cut off.
  const bool normal = exponent >= 1 - bias;
  const int dropped = 52 - mantissa_bits + (normal ? 0 : 1 - bias - exponent);
  if (dropped > 53) return static_cast<uint16_t>(sign);  // below half of the smallest subnormal number
  const uint64_t significand = (magnitude & 0x000fffffffffffffu) | (uint64_t{1} << 52);
  const uint64_t kept = significand >> dropped;
  const uint64_t rest = significand & ((uint64_t{1} << dropped) - 1);
  const uint64_t half = uint64_t{1} << (dropped - 1);
  const uint64_t up = rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0;
  // A normal significand brings its leading one along, which counts as one step of the exponent field.
  const uint64_t field = normal ? static_cast<uint64_t>(exponent + bias - 1) << mantissa_bits : 0;
  return static_cast<uint16_t>(sign | (field + kept + up));
}

}  // namespace

float f16_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  const uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  // Zero or subnormal: mantissa * 2^-24 is exact in float.
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

uint16_t float_to_f16(float value) { return round_double<5, 10>(static_cast<double>(value)); }

float bf16_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t float_to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);  // NaN made quiet
  // The lowest kept bit makes ties go to even. A carry out of the largest finite number gives infinity.
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

uint16_t double_to_f16(double value) { return round_double<5, 10>(value); }

uint16_t double_to_bf16(double value) { return round_double<8, 7>(value); }

}  // namespace vktconv::support

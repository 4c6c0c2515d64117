#include "half_bits.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vktconv::reference::half_bits {

namespace {

// A binary floating-point format of 16 bits.
struct Format {
  int significand_bits;  // stored ones, without the leading 1
  int exponent_bias;

  int largest_exponent_field() const { return (1 << (15 - significand_bits)) - 1; }  // that of infinity and NaN
  int smallest_exponent() const { return 1 - exponent_bias; }                        // of normal numbers
};

constexpr Format f16 = {10, 15};
constexpr Format bf16 = {7, 127};

double decode(Format format, uint16_t bits) {
  const int exponent_field = (bits & 0x7fff) >> format.significand_bits;
  const int significand = bits & ((1 << format.significand_bits) - 1);
  double magnitude = 0;
  if (exponent_field == format.largest_exponent_field()) {
    magnitude = significand ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  } else if (exponent_field == 0) {
    magnitude = std::ldexp(significand, format.smallest_exponent() - format.significand_bits);
  } else {
    magnitude = std::ldexp(significand + (1 << format.significand_bits),
                           exponent_field - format.exponent_bias - format.significand_bits);
  }
  return (bits & 0x8000) ? -magnitude : magnitude;
}

double unit(Format format, double value) {
  int exponent = format.smallest_exponent();
  if (value != 0 && std::isfinite(value)) exponent = std::max(exponent, std::ilogb(value));
  return std::ldexp(1.0, exponent - format.significand_bits);
}

uint16_t encode(Format format, double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const auto infinity = static_cast<uint16_t>(format.largest_exponent_field() << format.significand_bits);
  if (std::isnan(value)) return static_cast<uint16_t>(sign | infinity | (1 << (format.significand_bits - 1)));
  const double magnitude = std::abs(value);
  if (std::isinf(magnitude)) return static_cast<uint16_t>(sign | infinity);
  // In units of the last place the magnitude is an integer plus a fraction, which nearbyint rounds to even. The
  // integer, with its leading one carried into the exponent field, is the encoding; a carry out of it lands on
  // infinity.
  const int exponent =
      magnitude == 0 ? format.smallest_exponent() : std::max(format.smallest_exponent(), std::ilogb(magnitude));
  const double units = std::nearbyint(std::ldexp(magnitude, format.significand_bits - exponent));
  const double field = units + std::ldexp(exponent - format.smallest_exponent(), format.significand_bits);
  return static_cast<uint16_t>(sign | (field >= infinity ? infinity : static_cast<uint16_t>(field)));
}

}  // namespace

double f16_to_double(uint16_t bits) { return decode(f16, bits); }
uint16_t double_to_f16(double value) { return encode(f16, value); }
double bf16_to_double(uint16_t bits) { return decode(bf16, bits); }
uint16_t double_to_bf16(double value) { return encode(bf16, value); }
double f16_ulp(double value) { return unit(f16, value); }
double bf16_ulp(double value) { return unit(bf16, value); }

}  // namespace vktconv::reference::half_bits

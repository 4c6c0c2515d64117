// float <-> f16 and bf16: every bit pattern, every point between two neighbours, and random floats; against the
// definition of the formats in double and, where Eigen is installed, against Eigen.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

#include "support/half.h"

#if __has_include(<Eigen/Core>)
#define VKTCONV_HAS_EIGEN 1
#include <Eigen/Core>
#endif

TEST_SUITE_BEGIN("half");

namespace {

using namespace vktconv::support;

struct Format {
  const char* name;
  int mantissa_bits;
  int exponent_bits;
  float (*widen)(uint16_t);
  uint16_t (*narrow)(float);
  uint16_t (*narrow_double)(double);

  uint16_t infinity() const { return static_cast<uint16_t>(((1 << exponent_bits) - 1) << mantissa_bits); }
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }

  // The value of a finite non-negative bit pattern, by the definition of the format.
  double value(uint16_t bits) const {
    const int mantissa = bits & ((1 << mantissa_bits) - 1);
    const int exponent = bits >> mantissa_bits;
    if (exponent == 0) return std::ldexp(mantissa, 1 - bias() - mantissa_bits);
    return std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias() - mantissa_bits);
  }
};

const Format formats[] = {{"f16", 10, 5, f16_to_float, float_to_f16, double_to_f16},
                          {"bf16", 7, 8, bf16_to_float, float_to_bf16, double_to_bf16}};

bool same_bits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

}  // namespace

TEST_CASE("every 16-bit pattern widens to its value and comes back") {
  for (const Format& format : formats) {
    CAPTURE(format.name);
    int wrong = 0;
    for (int pattern = 0; pattern < 65536; ++pattern) {
      const auto bits = static_cast<uint16_t>(pattern);
      const auto magnitude = static_cast<uint16_t>(bits & 0x7fff);
      const float wide = format.widen(bits);
      if (magnitude > format.infinity()) {
        const uint16_t back = format.narrow(wide);
        wrong += !std::isnan(wide) || (back & 0x7fff) <= format.infinity() || (back >> 15) != (bits >> 15);
        continue;
      }
      const double expected =
          magnitude == format.infinity() ? std::numeric_limits<double>::infinity() : format.value(magnitude);
      wrong += !same_bits(wide, bits >> 15 != 0 ? -expected : expected);
      wrong += format.narrow(wide) != bits;
      wrong += format.narrow_double(wide) != bits;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("what lies between two neighbours goes to the nearer one, ties to even") {
  for (const Format& format : formats) {
    CAPTURE(format.name);
    int wrong = 0;
    for (uint16_t low = 0; low < format.infinity(); ++low) {
      const auto high = static_cast<uint16_t>(low + 1);
      const double below = format.value(low);
      // The largest finite number rounds to infinity from half a step on, as if there were one more number.
      const double above =
          high == format.infinity() ? 2 * below - format.value(static_cast<uint16_t>(low - 1)) : format.value(high);
      const double middle = (below + above) / 2;
      const uint16_t even = (low & 1) == 0 ? low : high;
      // A double next to the middle is one that a detour through float would round onto it.
      const struct {
        double value;
        uint16_t expected;
      } points[] = {{middle, even},
                    {std::nextafter(middle, 0), low},
                    {std::nextafter(middle, 1e300), high},
                    {std::nextafter(below, 1e300), low},
                    {std::nextafter(above, 0), high}};
      for (const auto& point : points) {
        wrong += format.narrow_double(point.value) != point.expected;
        wrong += format.narrow_double(-point.value) != (point.expected | 0x8000);
      }
      const auto float_middle = static_cast<float>(middle);  // exact: both formats have far fewer bits than float
      if (same_bits(float_middle, middle)) {
        wrong += format.narrow(float_middle) != even;
        wrong += format.narrow(std::nextafter(float_middle, 0.0f)) != low;
        wrong +=
            format.narrow(-std::nextafter(float_middle, std::numeric_limits<float>::infinity())) != (high | 0x8000);
      } else {
        // Only the step above the largest bf16 number, and half steps below the smallest float, are no floats.
        CHECK((high == format.infinity() || low == 0));
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("the ends of the double range narrow to zero and infinity") {
  for (const Format& format : formats) {
    CAPTURE(format.name);
    CHECK(format.narrow_double(std::numeric_limits<double>::denorm_min()) == 0);
    CHECK(format.narrow_double(-std::numeric_limits<double>::min()) == 0x8000);
    CHECK(format.narrow_double(std::numeric_limits<double>::max()) == format.infinity());
    CHECK(format.narrow_double(-std::numeric_limits<double>::infinity()) == (format.infinity() | 0x8000));
    CHECK((format.narrow_double(std::numeric_limits<double>::quiet_NaN()) & 0x7fff) > format.infinity());
    // A NaN whose payload lies in the bits that are cut off must not turn into infinity.
    const uint64_t low_payload = 0x7ff0000000000001u;
    double signaling;
    std::memcpy(&signaling, &low_payload, sizeof(signaling));
    CHECK((format.narrow_double(signaling) & 0x7fff) > format.infinity());
  }
}

#ifdef VKTCONV_HAS_EIGEN
TEST_CASE("random floats narrow as in Eigen") {
  std::mt19937 random(20251);
  int wrong = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isnan(value)) continue;
    wrong += float_to_f16(value) != Eigen::half(value).x;
    wrong += double_to_f16(value) != Eigen::half(value).x;
    wrong += float_to_bf16(value) != Eigen::bfloat16(value).value;
    wrong += double_to_bf16(value) != Eigen::bfloat16(value).value;
  }
  CHECK(wrong == 0);
}
#endif

TEST_SUITE_END();

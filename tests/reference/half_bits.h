// The two 16-bit types as numbers, by their definition: sign, exponent, significand. Round to nearest even.
#pragma once

#include <cstdint>

namespace vktconv::reference::half_bits {

double f16_to_double(uint16_t bits);
uint16_t double_to_f16(double value);  // beyond 65520: infinity
double bf16_to_double(uint16_t bits);
uint16_t double_to_bf16(double value);

// The distance between neighbouring numbers of the type around value.
double f16_ulp(double value);
double bf16_ulp(double value);

}  // namespace vktconv::reference::half_bits

// Conversions between float and the 16-bit types, round to nearest even; for tools, tests and benchmarks.
#pragma once

#include <cstdint>

namespace vktconv::support {

// Narrowing: overflow gives infinity, subnormals are kept, a NaN stays a (quiet) NaN with its sign.
float f16_to_float(uint16_t bits);
uint16_t float_to_f16(float value);
float bf16_to_float(uint16_t bits);
uint16_t float_to_bf16(float value);
// From double in one rounding, for references.
uint16_t double_to_f16(double value);
uint16_t double_to_bf16(double value);

}  // namespace vktconv::support

// Transposed convolution by its definition, on the CPU: 3D scatter, double accumulation. Shares no code with src/.
#pragma once

#include <vktconv/vktconv.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "chain.h"

namespace vktconv::reference {

// All arrays hold elements of desc.dataType, output and residual of output_type(desc), the bias of bias_type(desc)
// (16-bit types as uint16_t), dense and in the layouts of desc as vktconv.h says. desc must be valid.

struct Value {
  double value = 0;      // the sum in double, or what the post-ops make of it; for integers the exact wrapped value
  double magnitude = 0;  // sum of |x * w| + |bias|, for error bounds
  int64_t terms = 0;     // number of products
  double error = 0;      // with post-ops, or of int8: what an fp32 result may be off by
};

// What a problem reads. Those that desc does not need may be null.
struct Arrays {
  const void* input = nullptr;
  const void* weights = nullptr;
  const void* bias = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const void* residual = nullptr;
};

// The same for tensors that are nowhere in host memory: each source gives the element at a flat index as a number that
// the tensor's type represents exactly. Those that desc does not need are not called.
using ElementSource = std::function<double(int64_t)>;
struct Sources {
  ElementSource input, weights, bias = {}, scale = {}, shift = {}, residual = {};
};

// What desc.outputType means, and the type of the bias.
VktcDataType output_type(const VktcConvTransposeDesc& desc);
VktcDataType bias_type(const VktcConvTransposeDesc& desc);

// The spatial output sizes, spatialRank of them.
std::vector<int64_t> output_size(const VktcConvTransposeDesc& desc);

// Every output, in the order of the output's layout, by scatter. threads 0: all cores.
std::vector<Value> conv_transpose(const VktcConvTransposeDesc& desc, const Arrays& arrays, unsigned threads = 0);

// One output by its flat index, by looking for the inputs that land on it (for sampling huge outputs).
Value conv_transpose_at(const VktcConvTransposeDesc& desc, const Arrays& arrays, int64_t output_index);
Value conv_transpose_at(const VktcConvTransposeDesc& desc, const Sources& sources, int64_t output_index);

// The largest |error| that an honest result may have: (terms + 2) * 2^-24 * magnitude, or, with post-ops, what their
// chain makes of that and adds to it; plus half a unit in the last place for 16-bit outputs and int8; 0 for int32.
double error_bound(const VktcConvTransposeDesc& desc, const Value& expected);

// True where actual, element index of an output array, is within the bound; NaN is not (unless expected is NaN).
bool matches(const VktcConvTransposeDesc& desc, const Value& expected, const void* output, int64_t index);

// True where actual is the expected value rounded once to the output's type: for data of Fill::exact and post-ops that
// keep it exact (has_exact_chain). Zeros of either
// sign are equal, and so are NaNs.
bool equals(const VktcConvTransposeDesc& desc, const Value& expected, const void* output, int64_t index);

// Element index of an array as a number.
double element(VktcDataType type, const void* data, int64_t index);

// The values rounded to the data type, as a user of --cpu gets them.
void round_to_type(VktcDataType type, std::span<const Value> values, void* output);

// Deterministic test data. exact: integers from -4 to 4, whose products and sums (of up to 2^20 products) are exact in
// fp32, so that only the store to a 16-bit type rounds; random: uniform in [-1, 1), for integers over all their values.
// An element depends on seed and its index alone.
enum class Fill { exact, random };
void fill(VktcDataType type, Fill kind, uint64_t seed, void* data, int64_t elements);

}  // namespace vktconv::reference

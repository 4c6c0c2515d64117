// The data of one problem, as bytes in the problem's element type.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "reference.h"

namespace vktconv::tests {

constexpr VktcDataType data_types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I32,
                                       VKTC_DATA_TYPE_I8};
constexpr size_t type_count = std::size(data_types);

VktcConvTransposeDesc with_type(VktcConvTransposeDesc desc, VktcDataType type);

// The same problem with other layouts, of 16-bit types fp32 outputs, of int8 all that it may give, and a chain of
// post-ops where outputs may have one: which, depends on the turn. Every other turn changes nothing.
VktcConvTransposeDesc in_turn(VktcConvTransposeDesc desc, uint64_t turn);

// Sizes by the definition, not by the library.
size_t element_size(VktcDataType type);
int64_t input_elements(const VktcConvTransposeDesc& desc);
int64_t weight_elements(const VktcConvTransposeDesc& desc);
int64_t output_elements(const VktcConvTransposeDesc& desc);
size_t output_bytes(const VktcConvTransposeDesc& desc);

// Whether an element of an output array is right: exactly, where data and chain are such, else within the bound.
bool is_right(const VktcConvTransposeDesc& desc, reference::Fill fill, const reference::Value& expected,
              const void* output, int64_t index);

struct Tensors {
  VktcConvTransposeDesc desc;
  std::vector<std::byte> input, weights, bias, residual;  // empty where desc has none
  std::vector<float> scale, shift;
  int64_t output_elements = 0;

  Tensors(const VktcConvTransposeDesc& desc, reference::Fill kind, uint64_t seed);
  reference::Arrays arrays() const;
  host::Arrays host_arrays(void* output) const;
  std::vector<reference::Value> expected() const;
};

}  // namespace vktconv::tests

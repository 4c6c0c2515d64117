// The data of one problem, as bytes in the problem's element type.
#pragma once

#include <vktconv/vktconv.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference.h"

namespace vktconv::tests {

constexpr VktcDataType data_types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I32};

VktcConvTransposeDesc with_type(VktcConvTransposeDesc desc, VktcDataType type);

// The same problem with other layouts, and, of 16-bit types, fp32 outputs: which, depends on the turn. Every other turn
// changes nothing.
VktcConvTransposeDesc in_turn(VktcConvTransposeDesc desc, uint64_t turn);

// Sizes by the definition, not by the library.
size_t element_size(VktcDataType type);
int64_t input_elements(const VktcConvTransposeDesc& desc);
int64_t weight_elements(const VktcConvTransposeDesc& desc);
int64_t output_elements(const VktcConvTransposeDesc& desc);
size_t output_bytes(const VktcConvTransposeDesc& desc);

struct Tensors {
  VktcConvTransposeDesc desc;
  std::vector<std::byte> input, weights, bias;
  int64_t output_elements = 0;

  Tensors(const VktcConvTransposeDesc& desc, reference::Fill kind, uint64_t seed);
  std::vector<reference::Value> expected() const;
};

}  // namespace vktconv::tests

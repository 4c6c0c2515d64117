#include <algorithm>

#include "../post_ops.h"
#include "../shape.h"
#include "raise.h"

namespace vktconv::host {

TensorSizes tensor_sizes(const VktcConvTransposeDesc& desc) {
  int64_t output_size[VKTC_MAX_SPATIAL_RANK] = {};
  VktcError error = {};
  check_status(vktcGetOutputSize(&desc, output_size, &error), error);

  // A valid desc has tensors of at most 2^62 bytes, so that none of this overflows.
  TensorSizes sizes;
  sizes.element_size = vktcDataTypeSize(desc.dataType);
  sizes.bias_element_size = vktcDataTypeSize(bias_data_type(desc.dataType));
  sizes.output_element_size = vktcDataTypeSize(output_data_type(desc));
  sizes.input_elements = desc.batch * desc.inChannels;
  sizes.weight_elements = desc.inChannels * (desc.outChannels / desc.groups);
  sizes.bias_elements = desc.hasBias ? desc.outChannels : 0;
  sizes.output_elements = desc.batch * desc.outChannels;
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
    sizes.input_elements *= desc.inputSize[axis];
    sizes.weight_elements *= desc.kernelSize[axis];
    sizes.output_elements *= output_size[axis];
    sizes.output_size.push_back(output_size[axis]);
  }
  const std::span<const VktcPostOp> chain = post_ops_of(desc);
  const auto has = [&](VktcPostOpKind kind) {
    return std::any_of(chain.begin(), chain.end(), [kind](const VktcPostOp& op) { return op.kind == kind; });
  };
  if (has(VKTC_POST_OP_SCALE_SHIFT)) sizes.scale_elements = desc.outChannels;
  if (has(VKTC_POST_OP_RESIDUAL)) sizes.residual_elements = sizes.output_elements;
  return sizes;
}

}  // namespace vktconv::host

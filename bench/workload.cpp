#include "workload.h"

#include <post_ops.h>
#include <shape.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace vktconv::bench {

namespace {

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

// How many (input position, tap) pairs of one axis land inside the output: pairs (a, b) with
// 0 <= a * a_step + b * b_step - padding < output.
double pairs(const VktcConvTransposeDesc& desc, uint32_t axis, int64_t output) {
  int64_t a_count = desc.kernelSize[axis], a_step = desc.dilation[axis];
  int64_t b_count = desc.inputSize[axis], b_step = desc.stride[axis];
  if (b_count < a_count) {  // walk through the shorter one
    std::swap(a_count, b_count);
    std::swap(a_step, b_step);
  }
  double count = 0;
  for (int64_t a = 0; a < a_count; ++a) {
    const int64_t shift = a * a_step - desc.paddingBegin[axis];
    const int64_t first = std::max<int64_t>(0, -floor_divide(shift, b_step));
    const int64_t last = std::min(b_count - 1, floor_divide(output - 1 - shift, b_step));
    if (last >= first) count += static_cast<double>(last - first + 1);
  }
  return count;
}

}  // namespace

Workload workload(const VktcConvTransposeDesc& desc) {
  int64_t output[VKTC_MAX_SPATIAL_RANK] = {};
  VktcError error = {};
  if (vktcGetOutputSize(&desc, output, &error) != VKTC_SUCCESS) throw std::invalid_argument(error.message);
  const double size = vktcDataTypeSize(desc.dataType);
  const int64_t channels_of_group = desc.outChannels / desc.groups;
  const auto group_out_channels = static_cast<double>(channels_of_group);
  double products = static_cast<double>(desc.batch) * static_cast<double>(desc.inChannels) * group_out_channels;
  double input_elements = static_cast<double>(desc.batch) * static_cast<double>(desc.inChannels);
  double weight_elements = static_cast<double>(desc.inChannels) * group_out_channels;
  double output_elements = static_cast<double>(desc.batch) * static_cast<double>(desc.outChannels);
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
    products *= pairs(desc, axis, output[axis]);
    input_elements *= static_cast<double>(desc.inputSize[axis]);
    weight_elements *= static_cast<double>(desc.kernelSize[axis]);
    output_elements *= static_cast<double>(output[axis]);
  }
  Workload result;
  result.flop = 2 * products;
  result.input_bytes = input_elements * size;
  result.weights_bytes = weight_elements * size;
  result.output_bytes = output_elements * vktcDataTypeSize(output_data_type(desc));
  result.bytes = result.input_bytes + result.weights_bytes + result.output_bytes;
  if (desc.hasBias) {
    result.bytes += static_cast<double>(desc.outChannels) * vktcDataTypeSize(bias_data_type(desc.dataType));
  }
  for (const VktcPostOp& op : post_ops_of(desc)) {
    if (op.kind == VKTC_POST_OP_RESIDUAL) result.bytes += result.output_bytes;
    if (op.kind == VKTC_POST_OP_SCALE_SHIFT) result.bytes += 2 * sizeof(float) * static_cast<double>(desc.outChannels);
  }
  return result;
}

}  // namespace vktconv::bench

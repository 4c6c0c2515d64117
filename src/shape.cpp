#include "shape.h"

#include <algorithm>
#include <cinttypes>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "desc_text.h"
#include "post_ops.h"

namespace vktconv {
namespace {

constexpr int64_t max_size = std::numeric_limits<int32_t>::max();
constexpr int64_t max_tensor_bytes = int64_t{1} << 62;

std::string indexed(const char* name, uint32_t axis) { return std::string(name) + "[" + std::to_string(axis) + "]"; }

bool check_size(const std::string& name, int64_t value, VktcError& error) {
  if (value < 1) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(), "%s is %" PRId64 ": it must be at least 1",
                name.c_str(), value);
  }
  if (value > max_size) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(), "%s is %" PRId64 ": it must be at most %" PRId64,
                name.c_str(), value, max_size);
  }
  return true;
}

bool check_padding(const std::string& name, int64_t value, VktcError& error) {
  if (value < -max_size || value > max_size) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(),
                "%s is %" PRId64 ": it must be between %" PRId64 " and %" PRId64, name.c_str(), value, -max_size,
                max_size);
  }
  return true;
}

bool check_groups(const char* channels_name, int64_t channels, int64_t groups, VktcError& error) {
  if (channels % groups == 0) return true;
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, "groups",
              "groups is %" PRId64 ": it must divide %s, which is %" PRId64, groups, channels_name, channels);
}

bool check_tensor(const char* name, std::initializer_list<int64_t> factors, VktcError& error) {
  int64_t bytes = 1;
  for (const int64_t factor : factors) {
    if (bytes > max_tensor_bytes / factor) {
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, name, "the %s tensor has more than 2^62 bytes", name);
    }
    bytes *= factor;
  }
  return true;
}

bool check_layout(const char* name, VktcLayout layout, VktcError& error) {
  if (layout == VKTC_LAYOUT_CHANNELS_FIRST || layout == VKTC_LAYOUT_CHANNELS_LAST) return true;
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, name, "%s is %d: it must be a VktcLayout", name,
              static_cast<int>(layout));
}

std::vector<VktcDataType> output_types(VktcDataType data_type) {
  switch (data_type) {
    case VKTC_DATA_TYPE_F16:
    case VKTC_DATA_TYPE_BF16:
      return {data_type, VKTC_DATA_TYPE_F32};
    case VKTC_DATA_TYPE_I8:
      return {VKTC_DATA_TYPE_I32, VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_I8};
    default:
      return {data_type};
  }
}

// The data type must be valid.
bool check_output_type(const VktcConvTransposeDesc& desc, VktcError& error) {
  const auto type = output_data_type(desc);
  if (vktcDataTypeSize(type) == 0) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "outputType", "outputType is %d: it must be a VktcOutputType",
                static_cast<int>(desc.outputType));
  }
  const std::vector<VktcDataType> allowed = output_types(desc.dataType);
  if (std::find(allowed.begin(), allowed.end(), type) != allowed.end()) return true;
  std::string names;
  for (const VktcDataType other : allowed) {
    if (!names.empty()) names += other == allowed.back() ? " or " : ", ";
    names += data_type_text(other);
  }
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, "outputType", "outputType is %s: where dataType is %s it must be %s",
              data_type_text(type), data_type_text(desc.dataType), names.c_str());
}

// All factors are below 2^31 except the output size, which is checked here before it is used elsewhere.
bool make_axis(const VktcConvTransposeDesc& desc, uint32_t index, Axis& axis, VktcError& error) {
  const auto name = [index](const char* field) { return indexed(field, index); };
  axis.input = desc.inputSize[index];
  axis.kernel = desc.kernelSize[index];
  axis.stride = desc.stride[index];
  axis.dilation = desc.dilation[index];
  axis.padding_begin = desc.paddingBegin[index];
  if (!check_size(name("inputSize"), axis.input, error) || !check_size(name("kernelSize"), axis.kernel, error) ||
      !check_size(name("stride"), axis.stride, error) || !check_size(name("dilation"), axis.dilation, error) ||
      !check_padding(name("paddingBegin"), axis.padding_begin, error) ||
      !check_padding(name("paddingEnd"), desc.paddingEnd[index], error)) {
    return false;
  }
  const int64_t output_padding = desc.outputPadding[index];
  const int64_t output_padding_limit = std::max(axis.stride, axis.dilation);
  if (output_padding < 0 || output_padding >= output_padding_limit) {
    const std::string field = name("outputPadding");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, field.c_str(),
                "%s is %" PRId64 ": it must be at least 0 and less than max(stride, dilation), which is %" PRId64,
                field.c_str(), output_padding, output_padding_limit);
  }
  // At most 2^62 + 2^62 + small: no overflow in 64 bits.
  axis.output = (axis.input - 1) * axis.stride - axis.padding_begin - desc.paddingEnd[index] +
                axis.dilation * (axis.kernel - 1) + output_padding + 1;
  if (axis.output < 1) {
    const std::string field = name("outputSize");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, field.c_str(),
                "%s comes out as %" PRId64
                ": (inputSize - 1) * stride - paddingBegin - paddingEnd + dilation * "
                "(kernelSize - 1) + outputPadding + 1 must be at least 1",
                field.c_str(), axis.output);
  }
  if (axis.output > max_size) {
    const std::string field = name("outputSize");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, field.c_str(),
                "%s comes out as %" PRId64 ": it must be at most %" PRId64, field.c_str(), axis.output, max_size);
  }
  return true;
}

// How many pairs of an input position and a tap land inside the output.
double axis_products(const Axis& axis) {
  // i * a + k * b is symmetric in (i, stride) and (k, dilation): walk along the shorter of the two.
  int64_t outer = axis.kernel, outer_step = axis.dilation, inner = axis.input, inner_step = axis.stride;
  if (inner < outer) {
    std::swap(outer, inner);
    std::swap(outer_step, inner_step);
  }
  constexpr int64_t longest_walk = int64_t{1} << 22;
  if (outer > longest_walk) return static_cast<double>(outer) * static_cast<double>(inner);
  double products = 0;
  for (int64_t n = 0; n < outer; ++n) {
    // 0 <= m * inner_step + n * outer_step - padding < output
    const int64_t low = axis.padding_begin - n * outer_step;
    const int64_t high = low + axis.output - 1;
    const int64_t first = low <= 0 ? 0 : (low + inner_step - 1) / inner_step;
    const int64_t last = high < 0 ? -1 : std::min(inner - 1, high / inner_step);
    products += static_cast<double>(std::max<int64_t>(0, last - first + 1));
  }
  return products;
}

}  // namespace

bool make_problem(const VktcConvTransposeDesc& desc, Problem& problem, VktcError& error) {
  if (desc.pNext != nullptr) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pNext", "desc.pNext must be NULL");
  }
  if (desc.spatialRank < 1 || desc.spatialRank > VKTC_MAX_SPATIAL_RANK) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "spatialRank", "spatialRank is %u: it must be 1, 2 or 3",
                desc.spatialRank);
  }
  Problem p;
  p.data_type = desc.dataType;
  p.spatial_rank = desc.spatialRank;
  if (p.element_size() == 0) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "dataType", "dataType is %d: it must be a VktcDataType",
                static_cast<int>(desc.dataType));
  }
  if (!check_output_type(desc, error) || !check_layout("inputLayout", desc.inputLayout, error) ||
      !check_layout("outputLayout", desc.outputLayout, error) || !check_post_ops(desc, error)) {
    return false;
  }
  for (uint32_t i = 0; i < desc.postOpCount; ++i) {
    VktcPostOp op = desc.postOps[i];
    const int parameters = post_op_parameters(op.kind);
    if (parameters < 1) op.alpha = 0;
    if (parameters < 2) op.beta = 0;
    p.post_ops.push_back(op);
  }
  p.output_type = output_data_type(desc);
  p.input_layout = desc.inputLayout;
  p.output_layout = desc.outputLayout;
  p.batch = desc.batch;
  p.in_channels = desc.inChannels;
  p.out_channels = desc.outChannels;
  p.groups = desc.groups;
  p.has_bias = desc.hasBias != VK_FALSE;
  if (!check_size("batch", p.batch, error) || !check_size("inChannels", p.in_channels, error) ||
      !check_size("outChannels", p.out_channels, error) || !check_size("groups", p.groups, error) ||
      !check_groups("inChannels", p.in_channels, p.groups, error) ||
      !check_groups("outChannels", p.out_channels, p.groups, error)) {
    return false;
  }
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
    if (!make_axis(desc, axis, p.axes[3 - desc.spatialRank + axis], error)) return false;
  }
  const auto& a = p.axes;
  const int64_t size = p.element_size();
  if (!check_tensor("input", {p.batch, p.in_channels, a[0].input, a[1].input, a[2].input, size}, error) ||
      !check_tensor("output", {p.batch, p.out_channels, a[0].output, a[1].output, a[2].output, p.output_element_size()},
                    error) ||
      !check_tensor("weights", {p.in_channels, p.group_out_channels(), a[0].kernel, a[1].kernel, a[2].kernel, size},
                    error)) {
    return false;
  }
  problem = p;
  return true;
}

VktcDataType default_output_type(VktcDataType data_type) {
  return data_type == VKTC_DATA_TYPE_I8 ? VKTC_DATA_TYPE_I32 : data_type;
}

VktcDataType bias_data_type(VktcDataType data_type) {
  return data_type == VKTC_DATA_TYPE_I8 ? VKTC_DATA_TYPE_I32 : data_type;
}

VktcDataType output_data_type(const VktcConvTransposeDesc& desc) {
  switch (desc.outputType) {
    case VKTC_OUTPUT_TYPE_DEFAULT:
      return default_output_type(desc.dataType);
    case VKTC_OUTPUT_TYPE_F32:
      return VKTC_DATA_TYPE_F32;
    case VKTC_OUTPUT_TYPE_F16:
      return VKTC_DATA_TYPE_F16;
    case VKTC_OUTPUT_TYPE_BF16:
      return VKTC_DATA_TYPE_BF16;
    case VKTC_OUTPUT_TYPE_I32:
      return VKTC_DATA_TYPE_I32;
    case VKTC_OUTPUT_TYPE_I8:
      return VKTC_DATA_TYPE_I8;
  }
  return static_cast<VktcDataType>(-1);
}

double useful_flop(const Problem& problem) {
  return 2.0 * static_cast<double>(problem.batch) * static_cast<double>(problem.in_channels) *
         static_cast<double>(problem.group_out_channels()) * axis_products(problem.axes[0]) *
         axis_products(problem.axes[1]) * axis_products(problem.axes[2]);
}

double least_bytes(const Problem& problem) {
  const int64_t bias = problem.has_bias ? problem.out_channels : 0;
  const int64_t vectors = problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT) ? 2 * problem.out_channels : 0;
  const double outputs = problem.has_post_op(VKTC_POST_OP_RESIDUAL) ? 2 : 1;  // tensors of its size
  return static_cast<double>(problem.element_size()) *
             (static_cast<double>(problem.input_elements()) + static_cast<double>(problem.weight_elements())) +
         static_cast<double>(problem.bias_element_size()) * static_cast<double>(bias) +
         outputs * static_cast<double>(problem.output_element_size()) * static_cast<double>(problem.output_elements()) +
         static_cast<double>(sizeof(float)) * static_cast<double>(vectors);
}

}  // namespace vktconv

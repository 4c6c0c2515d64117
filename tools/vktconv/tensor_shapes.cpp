#include "tensor_shapes.h"

#include <fmt/format.h>

#include <limits>

#include "failure.h"
#include "support/npy_header.h"

namespace vktconv::cli {
namespace {

std::string quote(const NamedShape& tensor) {
  return fmt::format("{} has the shape {}", tensor.name, support::format_shape(tensor.shape));
}

void check_dimensions(const NamedShape& tensor) {
  for (const int64_t dimension : tensor.shape) {
    if (dimension < 1 || dimension > std::numeric_limits<int32_t>::max()) {
      refuse(fmt::format("{}: each dimension must be between 1 and 2^31 - 1", quote(tensor)));
    }
  }
}

}  // namespace

std::vector<int64_t> ShapedProblem::output_shape() const {
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  VktcError error = {};
  if (vktcGetOutputSize(&desc, size, &error) != VKTC_SUCCESS) refuse(error.message);
  std::vector<int64_t> shape;
  if (batched) shape.push_back(desc.batch);
  const bool channels_last = desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST;
  if (!channels_last) shape.push_back(desc.outChannels);
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) shape.push_back(size[axis]);
  if (channels_last) shape.push_back(desc.outChannels);
  return shape;
}

ShapedProblem make_shaped_problem(const NamedShape& input, const NamedShape& weights,
                                  const std::optional<NamedShape>& bias, VktcDataType data_type,
                                  const ConvolutionFlags& flags, const TensorFlags& tensors) {
  check_dimensions(input);
  check_dimensions(weights);
  const size_t rank = weights.shape.size();
  if (rank < 3 || rank > 5) {
    refuse(fmt::format("{}: weights have 3, 4 or 5 dimensions, [in_channels, out_channels / groups, *kernel]",
                       quote(weights)));
  }
  if (input.shape.size() != rank && input.shape.size() + 1 != rank) {
    refuse(fmt::format("{}, {} dimensions, but {}: the input needs {} dimensions, or {} without a batch", quote(input),
                       input.shape.size(), quote(weights), rank, rank - 1));
  }
  ShapedProblem problem;
  problem.batched = input.shape.size() == rank;
  VktcConvTransposeDesc& desc = problem.desc;
  desc = vktcDefaultDesc(static_cast<uint32_t>(rank - 2));
  desc.dataType = data_type;
  tensors.apply(desc);
  desc.hasBias = bias.has_value() ? VK_TRUE : VK_FALSE;
  const int64_t* dimension = input.shape.data();
  if (problem.batched) desc.batch = *dimension++;
  const bool channels_last = desc.inputLayout == VKTC_LAYOUT_CHANNELS_LAST;
  desc.inChannels = channels_last ? input.shape.back() : *dimension++;
  for (size_t axis = 0; axis + 2 < rank; ++axis) {
    desc.inputSize[axis] = dimension[axis];
    desc.kernelSize[axis] = weights.shape[2 + axis];
  }
  if (weights.shape[0] != desc.inChannels) {
    refuse(fmt::format("{}, so it has {} input channels, but {}, which is for {}", quote(input), desc.inChannels,
                       quote(weights), weights.shape[0]));
  }
  flags.apply(weights.shape[1], desc);
  if (bias.has_value() && bias->shape != std::vector<int64_t>{desc.outChannels}) {
    refuse(fmt::format(
        "{}, but the output has {} channels ({} in the weights times {} group{}): the bias needs the shape {}",
        quote(*bias), desc.outChannels, weights.shape[1], desc.groups, desc.groups == 1 ? "" : "s",
        support::format_shape({desc.outChannels})));
  }
  return problem;
}

}  // namespace vktconv::cli

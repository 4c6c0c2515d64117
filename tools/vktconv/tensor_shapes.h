// From the shapes of input, weights and bias to a problem; where they do not fit each other, from there to a sentence.
#pragma once

#include <vktconv/vktconv.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convolution_flags.h"
#include "tensor_flags.h"

namespace vktconv::cli {

struct NamedShape {
  std::string name;  // of the file, or "--input"
  std::vector<int64_t> shape;
};

struct ShapedProblem {
  VktcConvTransposeDesc desc;
  bool batched = true;  // false: input and output have no batch axis

  std::vector<int64_t> output_shape() const;  // as the input has it, batched or not
};

// The rank is that of the weights, [in_channels, out_channels / groups, *kernel], whatever the layout. The result is
// valid; Failure names the tensor and both numbers.
ShapedProblem make_shaped_problem(const NamedShape& input, const NamedShape& weights,
                                  const std::optional<NamedShape>& bias, VktcDataType data_type,
                                  const ConvolutionFlags& flags, const TensorFlags& tensors);

}  // namespace vktconv::cli

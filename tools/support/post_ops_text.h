// Chains of post-ops as text: names with their parameters, in the order in which they are applied.
//     relu,linear:0.5:1,scale_shift,residual
// relu, leaky_relu:alpha, silu, gelu_tanh, gelu_erf, mish, sigmoid, tanh, clamp:alpha:beta, linear:alpha:beta,
// scale_shift, residual.
#pragma once

#include <vktconv/vktconv.h>

#include <string_view>
#include <vector>

namespace vktconv::support {

// Throws std::invalid_argument that says what is wrong with which post-op. Whether a problem may have the chain is not
// looked at, but that it holds so many.
std::vector<VktcPostOp> parse_post_ops(std::string_view text);

void set_post_ops(const std::vector<VktcPostOp>& chain, VktcConvTransposeDesc& desc);

}  // namespace vktconv::support

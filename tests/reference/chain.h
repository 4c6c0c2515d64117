// Post-ops by their definition, in double, and what honest fp32 arithmetic may be off by.
#pragma once

#include <vktconv/vktconv.h>

namespace vktconv::reference {

// A number, and the largest |error| that an honest fp32 result for it may have.
struct Approximate {
  double value = 0;
  double error = 0;
};

// What the chain of desc makes of a sum. residual: the element that is added, where the chain has such a post-op.
Approximate apply_post_ops(const VktcConvTransposeDesc& desc, Approximate sum, double scale, double shift,
                           double residual);

// Whether the chain makes small integers and simple fractions of such, exact in fp32: no exp in it.
bool has_exact_chain(const VktcConvTransposeDesc& desc);
bool has_post_op(const VktcConvTransposeDesc& desc, VktcPostOpKind kind);

}  // namespace vktconv::reference

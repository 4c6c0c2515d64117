// The chain of post-ops of a problem: its rules, and its text. Pure.
#pragma once

#include <span>
#include <string>

#include "error.h"

namespace vktconv {

// "relu", "leaky_relu" and so on; null for what is no VktcPostOpKind.
const char* post_op_name(VktcPostOpKind kind);

// Parameters of a kind: 0, 1 (alpha) or 2 (alpha and beta).
int post_op_parameters(VktcPostOpKind kind);

// The chain of a descriptor, which need not be valid: as much of it as there may be.
std::span<const VktcPostOp> post_ops_of(const VktcConvTransposeDesc& desc);

// "relu,linear:0.5:1,scale_shift": as tools/support/post_ops_text.h reads it.
std::string post_ops_text(std::span<const VktcPostOp> chain);

// Every rule of VktcPostOp and its chain.
bool check_post_ops(const VktcConvTransposeDesc& desc, VktcError& error);

}  // namespace vktconv

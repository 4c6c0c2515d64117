// The two ways users state padding, resolved into paddingBegin and paddingEnd: ONNX's attributes and PyTorch's
// argument. Pure.
#pragma once

#include "error.h"

namespace vktconv {

bool resolve_onnx_padding(const VktcOnnxPadding& padding, VktcConvTransposeDesc& desc, VktcError& error);
bool resolve_pytorch_padding(const int64_t padding[], VktcConvTransposeDesc& desc, VktcError& error);

}  // namespace vktconv

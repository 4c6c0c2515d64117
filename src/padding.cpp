#include "padding.h"

#include <algorithm>
#include <cinttypes>
#include <string>

#include "shape.h"

namespace vktconv {
namespace {

const char* auto_pad_name(VktcAutoPad auto_pad) {
  switch (auto_pad) {
    case VKTC_AUTO_PAD_NOTSET:
      return "NOTSET";
    case VKTC_AUTO_PAD_SAME_UPPER:
      return "SAME_UPPER";
    case VKTC_AUTO_PAD_SAME_LOWER:
      return "SAME_LOWER";
    case VKTC_AUTO_PAD_VALID:
      return "VALID";
  }
  return nullptr;
}

bool check_rank(const VktcConvTransposeDesc& desc, VktcError& error) {
  if (desc.spatialRank >= 1 && desc.spatialRank <= VKTC_MAX_SPATIAL_RANK) return true;
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, "spatialRank", "spatialRank is %u: it must be 1, 2 or 3",
              desc.spatialRank);
}

// Rounds toward minus infinity, as ONNX's reference implementation does: -3 / 2 is -2.
int64_t floor_half(int64_t value) { return value >= 0 ? value / 2 : -((1 - value) / 2); }

}  // namespace

bool resolve_onnx_padding(const VktcOnnxPadding& padding, VktcConvTransposeDesc& desc, VktcError& error) {
  const char* name = auto_pad_name(padding.autoPad);
  if (name == nullptr) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "autoPad", "autoPad is %d: it must be a VktcAutoPad",
                static_cast<int>(padding.autoPad));
  }
  if (!check_rank(desc, error)) return false;
  const bool same = padding.autoPad == VKTC_AUTO_PAD_SAME_UPPER || padding.autoPad == VKTC_AUTO_PAD_SAME_LOWER;
  if (padding.pads != nullptr && padding.autoPad != VKTC_AUTO_PAD_NOTSET) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pads",
                "pads is given although autoPad is %s: ONNX allows pads with NOTSET only", name);
  }
  if (padding.pads != nullptr && padding.outputShape != nullptr) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pads",
                "pads and outputShape are both given: ONNX derives the padding from outputShape, so leave pads out");
  }
  // With no padding at all every other rule can be checked first, and the sums below cannot overflow.
  VktcConvTransposeDesc resolved = desc;
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) resolved.paddingBegin[axis] = resolved.paddingEnd[axis] = 0;
  if (padding.pads == nullptr && (same || padding.outputShape != nullptr)) {
    for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
      const std::string field = "outputShape[" + std::to_string(axis) + "]";
      const auto in_range = [](int64_t value) { return value >= 1 && value <= INT32_MAX; };
      if (!in_range(desc.inputSize[axis]) || !in_range(desc.kernelSize[axis]) || !in_range(desc.stride[axis]) ||
          !in_range(desc.dilation[axis]) || desc.outputPadding[axis] < 0 || desc.outputPadding[axis] > INT32_MAX) {
        Problem unused;
        return make_problem(resolved, unused, error);  // says which
      }
      const int64_t output =
          padding.outputShape != nullptr ? padding.outputShape[axis] : desc.inputSize[axis] * desc.stride[axis];
      if (padding.outputShape != nullptr && !in_range(output)) {
        return fail(error, VKTC_ERROR_INVALID_PARAMETER, field.c_str(),
                    "%s is %" PRId64 ": it must be at least 1 and at most %d", field.c_str(), output, INT32_MAX);
      }
      const int64_t total = (desc.inputSize[axis] - 1) * desc.stride[axis] + desc.outputPadding[axis] +
                            desc.dilation[axis] * (desc.kernelSize[axis] - 1) + 1 - output;
      const int64_t half = floor_half(total);
      const bool half_at_begin = padding.autoPad == VKTC_AUTO_PAD_SAME_UPPER;
      resolved.paddingBegin[axis] = half_at_begin ? half : total - half;
      resolved.paddingEnd[axis] = half_at_begin ? total - half : half;
    }
  } else if (padding.pads != nullptr) {
    for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
      resolved.paddingBegin[axis] = padding.pads[axis];
      resolved.paddingEnd[axis] = padding.pads[desc.spatialRank + axis];
    }
  }
  Problem unused;
  if (!make_problem(resolved, unused, error)) return false;
  desc = resolved;
  return true;
}

bool resolve_pytorch_padding(const int64_t padding[], VktcConvTransposeDesc& desc, VktcError& error) {
  if (!check_rank(desc, error)) return false;
  VktcConvTransposeDesc resolved = desc;
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
    if (padding[axis] < 0) {
      const std::string field = "padding[" + std::to_string(axis) + "]";
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, field.c_str(),
                  "%s is %" PRId64 ": PyTorch allows no negative padding", field.c_str(), padding[axis]);
    }
    resolved.paddingBegin[axis] = resolved.paddingEnd[axis] = padding[axis];
  }
  Problem unused;
  if (!make_problem(resolved, unused, error)) return false;
  desc = resolved;
  return true;
}

}  // namespace vktconv

#include "post_ops.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "shape.h"

namespace vktconv {
namespace {

// The shortest text that leads back to the value.
void append_number(std::string& text, float value) {
  char digits[32];
  const auto [end, status] = std::to_chars(std::begin(digits), std::end(digits), value);
  text.append(digits, status == std::errc() ? end : digits);
}

std::string field_name(uint32_t index, const char* field) { return "postOps[" + std::to_string(index) + "]." + field; }

bool check_parameter(const VktcPostOp& op, uint32_t index, const char* field, float value, VktcError& error) {
  const bool may_be_infinite = op.kind == VKTC_POST_OP_CLAMP;
  if (may_be_infinite ? !std::isnan(value) : std::isfinite(value)) return true;
  const std::string name = field_name(index, field);
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(), "%s of %s is %g: it must be %s", name.c_str(),
              post_op_name(op.kind), static_cast<double>(value), may_be_infinite ? "a number" : "finite");
}

bool check_post_op(const VktcPostOp& op, uint32_t index, VktcError& error) {
  const char* op_name = post_op_name(op.kind);
  if (op_name == nullptr) {
    const std::string name = field_name(index, "kind");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(), "%s is %d: it must be a VktcPostOpKind",
                name.c_str(), static_cast<int>(op.kind));
  }
  const int parameters = post_op_parameters(op.kind);
  if (parameters > 0 && !check_parameter(op, index, "alpha", op.alpha, error)) return false;
  if (parameters > 1 && !check_parameter(op, index, "beta", op.beta, error)) return false;
  if (op.kind == VKTC_POST_OP_CLAMP && op.alpha > op.beta) {
    const std::string name = field_name(index, "alpha");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(),
                "%s of clamp is %g: it must be at most beta, which is %g", name.c_str(), static_cast<double>(op.alpha),
                static_cast<double>(op.beta));
  }
  return true;
}

}  // namespace

const char* post_op_name(VktcPostOpKind kind) {
  switch (kind) {
    case VKTC_POST_OP_RELU:
      return "relu";
    case VKTC_POST_OP_LEAKY_RELU:
      return "leaky_relu";
    case VKTC_POST_OP_SILU:
      return "silu";
    case VKTC_POST_OP_GELU_TANH:
      return "gelu_tanh";
    case VKTC_POST_OP_GELU_ERF:
      return "gelu_erf";
    case VKTC_POST_OP_MISH:
      return "mish";
    case VKTC_POST_OP_SIGMOID:
      return "sigmoid";
    case VKTC_POST_OP_TANH:
      return "tanh";
    case VKTC_POST_OP_CLAMP:
      return "clamp";
    case VKTC_POST_OP_LINEAR:
      return "linear";
    case VKTC_POST_OP_SCALE_SHIFT:
      return "scale_shift";
    case VKTC_POST_OP_RESIDUAL:
      return "residual";
  }
  return nullptr;
}

int post_op_parameters(VktcPostOpKind kind) {
  switch (kind) {
    case VKTC_POST_OP_LEAKY_RELU:
      return 1;
    case VKTC_POST_OP_CLAMP:
    case VKTC_POST_OP_LINEAR:
      return 2;
    default:
      return 0;
  }
}

std::span<const VktcPostOp> post_ops_of(const VktcConvTransposeDesc& desc) {
  return {desc.postOps, std::min<size_t>(desc.postOpCount, VKTC_MAX_POST_OPS)};
}

std::string post_ops_text(std::span<const VktcPostOp> chain) {
  std::string text;
  for (const VktcPostOp& op : chain) {
    const char* name = post_op_name(op.kind);
    if (!text.empty()) text += ',';
    text += name == nullptr ? "?" : name;
    const int parameters = post_op_parameters(op.kind);
    if (parameters > 0) append_number(text += ':', op.alpha);
    if (parameters > 1) append_number(text += ':', op.beta);
  }
  return text;
}

bool check_post_ops(const VktcConvTransposeDesc& desc, VktcError& error) {
  if (desc.postOpCount > VKTC_MAX_POST_OPS) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "postOpCount", "postOpCount is %u: it must be at most %d",
                desc.postOpCount, VKTC_MAX_POST_OPS);
  }
  if (desc.postOpCount > 0 && output_data_type(desc) == VKTC_DATA_TYPE_I32) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "postOpCount",
                "postOpCount is %u: where the output is i32 it must be 0", desc.postOpCount);
  }
  for (uint32_t i = 0; i < desc.postOpCount; ++i) {
    const VktcPostOp& op = desc.postOps[i];
    if (!check_post_op(op, i, error)) return false;
    if (op.kind != VKTC_POST_OP_SCALE_SHIFT && op.kind != VKTC_POST_OP_RESIDUAL) continue;
    for (uint32_t earlier = 0; earlier < i; ++earlier) {
      if (desc.postOps[earlier].kind != op.kind) continue;
      const std::string name = field_name(i, "kind");
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.c_str(),
                  "%s is %s, and so is postOps[%u].kind: a chain may have one only", name.c_str(),
                  post_op_name(op.kind), earlier);
    }
  }
  return true;
}

}  // namespace vktconv

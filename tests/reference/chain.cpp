#include "chain.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vktconv::reference {
namespace {

constexpr double unit = 0x1p-24;       // of fp32 roundoff
constexpr double flushed = 0x1p-126;   // below it a device may take 0
constexpr double vanished = 0x1p-119;  // x times that, where x is not yet so low that nothing is left
constexpr double sqrt_half = 0.70710678118654752440;
constexpr double sqrt_two_over_pi = 0.79788456080286535588;

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Functions that run from 0 at -infinity to x at +infinity.
double share_of(double x, double share) { return std::isinf(x) ? std::max(x, 0.0) : x * share; }

double softplus(double x) { return x > 40 ? x : std::log1p(std::exp(x)); }

double gelu_argument(double x) { return sqrt_two_over_pi * (x + 0.044715 * x * x * x); }

// The value of one post-op.
double evaluate(const VktcPostOp& op, double x, double scale, double shift, double residual) {
  const double alpha = static_cast<double>(op.alpha), beta = static_cast<double>(op.beta);
  switch (op.kind) {
    case VKTC_POST_OP_RELU:
      return x < 0 ? 0 : x;
    case VKTC_POST_OP_LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case VKTC_POST_OP_SILU:
      return share_of(x, logistic(x));
    case VKTC_POST_OP_GELU_TANH:
      return share_of(x, logistic(2 * gelu_argument(x)));
    case VKTC_POST_OP_GELU_ERF:
      return share_of(x, 0.5 * std::erfc(-x * sqrt_half));
    case VKTC_POST_OP_MISH:
      return share_of(x, std::tanh(softplus(x)));
    case VKTC_POST_OP_SIGMOID:
      return logistic(x);
    case VKTC_POST_OP_TANH:
      return std::tanh(x);
    case VKTC_POST_OP_CLAMP:
      return x < alpha ? alpha : x > beta ? beta : x;
    case VKTC_POST_OP_LINEAR:
      return alpha * x + beta;
    case VKTC_POST_OP_SCALE_SHIFT:
      return scale * x + shift;
    case VKTC_POST_OP_RESIDUAL:
      return x + residual;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// How much an error of the argument can grow.
double slope(const VktcPostOp& op, double scale) {
  switch (op.kind) {
    case VKTC_POST_OP_LEAKY_RELU:
      return std::max(1.0, std::abs(static_cast<double>(op.alpha)));
    case VKTC_POST_OP_SILU:
    case VKTC_POST_OP_MISH:
      return 1.1;
    case VKTC_POST_OP_GELU_TANH:
    case VKTC_POST_OP_GELU_ERF:
      return 1.13;
    case VKTC_POST_OP_SIGMOID:
      return 0.25;
    case VKTC_POST_OP_LINEAR:
      return std::abs(static_cast<double>(op.alpha));
    case VKTC_POST_OP_SCALE_SHIFT:
      return std::abs(scale);
    default:
      return 1;
  }
}

// What the post-op itself may be off by, given its exact argument x and value y.
double own_error(const VktcPostOp& op, double x, double y, double scale) {
  // Vulkan's exp2 may be off by 4 units, a division by 2.5; a handful of other operations by half a one each.
  constexpr double of_exp = 20 * unit;
  const double magnitude = std::abs(y);
  switch (op.kind) {
    case VKTC_POST_OP_RELU:
    case VKTC_POST_OP_CLAMP:
      return 0;
    case VKTC_POST_OP_LEAKY_RELU:
    case VKTC_POST_OP_RESIDUAL:
      return unit * magnitude + flushed;
    case VKTC_POST_OP_LINEAR:
      return unit * (std::abs(static_cast<double>(op.alpha) * x) + magnitude) + flushed;
    case VKTC_POST_OP_SCALE_SHIFT:
      return unit * (std::abs(scale * x) + magnitude) + flushed;
    case VKTC_POST_OP_GELU_TANH:
      // The argument's rounding becomes a part of what is left far below 0.
      return (x < 0 ? of_exp + 8 * unit * std::min(std::abs(gelu_argument(x)), 1e9) : of_exp) * magnitude + vanished;
    case VKTC_POST_OP_GELU_ERF:
      return of_exp * magnitude + 1e-7 * std::min(std::abs(x), 8.0);
    default:
      return of_exp * magnitude + vanished;
  }
}

}  // namespace

Approximate apply_post_ops(const VktcConvTransposeDesc& desc, Approximate sum, double scale, double shift,
                           double residual) {
  for (uint32_t i = 0; i < desc.postOpCount; ++i) {
    const VktcPostOp& op = desc.postOps[i];
    const double x = sum.value;
    sum.value = std::isnan(x) ? x : evaluate(op, x, scale, shift, residual);
    sum.error = slope(op, scale) * sum.error + own_error(op, x, sum.value, scale);
  }
  return sum;
}

bool has_exact_chain(const VktcConvTransposeDesc& desc) {
  return std::none_of(desc.postOps, desc.postOps + desc.postOpCount, [](const VktcPostOp& op) {
    return op.kind >= VKTC_POST_OP_SILU && op.kind <= VKTC_POST_OP_TANH;
  });
}

bool has_post_op(const VktcConvTransposeDesc& desc, VktcPostOpKind kind) {
  return std::any_of(desc.postOps, desc.postOps + desc.postOpCount,
                     [kind](const VktcPostOp& op) { return op.kind == kind; });
}

}  // namespace vktconv::reference

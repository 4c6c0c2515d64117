// The flags that say how input and output lie in memory, of what type the output is, and what becomes of the sums.
#pragma once

#include <vktconv/vktconv.h>

#include <string>

namespace CLI {
class App;
}

namespace vktconv::cli {

class TensorFlags {
 public:
  void add_to(CLI::App& command);

  // Sets in desc what these flags say and leaves the rest. Failure for a word that they do not know; whether the
  // problem may have it is not looked at.
  void apply(VktcConvTransposeDesc& desc) const;

 private:
  std::string input_layout_, output_layout_, output_type_, post_ops_;
};

// For --help.
constexpr const char* post_ops_help =
    "Post-ops, with commas between, are applied in order: relu, leaky_relu:alpha, silu,\n"
    "gelu_tanh, gelu_erf, mish, sigmoid, tanh, clamp:low:high, linear:alpha:beta (alpha * x +\n"
    "beta), scale_shift (a scale and a shift for each output channel), residual (a tensor like\n"
    "the output, added).";

}  // namespace vktconv::cli

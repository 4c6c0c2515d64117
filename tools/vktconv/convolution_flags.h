// The flags that say how to convolve: --stride, --padding and so on, and ONNX's way of padding.
#pragma once

#include <vktconv/vktconv.h>

#include <string>

namespace CLI {
class App;
}

namespace vktconv::cli {

class ConvolutionFlags {
 public:
  void add_to(CLI::App& command);
  bool any_given() const;

  // desc has its sizes, channels and data type; sets groups and everything that these flags say, and checks the whole.
  // weight_channels is the second dimension of the weights, out_channels / groups. Failure where something is wrong.
  void apply(int64_t weight_channels, VktcConvTransposeDesc& desc) const;

 private:
  void resolve_padding(VktcConvTransposeDesc& desc) const;
  void resolve_onnx_padding(VktcConvTransposeDesc& desc) const;

  std::string stride_, padding_, output_padding_, dilation_, groups_, pads_, auto_pad_, output_shape_;
};

constexpr const char* convolution_help =
    "A list (2,1) has one value for each spatial axis, the outermost first; one value\n"
    "stands for all axes. --padding is PyTorch's. --pads, --auto-pad and --output-shape\n"
    "are ONNX's and exclude --padding.";

}  // namespace vktconv::cli

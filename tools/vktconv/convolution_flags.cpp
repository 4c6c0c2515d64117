#include "convolution_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "failure.h"
#include "number_list.h"
#include "support/printable.h"
#include "text_option.h"

namespace vktconv::cli {
namespace {

constexpr const char* group_name = "Convolution";
constexpr const char* per_axis = "one for each spatial axis";

void check(VktcStatus status, const VktcError& error) {
  if (status != VKTC_SUCCESS) refuse(error.message);
}

void set_axes(const char* option, const std::string& text, const VktcConvTransposeDesc& desc, int64_t* values) {
  if (text.empty()) return;
  const std::vector<int64_t> numbers = parse_numbers(option, text, desc.spatialRank, per_axis);
  std::copy(numbers.begin(), numbers.end(), values);
}

VktcAutoPad parse_auto_pad(const std::string& text) {
  if (text.empty() || text == "NOTSET") return VKTC_AUTO_PAD_NOTSET;
  if (text == "SAME_UPPER") return VKTC_AUTO_PAD_SAME_UPPER;
  if (text == "SAME_LOWER") return VKTC_AUTO_PAD_SAME_LOWER;
  if (text == "VALID") return VKTC_AUTO_PAD_VALID;
  refuse(
      fmt::format("--auto-pad: \"{}\" is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID", support::printable(text, 40)));
}

}  // namespace

void ConvolutionFlags::add_to(CLI::App& command) {
  const auto add = [&command](const char* name, std::string& value, const char* type, const char* help) {
    add_text_option(command, name, value, type, group_name, help);
  };
  add("--stride", stride_, "N[,N...]", "Outputs from one input position to the next; default 1");
  add("--padding", padding_, "N[,N...]", "Outputs cut off at both ends, as in PyTorch; default 0");
  add("--output-padding", output_padding_, "N[,N...]",
      "Outputs added at the end, less than the larger of stride and dilation; default 0");
  add("--dilation", dilation_, "N[,N...]", "Outputs from one kernel tap to the next; default 1");
  add("--groups", groups_, "N", "Groups of channels that do not mix; default 1");
  add("--pads", pads_, "B,...,E,...", "ONNX: outputs cut off, all begins, then all ends; may be negative");
  add("--auto-pad", auto_pad_, "MODE", "ONNX: NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  add("--output-shape", output_shape_, "N[,N...]", "ONNX: spatial output size, from which the padding follows");
}

bool ConvolutionFlags::any_given() const {
  const std::string* all[] = {&stride_, &padding_, &output_padding_, &dilation_,
                              &groups_, &pads_,    &auto_pad_,       &output_shape_};
  return std::any_of(std::begin(all), std::end(all), [](const std::string* text) { return !text->empty(); });
}

void ConvolutionFlags::apply(int64_t weight_channels, VktcConvTransposeDesc& desc) const {
  if (!groups_.empty()) desc.groups = parse_numbers("--groups", groups_, 1, "one number").front();
  if (desc.groups < 1) refuse(fmt::format("--groups is {}: it must be at least 1", desc.groups));
  if (desc.inChannels % desc.groups != 0) {
    refuse(
        fmt::format("--groups is {}: it must divide the number of input channels, {}", desc.groups, desc.inChannels));
  }
  if (weight_channels > std::numeric_limits<int32_t>::max() / desc.groups) {
    refuse(fmt::format("{} output channels in each of {} groups are more than 2^31 - 1", weight_channels, desc.groups));
  }
  desc.outChannels = weight_channels * desc.groups;
  set_axes("--stride", stride_, desc, desc.stride);
  set_axes("--output-padding", output_padding_, desc, desc.outputPadding);
  set_axes("--dilation", dilation_, desc, desc.dilation);
  resolve_padding(desc);
  int64_t output[VKTC_MAX_SPATIAL_RANK];
  VktcError error = {};
  check(vktcGetOutputSize(&desc, output, &error), error);
}

void ConvolutionFlags::resolve_padding(VktcConvTransposeDesc& desc) const {
  const char* onnx = !pads_.empty()           ? "--pads"
                     : !auto_pad_.empty()     ? "--auto-pad"
                     : !output_shape_.empty() ? "--output-shape"
                                              : nullptr;
  if (onnx == nullptr) {
    int64_t padding[VKTC_MAX_SPATIAL_RANK] = {};
    set_axes("--padding", padding_, desc, padding);
    VktcError error = {};
    check(vktcResolvePytorchPadding(padding, &desc, &error), error);
    return;
  }
  if (!padding_.empty()) {
    refuse(fmt::format("--padding (PyTorch) and {} (ONNX) exclude each other: both decide the padding", onnx));
  }
  resolve_onnx_padding(desc);
}

void ConvolutionFlags::resolve_onnx_padding(VktcConvTransposeDesc& desc) const {
  const VktcAutoPad auto_pad = parse_auto_pad(auto_pad_);
  // ONNX's own rules, in the words of the flags.
  if (!pads_.empty() && auto_pad != VKTC_AUTO_PAD_NOTSET) {
    refuse(fmt::format("--pads and --auto-pad {} exclude each other: both decide the padding", auto_pad_));
  }
  if (!pads_.empty() && !output_shape_.empty()) {
    refuse("--pads and --output-shape exclude each other: the padding follows from the output shape");
  }
  std::vector<int64_t> pads, output_shape;
  VktcOnnxPadding padding = {};
  padding.autoPad = auto_pad;
  if (!pads_.empty()) {
    pads =
        parse_numbers("--pads", pads_, size_t{2} * desc.spatialRank, "the begin of each spatial axis, then the ends");
    padding.pads = pads.data();
  }
  if (!output_shape_.empty()) {
    output_shape = parse_numbers("--output-shape", output_shape_, desc.spatialRank, per_axis);
    padding.outputShape = output_shape.data();
  }
  VktcError error = {};
  check(vktcResolveOnnxPadding(&padding, &desc, &error), error);
}

}  // namespace vktconv::cli

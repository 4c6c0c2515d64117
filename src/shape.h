// A validated problem: what every algorithm works on. Pure; needs no device.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "error.h"

namespace vktconv {

// What VKTC_OUTPUT_TYPE_DEFAULT means.
VktcDataType default_output_type(VktcDataType data_type);

// The type of the bias for this type of input and weights.
VktcDataType bias_data_type(VktcDataType data_type);

// One spatial axis.
struct Axis {
  int64_t input = 1;
  int64_t output = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding_begin = 0;  // may be negative
  int64_t dilation = 1;
};

// Where the elements of a dense input or output lie, in elements.
struct Strides {
  int64_t image = 0, pixel = 0, channel = 0;

  // From the first element of a box to behind its last. channels: from the first to the last of them.
  int64_t extent(int64_t images, int64_t pixels, int64_t channels) const {
    return (images - 1) * image + (pixels - 1) * pixel + (channels - 1) * channel + 1;
  }
};

// Always three axes: 1D and 2D problems have leading axes of size 1.
struct Problem {
  VktcDataType data_type = VKTC_DATA_TYPE_F32;    // of input and weights
  VktcDataType output_type = VKTC_DATA_TYPE_F32;  // of the output
  VktcLayout input_layout = VKTC_LAYOUT_CHANNELS_FIRST;
  VktcLayout output_layout = VKTC_LAYOUT_CHANNELS_FIRST;
  uint32_t spatial_rank = 3;  // as the user gave it, for messages
  int64_t batch = 1;
  int64_t groups = 1;
  int64_t in_channels = 1;   // of all groups together
  int64_t out_channels = 1;  // of all groups together
  std::array<Axis, 3> axes;
  bool has_bias = false;
  std::vector<VktcPostOp> post_ops;  // parameters that a kind does not use are 0

  int64_t group_in_channels() const { return in_channels / groups; }
  int64_t group_out_channels() const { return out_channels / groups; }
  int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  int64_t input_plane() const { return axes[0].input * axes[1].input * axes[2].input; }
  int64_t output_plane() const { return axes[0].output * axes[1].output * axes[2].output; }
  int64_t element_size() const { return vktcDataTypeSize(data_type); }
  bool has_post_op(VktcPostOpKind kind) const {
    return std::any_of(post_ops.begin(), post_ops.end(), [kind](const VktcPostOp& op) { return op.kind == kind; });
  }
  int64_t output_element_size() const { return vktcDataTypeSize(output_type); }
  int64_t bias_element_size() const { return vktcDataTypeSize(bias_data_type(data_type)); }
  bool input_channels_last() const { return input_layout == VKTC_LAYOUT_CHANNELS_LAST; }
  bool output_channels_last() const { return output_layout == VKTC_LAYOUT_CHANNELS_LAST; }
  Strides input_strides() const { return strides(input_layout, in_channels, input_plane()); }
  Strides output_strides() const { return strides(output_layout, out_channels, output_plane()); }
  int64_t input_elements() const { return batch * in_channels * input_plane(); }
  int64_t output_elements() const { return batch * out_channels * output_plane(); }
  int64_t weight_elements() const { return in_channels * group_out_channels() * taps(); }

 private:
  static Strides strides(VktcLayout layout, int64_t channels, int64_t plane) {
    if (layout == VKTC_LAYOUT_CHANNELS_LAST) return {channels * plane, channels, 1};
    return {channels * plane, 1, plane};
  }
};

// Checks every rule of VktcConvTransposeDesc and lifts the problem to three axes.
bool make_problem(const VktcConvTransposeDesc& desc, Problem& problem, VktcError& error);

// What outputType means; no VktcDataType where it is no VktcOutputType.
VktcDataType output_data_type(const VktcConvTransposeDesc& desc);

// Two for each multiply-add that reaches an output: taps that fall outside the output do not count.
double useful_flop(const Problem& problem);

// Input, weights, bias, output and what the post-ops read, each once.
double least_bytes(const Problem& problem);

}  // namespace vktconv

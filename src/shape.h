// A validated problem: what every algorithm works on. Pure; needs no device.
#pragma once

#include <array>
#include <cstdint>

#include "error.h"

namespace vktconv {

// One spatial axis.
struct Axis {
  int64_t input = 1;
  int64_t output = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding_begin = 0;  // may be negative
  int64_t dilation = 1;
};

// Always three axes: 1D and 2D problems have leading axes of size 1.
struct Problem {
  VktcDataType data_type = VKTC_DATA_TYPE_F32;
  uint32_t spatial_rank = 3;  // as the user gave it, for messages
  int64_t batch = 1;
  int64_t groups = 1;
  int64_t in_channels = 1;   // of all groups together
  int64_t out_channels = 1;  // of all groups together
  std::array<Axis, 3> axes;
  bool has_bias = false;

  int64_t group_in_channels() const { return in_channels / groups; }
  int64_t group_out_channels() const { return out_channels / groups; }
  int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  int64_t input_plane() const { return axes[0].input * axes[1].input * axes[2].input; }
  int64_t output_plane() const { return axes[0].output * axes[1].output * axes[2].output; }
  int64_t element_size() const { return vktcDataTypeSize(data_type); }
  int64_t input_elements() const { return batch * in_channels * input_plane(); }
  int64_t output_elements() const { return batch * out_channels * output_plane(); }
  int64_t weight_elements() const { return in_channels * group_out_channels() * taps(); }
};

// Checks every rule of VktcConvTransposeDesc and lifts the problem to three axes.
bool make_problem(const VktcConvTransposeDesc& desc, Problem& problem, VktcError& error);

// Two for each multiply-add that reaches an output: taps that fall outside the output do not count.
double useful_flop(const Problem& problem);

// Input, weights, bias and output, each once.
double least_bytes(const Problem& problem);

}  // namespace vktconv

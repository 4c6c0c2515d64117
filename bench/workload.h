// What a problem costs at the least, computed without a device.
#pragma once

#include <vktconv/vktconv.h>

namespace vktconv::bench {

struct Workload {
  double flop = 0;   // two for each multiply-add that reaches an output: taps outside the output do not count
  double bytes = 0;  // input, weights, bias, output and what post-ops read, each once
  double input_bytes = 0, weights_bytes = 0, output_bytes = 0;
};

// Throws std::invalid_argument where desc is invalid.
Workload workload(const VktcConvTransposeDesc& desc);

}  // namespace vktconv::bench

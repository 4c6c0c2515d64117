// Checks the very output that was timed: sampled elements against the definition, evaluated in double.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "reference.h"
#include "vulkan_table.h"

namespace vktconv::bench {

struct Verification {
  int64_t samples = 0;
  int64_t failures = 0;
  double error_ratio = 0;     // the largest |error| / bound; infinite for NaN
  std::string first_failure;  // "output [0, 3, 17]: 1.5 instead of 1.25 (bound 0.001)"
};

// Flat indices, ascending, without repetition: the corners of every axis, both ends, the surroundings of every 2^31st
// element and byte, the borders of phases, tiles and groups, and random ones; about count, or all where there are
// fewer.
std::vector<int64_t> sample_indices(const VktcConvTransposeDesc& desc, const int64_t output_size[], int64_t count);

// What DataGenerator fills the tensors of a problem with.
reference::Sources generated_sources(const VktcConvTransposeDesc& desc);

// The inputs must have been filled by DataGenerator. Reads the samples with small copies. Throws host::Error.
// precision: of the plan; where it was relaxed, the bound of fp32 is that of elements rounded to eleven bits.
Verification verify(host::Device& device, const VulkanTable& vulkan, const VktcConvTransposeDesc& desc,
                    const int64_t output_size[], const host::Buffer& output, int64_t count,
                    VktcPrecision precision = VKTC_PRECISION_F32);

}  // namespace vktconv::bench

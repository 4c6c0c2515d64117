// What the device can do at most, measured in the same run as the problems: the yardstick of every result.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <string>

#include "vulkan_table.h"
#include "workload.h"

namespace vktconv::bench {

// Rates per second; 0: not measured.
struct Ceilings {
  double copy_bytes = 0;        // read plus written
  double f32_flop = 0;          // fused multiply-adds, 16 independent chains
  double i32_flop = 0;          // integer multiply-adds, counted as two like the others
  double matrix_flop = 0;       // cooperative matrix, fp16 in, fp32 accumulated, registers only
  std::string matrix_shape;     // "16x16x16"
  std::string matrix_left_out;  // why matrix_flop is 0
};

Ceilings measure_ceilings(host::Device& device, const VulkanTable& vulkan);

struct Floor {
  double ms = 0;      // no true result can be faster: the larger of useful FLOP / rate and least bytes / copy rate
  std::string bound;  // "copy", "fp32", "int32" or "matrix"
};

// 16-bit types are held against the matrix units where the device has them.
Floor floor_of(const Ceilings& ceilings, VktcDataType type, const Workload& work);

}  // namespace vktconv::bench

// What the algorithms on matrix units (cooperative matrices) have in common.
#pragma once

#include <cstdint>
#include <string>

#include "algorithms/blocks.h"
#include "device_caps.h"
#include "shape.h"

namespace vktconv {

struct MatrixShape {
  uint32_t m = 0, n = 0, k = 0;  // 0: the device has none
};

// The elements of a vector of 16 bytes, in which matrix units are fed (shaders/octets.glsl).
int64_t octet_elements(VktcDataType type);

// The largest shape of at most 16 that multiplies a problem's elements into fp32, fp32 elements as fp16; int8 into
// int32, at most 32 deep.
MatrixShape find_matrix_shape(const DeviceCaps& caps, VktcDataType type);

// Whether the device multiplies matrices of this shape and type, and this build has the shader; else why not.
bool matrix_units_available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape,
                            const std::string& shader, std::string& why_not);

// What two fp16 parts of fp32 leave out is up to 12 * 2^-24 of a product, and the bound of a sum of n products is (n +
// 2) * 2^-24 of all of them. Each tap that reaches an output brings a product for each in-channel.
constexpr int64_t least_f32_in_channels = 16;
std::string few_f32_in_channels();  // why a group with fewer is not for them

// fp32: the weights once more, for the outputs that fp16 parts cannot tell (shaders/exact.glsl).
Blocking exact_weights(const Problem& problem, const Blocking& blocking);

// What a workgroup multiplies: rows x positions, depth in-channels at once, shared out among subgroups.
struct MatrixTile {
  uint32_t rows = 0, positions = 0, depth = 0, warps_m = 0, warps_n = 0;
};

// In words, for Plan::tile.
std::string describe_matrices(const MatrixTile& tile, const MatrixShape& shape, const DeviceCaps& caps);

}  // namespace vktconv

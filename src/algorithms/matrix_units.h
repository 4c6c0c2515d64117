// What the algorithms on matrix units (cooperative matrices) have in common.
#pragma once

#include <cstdint>
#include <string>

#include "device_caps.h"
#include "shape.h"

namespace vktconv {

struct MatrixShape {
  uint32_t m = 0, n = 0, k = 0;  // 0: the device has none
};

// The largest shape of at most 16 that multiplies a problem's elements into fp32; fp32 elements as fp16.
MatrixShape find_matrix_shape(const DeviceCaps& caps, VktcDataType type);

// Whether the device multiplies matrices of this shape and type, and this build has the shader; else why not.
bool matrix_units_available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape,
                            const std::string& shader, std::string& why_not);

// What a workgroup multiplies: rows x positions, depth in-channels at once, shared out among subgroups.
struct MatrixTile {
  uint32_t rows = 0, positions = 0, depth = 0, warps_m = 0, warps_n = 0;
};

// In words, for Plan::tile.
std::string describe_matrices(const MatrixTile& tile, const MatrixShape& shape, const DeviceCaps& caps);

}  // namespace vktconv

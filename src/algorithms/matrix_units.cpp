#include "algorithms/matrix_units.h"

#include "algorithms/algorithm.h"
#include "shader_table.h"

namespace vktconv {
namespace {

// VkComponentTypeKHR.
enum : uint32_t {
  component_float16 = 0,
  component_float32 = 1,
  component_sint8 = 3,
  component_sint32 = 5,
  component_bfloat16 = 1000141000
};

}  // namespace

int64_t octet_elements(VktcDataType type) { return type == VKTC_DATA_TYPE_I8 ? 16 : 8; }

MatrixShape find_matrix_shape(const DeviceCaps& caps, VktcDataType type) {
  const bool is_i8 = type == VKTC_DATA_TYPE_I8;
  const uint32_t element = is_i8                         ? component_sint8
                           : type == VKTC_DATA_TYPE_BF16 ? component_bfloat16
                                                         : component_float16;
  const uint32_t sum = is_i8 ? component_sint32 : component_float32;
  const uint32_t most_k = is_i8 ? 32 : 16;
  MatrixShape best;
  for (const CooperativeMatrixShape& shape : caps.cooperative_matrix_shapes) {
    if (shape.a_type != element || shape.b_type != element || shape.c_type != sum || shape.result_type != sum ||
        shape.saturating) {
      continue;
    }
    const bool small = shape.m <= 16 && shape.n <= 16 && shape.k <= most_k && shape.k % 8 == 0 && shape.n % 4 == 0;
    if (small && shape.m * shape.n * shape.k > best.m * best.n * best.k) best = {shape.m, shape.n, shape.k};
  }
  return best;
}

bool matrix_units_available(const Problem& problem, const DeviceCaps& caps, const MatrixShape& shape,
                            const std::string& shader, std::string& why_not) {
  const bool is_i8 = problem.data_type == VKTC_DATA_TYPE_I8;
  if (problem.data_type == VKTC_DATA_TYPE_I32 || (is_i8 && shader != "matrix")) {
    why_not = shader == "matrix" ? "it multiplies floating-point elements and int8 only"
                                 : "it multiplies floating-point elements only";
  } else if (!caps.cooperative_matrix || !caps.vulkan_memory_model || !caps.subgroup_basic) {
    why_not = "the device has no cooperative matrices (VK_KHR_cooperative_matrix and vulkanMemoryModel enabled)";
  } else if (is_i8 && !has_8bit_kernels(caps)) {
    why_not =
        "storageBuffer8BitAccess, storageBuffer16BitAccess, shaderInt16 and shaderIntegerDotProduct are not enabled";
  } else if (is_i8 && !caps.shader_int8) {
    why_not = "the feature shaderInt8 is not enabled";
  } else if (!is_i8 && (problem.data_type == VKTC_DATA_TYPE_BF16 ? !caps.shader_bfloat16 : !caps.shader_float16)) {
    why_not = problem.data_type == VKTC_DATA_TYPE_BF16
                  ? "the device has no bf16 cooperative matrices (VK_KHR_shader_bfloat16)"
                  : "the feature shaderFloat16 is not enabled";
  } else if (problem.data_type != VKTC_DATA_TYPE_F32 && !caps.storage_16bit) {
    why_not = "storageBuffer16BitAccess and shaderInt16 are not enabled";
  } else if ((problem.data_type == VKTC_DATA_TYPE_F16 || problem.data_type == VKTC_DATA_TYPE_F32) &&
             !caps.rounding_rte_float16) {
    why_not = "the device cannot be told to round fp16 to nearest even (shaderRoundingModeRTEFloat16)";
  } else if (shape.m == 0) {
    why_not = is_i8 ? "the device has no cooperative matrix shape up to 16 of int8 with int32 sums"
                    : "the device has no cooperative matrix shape up to 16 with fp32 accumulation for this type";
  } else if (problem.axes[2].stride > 64) {
    why_not = "the stride of the width is more than 64";
  } else if (find_shader(variant_name(shader, problem.data_type, caps, false)) == nullptr) {
    why_not = "this build has no shader " + variant_name(shader, problem.data_type, caps, false);
  } else {
    return true;
  }
  return false;
}

std::string few_f32_in_channels() {
  return "fp32 in two fp16 parts is as exact as fp32 only for sums of many products: a group must have " +
         std::to_string(least_f32_in_channels) + " in-channels";
}

Blocking exact_weights(const Problem& problem, const Blocking& blocking) {
  Blocking exact;
  exact.channels = blocking.channels;
  exact.rows = round_up(blocking.channels, 4);
  exact.packed_in_channels = problem.group_in_channels();
  exact.pack_local_size = 64;
  return exact;
}

std::string describe_matrices(const MatrixTile& tile, const MatrixShape& shape, const DeviceCaps& caps) {
  const auto text = [](uint32_t number) { return std::to_string(number); };
  return text(tile.rows) + " rows x " + text(tile.positions) + " positions x " + text(tile.depth) + " deep, " +
         text(shape.m) + "x" + text(shape.n) + "x" + text(shape.k) + " matrices, " + text(tile.warps_m) + " x " +
         text(tile.warps_n) + " subgroups of " + text(caps.subgroup_size);
}

}  // namespace vktconv

// Everything the planner knows of a device, as plain data: a test fills it in by hand (a phone, an Ada card, a device
// with a binding limit of 128 MiB).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vktconv {

// One row of vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR with subgroup scope. Component types are the values of
// VkComponentTypeKHR.
struct CooperativeMatrixShape {
  uint32_t m = 0, n = 0, k = 0;
  uint32_t a_type = 0, b_type = 0, c_type = 0, result_type = 0;
  bool saturating = false;
};

constexpr uint32_t vendor_nvidia = 0x10de;

struct DeviceCaps {
  std::string name = "unnamed";
  uint32_t api_version = 0;  // the lower of the device's and what the application asked for
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  uint32_t driver_version = 0;
  bool is_cpu = false;

  // Limits, named as in VkPhysicalDeviceLimits and its relatives. The defaults are the least that Vulkan guarantees.
  uint32_t max_compute_work_group_count[3] = {65535, 65535, 65535};
  uint32_t max_compute_work_group_size[3] = {128, 128, 64};
  uint32_t max_compute_work_group_invocations = 128;
  uint32_t max_compute_shared_memory_size = 16384;
  uint32_t max_push_constants_size = 128;
  uint64_t max_storage_buffer_range = 1u << 27;
  uint32_t max_storage_buffers_per_stage = 4;  // maxPerStageDescriptorStorageBuffers
  uint64_t max_memory_allocation_size = 1u << 30;
  uint64_t max_buffer_size = 1u << 30;
  uint64_t min_storage_buffer_offset_alignment = 256;

  // Subgroups.
  uint32_t subgroup_size = 1;
  uint32_t min_subgroup_size = 1;
  uint32_t max_subgroup_size = 1;
  bool subgroup_basic = false;  // in compute shaders, like the next three
  bool subgroup_arithmetic = false;
  bool subgroup_shuffle = false;
  bool subgroup_ballot = false;
  bool subgroup_size_control = false;                     // enabled: the size can be required per pipeline
  uint32_t max_compute_workgroup_subgroups = 0xffffffff;  // of a pipeline that requires a size
  bool compute_full_subgroups = false;

  // Features that the application enabled.
  bool storage_16bit = false;  // storageBuffer16BitAccess and shaderInt16
  bool shader_float16 = false;
  bool buffer_device_address = false;
  bool push_descriptor = false;
  bool vulkan_memory_model = false;
  bool cooperative_matrix = false;
  bool cooperative_matrix2 = false;
  bool shader_bfloat16 = false;  // with its cooperative matrices
  bool shader_int8 = false;
  bool storage_8bit = false;
  bool integer_dot_product = false;
  bool executable_properties = false;
  std::vector<CooperativeMatrixShape> cooperative_matrix_shapes;
  // How many invocations are expected to share a column of a matrix of fp32 sums, each with every so manieth of its
  // elements; 0: it is not known. Shaders look whether it is so (shaders/matrix_window_lanes.glsl).
  uint32_t matrix_row_lanes = 0;

  bool rounding_rte_float16 = false;  // shaderRoundingModeRTEFloat16: a shader can ask for rounding to nearest even

  // Rates for the cost model; 0: unknown.
  uint32_t multiprocessors = 0;
  double fp32_flops = 0;
  double matrix_flops = 0;      // fp16 in, fp32 accumulate
  double memory_bandwidth = 0;  // bytes per second, read and written
};

}  // namespace vktconv

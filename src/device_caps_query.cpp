#include "device_caps_query.h"

#include <algorithm>
#include <string_view>

#include "device_features.h"
#include "device_rates.h"

namespace vktconv {
namespace {

// The properties that the library asks for, chained as far as the device knows them.
struct Properties {
  VkPhysicalDeviceProperties2 base{};
  VkPhysicalDeviceDriverProperties driver{};
  VkPhysicalDeviceMaintenance3Properties maintenance3{};
  VkPhysicalDeviceSubgroupProperties subgroup{};
  VkPhysicalDeviceMaintenance4Properties maintenance4{};
  VkPhysicalDeviceSubgroupSizeControlProperties subgroup_size_control{};
  VkPhysicalDeviceFloatControlsProperties float_controls{};
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV sm_builtins{};
  VkPhysicalDeviceShaderCorePropertiesAMD shader_core{};
  VkPhysicalDeviceShaderCoreProperties2AMD shader_core2{};
#ifdef VK_ARM_shader_core_builtins
  VkPhysicalDeviceShaderCoreBuiltinsPropertiesARM shader_core_arm{};
#endif
#ifdef VK_KHR_cooperative_matrix
  VkPhysicalDeviceCooperativeMatrixPropertiesKHR cooperative_matrix{};
#endif

  Properties(const InstanceFunctions& functions, VkPhysicalDevice physical_device, uint32_t api_version,
             const ExtensionList& extensions) {
    base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    const bool is_1_3 = api_version >= VK_API_VERSION_1_3;
    const auto has = [&](const char* name) { return has_extension(extensions, name); };
    append(true, driver, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
    append(true, maintenance3, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
    append(true, subgroup, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
    append(true, float_controls, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FLOAT_CONTROLS_PROPERTIES);
    append(is_1_3 || has(VK_KHR_MAINTENANCE_4_EXTENSION_NAME), maintenance4,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES);
    append(is_1_3 || has(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME), subgroup_size_control,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
    append(has(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME), sm_builtins,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV);
    append(has(VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME), shader_core,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD);
    append(has(VK_AMD_SHADER_CORE_PROPERTIES_2_EXTENSION_NAME), shader_core2,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_2_AMD);
#ifdef VK_ARM_shader_core_builtins
    append(has(VK_ARM_SHADER_CORE_BUILTINS_EXTENSION_NAME), shader_core_arm,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_BUILTINS_PROPERTIES_ARM);
#endif
#ifdef VK_KHR_cooperative_matrix
    append(has(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME), cooperative_matrix,
           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR);
#endif
    functions.GetPhysicalDeviceProperties2(physical_device, &base);
  }
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;

 private:
  template <typename Structure>
  void append(bool known, Structure& structure, VkStructureType type) {
    structure.sType = type;
    if (!known) return;  // its values stay zero
    structure.pNext = base.pNext;
    base.pNext = &structure;
  }
};

void set_limits(const Properties& properties, DeviceCaps& caps) {
  const VkPhysicalDeviceLimits& limits = properties.base.properties.limits;
  std::copy_n(limits.maxComputeWorkGroupCount, 3, caps.max_compute_work_group_count);
  std::copy_n(limits.maxComputeWorkGroupSize, 3, caps.max_compute_work_group_size);
  caps.max_compute_work_group_invocations = limits.maxComputeWorkGroupInvocations;
  caps.max_compute_shared_memory_size = limits.maxComputeSharedMemorySize;
  caps.max_push_constants_size = limits.maxPushConstantsSize;
  caps.max_storage_buffer_range = limits.maxStorageBufferRange;
  caps.max_storage_buffers_per_stage = limits.maxPerStageDescriptorStorageBuffers;
  caps.min_storage_buffer_offset_alignment = limits.minStorageBufferOffsetAlignment;
  caps.max_memory_allocation_size = properties.maintenance3.maxMemoryAllocationSize;
  caps.max_buffer_size = properties.maintenance4.maxBufferSize;
  if (caps.max_buffer_size == 0) caps.max_buffer_size = caps.max_memory_allocation_size;  // not told
}

void set_subgroups(const Properties& properties, const FeatureSet& enabled, bool size_control_usable,
                   DeviceCaps& caps) {
  const VkPhysicalDeviceSubgroupProperties& subgroup = properties.subgroup;
  // Some drivers say 0 where they have no subgroups.
  caps.subgroup_size = std::max(subgroup.subgroupSize, 1u);
  caps.min_subgroup_size = caps.subgroup_size;
  caps.max_subgroup_size = caps.subgroup_size;
  const bool in_compute = (subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  const auto has = [&](VkSubgroupFeatureFlags operation) {
    return in_compute && (subgroup.supportedOperations & operation) != 0;
  };
  caps.subgroup_basic = has(VK_SUBGROUP_FEATURE_BASIC_BIT);
  caps.subgroup_arithmetic = has(VK_SUBGROUP_FEATURE_ARITHMETIC_BIT);
  caps.subgroup_shuffle = has(VK_SUBGROUP_FEATURE_SHUFFLE_BIT);
  caps.subgroup_ballot = has(VK_SUBGROUP_FEATURE_BALLOT_BIT);

  const VkPhysicalDeviceSubgroupSizeControlProperties& control = properties.subgroup_size_control;
  if (!size_control_usable || control.minSubgroupSize == 0) return;
  caps.compute_full_subgroups = enabled.has(Feature::compute_full_subgroups);
  if (!enabled.has(Feature::subgroup_size_control)) return;
  caps.min_subgroup_size = control.minSubgroupSize;
  caps.max_subgroup_size = std::max(control.maxSubgroupSize, control.minSubgroupSize);
  caps.max_compute_workgroup_subgroups = control.maxComputeWorkgroupSubgroups;
  caps.subgroup_size_control = (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
}

#ifdef VK_KHR_cooperative_matrix
// Empty where the driver fails to tell: then there is no cooperative matrix to use.
std::vector<CooperativeMatrixShape> query_shapes(const InstanceFunctions& functions, VkPhysicalDevice physical_device) {
  const auto query = functions.GetPhysicalDeviceCooperativeMatrixPropertiesKHR;
  if (query == nullptr) return {};
  uint32_t count = 0;
  if (query(physical_device, &count, nullptr) != VK_SUCCESS || count == 0) return {};
  VkCooperativeMatrixPropertiesKHR empty{};
  empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  std::vector<VkCooperativeMatrixPropertiesKHR> rows(count, empty);
  const VkResult result = query(physical_device, &count, rows.data());
  if (result != VK_SUCCESS && result != VK_INCOMPLETE) return {};
  rows.resize(std::min<size_t>(count, rows.size()));

  std::vector<CooperativeMatrixShape> shapes;
  for (const VkCooperativeMatrixPropertiesKHR& row : rows) {
    if (row.scope != VK_SCOPE_SUBGROUP_KHR || row.MSize == 0 || row.NSize == 0 || row.KSize == 0) continue;
    CooperativeMatrixShape shape;
    shape.m = row.MSize;
    shape.n = row.NSize;
    shape.k = row.KSize;
    shape.a_type = static_cast<uint32_t>(row.AType);
    shape.b_type = static_cast<uint32_t>(row.BType);
    shape.c_type = static_cast<uint32_t>(row.CType);
    shape.result_type = static_cast<uint32_t>(row.ResultType);
    shape.saturating = row.saturatingAccumulation == VK_TRUE;
    shapes.push_back(shape);
  }
  return shapes;
}
#endif

// Drivers that offer cooperative matrices and then fail at them.
[[maybe_unused]] bool has_broken_cooperative_matrix(const Properties& properties) {
  // llvmpipe of Mesa 26.1 with vectors of 512 bits crashes when it compiles one.
  return properties.driver.driverID == VK_DRIVER_ID_MESA_LLVMPIPE && properties.subgroup.subgroupSize > 8;
}

template <typename Enabled>
void set_cooperative_matrix([[maybe_unused]] const InstanceFunctions& functions,
                            [[maybe_unused]] VkPhysicalDevice physical_device,
                            [[maybe_unused]] const Properties& properties, [[maybe_unused]] const FeatureSet& features,
                            [[maybe_unused]] const Enabled& enabled, [[maybe_unused]] DeviceCaps& caps) {
#ifdef VK_KHR_cooperative_matrix
  if (!enabled(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) || !features.has(Feature::cooperative_matrix)) return;
  const VkShaderStageFlags stages = properties.cooperative_matrix.cooperativeMatrixSupportedStages;
  if ((stages & VK_SHADER_STAGE_COMPUTE_BIT) == 0 || has_broken_cooperative_matrix(properties)) return;
  caps.cooperative_matrix_shapes = query_shapes(functions, physical_device);
  caps.cooperative_matrix = !caps.cooperative_matrix_shapes.empty();
#ifdef VK_NV_cooperative_matrix2
  caps.cooperative_matrix2 = caps.cooperative_matrix && enabled(VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME) &&
                             features.has(Feature::cooperative_matrix_workgroup_scope) &&
                             features.has(Feature::cooperative_matrix_flexible_dimensions) &&
                             features.has(Feature::cooperative_matrix_tensor_addressing);
#endif
#ifdef VK_KHR_shader_bfloat16
  caps.shader_bfloat16 = caps.cooperative_matrix && enabled(VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME) &&
                         features.has(Feature::shader_bfloat16) &&
                         features.has(Feature::shader_bfloat16_cooperative_matrix);
#endif
#endif
}

uint32_t count_multiprocessors(const Properties& properties) {
  if (properties.sm_builtins.shaderSMCount != 0) return properties.sm_builtins.shaderSMCount;
  if (properties.shader_core2.activeComputeUnitCount != 0) return properties.shader_core2.activeComputeUnitCount;
  const VkPhysicalDeviceShaderCorePropertiesAMD& amd = properties.shader_core;
  const uint32_t compute_units =
      amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray;
  if (compute_units != 0) return compute_units;
#ifdef VK_ARM_shader_core_builtins
  return properties.shader_core_arm.shaderCoreCount;
#else
  return 0;
#endif
}

DeviceKind device_kind(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return DeviceKind::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return DeviceKind::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return DeviceKind::virtual_gpu;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return DeviceKind::cpu;
    default:
      return DeviceKind::other;
  }
}

}  // namespace

bool query_device_caps(const InstanceFunctions& functions, VkPhysicalDevice physical_device, uint32_t api_version,
                       const VkDeviceCreateInfo* device_create_info, DeviceCaps& caps, VktcError& error) {
  ExtensionList supported;
  if (!supported_extensions(functions, physical_device, supported, error)) return false;
  VkPhysicalDeviceProperties device{};
  functions.GetPhysicalDeviceProperties(physical_device, &device);
  api_version = std::min(api_version, device.apiVersion);
  const Properties properties(functions, physical_device, api_version, supported);

  FeatureSet features;
  if (device_create_info != nullptr) {
    features = read_features(device_create_info->pEnabledFeatures, device_create_info->pNext);
  }
  const auto enabled = [&](std::string_view name) {
    if (device_create_info == nullptr) return false;
    const char* const* names = device_create_info->ppEnabledExtensionNames;
    return std::any_of(names, names + device_create_info->enabledExtensionCount,
                       [&](const char* candidate) { return name == candidate; });
  };
  const bool is_1_3 = api_version >= VK_API_VERSION_1_3;

  caps = DeviceCaps{};
  caps.name = device.deviceName;
  caps.api_version = api_version;
  caps.vendor_id = device.vendorID;
  caps.device_id = device.deviceID;
  caps.driver_version = device.driverVersion;
  caps.is_cpu = device.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  set_limits(properties, caps);
  set_subgroups(properties, features, is_1_3 || enabled(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME), caps);

  caps.storage_16bit = features.has(Feature::storage_16bit) && features.has(Feature::shader_int16);
  caps.shader_float16 = features.has(Feature::shader_float16);
  caps.buffer_device_address = features.has(Feature::buffer_device_address);
  caps.push_descriptor = enabled(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME) || features.has(Feature::push_descriptor);
  // Of one width only: shaders leave the others alone.
  caps.rounding_rte_float16 =
      properties.float_controls.shaderRoundingModeRTEFloat16 != VK_FALSE &&
      properties.float_controls.roundingModeIndependence != VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_NONE;
  caps.vulkan_memory_model = features.has(Feature::vulkan_memory_model);
  caps.shader_int8 = features.has(Feature::shader_int8);
  caps.storage_8bit = features.has(Feature::storage_8bit);
  caps.integer_dot_product = features.has(Feature::integer_dot_product) &&
                             (is_1_3 || enabled(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME));
  caps.executable_properties =
      features.has(Feature::pipeline_executable_info) && enabled(VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME);
  set_cooperative_matrix(functions, physical_device, properties, features, enabled, caps);
  // NVIDIA's instructions since Turing have eight along the rows and four along the columns; to lavapipe a column is an
  // invocation's.
  const VkDriverId driver = properties.driver.driverID;
  if (driver == VK_DRIVER_ID_NVIDIA_PROPRIETARY && caps.subgroup_size == 32) caps.matrix_row_lanes = 8;
  if (driver == VK_DRIVER_ID_MESA_LLVMPIPE) caps.matrix_row_lanes = 1;

  caps.multiprocessors = count_multiprocessors(properties);
  set_device_rates(device_kind(device.deviceType), caps);
  return true;
}

}  // namespace vktconv

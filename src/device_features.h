// The device features that the library knows, wherever they stand in a chain of feature structures: Vulkan keeps most
// of them in two places, a VkPhysicalDeviceVulkan1xFeatures and the structure of the extension they came from.
#pragma once

#include <vktconv/vktconv.h>

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vulkan_functions.h"

namespace vktconv {

enum class Feature : uint32_t {
  shader_int16,
  storage_16bit,
  storage_8bit,
  shader_float16,
  shader_int8,
  buffer_device_address,
  vulkan_memory_model,
  vulkan_memory_model_device_scope,
  subgroup_size_control,
  compute_full_subgroups,
  integer_dot_product,
  push_descriptor,  // of Vulkan 1.4; the extension has no feature
  cooperative_matrix,
  cooperative_matrix_workgroup_scope,  // this and the next two: of VK_NV_cooperative_matrix2
  cooperative_matrix_flexible_dimensions,
  cooperative_matrix_tensor_addressing,
  shader_bfloat16,
  shader_bfloat16_cooperative_matrix,
  pipeline_executable_info,
  count
};

class FeatureSet {
 public:
  bool has(Feature feature) const { return bits_[static_cast<size_t>(feature)]; }
  void add(Feature feature) { bits_.set(static_cast<size_t>(feature)); }

 private:
  std::bitset<static_cast<size_t>(Feature::count)> bits_;
};

// The features that are VK_TRUE in core (may be null) or anywhere in the chain. Unknown structures are skipped.
FeatureSet read_features(const VkPhysicalDeviceFeatures* core, const void* chain);

// Sets to VK_TRUE what the library would like and supported has, wherever it finds it in the chain.
void request_features(const FeatureSet& supported, void* chain);

using ExtensionList = std::vector<VkExtensionProperties>;

bool has_extension(const ExtensionList& extensions, std::string_view name);
bool supported_extensions(const InstanceFunctions& functions, VkPhysicalDevice physical_device,
                          ExtensionList& extensions, VktcError& error);
FeatureSet supported_features(const InstanceFunctions& functions, VkPhysicalDevice physical_device,
                              uint32_t api_version, const ExtensionList& extensions);

// The names of the extensions that the library would like and the device has; static strings.
std::vector<const char*> wanted_extensions(const ExtensionList& extensions, const FeatureSet& supported);

}  // namespace vktconv

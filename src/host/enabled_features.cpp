#include "enabled_features.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "raise.h"

namespace vktconv::host {
namespace {

// Where the bit of a feature stands.
struct FeatureName {
  const char* name;
  VkStructureType structure;
  size_t offset;
};

#define VKTC_FEATURE(structure, type, member) \
  FeatureName { #member, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##structure, offsetof(type, member) }

constexpr FeatureName feature_names[] = {
    {"shaderInt16", VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
     offsetof(VkPhysicalDeviceFeatures2, features) + offsetof(VkPhysicalDeviceFeatures, shaderInt16)},
    VKTC_FEATURE(16BIT_STORAGE_FEATURES, VkPhysicalDevice16BitStorageFeatures, storageBuffer16BitAccess),
    VKTC_FEATURE(8BIT_STORAGE_FEATURES, VkPhysicalDevice8BitStorageFeatures, storageBuffer8BitAccess),
    VKTC_FEATURE(SHADER_FLOAT16_INT8_FEATURES, VkPhysicalDeviceShaderFloat16Int8Features, shaderFloat16),
    VKTC_FEATURE(SHADER_FLOAT16_INT8_FEATURES, VkPhysicalDeviceShaderFloat16Int8Features, shaderInt8),
    VKTC_FEATURE(BUFFER_DEVICE_ADDRESS_FEATURES, VkPhysicalDeviceBufferDeviceAddressFeatures, bufferDeviceAddress),
    VKTC_FEATURE(VULKAN_MEMORY_MODEL_FEATURES, VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModel),
    VKTC_FEATURE(VULKAN_MEMORY_MODEL_FEATURES, VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModelDeviceScope),
    VKTC_FEATURE(SUBGROUP_SIZE_CONTROL_FEATURES, VkPhysicalDeviceSubgroupSizeControlFeatures, subgroupSizeControl),
    VKTC_FEATURE(SUBGROUP_SIZE_CONTROL_FEATURES, VkPhysicalDeviceSubgroupSizeControlFeatures, computeFullSubgroups),
    VKTC_FEATURE(SHADER_INTEGER_DOT_PRODUCT_FEATURES, VkPhysicalDeviceShaderIntegerDotProductFeatures,
                 shaderIntegerDotProduct),
#ifdef VK_KHR_cooperative_matrix
    VKTC_FEATURE(COOPERATIVE_MATRIX_FEATURES_KHR, VkPhysicalDeviceCooperativeMatrixFeaturesKHR, cooperativeMatrix),
#endif
#ifdef VK_KHR_shader_bfloat16
    VKTC_FEATURE(SHADER_BFLOAT16_FEATURES_KHR, VkPhysicalDeviceShaderBfloat16FeaturesKHR, shaderBFloat16Type),
    VKTC_FEATURE(SHADER_BFLOAT16_FEATURES_KHR, VkPhysicalDeviceShaderBfloat16FeaturesKHR,
                 shaderBFloat16CooperativeMatrix),
#endif
    VKTC_FEATURE(PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR,
                 pipelineExecutableInfo),
};
#undef VKTC_FEATURE

// An extension, and its feature structure: none where it has none.
struct ExtensionName {
  const char* name;
  VkStructureType structure = VK_STRUCTURE_TYPE_MAX_ENUM;
};

constexpr ExtensionName extension_names[] = {
    {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME},
    {VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES},
    {VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES},
#ifdef VK_KHR_cooperative_matrix
    {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR},
#endif
#ifdef VK_KHR_shader_bfloat16
    {VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR},
#endif
    {VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME,
     VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR},
};

std::vector<std::string> device_extensions(const InstanceTable& functions, VkPhysicalDevice physical_device) {
  std::vector<VkExtensionProperties> properties;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    uint32_t count = 0;
    check_vulkan(functions.vkEnumerateDeviceExtensionProperties(physical_device, nullptr, &count, nullptr),
                 "vkEnumerateDeviceExtensionProperties");
    properties.resize(count);
    result = functions.vkEnumerateDeviceExtensionProperties(physical_device, nullptr, &count, properties.data());
    check_vulkan(result, "vkEnumerateDeviceExtensionProperties");
    properties.resize(count);
  }
  std::vector<std::string> names;
  for (const VkExtensionProperties& extension : properties) names.emplace_back(extension.extensionName);
  return names;
}

VkBool32* find_bit(VkPhysicalDeviceFeatures2& chain, const FeatureName& feature) {
  for (auto* structure = reinterpret_cast<VkBaseOutStructure*>(&chain); structure != nullptr;
       structure = structure->pNext) {
    if (structure->sType == feature.structure) {
      return reinterpret_cast<VkBool32*>(reinterpret_cast<std::byte*>(structure) + feature.offset);
    }
  }
  return nullptr;
}

}  // namespace

EnabledFeatures::EnabledFeatures(const InstanceTable& functions, VkInstance instance, VkPhysicalDevice physical_device,
                                 bool pipeline_statistics, std::span<const std::string> disable)
    : features_(instance, physical_device, vulkan_loader()->vkGetInstanceProcAddr),
      extensions_(features_.extensions()) {
  if (pipeline_statistics) enable_pipeline_statistics(functions, physical_device);
  for (const std::string& name : disable) disable_by_name(name);
  // Must be enabled where it is there: a device that is not all of Vulkan, for example Metal below.
  static constexpr const char* portability_subset = "VK_KHR_portability_subset";
  for (const std::string& name : device_extensions(functions, physical_device)) {
    if (name == portability_subset) extensions_.push_back(portability_subset);
  }
}

std::vector<std::string> EnabledFeatures::names() {
  std::vector<std::string> names;
  for (const FeatureName& feature : feature_names) {
    const VkBool32* bit = find_bit(features_.chain(), feature);
    if (bit != nullptr && *bit == VK_TRUE) names.emplace_back(feature.name);
  }
  return names;
}

void EnabledFeatures::enable_pipeline_statistics(const InstanceTable& functions, VkPhysicalDevice physical_device) {
  static constexpr const char* extension = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  const std::vector<std::string> there = device_extensions(functions, physical_device);
  if (std::find(there.begin(), there.end(), extension) == there.end()) return;
  statistics_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
  VkPhysicalDeviceFeatures2 supported = {};
  supported.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  supported.pNext = &statistics_;
  functions.vkGetPhysicalDeviceFeatures2(physical_device, &supported);
  if (!statistics_.pipelineExecutableInfo) return;
  statistics_.pNext = features_.chain().pNext;
  features_.chain().pNext = &statistics_;
  extensions_.push_back(extension);
}

void EnabledFeatures::disable_by_name(const std::string& name) {
  for (const FeatureName& feature : feature_names) {
    if (name != feature.name) continue;
    if (VkBool32* bit = find_bit(features_.chain(), feature)) *bit = VK_FALSE;
    return;
  }
  for (const ExtensionName& extension : extension_names) {
    if (name != extension.name) continue;
    remove_extension(extension.name);
    if (extension.structure != VK_STRUCTURE_TYPE_MAX_ENUM) unlink(extension.structure);
    return;
  }
  std::string known = " VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT";  // Device sees to that one
  for (const FeatureName& feature : feature_names) known += std::string(" ") + feature.name;
  for (const ExtensionName& extension : extension_names) known += std::string(" ") + extension.name;
  raise(VKTC_ERROR_INVALID_PARAMETER, "disable",
        "disable names \"%s\", which is no feature or extension that can be disabled; these are:%s", name.c_str(),
        known.c_str());
}

void EnabledFeatures::remove_extension(std::string_view name) {
  std::erase_if(extensions_, [name](const char* extension) { return name == extension; });
}

void EnabledFeatures::unlink(VkStructureType type) {
  auto* structure = reinterpret_cast<VkBaseOutStructure*>(&features_.chain());
  while (structure->pNext != nullptr) {
    if (structure->pNext->sType == type) {
      structure->pNext = structure->pNext->pNext;
    } else {
      structure = structure->pNext;
    }
  }
}

}  // namespace vktconv::host

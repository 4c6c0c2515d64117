#include "device_features.h"

#include <cstddef>
#include <cstring>

namespace vktconv {
namespace {

// Where one feature bit stands.
struct FeatureBit {
  VkStructureType structure;
  size_t offset;
  Feature feature;
  bool wanted;  // asked for by vktcRequestDeviceFeatures
};

#define VKTC_BIT(type, structure, member, feature, wanted) \
  FeatureBit { VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_##type, offsetof(structure, member), Feature::feature, wanted }
#define VKTC_CORE_BIT(member, feature)                                                                                \
  FeatureBit {                                                                                                        \
    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,                                                                     \
        offsetof(VkPhysicalDeviceFeatures2, features) + offsetof(VkPhysicalDeviceFeatures, member), Feature::feature, \
        true                                                                                                          \
  }

constexpr FeatureBit feature_bits[] = {
    VKTC_CORE_BIT(shaderInt16, shader_int16),

    VKTC_BIT(VULKAN_1_1_FEATURES, VkPhysicalDeviceVulkan11Features, storageBuffer16BitAccess, storage_16bit, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, storageBuffer8BitAccess, storage_8bit, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, shaderFloat16, shader_float16, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, shaderInt8, shader_int8, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, bufferDeviceAddress, buffer_device_address, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, vulkanMemoryModel, vulkan_memory_model, true),
    VKTC_BIT(VULKAN_1_2_FEATURES, VkPhysicalDeviceVulkan12Features, vulkanMemoryModelDeviceScope,
             vulkan_memory_model_device_scope, true),
    VKTC_BIT(VULKAN_1_3_FEATURES, VkPhysicalDeviceVulkan13Features, subgroupSizeControl, subgroup_size_control, true),
    VKTC_BIT(VULKAN_1_3_FEATURES, VkPhysicalDeviceVulkan13Features, computeFullSubgroups, compute_full_subgroups, true),
    VKTC_BIT(VULKAN_1_3_FEATURES, VkPhysicalDeviceVulkan13Features, shaderIntegerDotProduct, integer_dot_product, true),
#ifdef VK_VERSION_1_4
    VKTC_BIT(VULKAN_1_4_FEATURES, VkPhysicalDeviceVulkan14Features, pushDescriptor, push_descriptor, true),
#endif

    VKTC_BIT(16BIT_STORAGE_FEATURES, VkPhysicalDevice16BitStorageFeatures, storageBuffer16BitAccess, storage_16bit,
             true),
    VKTC_BIT(8BIT_STORAGE_FEATURES, VkPhysicalDevice8BitStorageFeatures, storageBuffer8BitAccess, storage_8bit, true),
    VKTC_BIT(SHADER_FLOAT16_INT8_FEATURES, VkPhysicalDeviceShaderFloat16Int8Features, shaderFloat16, shader_float16,
             true),
    VKTC_BIT(SHADER_FLOAT16_INT8_FEATURES, VkPhysicalDeviceShaderFloat16Int8Features, shaderInt8, shader_int8, true),
    VKTC_BIT(BUFFER_DEVICE_ADDRESS_FEATURES, VkPhysicalDeviceBufferDeviceAddressFeatures, bufferDeviceAddress,
             buffer_device_address, true),
    VKTC_BIT(VULKAN_MEMORY_MODEL_FEATURES, VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModel,
             vulkan_memory_model, true),
    VKTC_BIT(VULKAN_MEMORY_MODEL_FEATURES, VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModelDeviceScope,
             vulkan_memory_model_device_scope, true),
    VKTC_BIT(SUBGROUP_SIZE_CONTROL_FEATURES, VkPhysicalDeviceSubgroupSizeControlFeatures, subgroupSizeControl,
             subgroup_size_control, true),
    VKTC_BIT(SUBGROUP_SIZE_CONTROL_FEATURES, VkPhysicalDeviceSubgroupSizeControlFeatures, computeFullSubgroups,
             compute_full_subgroups, true),
    VKTC_BIT(SHADER_INTEGER_DOT_PRODUCT_FEATURES, VkPhysicalDeviceShaderIntegerDotProductFeatures,
             shaderIntegerDotProduct, integer_dot_product, true),

#ifdef VK_KHR_cooperative_matrix
    VKTC_BIT(COOPERATIVE_MATRIX_FEATURES_KHR, VkPhysicalDeviceCooperativeMatrixFeaturesKHR, cooperativeMatrix,
             cooperative_matrix, true),
#endif
#ifdef VK_NV_cooperative_matrix2
    // No shader uses these yet.
    VKTC_BIT(COOPERATIVE_MATRIX_2_FEATURES_NV, VkPhysicalDeviceCooperativeMatrix2FeaturesNV,
             cooperativeMatrixWorkgroupScope, cooperative_matrix_workgroup_scope, false),
    VKTC_BIT(COOPERATIVE_MATRIX_2_FEATURES_NV, VkPhysicalDeviceCooperativeMatrix2FeaturesNV,
             cooperativeMatrixFlexibleDimensions, cooperative_matrix_flexible_dimensions, false),
    VKTC_BIT(COOPERATIVE_MATRIX_2_FEATURES_NV, VkPhysicalDeviceCooperativeMatrix2FeaturesNV,
             cooperativeMatrixTensorAddressing, cooperative_matrix_tensor_addressing, false),
#endif
#ifdef VK_KHR_shader_bfloat16
    VKTC_BIT(SHADER_BFLOAT16_FEATURES_KHR, VkPhysicalDeviceShaderBfloat16FeaturesKHR, shaderBFloat16Type,
             shader_bfloat16, true),
    VKTC_BIT(SHADER_BFLOAT16_FEATURES_KHR, VkPhysicalDeviceShaderBfloat16FeaturesKHR, shaderBFloat16CooperativeMatrix,
             shader_bfloat16_cooperative_matrix, true),
#endif
    // For people who look at a pipeline's statistics: it may cost speed, so an application asks for it by itself.
    VKTC_BIT(PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR,
             pipelineExecutableInfo, pipeline_executable_info, false),
};

#undef VKTC_BIT
#undef VKTC_CORE_BIT

// Puts a structure at the end of a chain of queried structures.
class ChainEnd {
 public:
  explicit ChainEnd(VkPhysicalDeviceFeatures2& head) : next_(&head.pNext) {}

  template <typename Structure>
  void append(Structure& structure, VkStructureType type) {
    structure.sType = type;
    *next_ = &structure;
    next_ = &structure.pNext;
  }

 private:
  void** next_;
};

}  // namespace

FeatureSet read_features(const VkPhysicalDeviceFeatures* core, const void* chain) {
  FeatureSet features;
  if (core != nullptr && core->shaderInt16) features.add(Feature::shader_int16);
  for (auto* structure = static_cast<const VkBaseInStructure*>(chain); structure != nullptr;
       structure = structure->pNext) {
    for (const FeatureBit& bit : feature_bits) {
      if (bit.structure != structure->sType) continue;
      VkBool32 value = VK_FALSE;
      std::memcpy(&value, reinterpret_cast<const std::byte*>(structure) + bit.offset, sizeof value);
      if (value) features.add(bit.feature);
    }
  }
  return features;
}

void request_features(const FeatureSet& supported, void* chain) {
  const VkBool32 yes = VK_TRUE;
  for (auto* structure = static_cast<VkBaseOutStructure*>(chain); structure != nullptr; structure = structure->pNext) {
    for (const FeatureBit& bit : feature_bits) {
      if (bit.structure != structure->sType || !bit.wanted || !supported.has(bit.feature)) continue;
      std::memcpy(reinterpret_cast<std::byte*>(structure) + bit.offset, &yes, sizeof yes);
    }
  }
}

bool has_extension(const ExtensionList& extensions, std::string_view name) {
  for (const VkExtensionProperties& extension : extensions) {
    if (name == extension.extensionName) return true;
  }
  return false;
}

bool supported_extensions(const InstanceFunctions& functions, VkPhysicalDevice physical_device,
                          ExtensionList& extensions, VktcError& error) {
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {  // the list may grow between the two calls
    uint32_t count = 0;
    result = functions.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count, nullptr);
    if (result != VK_SUCCESS) break;
    extensions.resize(count);
    result = functions.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count, extensions.data());
    extensions.resize(count);
  }
  return result == VK_SUCCESS || fail_vulkan(error, result, "vkEnumerateDeviceExtensionProperties");
}

FeatureSet supported_features(const InstanceFunctions& functions, VkPhysicalDevice physical_device,
                              uint32_t api_version, const ExtensionList& extensions) {
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, nullptr, {}};
  ChainEnd end(features);
  VkPhysicalDeviceVulkan11Features vulkan11{};
  VkPhysicalDeviceVulkan12Features vulkan12{};
  end.append(vulkan11, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
  end.append(vulkan12, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);

  const bool is_1_3 = api_version >= VK_API_VERSION_1_3;
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_size_control{};
  if (is_1_3 || has_extension(extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) {
    end.append(subgroup_size_control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
  }
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot_product{};
  if (is_1_3 || has_extension(extensions, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) {
    end.append(dot_product, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  }
#ifdef VK_VERSION_1_4
  VkPhysicalDeviceVulkan14Features vulkan14{};
  if (api_version >= VK_API_VERSION_1_4) {
    end.append(vulkan14, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES);
  }
#endif
#ifdef VK_KHR_cooperative_matrix
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative_matrix{};
  if (has_extension(extensions, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
    end.append(cooperative_matrix, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  }
#endif
#ifdef VK_KHR_shader_bfloat16
  VkPhysicalDeviceShaderBfloat16FeaturesKHR bfloat16{};
  if (has_extension(extensions, VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME)) {
    end.append(bfloat16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR);
  }
#endif
  functions.GetPhysicalDeviceFeatures2(physical_device, &features);
  return read_features(nullptr, &features);
}

std::vector<const char*> wanted_extensions(const ExtensionList& extensions, const FeatureSet& supported) {
  std::vector<const char*> wanted;
  const auto want = [&](const char* name, bool useful) {
    if (useful && has_extension(extensions, name)) wanted.push_back(name);
  };
  want(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME, true);
  // Part of Vulkan 1.3, but the instance may be for 1.2.
  want(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, supported.has(Feature::subgroup_size_control));
  want(VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, supported.has(Feature::integer_dot_product));
#ifdef VK_KHR_cooperative_matrix
  // Some drivers list the extension where the feature is false.
  want(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, supported.has(Feature::cooperative_matrix));
#endif
#ifdef VK_KHR_shader_bfloat16
  want(VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME, supported.has(Feature::shader_bfloat16));
#endif
  return wanted;
}

}  // namespace vktconv

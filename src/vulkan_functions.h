// The Vulkan functions that the library calls, as pointers got from the application's vkGetInstanceProcAddr. The
// library neither defines nor references a vk* symbol, so it links into a program with any loader, or with none.
#pragma once

#include "error.h"

// Needed for every use of the library.
#define VKTC_INSTANCE_FUNCTIONS(X)      \
  X(EnumerateDeviceExtensionProperties) \
  X(GetDeviceProcAddr)                  \
  X(GetPhysicalDeviceFeatures2)         \
  X(GetPhysicalDeviceProperties)        \
  X(GetPhysicalDeviceProperties2)

#define VKTC_DEVICE_FUNCTIONS(X) \
  X(AllocateDescriptorSets)      \
  X(CmdBindDescriptorSets)       \
  X(CmdBindPipeline)             \
  X(CmdDispatch)                 \
  X(CmdPipelineBarrier)          \
  X(CmdPushConstants)            \
  X(CmdWriteTimestamp)           \
  X(CreateComputePipelines)      \
  X(CreateDescriptorPool)        \
  X(CreateDescriptorSetLayout)   \
  X(CreatePipelineCache)         \
  X(CreatePipelineLayout)        \
  X(CreateShaderModule)          \
  X(DestroyDescriptorPool)       \
  X(DestroyDescriptorSetLayout)  \
  X(DestroyPipeline)             \
  X(DestroyPipelineCache)        \
  X(DestroyPipelineLayout)       \
  X(DestroyShaderModule)         \
  X(GetPipelineCacheData)        \
  X(UpdateDescriptorSets)

namespace vktconv {

struct InstanceFunctions {
#define VKTC_MEMBER(name) PFN_vk##name name = nullptr;
  VKTC_INSTANCE_FUNCTIONS(VKTC_MEMBER)
#undef VKTC_MEMBER
#ifdef VK_KHR_cooperative_matrix
  // Null where no device of the instance has the extension.
  PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR GetPhysicalDeviceCooperativeMatrixPropertiesKHR = nullptr;
#endif
};

struct DeviceFunctions {
#define VKTC_MEMBER(name) PFN_vk##name name = nullptr;
  VKTC_DEVICE_FUNCTIONS(VKTC_MEMBER)
#undef VKTC_MEMBER
  // Null unless the application enabled what they belong to.
  PFN_vkCmdPushDescriptorSetKHR CmdPushDescriptorSet = nullptr;
  PFN_vkGetBufferDeviceAddress GetBufferDeviceAddress = nullptr;
};

bool load_instance_functions(PFN_vkGetInstanceProcAddr get_instance_proc_addr, VkInstance instance,
                             InstanceFunctions& functions, VktcError& error);

struct DeviceCaps;

// Loads the optional functions that caps tells to be enabled.
bool load_device_functions(const InstanceFunctions& instance_functions, VkDevice device, const DeviceCaps& caps,
                           DeviceFunctions& functions, VktcError& error);

}  // namespace vktconv

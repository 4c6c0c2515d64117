// The Vulkan functions that the benchmark calls itself, for its own shaders: no vk* symbol is linked.
#pragma once

#include <vktconv/vktconv_host.hpp>

namespace vktconv::bench {

#define VKTCONV_BENCH_DEVICE_FUNCTIONS(X) \
  X(vkAllocateDescriptorSets)             \
  X(vkCmdBindDescriptorSets)              \
  X(vkCmdBindPipeline)                    \
  X(vkCmdCopyBuffer)                      \
  X(vkCmdDispatch)                        \
  X(vkCmdPipelineBarrier)                 \
  X(vkCmdPushConstants)                   \
  X(vkCmdWriteTimestamp)                  \
  X(vkCreateComputePipelines)             \
  X(vkCreateDescriptorPool)               \
  X(vkCreateDescriptorSetLayout)          \
  X(vkCreatePipelineLayout)               \
  X(vkCreateShaderModule)                 \
  X(vkDestroyDescriptorPool)              \
  X(vkDestroyDescriptorSetLayout)         \
  X(vkDestroyPipeline)                    \
  X(vkDestroyPipelineLayout)              \
  X(vkDestroyShaderModule)                \
  X(vkResetDescriptorPool)                \
  X(vkUpdateDescriptorSets)

#define VKTCONV_BENCH_INSTANCE_FUNCTIONS(X) \
  X(vkGetDeviceProcAddr)                    \
  X(vkGetPhysicalDeviceProperties2)

// Null where the extension is not enabled.
#define VKTCONV_BENCH_OPTIONAL_FUNCTIONS(X) \
  X(vkGetPipelineExecutablePropertiesKHR)   \
  X(vkGetPipelineExecutableStatisticsKHR)

struct VulkanTable {
#define VKTCONV_BENCH_MEMBER(function) PFN_##function function = nullptr;
  VKTCONV_BENCH_DEVICE_FUNCTIONS(VKTCONV_BENCH_MEMBER)
  VKTCONV_BENCH_INSTANCE_FUNCTIONS(VKTCONV_BENCH_MEMBER)
  VKTCONV_BENCH_OPTIONAL_FUNCTIONS(VKTCONV_BENCH_MEMBER)
#undef VKTCONV_BENCH_MEMBER
#ifdef VK_KHR_cooperative_matrix
  PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR = nullptr;
#endif

  explicit VulkanTable(const host::Device& device);
};

// Throws host::Error unless result is VK_SUCCESS.
void check(VkResult result, const char* function);

// Everything before is done and visible to everything after.
void full_barrier(const VulkanTable& vulkan, VkCommandBuffer commands);

}  // namespace vktconv::bench

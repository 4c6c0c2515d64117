#include "vulkan_table.h"

#include <cstdio>

namespace vktconv::bench {

VulkanTable::VulkanTable(const host::Device& device) {
  const PFN_vkGetInstanceProcAddr get = device.get_instance_proc_addr();
#define VKTCONV_BENCH_LOAD(function) function = reinterpret_cast<PFN_##function>(get(device.instance(), #function));
  VKTCONV_BENCH_INSTANCE_FUNCTIONS(VKTCONV_BENCH_LOAD)
#ifdef VK_KHR_cooperative_matrix
  VKTCONV_BENCH_LOAD(vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)
#endif
#undef VKTCONV_BENCH_LOAD
#define VKTCONV_BENCH_LOAD(function) \
  function = reinterpret_cast<PFN_##function>(vkGetDeviceProcAddr(device.device(), #function));
  VKTCONV_BENCH_DEVICE_FUNCTIONS(VKTCONV_BENCH_LOAD)
  VKTCONV_BENCH_OPTIONAL_FUNCTIONS(VKTCONV_BENCH_LOAD)
#undef VKTCONV_BENCH_LOAD
}

void check(VkResult result, const char* function) {
  if (result == VK_SUCCESS) return;
  VktcError error = {};
  error.status = VKTC_ERROR_VULKAN;
  error.vkResult = result;
  std::snprintf(error.message, sizeof(error.message), "%s failed with VkResult %d", function, static_cast<int>(result));
  throw host::Error(error);
}

void full_barrier(const VulkanTable& vulkan, VkCommandBuffer commands) {
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
  vulkan.vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1,
                              &barrier, 0, nullptr, 0, nullptr);
}

}  // namespace vktconv::bench

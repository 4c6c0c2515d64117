#include "vulkan_functions.h"

#include "device_caps.h"

namespace vktconv {
namespace {

bool missing(VktcError& error, const char* function) {
  return fail(
      error, VKTC_ERROR_INVALID_PARAMETER, "getInstanceProcAddr",
      "getInstanceProcAddr gives no %s; it must be the vkGetInstanceProcAddr of an instance and device of Vulkan "
      "1.2 or newer",
      function);
}

}  // namespace

bool load_instance_functions(PFN_vkGetInstanceProcAddr get_instance_proc_addr, VkInstance instance,
                             InstanceFunctions& functions, VktcError& error) {
#define VKTC_LOAD(name)                                                                          \
  functions.name = reinterpret_cast<PFN_vk##name>(get_instance_proc_addr(instance, "vk" #name)); \
  if (functions.name == nullptr) return missing(error, "vk" #name);
  VKTC_INSTANCE_FUNCTIONS(VKTC_LOAD)
#undef VKTC_LOAD
#ifdef VK_KHR_cooperative_matrix
  functions.GetPhysicalDeviceCooperativeMatrixPropertiesKHR =
      reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
          get_instance_proc_addr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
#endif
  return true;
}

bool load_device_functions(const InstanceFunctions& instance_functions, VkDevice device, const DeviceCaps& caps,
                           DeviceFunctions& functions, VktcError& error) {
  const PFN_vkGetDeviceProcAddr get = instance_functions.GetDeviceProcAddr;
#define VKTC_LOAD(name)                                                     \
  functions.name = reinterpret_cast<PFN_vk##name>(get(device, "vk" #name)); \
  if (functions.name == nullptr) return missing(error, "vk" #name);
  VKTC_DEVICE_FUNCTIONS(VKTC_LOAD)
#undef VKTC_LOAD
  if (caps.push_descriptor) {
    PFN_vkVoidFunction push = get(device, "vkCmdPushDescriptorSetKHR");
    if (push == nullptr) push = get(device, "vkCmdPushDescriptorSet");  // Vulkan 1.4 without the extension
    if (push == nullptr) return missing(error, "vkCmdPushDescriptorSet");
    functions.CmdPushDescriptorSet = reinterpret_cast<PFN_vkCmdPushDescriptorSetKHR>(push);
  }
  if (caps.buffer_device_address) {
    functions.GetBufferDeviceAddress =
        reinterpret_cast<PFN_vkGetBufferDeviceAddress>(get(device, "vkGetBufferDeviceAddress"));
    if (functions.GetBufferDeviceAddress == nullptr) return missing(error, "vkGetBufferDeviceAddress");
  }
  return true;
}

}  // namespace vktconv

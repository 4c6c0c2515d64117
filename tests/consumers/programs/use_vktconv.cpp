#include "use_vktconv.h"

#include <cstdio>
#include <vktconv/vktconv.hpp>
#ifdef WITH_HOST
#include <vktconv/vktconv_host.hpp>
#endif

// Every Vulkan function is fetched here, so that this file fits programs with any way to Vulkan.
#define FETCH(instance, function) \
  const auto function = reinterpret_cast<PFN_##function>(get_instance_proc_addr(instance, #function))

bool use_vktconv(PFN_vkGetInstanceProcAddr get_instance_proc_addr) {
  FETCH(nullptr, vkCreateInstance);
  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo instance_info = {};
  instance_info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  instance_info.pApplicationInfo = &application;
  VkInstance instance = VK_NULL_HANDLE;
  if (vkCreateInstance(&instance_info, nullptr, &instance) != VK_SUCCESS) {
    std::fprintf(stderr, "no Vulkan instance\n");
    return false;
  }

  FETCH(instance, vkEnumeratePhysicalDevices);
  FETCH(instance, vkCreateDevice);
  FETCH(instance, vkDestroyDevice);
  FETCH(instance, vkDestroyInstance);
  VkPhysicalDevice physical_device = VK_NULL_HANDLE;
  uint32_t count = 1;
  vkEnumeratePhysicalDevices(instance, &count, &physical_device);
  if (count == 0) {
    std::fprintf(stderr, "no Vulkan device\n");
    return false;
  }
  const float priority = 1;
  VkDeviceQueueCreateInfo queue_info = {};
  queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue_info.queueCount = 1;
  queue_info.pQueuePriorities = &priority;
  VkDeviceCreateInfo device_info = {};
  device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  device_info.queueCreateInfoCount = 1;
  device_info.pQueueCreateInfos = &queue_info;
  VkDevice device = VK_NULL_HANDLE;
  if (vkCreateDevice(physical_device, &device_info, nullptr, &device) != VK_SUCCESS) {
    std::fprintf(stderr, "no Vulkan device could be created\n");
    return false;
  }

  VktcContextCreateInfo context_info = {};
  context_info.instance = instance;
  context_info.physicalDevice = physical_device;
  context_info.device = device;
  context_info.getInstanceProcAddr = get_instance_proc_addr;
  context_info.apiVersion = VK_API_VERSION_1_2;
  context_info.deviceCreateInfo = &device_info;
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.inChannels = 4;
  desc.outChannels = 6;
  for (int axis = 0; axis < 2; ++axis) {
    desc.inputSize[axis] = 10;
    desc.kernelSize[axis] = 3;
    desc.stride[axis] = 2;
  }
  VktcContext context = VK_NULL_HANDLE;
  VktcPlan plan = VK_NULL_HANDLE;
  VktcError error = {};
  const bool planned = vktcCreateContext(&context_info, &context, &error) == VKTC_SUCCESS &&
                       vktcCreatePlan(context, &desc, nullptr, &plan, &error) == VKTC_SUCCESS;
  if (planned) {
    VktcPlanInfo info = {};
    vktcGetPlanInfo(plan, &info);
    std::printf("planned: %s, %s\n", info.algorithm, info.tile);
  } else {
    std::fprintf(stderr, "%s\n", error.message);
  }
  vktcDestroyPlan(plan);
  vktcDestroyContext(context);
  vkDestroyDevice(device, nullptr);
  vkDestroyInstance(instance, nullptr);
#ifdef WITH_HOST
  // The host layer finds Vulkan in its own way, next to that of the program.
  if (vktconv::host::list_devices().empty()) {
    std::fprintf(stderr, "vktconv-host sees no device\n");
    return false;
  }
#endif
  return planned;
}

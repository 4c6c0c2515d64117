#include "context.h"

#include "device_caps_query.h"

namespace vktconv {
namespace {

bool is_null(const char* parameter, VktcError& error) {
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, parameter, "%s must not be null", parameter);
}

bool check_create_info(const VktcContextCreateInfo& info, VktcError& error) {
  if (info.pNext != nullptr) return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pNext", "pNext must be NULL");
  if (info.device == VK_NULL_HANDLE) return is_null("device", error);
  if (info.apiVersion < VK_API_VERSION_1_2) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "apiVersion",
                "apiVersion is %u.%u: the instance must be made for Vulkan 1.2 or newer",
                VK_API_VERSION_MAJOR(info.apiVersion), VK_API_VERSION_MINOR(info.apiVersion));
  }
  const VkDeviceCreateInfo* device_info = info.deviceCreateInfo;
  if (device_info != nullptr && device_info->sType != VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "deviceCreateInfo.sType",
                "deviceCreateInfo.sType is %d: it must be VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO",
                static_cast<int>(device_info->sType));
  }
  if (device_info != nullptr && device_info->enabledExtensionCount != 0 &&
      device_info->ppEnabledExtensionNames == nullptr) {
    return is_null("deviceCreateInfo.ppEnabledExtensionNames", error);
  }
  if (info.pipelineCacheData == nullptr && info.pipelineCacheDataSize != 0) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pipelineCacheDataSize",
                "pipelineCacheDataSize is %zu: it must be 0 where pipelineCacheData is NULL",
                info.pipelineCacheDataSize);
  }
  if (info.pipelineCacheDataSize != 0 && info.pipelineCache != VK_NULL_HANDLE) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "pipelineCacheData",
                "pipelineCacheData may not be given together with pipelineCache: it fills the cache that the library "
                "makes itself");
  }
  return true;
}

}  // namespace

bool access_physical_device(VkInstance instance, VkPhysicalDevice physical_device,
                            PFN_vkGetInstanceProcAddr get_instance_proc_addr, PhysicalDeviceAccess& access,
                            VktcError& error) {
  if (instance == VK_NULL_HANDLE) return is_null("instance", error);
  if (physical_device == VK_NULL_HANDLE) return is_null("physicalDevice", error);
  if (get_instance_proc_addr == nullptr) return is_null("getInstanceProcAddr", error);
  if (!load_instance_functions(get_instance_proc_addr, instance, access.functions, error)) return false;
  VkPhysicalDeviceProperties properties{};
  access.functions.GetPhysicalDeviceProperties(physical_device, &properties);
  access.api_version = properties.apiVersion;
  if (access.api_version < VK_API_VERSION_1_2) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "physicalDevice",
                "the device %s has Vulkan %u.%u: vktconv needs 1.2 or newer", properties.deviceName,
                VK_API_VERSION_MAJOR(access.api_version), VK_API_VERSION_MINOR(access.api_version));
  }
  return true;
}

bool create_context(const VktcContextCreateInfo& create_info, std::unique_ptr<VktcContext_T>& context,
                    VktcError& error) {
  PhysicalDeviceAccess access;
  if (!check_create_info(create_info, error) ||
      !access_physical_device(create_info.instance, create_info.physicalDevice, create_info.getInstanceProcAddr, access,
                              error)) {
    return false;
  }
  auto made = std::make_unique<VktcContext_T>();
  DeviceAccess& device = made->device;
  device.handle = create_info.device;
  device.allocator = create_info.allocator;
  if (!query_device_caps(access.functions, create_info.physicalDevice, create_info.apiVersion,
                         create_info.deviceCreateInfo, device.caps, error) ||
      !load_device_functions(access.functions, device.handle, device.caps, device.functions, error) ||
      !made->pipelines.open(create_info.pipelineCache, create_info.pipelineCacheData, create_info.pipelineCacheDataSize,
                            error)) {
    return false;
  }
  context = std::move(made);
  return true;
}

}  // namespace vktconv

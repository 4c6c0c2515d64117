// Fills in DeviceCaps from a physical device and from what the application enabled when it created its device.
#pragma once

#include "device_caps.h"
#include "vulkan_functions.h"

namespace vktconv {

// device_create_info null: nothing optional was enabled. api_version: what the application asked for.
bool query_device_caps(const InstanceFunctions& functions, VkPhysicalDevice physical_device, uint32_t api_version,
                       const VkDeviceCreateInfo* device_create_info, DeviceCaps& caps, VktcError& error);

}  // namespace vktconv

// The application's device, as the rest of the library reaches it.
#pragma once

#include "device_caps.h"
#include "vulkan_functions.h"

namespace vktconv {

struct DeviceAccess {
  VkDevice handle = VK_NULL_HANDLE;
  const VkAllocationCallbacks* allocator = nullptr;
  DeviceFunctions functions;
  DeviceCaps caps;
};

}  // namespace vktconv

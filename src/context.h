// What a VktcContext is: the application's device as the library uses it, and the pipelines made for it.
#pragma once

#include <memory>

#include "device_access.h"
#include "pipeline_cache.h"

struct VktcContext_T {
  vktconv::DeviceAccess device;
  vktconv::PipelineCache pipelines{device};

  VktcContext_T() = default;
  VktcContext_T(const VktcContext_T&) = delete;
  VktcContext_T& operator=(const VktcContext_T&) = delete;
};

namespace vktconv {

bool create_context(const VktcContextCreateInfo& create_info, std::unique_ptr<VktcContext_T>& context,
                    VktcError& error);

// What both functions of an application that has no device yet need.
struct PhysicalDeviceAccess {
  InstanceFunctions functions;
  uint32_t api_version = 0;
};

bool access_physical_device(VkInstance instance, VkPhysicalDevice physical_device,
                            PFN_vkGetInstanceProcAddr get_instance_proc_addr, PhysicalDeviceAccess& access,
                            VktcError& error);

}  // namespace vktconv

// The physical devices of an instance.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <optional>
#include <vector>

#include "vulkan_loader.h"

namespace vktconv::host {

struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VkPhysicalDeviceProperties properties = {};
  DeviceSummary summary;
};

// In Vulkan's order. Throws Error where Vulkan does.
std::vector<PhysicalDevice> find_physical_devices(const InstanceTable& functions, VkInstance instance);

// Of a queue family with compute; the first that also has timestamps where there is one.
std::optional<uint32_t> find_compute_family(const InstanceTable& functions, VkPhysicalDevice physical_device);

}  // namespace vktconv::host

// Which physical device to use.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <optional>
#include <string>
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

// wanted: as DeviceOptions::device. Returns an index of devices. Throws Error, with a list of the devices, where wanted
// names none of them, or more than one, or one that cannot be used.
size_t choose_device(const std::vector<DeviceSummary>& devices, const std::string& wanted);

}  // namespace vktconv::host

// The Vulkan loader, opened at run time by volk. volk lives in a namespace of ours, so that an application may link its
// own, of any version.
#pragma once

#ifndef VOLK_NAMESPACE
#define VOLK_NAMESPACE
#endif
#define volk vktconv_host_volk
#include <volk.h>
#undef volk

namespace vktconv::host {

using InstanceTable = vktconv_host_volk::VolkInstanceTable;
using DeviceTable = vktconv_host_volk::VolkDeviceTable;

// The functions that need no instance.
struct LoaderTable {
  PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr = nullptr;
  PFN_vkCreateInstance vkCreateInstance = nullptr;
  PFN_vkEnumerateInstanceExtensionProperties vkEnumerateInstanceExtensionProperties = nullptr;
  PFN_vkEnumerateInstanceLayerProperties vkEnumerateInstanceLayerProperties = nullptr;
  uint32_t api_version = 0;  // of the loader
};

// Null where there is no loader. The loader stays open until the program ends: drivers do not like to be unloaded.
const LoaderTable* vulkan_loader();

// May be called by several threads at once.
void load_instance_table(InstanceTable& table, VkInstance instance);
void load_device_table(DeviceTable& table, VkDevice device);

}  // namespace vktconv::host

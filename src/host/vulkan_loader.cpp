#include "vulkan_loader.h"

#include <mutex>

// Compiled as C++, without which volk has no namespace.
#define volk vktconv_host_volk
#include <volk.c>  // NOLINT(bugprone-suspicious-include)
#undef volk

namespace vktconv::host {
namespace {

// volk loads a table by way of a global variable.
std::mutex& table_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

const LoaderTable* vulkan_loader() {
  static const LoaderTable table = [] {
    LoaderTable functions;
    if (vktconv_host_volk::volkInitialize() != VK_SUCCESS || vktconv_host_volk::vkGetInstanceProcAddr == nullptr) {
      return functions;
    }
    functions.vkGetInstanceProcAddr = vktconv_host_volk::vkGetInstanceProcAddr;
    functions.vkCreateInstance = vktconv_host_volk::vkCreateInstance;
    functions.vkEnumerateInstanceExtensionProperties = vktconv_host_volk::vkEnumerateInstanceExtensionProperties;
    functions.vkEnumerateInstanceLayerProperties = vktconv_host_volk::vkEnumerateInstanceLayerProperties;
    functions.api_version = vktconv_host_volk::volkGetInstanceVersion();
    return functions;
  }();
  return table.vkCreateInstance != nullptr ? &table : nullptr;
}

void load_instance_table(InstanceTable& table, VkInstance instance) {
  const std::lock_guard lock(table_mutex());
  vktconv_host_volk::volkLoadInstanceTable(&table, instance);
}

void load_device_table(DeviceTable& table, VkDevice device) {
  const std::lock_guard lock(table_mutex());
  vktconv_host_volk::volkLoadDeviceTable(&table, device);
}

}  // namespace vktconv::host

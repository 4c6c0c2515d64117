#include "physical_devices.h"

#include <utility>

#include "instance.h"
#include "raise.h"

namespace vktconv::host {
namespace {

std::string version_text(uint32_t version) {
  return std::to_string(VK_API_VERSION_MAJOR(version)) + "." + std::to_string(VK_API_VERSION_MINOR(version));
}

std::string driver_text(const InstanceTable& functions, VkPhysicalDevice physical_device) {
  VkPhysicalDeviceDriverProperties driver = {};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &driver;
  functions.vkGetPhysicalDeviceProperties2(physical_device, &properties);
  std::string text = driver.driverName;
  if (driver.driverInfo[0] != '\0') text += std::string(text.empty() ? "" : " ") + driver.driverInfo;
  return text;
}

PhysicalDevice describe(const InstanceTable& functions, VkPhysicalDevice handle, uint32_t index) {
  PhysicalDevice device;
  device.handle = handle;
  functions.vkGetPhysicalDeviceProperties(handle, &device.properties);
  DeviceSummary& summary = device.summary;
  summary.index = index;
  summary.name = device.properties.deviceName;
  summary.type = device.properties.deviceType;
  summary.api_version = device.properties.apiVersion;
  summary.vendor_id = device.properties.vendorID;
  summary.device_id = device.properties.deviceID;
  if (summary.api_version < VK_API_VERSION_1_2) {
    summary.driver = "version " + std::to_string(device.properties.driverVersion);
    summary.refused = "it has Vulkan " + version_text(summary.api_version) + ": 1.2 is needed";
    return device;
  }
  summary.driver = driver_text(functions, handle);
  if (!find_compute_family(functions, handle)) summary.refused = "it has no queue for compute";
  return device;
}

}  // namespace

std::vector<PhysicalDevice> find_physical_devices(const InstanceTable& functions, VkInstance instance) {
  std::vector<VkPhysicalDevice> handles;
  VkResult result = VK_INCOMPLETE;
  while (result == VK_INCOMPLETE) {
    uint32_t count = 0;
    result = functions.vkEnumeratePhysicalDevices(instance, &count, nullptr);
    // Some loaders report that all drivers failed in this way.
    if (result == VK_ERROR_INITIALIZATION_FAILED) return {};
    check_vulkan(result, "vkEnumeratePhysicalDevices");
    handles.resize(count);
    result = functions.vkEnumeratePhysicalDevices(instance, &count, handles.data());
    check_vulkan(result, "vkEnumeratePhysicalDevices");
    handles.resize(count);
  }
  std::vector<PhysicalDevice> devices;
  for (size_t i = 0; i < handles.size(); ++i) {
    devices.push_back(describe(functions, handles[i], static_cast<uint32_t>(i)));
  }
  return devices;
}

std::optional<uint32_t> find_compute_family(const InstanceTable& functions, VkPhysicalDevice physical_device) {
  uint32_t count = 0;
  functions.vkGetPhysicalDeviceQueueFamilyProperties(physical_device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  functions.vkGetPhysicalDeviceQueueFamilyProperties(physical_device, &count, families.data());
  std::optional<uint32_t> found;
  for (uint32_t i = 0; i < count; ++i) {
    if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
    if (families[i].timestampValidBits > 0) return i;
    if (!found) found = i;
  }
  return found;
}

std::vector<DeviceSummary> list_devices() {
  if (vulkan_loader() == nullptr) return {};
  std::vector<DeviceSummary> summaries;
  try {
    const Instance instance(nullptr);
    for (PhysicalDevice& device : find_physical_devices(instance.functions(), instance.handle())) {
      summaries.push_back(std::move(device.summary));
    }
  } catch (const Error& error) {
    if (error.error().vkResult != VK_ERROR_INCOMPATIBLE_DRIVER) throw;
  }
  return summaries;
}

}  // namespace vktconv::host

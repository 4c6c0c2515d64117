#include "device_selection.h"

#include <algorithm>
#include <charconv>

#include "instance.h"
#include "raise.h"

namespace vktconv::host {
namespace {

std::string version_text(uint32_t version) {
  return std::to_string(VK_API_VERSION_MAJOR(version)) + "." + std::to_string(VK_API_VERSION_MINOR(version));
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
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

// The less the better.
int rank(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 0;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 1;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 3;
    default:
      return 4;
  }
}

std::string list_of(const std::vector<DeviceSummary>& devices) {
  std::string text;
  for (const DeviceSummary& device : devices) {
    text += "\n  " + std::to_string(device.index) + "  " + device.name + " (" + device.driver + ")";
    if (!device.refused.empty()) text += ", cannot be used: " + device.refused;
  }
  return text;
}

[[noreturn]] void refuse(const std::vector<DeviceSummary>& devices, const std::string& reason) {
  raise(VKTC_ERROR_INVALID_PARAMETER, "device", "%s; the devices are:%s", reason.c_str(), list_of(devices).c_str());
}

size_t choose_best(const std::vector<DeviceSummary>& devices) {
  const auto better = [](const DeviceSummary& a, const DeviceSummary& b) {
    if (a.refused.empty() != b.refused.empty()) return a.refused.empty();
    return rank(a.type) < rank(b.type);
  };
  const auto best = std::min_element(devices.begin(), devices.end(), better);  // the first of equals
  if (!best->refused.empty()) {
    raise_vulkan(VK_ERROR_INCOMPATIBLE_DRIVER, "device",
                 "no Vulkan device of this machine can be used:" + list_of(devices));
  }
  return static_cast<size_t>(best - devices.begin());
}

std::optional<size_t> as_index(const std::string& text) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
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

size_t choose_device(const std::vector<DeviceSummary>& devices, const std::string& wanted) {
  if (devices.empty()) {
    raise_vulkan(VK_ERROR_INITIALIZATION_FAILED, "device",
                 "Vulkan finds no device on this machine: its driver is missing or has none");
  }
  if (wanted.empty()) return choose_best(devices);

  size_t chosen = devices.size();
  if (const std::optional<size_t> index = as_index(wanted); index && *index < devices.size()) {
    chosen = *index;
  } else {  // also a number that is no index: it may be a part of a name
    for (size_t i = 0; i < devices.size(); ++i) {
      if (lower(devices[i].name).find(lower(wanted)) == std::string::npos) continue;
      if (chosen != devices.size()) refuse(devices, "device is \"" + wanted + "\", which more than one device matches");
      chosen = i;
    }
  }
  if (chosen == devices.size()) refuse(devices, "device is \"" + wanted + "\", which no device matches");
  if (!devices[chosen].refused.empty()) {
    refuse(devices, "device is \"" + wanted + "\", which cannot be used: " + devices[chosen].refused);
  }
  return chosen;
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

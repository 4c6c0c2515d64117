#include "device_choice.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "raise.h"

namespace vktconv::host {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
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

size_t choose_device(const std::vector<DeviceSummary>& devices, const std::string& wanted) {
  if (devices.empty()) {
    raise_vulkan(VK_ERROR_INITIALIZATION_FAILED, "device",
                 "Vulkan finds no device on this machine: its driver is missing or has none");
  }
  if (wanted.empty()) return choose_best(devices);

  size_t chosen = devices.size();
  // "7" is never the 7 of "LLVM 19.1.7", but "4090" may be a part of a name.
  constexpr size_t most_index_digits = 2;
  const std::optional<size_t> index = as_index(wanted);
  if (index && (*index < devices.size() || wanted.size() <= most_index_digits)) {
    chosen = std::min(*index, devices.size());
  } else {
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

}  // namespace vktconv::host

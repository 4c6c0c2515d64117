// The features and extensions that a device is created with: those the library would like, less those that are disabled
// by name.
#pragma once

#include <vktconv/vktconv.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vulkan_loader.h"

namespace vktconv::host {

class EnabledFeatures {
 public:
  // Throws Error where a name of disable is neither a feature nor an extension that the library knows.
  EnabledFeatures(const InstanceTable& functions, VkInstance instance, VkPhysicalDevice physical_device,
                  bool pipeline_statistics, std::span<const std::string> disable);
  EnabledFeatures(const EnabledFeatures&) = delete;
  EnabledFeatures& operator=(const EnabledFeatures&) = delete;

  // For VkDeviceCreateInfo.
  const void* chain() { return &features_.chain(); }
  const std::vector<const char*>& extensions() const { return extensions_; }

  // The names of the features that are on.
  std::vector<std::string> names();

 private:
  void disable_by_name(const std::string& name);
  void enable_pipeline_statistics(const InstanceTable& functions, VkPhysicalDevice physical_device);
  void remove_extension(std::string_view name);
  void unlink(VkStructureType type);

  vktc::DeviceFeatures features_;
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR statistics_ = {};
  std::vector<const char*> extensions_;
};

}  // namespace vktconv::host

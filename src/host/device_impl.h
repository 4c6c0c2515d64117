// What a Device is made of, for the rest of the host layer. Members are destroyed from the last to the first.
#pragma once

#include <vktconv/vktconv.hpp>
#include <vktconv/vktconv_host.hpp>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "instance.h"
#include "memory.h"
#include "physical_devices.h"
#include "pipeline_cache_file.h"
#include "staging.h"
#include "submission.h"
#include "tuning_table.h"

namespace vktconv::host {

// A VkDevice that destroys itself.
class LogicalDevice {
 public:
  LogicalDevice() = default;
  ~LogicalDevice() {
    if (handle != VK_NULL_HANDLE) functions.vkDestroyDevice(handle, nullptr);
  }
  LogicalDevice(const LogicalDevice&) = delete;
  LogicalDevice& operator=(const LogicalDevice&) = delete;

  VkDevice handle = VK_NULL_HANDLE;
  DeviceTable functions = {};
};

struct Device::Impl {
  explicit Impl(const DeviceOptions& options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void choose(const DeviceOptions& options);
  void read_limits();
  void create_device(const DeviceOptions& options);
  void save_pipeline_cache();
  void read_tuning();
  PipelineCacheOwner cache_owner() const;
  bool has_feature(std::string_view name) const;

  std::shared_ptr<ValidationLog> validation;  // null without validation
  std::unique_ptr<Instance> instance;
  PhysicalDevice physical;
  uint32_t queue_family = 0;
  uint32_t timestamp_bits = 0;
  uint32_t api_version = 0;  // of the instance and of the device, the lower
  VkDeviceSize max_allocation_size = 0;
  VkDeviceSize device_local_memory = 0;
  bool unified_memory = false;  // the host reaches the device's memory as quickly as its own
  std::vector<std::string> features;

  LogicalDevice device;
  Queue queue;
  Memory memory;
  std::optional<Staging> staging;
  vktc::Context context;

  std::filesystem::path cache_file;
  std::mutex cache_mutex;
  std::array<std::byte, 32> stored_digest = {};  // of what is in the file, as far as we know

  std::filesystem::path tuning_file;
  std::string tuning_file_problem;
  std::mutex tuning_mutex;  // of the user's table and file
  TuningTable user_tuning;
  TuningTable shipped_tuning = shipped_tuning_table();
};

}  // namespace vktconv::host

// A Vulkan instance of the host layer's own, with the Khronos validation layer where that is asked for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "vulkan_loader.h"

namespace vktconv::host {

// What the validation layer says: counted and passed on, one message at a time.
class ValidationLog {
 public:
  // Without a sink, messages go to stderr.
  explicit ValidationLog(std::function<void(const std::string&)> sink);
  void report(const VkDebugUtilsMessengerCallbackDataEXT& message, bool is_error) noexcept;
  uint32_t count() const { return count_; }

 private:
  std::atomic<uint32_t> count_ = 0;
  std::mutex mutex_;
  std::function<void(const std::string&)> sink_;
};

class Instance {
 public:
  // validation: null, or where the layer reports. Throws Error where there is no loader, no driver, no layer.
  explicit Instance(std::shared_ptr<ValidationLog> validation);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  VkInstance handle() const { return handle_; }
  uint32_t api_version() const { return api_version_; }
  const InstanceTable& functions() const { return functions_; }

 private:
  std::shared_ptr<ValidationLog> validation_;  // first: the instance reports until it is gone
  VkInstance handle_ = VK_NULL_HANDLE;
  uint32_t api_version_ = 0;
  InstanceTable functions_ = {};
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

}  // namespace vktconv::host

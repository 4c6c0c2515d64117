// A device made by hand: the loader by dlopen, functions by vkGetInstanceProcAddr, no volk and no host layer. It is
// made with exactly the features that a test asks for, as an application with its own Vulkan code would. Environment:
// VKTCONV_TEST_DEVICE and VKTCONV_TEST_VALIDATION as in main.cpp.
#pragma once

#include <vktconv/vktconv.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vktconv::tests {

struct RawDeviceOptions {
  // Everything that the library would like (vktc::DeviceFeatures); the rest is then ignored.
  bool all_features = false;
  // One by one, each only where the device has it (see RawDevice::enabled).
  bool push_descriptor = false;
  bool buffer_device_address = false;
  bool storage_16bit = false;  // storageBuffer16BitAccess and shaderInt16
  bool subgroup_size_control = false;
  bool executable_properties = false;
  uint32_t api_version = VK_API_VERSION_1_2;
};

class RawDevice {
 public:
  explicit RawDevice(const RawDeviceOptions& options = {});
  ~RawDevice();  // the test fails where the validation layer had something to say
  RawDevice(const RawDevice&) = delete;
  RawDevice& operator=(const RawDevice&) = delete;

  // What a context of this device is made from; valid as long as the device.
  VktcContextCreateInfo context_create_info() const;

  VkInstance instance() const { return instance_; }
  VkPhysicalDevice physical_device() const { return physical_device_; }
  VkDevice device() const { return device_; }
  uint32_t queue_family() const { return queue_family_; }
  const VkPhysicalDeviceProperties& properties() const { return properties_; }
  const RawDeviceOptions& enabled() const { return enabled_; }  // what of the options the device has

  // raw.call<PFN_vkCreateFence>("vkCreateFence")(...)
  template <typename Function>
  Function call(const char* name) const {
    return reinterpret_cast<Function>(get_instance_proc_addr_(instance_, name));
  }

  // Records into a fresh command buffer of a pool of its own, submits it and waits. One thread at a time.
  void submit(const std::function<void(VkCommandBuffer)>& record) const;

 private:
  VkInstance instance_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t queue_family_ = 0;
  VkPhysicalDeviceProperties properties_{};
  PFN_vkGetInstanceProcAddr get_instance_proc_addr_ = nullptr;
  RawDeviceOptions options_, enabled_;
  std::mutex validation_mutex_;
  std::vector<std::string> validation_messages_;

  // What the device was created with.
  VkPhysicalDeviceFeatures2 features_{};
  VkPhysicalDeviceVulkan11Features vulkan11_{};
  VkPhysicalDeviceVulkan12Features vulkan12_{};
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_size_control_{};
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable_properties_{};
  std::unique_ptr<vktc::DeviceFeatures> all_features_;
  std::vector<const char*> extensions_;
  float queue_priority_ = 1;
  VkDeviceQueueCreateInfo queue_create_info_{};
  VkDeviceCreateInfo device_create_info_{};

  void create_instance();
  void choose_physical_device();
  void choose_features();
  void create_device();
  static VkBool32 VKAPI_PTR on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                       VkDebugUtilsMessageTypeFlagsEXT types,
                                       const VkDebugUtilsMessengerCallbackDataEXT* data, void* self);
};

// A command buffer that is never submitted, in a pool of its own: one per thread.
class RawCommandBuffer {
 public:
  explicit RawCommandBuffer(const RawDevice& device);
  ~RawCommandBuffer();
  RawCommandBuffer(const RawCommandBuffer&) = delete;
  RawCommandBuffer& operator=(const RawCommandBuffer&) = delete;

  void begin();
  void end();
  VkCommandBuffer get() const { return command_buffer_; }

 private:
  const RawDevice& device_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer command_buffer_ = VK_NULL_HANDLE;
};

// A buffer in memory that the host sees and that needs no flush.
class RawBuffer {
 public:
  RawBuffer() = default;
  RawBuffer(const RawDevice& device, VkDeviceSize size);
  ~RawBuffer();
  RawBuffer(RawBuffer&& other) noexcept;
  RawBuffer& operator=(RawBuffer&& other) noexcept;

  VkBuffer get() const { return buffer_; }
  std::byte* data() const { return data_; }
  VktcBuffer view() const { return {buffer_, 0, size_}; }

 private:
  const RawDevice* device_ = nullptr;
  VkDeviceSize size_ = 0;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  std::byte* data_ = nullptr;
};

}  // namespace vktconv::tests

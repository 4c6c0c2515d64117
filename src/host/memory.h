// Buffers with memory, by the Vulkan Memory Allocator: the only file that knows it is memory.cpp.
#pragma once

#include "vulkan_loader.h"

namespace vktconv::host {

enum class MemoryKind {
  device,   // the device's own; not for the host
  shared,   // the device's own, and mapped where the host reaches it as quickly as its own memory
  staging,  // the host's, mapped, for copies in either direction
};

// A buffer and its memory.
struct Allocation {
  VkBuffer buffer = VK_NULL_HANDLE;
  void* handle = nullptr;  // VmaAllocation
  void* mapped = nullptr;  // null: not for the host
  bool cached = false;     // mapped, and quick to read for the host
};

class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  VkResult create(const InstanceTable& instance_functions, VkInstance instance, VkPhysicalDevice physical_device,
                  VkDevice device, uint32_t api_version, bool device_addresses);
  void destroy();

  VkResult allocate(VkDeviceSize size, VkBufferUsageFlags usage, MemoryKind kind, Allocation& allocation);
  void free(Allocation& allocation);
  // For memory that is not coherent; otherwise they do nothing.
  VkResult flush(const Allocation& allocation, VkDeviceSize offset, VkDeviceSize size);
  VkResult invalidate(const Allocation& allocation, VkDeviceSize offset, VkDeviceSize size);

 private:
  void* allocator_ = nullptr;  // VmaAllocator
};

}  // namespace vktconv::host

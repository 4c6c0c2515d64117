#include "memory.h"

// All that the allocator includes, before it is put into a namespace.
#include <vulkan/vulkan.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <type_traits>
#include <utility>

// A static library with the allocator's own symbols would clash with an application that links another version of it.
// Its types get our namespace; its functions have C names, which namespaces do not change, and become static.
#define VMA_STATIC_VULKAN_FUNCTIONS 0
#define VMA_DYNAMIC_VULKAN_FUNCTIONS 1
#define VMA_STATS_STRING_ENABLED 0
#define VMA_CALL_PRE [[maybe_unused]] static
#define VMA_IMPLEMENTATION
namespace vktconv::host::vma {
#include <vk_mem_alloc.h>
}

namespace vktconv::host {
namespace {

vma::VmaAllocator allocator_of(void* handle) { return static_cast<vma::VmaAllocator>(handle); }
vma::VmaAllocation allocation_of(const Allocation& allocation) {
  return static_cast<vma::VmaAllocation>(allocation.handle);
}

}  // namespace

Memory::~Memory() { destroy(); }

VkResult Memory::create(const InstanceTable& instance_functions, VkInstance instance, VkPhysicalDevice physical_device,
                        VkDevice device, uint32_t api_version, bool device_addresses) {
  vma::VmaVulkanFunctions functions = {};
  functions.vkGetInstanceProcAddr = vulkan_loader()->vkGetInstanceProcAddr;
  functions.vkGetDeviceProcAddr = instance_functions.vkGetDeviceProcAddr;
  vma::VmaAllocatorCreateInfo info = {};
  if (device_addresses) info.flags = vma::VMA_ALLOCATOR_CREATE_BUFFER_DEVICE_ADDRESS_BIT;
  info.physicalDevice = physical_device;
  info.device = device;
  info.instance = instance;
  info.vulkanApiVersion = api_version;
  info.pVulkanFunctions = &functions;
  vma::VmaAllocator allocator = nullptr;
  const VkResult result = vma::vmaCreateAllocator(&info, &allocator);
  if (result == VK_SUCCESS) allocator_ = allocator;
  return result;
}

void Memory::destroy() {
  if (allocator_ != nullptr) vma::vmaDestroyAllocator(allocator_of(allocator_));
  allocator_ = nullptr;
}

VkResult Memory::allocate(VkDeviceSize size, VkBufferUsageFlags usage, MemoryKind kind, Allocation& allocation) {
  VkBufferCreateInfo buffer_info = {};
  buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  buffer_info.size = size;
  buffer_info.usage = usage;
  buffer_info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  vma::VmaAllocationCreateInfo info = {};
  info.usage =
      kind == MemoryKind::staging ? vma::VMA_MEMORY_USAGE_AUTO_PREFER_HOST : vma::VMA_MEMORY_USAGE_AUTO_PREFER_DEVICE;
  if (kind != MemoryKind::device) {
    info.flags = vma::VMA_ALLOCATION_CREATE_HOST_ACCESS_RANDOM_BIT | vma::VMA_ALLOCATION_CREATE_MAPPED_BIT;
  }
  if (kind == MemoryKind::shared) {
    info.flags |= vma::VMA_ALLOCATION_CREATE_HOST_ACCESS_ALLOW_TRANSFER_INSTEAD_BIT;
    info.requiredFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  }
  VkBuffer buffer = VK_NULL_HANDLE;
  vma::VmaAllocation handle = nullptr;
  vma::VmaAllocationInfo made = {};
  const VkResult result = vma::vmaCreateBuffer(allocator_of(allocator_), &buffer_info, &info, &buffer, &handle, &made);
  if (result != VK_SUCCESS) return result;
  VkMemoryPropertyFlags properties = 0;
  vma::vmaGetAllocationMemoryProperties(allocator_of(allocator_), handle, &properties);
  allocation.buffer = buffer;
  allocation.handle = handle;
  allocation.mapped = made.pMappedData;
  allocation.cached = made.pMappedData != nullptr && (properties & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0;
  return VK_SUCCESS;
}

void Memory::free(Allocation& allocation) {
  if (allocation.handle != nullptr) {
    vma::vmaDestroyBuffer(allocator_of(allocator_), allocation.buffer, allocation_of(allocation));
  }
  allocation = {};
}

VkResult Memory::flush(const Allocation& allocation, VkDeviceSize offset, VkDeviceSize size) {
  return vma::vmaFlushAllocation(allocator_of(allocator_), allocation_of(allocation), offset, size);
}

VkResult Memory::invalidate(const Allocation& allocation, VkDeviceSize offset, VkDeviceSize size) {
  return vma::vmaInvalidateAllocation(allocator_of(allocator_), allocation_of(allocation), offset, size);
}

}  // namespace vktconv::host

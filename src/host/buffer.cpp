#include <cstddef>
#include <cstring>
#include <utility>

#include "device_impl.h"
#include "raise.h"

namespace vktconv::host {

struct Buffer::Impl {
  Impl(Device::Impl& owner, VkDeviceSize bytes)
      : device(owner), size(bytes), capacity((bytes + 3) & ~VkDeviceSize{3}) {}
  ~Impl() { device.memory.free(allocation); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Throws where the range is not inside.
  void require_range(VkDeviceSize bytes, VkDeviceSize offset) const {
    if (offset <= size && bytes <= size - offset) return;
    raise(VKTC_ERROR_INVALID_PARAMETER, "bytes",
          "offset is %llu and bytes is %llu: together they must be at most the size of the buffer, %llu",
          static_cast<unsigned long long>(offset), static_cast<unsigned long long>(bytes),
          static_cast<unsigned long long>(size));
  }

  Device::Impl& device;
  VkDeviceSize size;
  VkDeviceSize capacity;  // whole words: what fill() and 16-bit tensors work on
  Allocation allocation;
};

namespace {

[[noreturn]] void refuse_empty(VkDeviceSize bytes) {
  raise(VKTC_ERROR_INVALID_PARAMETER, "bytes", "bytes is %llu: the buffer is empty",
        static_cast<unsigned long long>(bytes));
}

}  // namespace

Buffer::Buffer() noexcept = default;

Buffer::Buffer(Device& device, VkDeviceSize size) {
  if (size == 0) return;  // as a default-constructed one: Vulkan has no empty buffers
  Device::Impl& owner = device.impl();
  const auto print = [](VkDeviceSize bytes) { return static_cast<unsigned long long>(bytes); };
  if (size > owner.max_allocation_size) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, "size",
          "a buffer of %llu bytes is asked for: the device allows %llu (the lower of maxMemoryAllocationSize and "
          "maxBufferSize)",
          print(size), print(owner.max_allocation_size));
  }
  if (size > owner.device_local_memory) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, "size",
          "a buffer of %llu bytes is asked for: the device has %llu bytes of memory (VkMemoryHeap::size)", print(size),
          print(owner.device_local_memory));
  }
  owner.queue.require_device();
  impl_ = std::make_unique<Impl>(owner, size);
  VkBufferUsageFlags usage =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (owner.has_feature("bufferDeviceAddress")) usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
  const VkResult result = owner.memory.allocate(
      impl_->capacity, usage, owner.unified_memory ? MemoryKind::shared : MemoryKind::device, impl_->allocation);
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
    raise_vulkan(result, "size",
                 "no memory for a buffer of " + std::to_string(size) + " bytes: " + vk_result_name(result));
  }
  owner.queue.check(result, "vkAllocateMemory");
}

Buffer::~Buffer() = default;
Buffer::Buffer(Buffer&&) noexcept = default;
Buffer& Buffer::operator=(Buffer&&) noexcept = default;

VkBuffer Buffer::handle() const { return impl_ ? impl_->allocation.buffer : VK_NULL_HANDLE; }
VkDeviceSize Buffer::size() const { return impl_ ? impl_->size : 0; }

VktcBuffer Buffer::view(VkDeviceSize offset) const {
  if (!impl_) return {};
  impl_->require_range(0, offset);
  return {impl_->allocation.buffer, offset, impl_->capacity - offset};
}

void Buffer::upload(const void* source, VkDeviceSize bytes, VkDeviceSize offset) {
  if (bytes == 0) return;
  if (!impl_) refuse_empty(bytes);
  impl_->require_range(bytes, offset);
  Device::Impl& device = impl_->device;
  device.queue.require_device();
  if (impl_->allocation.mapped == nullptr) {
    device.staging->upload(source, impl_->allocation.buffer, offset, bytes);
    return;
  }
  std::memcpy(static_cast<std::byte*>(impl_->allocation.mapped) + offset, source, static_cast<size_t>(bytes));
  device.queue.check(device.memory.flush(impl_->allocation, offset, bytes), "vkFlushMappedMemoryRanges");
}

void Buffer::download(void* destination, VkDeviceSize bytes, VkDeviceSize offset) {
  if (bytes == 0) return;
  if (!impl_) refuse_empty(bytes);
  impl_->require_range(bytes, offset);
  Device::Impl& device = impl_->device;
  device.queue.require_device();
  if (!impl_->allocation.cached) {  // memory that is mapped and not cached is slow to read
    device.staging->download(impl_->allocation.buffer, offset, destination, bytes);
    return;
  }
  device.queue.check(device.memory.invalidate(impl_->allocation, offset, bytes), "vkInvalidateMappedMemoryRanges");
  std::memcpy(destination, static_cast<const std::byte*>(impl_->allocation.mapped) + offset,
              static_cast<size_t>(bytes));
}

void Buffer::fill(uint32_t word) {
  if (!impl_) return;
  Submission submission(impl_->device.queue);
  impl_->device.queue.functions().vkCmdFillBuffer(submission.commands(), impl_->allocation.buffer, 0, VK_WHOLE_SIZE,
                                                  word);
  submission.submit();
  submission.wait();
}

}  // namespace vktconv::host

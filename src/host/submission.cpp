#include "submission.h"

#include "raise.h"

namespace vktconv::host {

Queue::~Queue() { destroy(); }

void Queue::create(const DeviceTable& functions, VkDevice device, VkQueue queue, uint32_t family) {
  functions_ = &functions;
  device_ = device;
  queue_ = queue;
  family_ = family;
}

void Queue::destroy() {
  for (const Slot& slot : free_) destroy(slot);
  free_.clear();
}

void Queue::require_device() const {
  if (lost_) check_vulkan(VK_ERROR_DEVICE_LOST, "an earlier call");
}

void Queue::check(VkResult result, const char* function) {
  if (result == VK_ERROR_DEVICE_LOST) lost_ = true;
  check_vulkan(result, function);
}

Queue::Slot Queue::take() {
  require_device();
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      const Slot slot = free_.back();
      free_.pop_back();
      return slot;
    }
  }
  Slot slot;
  try {
    VkCommandPoolCreateInfo pool_info = {};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool_info.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
    pool_info.queueFamilyIndex = family_;
    check(functions_->vkCreateCommandPool(device_, &pool_info, nullptr, &slot.pool), "vkCreateCommandPool");
    VkCommandBufferAllocateInfo buffer_info = {};
    buffer_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffer_info.commandPool = slot.pool;
    buffer_info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    buffer_info.commandBufferCount = 1;
    check(functions_->vkAllocateCommandBuffers(device_, &buffer_info, &slot.commands), "vkAllocateCommandBuffers");
    VkFenceCreateInfo fence_info = {};
    fence_info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    check(functions_->vkCreateFence(device_, &fence_info, nullptr, &slot.fence), "vkCreateFence");
  } catch (...) {
    destroy(slot);
    throw;
  }
  return slot;
}

void Queue::give_back(Slot slot) {
  if (functions_->vkResetCommandPool(device_, slot.pool, 0) != VK_SUCCESS ||
      functions_->vkResetFences(device_, 1, &slot.fence) != VK_SUCCESS) {
    destroy(slot);
    return;
  }
  try {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  } catch (...) {
    destroy(slot);
  }
}

void Queue::destroy(const Slot& slot) {
  if (slot.fence != VK_NULL_HANDLE) functions_->vkDestroyFence(device_, slot.fence, nullptr);
  if (slot.pool != VK_NULL_HANDLE) functions_->vkDestroyCommandPool(device_, slot.pool, nullptr);
}

Submission::Submission(Queue& queue) : queue_(queue), slot_(queue.take()) {
  VkCommandBufferBeginInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  const VkResult result = queue_.functions_->vkBeginCommandBuffer(slot_.commands, &info);
  if (result != VK_SUCCESS) {
    queue_.give_back(slot_);
    queue_.check(result, "vkBeginCommandBuffer");
  }
}

Submission::~Submission() {
  try {
    wait();
  } catch (const Error&) {  // the device is lost: then nothing runs any more
  }
  queue_.give_back(slot_);
}

void Submission::submit() {
  const DeviceTable& functions = *queue_.functions_;
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_HOST_READ_BIT;
  functions.vkCmdPipelineBarrier(slot_.commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                 VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0,
                                 nullptr, 0, nullptr);
  queue_.check(functions.vkEndCommandBuffer(slot_.commands), "vkEndCommandBuffer");
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &slot_.commands;
  VkResult result = VK_SUCCESS;
  {
    const std::lock_guard lock(queue_.mutex_);
    result = functions.vkQueueSubmit(queue_.queue_, 1, &info, slot_.fence);
  }
  queue_.check(result, "vkQueueSubmit");
  running_ = true;
}

void Submission::wait() {
  if (!running_) return;
  running_ = false;
  queue_.check(queue_.functions_->vkWaitForFences(queue_.device_, 1, &slot_.fence, VK_TRUE, UINT64_MAX),
               "vkWaitForFences");
}

}  // namespace vktconv::host

// Command buffers on their way through the queue of a device.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "vulkan_loader.h"

namespace vktconv::host {

// The one queue of a device, shared by threads.
class Queue {
 public:
  Queue() = default;
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void create(const DeviceTable& functions, VkDevice device, VkQueue queue, uint32_t family);
  void destroy();  // nothing may be running

  VkQueue handle() const { return queue_; }
  uint32_t family() const { return family_; }
  const DeviceTable& functions() const { return *functions_; }
  VkDevice device() const { return device_; }

  // Throws where the device was lost before.
  void require_device() const;
  // As check_vulkan; remembers the loss of the device.
  void check(VkResult result, const char* function);
  bool lost() const { return lost_; }

 private:
  friend class Submission;
  // A command buffer with a pool of its own, so that threads can record at the same time.
  struct Slot {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkFence fence = VK_NULL_HANDLE;
  };
  Slot take();
  void give_back(Slot slot);
  void destroy(const Slot& slot);

  const DeviceTable* functions_ = nullptr;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t family_ = 0;
  std::atomic<bool> lost_ = false;
  std::mutex mutex_;  // of the queue and of the slots
  std::vector<Slot> free_;
};

// One command buffer: recorded, submitted, waited for. Its work sees all that earlier submissions have written, and the
// host sees what it wrote once it is waited for.
class Submission {
 public:
  explicit Submission(Queue& queue);  // begins recording
  ~Submission();                      // waits
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  VkCommandBuffer commands() const { return slot_.commands; }
  void submit();
  void wait();

 private:
  Queue& queue_;
  Queue::Slot slot_;
  bool running_ = false;
};

}  // namespace vktconv::host

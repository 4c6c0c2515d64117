// Copies between host arrays and buffers that the host cannot reach: through mapped chunks, two in flight, so that one
// is filled or emptied while the device copies the other.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "memory.h"
#include "submission.h"

namespace vktconv::host {

class Staging {
 public:
  // A copy in progress uses one pair of chunks; a pair grows to this at most.
  static constexpr VkDeviceSize largest_chunk = VkDeviceSize{32} << 20;

  Staging(Memory& memory, Queue& queue) : memory_(memory), queue_(queue) {}
  ~Staging();  // nothing may be running
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // May be called by several threads at once. Return when the copy is done.
  void upload(const void* source, VkBuffer destination, VkDeviceSize offset, VkDeviceSize bytes);
  void download(VkBuffer source, VkDeviceSize offset, void* destination, VkDeviceSize bytes);

 private:
  struct Chunks {
    VkDeviceSize size = 0;  // of each
    std::array<Allocation, 2> chunks = {};
  };
  class Lease;  // takes a pair and gives it back

  void grow(Chunks& chunks, VkDeviceSize size);
  void free(Chunks& chunks);

  Memory& memory_;
  Queue& queue_;
  std::mutex mutex_;
  std::vector<Chunks> free_;
};

}  // namespace vktconv::host

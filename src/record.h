// Records the dispatches of a plan. Allocates nothing, submits nothing, waits for nothing, cannot fail.
#pragma once

#include "call_buffers.h"

namespace vktconv {

// With device addresses, sets is ignored. Otherwise: null pushes the descriptors; if not null, one set for each
// dispatch. timestamps may be null.
void record(VkCommandBuffer command_buffer, const VktcPlan_T& plan, Work work, const CallBuffers& buffers,
            const VkDescriptorSet* sets, const VktcTimestamps* timestamps) noexcept;

// The descriptors of one dispatch, as writes to set (null for push descriptors). Holds everything that the writes point
// to.
class DescriptorWrites {
 public:
  DescriptorWrites(const Dispatch& dispatch, const CallBuffers& buffers, VkDescriptorSet set) noexcept;
  DescriptorWrites(const DescriptorWrites&) = delete;
  DescriptorWrites& operator=(const DescriptorWrites&) = delete;

  uint32_t count() const { return count_; }
  const VkWriteDescriptorSet* data() const { return writes_; }

 private:
  uint32_t count_;
  VkDescriptorBufferInfo infos_[max_windows];
  VkWriteDescriptorSet writes_[max_windows];
};

}  // namespace vktconv

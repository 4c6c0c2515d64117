// The buffers of one call, checked against the plan.
#pragma once

#include <array>

#include "built_plan.h"

namespace vktconv {

struct CallBuffer {
  VkBuffer handle = VK_NULL_HANDLE;  // null: the call does not need it
  VkDeviceSize offset = 0;
  VkDeviceAddress address = 0;  // of offset; 0 where the plan works through descriptors
};

// By Tensor.
using CallBuffers = std::array<CallBuffer, tensor_count>;

// Allocates nothing. Errors name the parameter as in "buffers.output.size".
bool check_call_buffers(const VktcPlan_T& plan, Work work, const VktcBuffers& buffers, CallBuffers& checked,
                        VktcError& error);

}  // namespace vktconv

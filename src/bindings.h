// What a VktcBindings is: the checked buffers of a plan and, where the device has no push descriptors, the descriptor
// sets that name them. Immutable once made.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "call_buffers.h"

namespace vktconv {

// The bindings of one of the two command lists.
struct WorkBindings {
  CallBuffers buffers;
  std::vector<VkDescriptorSet> sets;  // one for each dispatch; empty with push descriptors or device addresses
};

}  // namespace vktconv

struct VktcBindings_T {
  explicit VktcBindings_T(const VktcPlan_T& bound_plan) : plan(bound_plan) {}
  ~VktcBindings_T();
  VktcBindings_T(const VktcBindings_T&) = delete;
  VktcBindings_T& operator=(const VktcBindings_T&) = delete;

  const VktcPlan_T& plan;
  VkDescriptorPool pool = VK_NULL_HANDLE;
  std::optional<vktconv::WorkBindings> pack;  // where the buffers name weights
  std::optional<vktconv::WorkBindings> run;   // where they name input and output
};

namespace vktconv {

bool create_bindings(const VktcPlan_T& plan, const VktcBuffers& buffers, std::unique_ptr<VktcBindings_T>& bindings,
                     VktcError& error);

}  // namespace vktconv

// Plans and bindings that destroy themselves, and what the host layer submits with them. A call has its own submission,
// and its barriers against whatever came before it and comes after it on the queue.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <memory>

namespace vktconv::host {

struct PlanDeleter {
  void operator()(VktcPlan plan) const noexcept { vktcDestroyPlan(plan); }
};
using PlanHandle = std::unique_ptr<VktcPlan_T, PlanDeleter>;

struct BindingsDeleter {
  void operator()(VktcBindings bindings) const noexcept { vktcDestroyBindings(bindings); }
};
using BindingsHandle = std::unique_ptr<VktcBindings_T, BindingsDeleter>;

// They throw Error.

// By choose().
PlanHandle create_plan(const Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options);
BindingsHandle create_bindings(VktcPlan plan, const VktcBuffers& buffers);
void submit_pack_weights(Device& device, VktcPlan plan, const VktcBuffers& buffers);
void submit_conv_transpose(Device& device, VktcBindings bindings);
// The same into a command buffer of the caller's; timestamps may be null.
void record_conv_transpose(const Device& device, VkCommandBuffer commands, VktcBindings bindings,
                           const VktcTimestamps* timestamps);

// INVALID_PARAMETER where an array that the problem needs is missing.
void check_array(const char* name, const void* array);

}  // namespace vktconv::host

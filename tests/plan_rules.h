// What must hold for every plan on every device, checked without one.
#pragma once

#include <string>

#include "device_caps.h"
#include "plan.h"
#include "shape.h"

namespace vktconv::tests {

// Empty, or the first rule that the plan breaks, in words.
std::string broken_rule(const Problem& problem, const DeviceCaps& caps, const Plan& plan);

// The least bytes of the buffer that holds a tensor.
uint64_t tensor_bytes(const Problem& problem, const Plan& plan, Tensor tensor);

// Devices made by hand.
DeviceCaps phone_caps();         // what Vulkan 1.2 guarantees and nothing more
DeviceCaps ada_caps();           // a desktop card with everything
DeviceCaps lavapipe_caps();      // 128 MiB in one binding
DeviceCaps tiny_grid_caps();     // seven workgroups along each axis
DeviceCaps tiny_binding_caps();  // 64 KiB in one binding

}  // namespace vktconv::tests

// A scale for each out-channel, before the packed weights (shaders/weight_scales.comp).
#pragma once

#include "algorithms/algorithm.h"

namespace vktconv {

int64_t scales_bytes(const Problem& problem);

AlignedWindow scales_window(const Problem& problem, const DeviceCaps& caps);

// The first dispatches of the packing: as many in-channels in each as a window holds.
bool add_scales(const Problem& problem, const DeviceCaps& caps, Plan& plan, VktcError& error);

}  // namespace vktconv

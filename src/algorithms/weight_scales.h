// A scale for each out-channel, in the packed weights before those that it is for (shaders/weight_scales.comp).
#pragma once

#include "algorithms/algorithm.h"

namespace vktconv {

// Where weights lie that are to be packed: in their tensor, or somewhere in the packed weights, transformed.
struct WeightsPlace {
  Tensor tensor = Tensor::weights;
  uint64_t begin = 0;  // in bytes
};

// The bytes [begin, end) of these weights.
AlignedWindow weights_window(const WeightsPlace& place, int64_t begin, int64_t end, int64_t element_size,
                             const DeviceCaps& caps);

int64_t scales_bytes(const Problem& problem);

// begin: in the packed weights, a multiple of 256.
AlignedWindow scales_window(const Problem& problem, const DeviceCaps& caps, uint64_t begin);

// Dispatches that write scales behind what is packed already, which must be a multiple of 256 bytes: as many
// in-channels in each as a window holds.
bool add_scales(const Problem& problem, const DeviceCaps& caps, const WeightsPlace& weights, Plan& plan,
                VktcError& error);

}  // namespace vktconv

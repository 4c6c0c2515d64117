// Cuts a problem that is too large for a device into slabs: sub-problems that are ordinary problems themselves, with
// the windows of the whole tensors that each reads and writes. Pure; needs no device. (The planner of the core library
// cuts, too, but only within buffers that hold whole tensors.)
//
// Cuts go along batch, groups, out-channels within a group, and output ranges of the spatial axes from the outermost
// on; never along in-channels, so every output is written once, by one slab.
#pragma once

#include <vktconv/vktconv.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace vktconv::host {

// A box within a dense tensor in C order. Tensors have five axes here: images, channels and three spatial ones for
// input and output, or images, three spatial ones and channels where they are channels-last; in-channels, out-channels
// of a group and three taps for weights; the bias lies along the last.
struct Window {
  std::array<int64_t, 5> size = {1, 1, 1, 1, 1};  // of the whole tensor
  std::array<int64_t, 5> begin = {};
  std::array<int64_t, 5> count = {1, 1, 1, 1, 1};

  int64_t elements() const { return count[0] * count[1] * count[2] * count[3] * count[4]; }
  bool operator==(const Window&) const = default;
};

// Calls run(first, length) for each stretch of elements of the window that is contiguous in the tensor, in order.
void for_each_run(const Window& window, const std::function<void(int64_t first, int64_t length)>& run);

struct Slab {
  VktcConvTransposeDesc desc;
  Window input, weights, output;  // the residual's is the output's
  Window bias;                    // of bias, scale and shift, where desc has them
};

// The bytes of a slab's tensors in buffers; 0 where desc has none.
struct SlabBytes {
  uint64_t input = 0, weights = 0, bias = 0, output = 0, residual = 0;
  uint64_t scale = 0;  // of scale and shift each

  uint64_t largest() const;
  uint64_t together() const;  // the weights twice: as given and packed
};

// Of a slab of desc with so many elements of each tensor.
SlabBytes slab_bytes(const VktcConvTransposeDesc& desc, int64_t input_elements, int64_t weight_elements,
                     int64_t out_channels, int64_t output_elements);
SlabBytes bytes_of(const Slab& slab);

struct SlabLimits {
  uint64_t tensor_bytes = UINT64_MAX;   // of each tensor of a slab
  uint64_t weights_bytes = UINT64_MAX;  // of its weights, where these have a tighter limit
  uint64_t slab_bytes = UINT64_MAX;     // of all tensors of a slab together, the weights twice: as given and packed
  // Multiply-adds of a slab, about: wished, and passed over where no cut is fine enough.
  double products = std::numeric_limits<double>::infinity();
  // Where the limits come from, for messages.
  std::string tensor_limit = "the largest buffer";
  std::string slab_limit = "the device's memory";
};

// Slabs with the same window of weights follow each other, and those of equal problems among these. Throws Error:
// INVALID_PARAMETER where desc is invalid, LIMIT_EXCEEDED, which names the limit, where no cut is fine enough.
std::vector<Slab> cut_slabs(const VktcConvTransposeDesc& desc, const SlabLimits& limits);

// The bytes that a tensor of this many elements takes in a buffer: input or weights, or the output.
uint64_t tensor_bytes(const VktcConvTransposeDesc& desc, int64_t elements);
uint64_t output_bytes(const VktcConvTransposeDesc& desc, int64_t elements);

// Everything that a valid descriptor says, to compare and sort descriptors by.
using ProblemKey = std::array<int64_t, 11 + 7 * VKTC_MAX_SPATIAL_RANK + 3 * VKTC_MAX_POST_OPS>;
ProblemKey problem_key(const VktcConvTransposeDesc& desc);

}  // namespace vktconv::host

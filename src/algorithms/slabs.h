// Cuts a problem into slabs whose windows of input and output fit one binding and 32-bit indices: whole images, else
// whole groups of one image, else blocks of out-channels of one group. Fewer channels do not make a channels-last
// window smaller: of such a tensor a whole image must fit. Each slab is one dispatch. (The host layer has its own,
// further-reaching slabs: they cut problems that fit no single buffer.)
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "device_caps.h"
#include "error.h"
#include "shape.h"

namespace vktconv {

struct Slab {
  int64_t first_image = 0, images = 0;
  int64_t first_group = 0, groups = 0;
  int64_t first_block = 0, blocks = 0;  // out-channel blocks within each group
};

struct SlabLimits {
  uint64_t input_window_bytes = 0;  // see max_window_bytes
  uint64_t output_window_bytes = 0;
  int64_t block_channels = 1;       // out-channels of a block
  uint64_t packed_block_bytes = 0;  // of packed weights of one block
  uint64_t packed_window_bytes = 0;
  uint64_t max_workgroups = 0;
  size_t max_slabs = 65536;
  std::function<uint64_t(const Slab&)> workgroups;  // that a slab takes
};

bool cut_slabs(const Problem& problem, const SlabLimits& limits, std::vector<Slab>& slabs, VktcError& error);

}  // namespace vktconv

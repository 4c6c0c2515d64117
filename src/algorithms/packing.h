// The packing of weights into blocks (blocks.h): dispatches, and where their results lie.
#pragma once

#include "algorithms/blocks.h"

namespace vktconv {

int64_t packed_bytes(const Problem& problem, const Blocking& blocking);
uint64_t packed_block_bytes(const Problem& problem, const Blocking& blocking);  // clamped: it may pass 64 bits
uint64_t packed_window_bytes(const DeviceCaps& caps, const Blocking& blocking, bool device_address);  // at most

// The window of some blocks of packed weights, counted over all groups. begin: where the blocks begin, in bytes.
AlignedWindow packed_window(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, uint64_t begin,
                            int64_t first_block, int64_t blocks);

// Behind what is packed already.
bool add_packing(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, Plan& plan,
                 VktcError& error);

}  // namespace vktconv

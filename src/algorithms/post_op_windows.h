// What post-ops ask of a plan: specialization constants, and windows of their buffers (shaders/post_ops.glsl).
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/algorithm.h"

namespace vktconv {

// Whether the chain reads buffers.
bool has_post_op_buffers(const Problem& problem);

// Sets the POST_OP_CONSTANTS of a kernel.
void set_post_op_constants(const Problem& problem, std::vector<uint32_t>& constants);

// Puts the windows of scale, shift and residual behind those of a dispatch, where its shader has bindings or addresses
// for them: with device addresses always, with descriptors where the chain reads buffers. output is the window of the
// output, unused what stands in for a buffer that the chain does not read.
void append_post_op_windows(const Problem& problem, const DeviceCaps& caps, bool device_address, const Window& output,
                            const Window& unused, std::vector<Window>& windows);

// Whether a kernel with so many buffers of its own can reach those of the chain as well.
bool check_post_op_buffers(const Problem& problem, const DeviceCaps& caps, bool device_address, uint32_t own_buffers,
                           VktcError& error);

}  // namespace vktconv

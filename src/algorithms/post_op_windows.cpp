#include "algorithms/post_op_windows.h"

#include <cinttypes>
#include <cstring>

#include "shared/params.h"

namespace vktconv {

static_assert(POST_OPS == VKTC_MAX_POST_OPS);
// In the order of the header.
static_assert(POST_OP_RELU == VKTC_POST_OP_RELU && POST_OP_LEAKY_RELU == VKTC_POST_OP_LEAKY_RELU &&
              POST_OP_SILU == VKTC_POST_OP_SILU && POST_OP_GELU_TANH == VKTC_POST_OP_GELU_TANH &&
              POST_OP_GELU_ERF == VKTC_POST_OP_GELU_ERF && POST_OP_MISH == VKTC_POST_OP_MISH &&
              POST_OP_SIGMOID == VKTC_POST_OP_SIGMOID && POST_OP_TANH == VKTC_POST_OP_TANH &&
              POST_OP_CLAMP == VKTC_POST_OP_CLAMP && POST_OP_LINEAR == VKTC_POST_OP_LINEAR &&
              POST_OP_SCALE_SHIFT == VKTC_POST_OP_SCALE_SHIFT && POST_OP_RESIDUAL == VKTC_POST_OP_RESIDUAL);

namespace {

constexpr uint32_t post_op_buffers = 3;

uint32_t bits_of(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The vectors of scale and shift.
uint64_t vector_bytes(const Problem& problem) { return static_cast<uint64_t>(problem.out_channels) * sizeof(float); }

}  // namespace

bool has_post_op_buffers(const Problem& problem) {
  return problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT) || problem.has_post_op(VKTC_POST_OP_RESIDUAL);
}

void set_post_op_constants(const Problem& problem, std::vector<uint32_t>& constants) {
  constants[POST_OP_COUNT] = static_cast<uint32_t>(problem.post_ops.size());
  for (size_t i = 0; i < problem.post_ops.size(); ++i) {
    constants[POST_OP_KIND + i] = static_cast<uint32_t>(problem.post_ops[i].kind);
    constants[POST_OP_ALPHA + i] = bits_of(problem.post_ops[i].alpha);
    constants[POST_OP_BETA + i] = bits_of(problem.post_ops[i].beta);
  }
}

void append_post_op_windows(const Problem& problem, const DeviceCaps& caps, bool device_address, const Window& output,
                            const Window& unused, std::vector<Window>& windows) {
  if (problem.data_type == VKTC_DATA_TYPE_I32) return;
  if (!device_address && !has_post_op_buffers(problem)) return;
  const bool scaled = problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT);
  for (const Tensor vector : {Tensor::scale, Tensor::shift}) {
    windows.push_back(scaled ? align_window(vector, 0, vector_bytes(problem), sizeof(float), caps).window : unused);
  }
  windows.push_back(unused);
  if (problem.has_post_op(VKTC_POST_OP_RESIDUAL)) windows.back() = {Tensor::residual, output.offset, output.range};
}

bool check_post_op_buffers(const Problem& problem, const DeviceCaps& caps, bool device_address, uint32_t own_buffers,
                           VktcError& error) {
  if (!has_post_op_buffers(problem)) return true;
  const uint32_t buffers = own_buffers + post_op_buffers;
  if (!device_address && buffers > caps.max_storage_buffers_per_stage) {
    return fail(
        error, VKTC_ERROR_LIMIT_EXCEEDED, "postOps",
        "scale_shift and residual need a shader with %u storage buffers, but maxPerStageDescriptorStorageBuffers "
        "is %u; enabling bufferDeviceAddress lifts that",
        buffers, caps.max_storage_buffers_per_stage);
  }
  const uint64_t limit = max_window_bytes(caps, device_address, sizeof(float));
  if (problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT) && vector_bytes(problem) > limit) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "scale",
                "scale and shift have %" PRIu64
                " bytes each, but maxStorageBufferRange and 32-bit indices allow %" PRIu64 " in one binding",
                vector_bytes(problem), limit);
  }
  return true;
}

}  // namespace vktconv

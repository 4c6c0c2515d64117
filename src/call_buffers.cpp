#include "call_buffers.h"

#include <cinttypes>
#include <cstdio>

namespace vktconv {
namespace {

const VktcBuffer& buffer_of(const VktcBuffers& buffers, Tensor tensor) {
  switch (tensor) {
    case Tensor::input:
      return buffers.input;
    case Tensor::weights:
      return buffers.weights;
    case Tensor::packed_weights:
      return buffers.packedWeights;
    case Tensor::bias:
      return buffers.bias;
    case Tensor::output:
      return buffers.output;
    case Tensor::scale:
      return buffers.scale;
    case Tensor::shift:
      return buffers.shift;
    case Tensor::residual:
      return buffers.residual;
    default:
      return buffers.workspace;
  }
}

// "buffers.output.size", without an allocation.
struct ParameterName {
  char text[sizeof(VktcError::parameter)];

  ParameterName(Tensor tensor, const char* field) {
    std::snprintf(text, sizeof text, "buffers.%s.%s", tensor_name(tensor), field);
  }
};

bool check_buffer(const VktcPlan_T& plan, Tensor tensor, const VktcBuffer& buffer, VktcError& error) {
  const uint64_t needed = plan.tensor_bytes[static_cast<size_t>(tensor)];
  if (buffer.buffer == VK_NULL_HANDLE) {
    const ParameterName name(tensor, "buffer");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text,
                "%s is VK_NULL_HANDLE: the call needs a buffer of %" PRIu64 " bytes there", name.text, needed);
  }
  const uint64_t alignment = plan.requirements.offsetAlignment;
  if (buffer.offset % alignment != 0) {
    const ParameterName name(tensor, "offset");
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text, "%s is %" PRIu64 ": it must be a multiple of %" PRIu64,
                name.text, buffer.offset, alignment);
  }
  const ParameterName name(tensor, "size");
  if (buffer.size == VK_WHOLE_SIZE) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text,
                "%s is VK_WHOLE_SIZE: it must be the number of bytes from offset on, at least %" PRIu64, name.text,
                needed);
  }
  if (buffer.size < needed) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text, "%s is %" PRIu64 ": it must be at least %" PRIu64,
                name.text, buffer.size, needed);
  }
  if (buffer.offset > UINT64_MAX - buffer.size) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text,
                "%s is %" PRIu64 ": with an offset of %" PRIu64 " the end is beyond 2^64", name.text, buffer.size,
                buffer.offset);
  }
  return true;
}

bool is_written(Work work, Tensor tensor) {
  return work == Work::pack ? tensor == Tensor::packed_weights
                            : tensor == Tensor::output || tensor == Tensor::workspace;
}

// Only the bytes that the call touches count.
bool overlap(const CallBuffers& checked, const VktcPlan_T& plan, size_t a, size_t b) {
  return checked[a].handle == checked[b].handle && checked[a].offset < checked[b].offset + plan.tensor_bytes[b] &&
         checked[b].offset < checked[a].offset + plan.tensor_bytes[a];
}

bool check_overlaps(const VktcPlan_T& plan, Work work, const CallBuffers& checked, VktcError& error) {
  for (size_t written = 0; written < tensor_count; ++written) {
    const Tensor tensor = static_cast<Tensor>(written);
    if (!is_written(work, tensor) || checked[written].handle == VK_NULL_HANDLE) continue;
    for (size_t other = 0; other < tensor_count; ++other) {
      if (other == written || checked[other].handle == VK_NULL_HANDLE || !overlap(checked, plan, written, other)) {
        continue;
      }
      const ParameterName name(tensor, "offset");
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, name.text,
                  "%s is %" PRIu64 ": %s (%" PRIu64 " bytes) overlaps %s (%" PRIu64 " bytes at %" PRIu64
                  ") in the same VkBuffer",
                  name.text, checked[written].offset, tensor_name(tensor), plan.tensor_bytes[written],
                  tensor_name(static_cast<Tensor>(other)), plan.tensor_bytes[other], checked[other].offset);
    }
  }
  return true;
}

}  // namespace

bool check_call_buffers(const VktcPlan_T& plan, Work work, const VktcBuffers& buffers, CallBuffers& checked,
                        VktcError& error) {
  checked = {};
  for (size_t i = 0; i < tensor_count; ++i) {
    const Tensor tensor = static_cast<Tensor>(i);
    if (!takes_part(work, tensor) || plan.tensor_bytes[i] == 0) continue;
    const VktcBuffer& buffer = buffer_of(buffers, tensor);
    if (!check_buffer(plan, tensor, buffer, error)) return false;
    checked[i].handle = buffer.buffer;
    checked[i].offset = buffer.offset;
  }
  if (!check_overlaps(plan, work, checked, error)) return false;
  if (!plan.plan.device_address) return true;

  const DeviceAccess& device = plan.context->device;
  for (CallBuffer& buffer : checked) {
    if (buffer.handle == VK_NULL_HANDLE) continue;
    VkBufferDeviceAddressInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO;
    info.buffer = buffer.handle;
    buffer.address = device.functions.GetBufferDeviceAddress(device.handle, &info) + buffer.offset;
  }
  return true;
}

}  // namespace vktconv

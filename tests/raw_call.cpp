#include "raw_call.h"

#include <doctest/doctest.h>

#include <cstring>

namespace vktconv::tests {
namespace {

RawBuffer make_buffer(const RawDevice& device, VkDeviceSize size, const std::vector<std::byte>& content) {
  if (size == 0) return {};
  RawBuffer buffer(device, size);
  std::memset(buffer.data(), 0xff, size);
  if (!content.empty()) std::memcpy(buffer.data(), content.data(), content.size());
  return buffer;
}

}  // namespace

RawCall::RawCall(const RawDevice& device, const vktc::Plan& plan, const Tensors& tensors)
    : device_(device), plan_(plan), output_bytes_(output_bytes(tensors.desc)) {
  const VktcPlanRequirements requirements = plan.requirements();
  input_ = make_buffer(device, requirements.inputBytes, tensors.input);
  weights_ = make_buffer(device, requirements.weightsBytes, tensors.weights);
  packed_weights_ = make_buffer(device, requirements.packedWeightsBytes, {});
  bias_ = make_buffer(device, requirements.biasBytes, tensors.bias);
  output_ = make_buffer(device, requirements.outputBytes, {});
  workspace_ = make_buffer(device, requirements.workspaceBytes, {});
  const auto bytes_of = [](const std::vector<float>& vector) {
    const auto* bytes = reinterpret_cast<const std::byte*>(vector.data());
    return std::vector<std::byte>(bytes, bytes + vector.size() * sizeof(float));
  };
  scale_ = make_buffer(device, requirements.scaleBytes, bytes_of(tensors.scale));
  shift_ = make_buffer(device, requirements.shiftBytes, bytes_of(tensors.shift));
  residual_ = make_buffer(device, requirements.residualBytes, tensors.residual);
}

VktcBuffers RawCall::buffers() const {
  VktcBuffers buffers = {};
  buffers.input = input_.view();
  buffers.weights = weights_.view();
  buffers.packedWeights = packed_weights_.view();
  buffers.bias = bias_.view();
  buffers.output = output_.view();
  buffers.workspace = workspace_.view();
  buffers.scale = scale_.view();
  buffers.shift = shift_.view();
  buffers.residual = residual_.view();
  return buffers;
}

std::vector<std::byte> RawCall::output() const { return {output_.data(), output_.data() + output_bytes_}; }

void RawCall::run() const {
  submit([&](VkCommandBuffer commands) { plan_.pack_weights(commands, buffers()); },
         [&](VkCommandBuffer commands) { plan_.conv_transpose(commands, buffers()); });
}

void RawCall::run_bound() const {
  const vktc::Bindings bindings(plan_, buffers());
  submit([&](VkCommandBuffer commands) { bindings.pack_weights(commands); },
         [&](VkCommandBuffer commands) { bindings.conv_transpose(commands); });
}

void RawCall::submit(const std::function<void(VkCommandBuffer)>& pack,
                     const std::function<void(VkCommandBuffer)>& run) const {
  device_.submit([&](VkCommandBuffer commands) {
    pack(commands);
    record_barrier(device_, commands);
    run(commands);
    record_barrier(device_, commands);
  });
}

void record_barrier(const RawDevice& device, VkCommandBuffer commands) {
  VkMemoryBarrier memory{};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  memory.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT;
  device.call<PFN_vkCmdPipelineBarrier>("vkCmdPipelineBarrier")(
      commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_HOST_BIT,
      0, 1, &memory, 0, nullptr, 0, nullptr);
}

bool agrees(const Tensors& tensors, const std::vector<std::byte>& output) {
  const std::vector<reference::Value> expected = tensors.expected();
  for (int64_t i = 0; i < tensors.output_elements; ++i) {
    if (reference::matches(tensors.desc, expected[static_cast<size_t>(i)], output.data(), i)) continue;
    MESSAGE("output element " << i << " should be " << expected[static_cast<size_t>(i)].value);
    return false;
  }
  return true;
}

}  // namespace vktconv::tests

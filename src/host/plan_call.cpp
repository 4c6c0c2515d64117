#include "plan_call.h"

#include "../context.h"
#include "raise.h"

namespace vktconv::host {
namespace {

// Between the library's compute shaders and everything else that the queue does to the buffers.
void record_barrier(const Device& device, VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written,
                    VkPipelineStageFlags to, VkAccessFlags used) {
  VkMemoryBarrier barrier{};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = written;
  barrier.dstAccessMask = used;
  device.context()->device.functions.CmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

constexpr VkPipelineStageFlags compute_stage = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags both_stages = compute_stage | VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags both_writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags shader_accesses = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
constexpr VkAccessFlags transfer_accesses = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

template <typename Record>
void record_between_barriers(const Device& device, VkCommandBuffer commands, const Record& record) {
  VktcError error = {};
  record_barrier(device, commands, both_stages, both_writes, compute_stage, shader_accesses);
  check_status(record(error), error);
  record_barrier(device, commands, compute_stage, VK_ACCESS_SHADER_WRITE_BIT, both_stages,
                 shader_accesses | transfer_accesses);
}

}  // namespace

PlanHandle create_plan(const Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options) {
  VktcPlanOptions chosen = options;
  const Choice choice = choose(device, desc, options);
  if (!choice.text.empty()) chosen.choice = choice.text.c_str();
  VktcPlan plan = nullptr;
  VktcError error = {};
  check_status(vktcCreatePlan(device.context(), &desc, &chosen, &plan, &error), error);
  return PlanHandle(plan);
}

BindingsHandle create_bindings(VktcPlan plan, const VktcBuffers& buffers) {
  VktcBindings bindings = nullptr;
  VktcError error = {};
  check_status(vktcCreateBindings(plan, &buffers, &bindings, &error), error);
  return BindingsHandle(bindings);
}

void submit_pack_weights(Device& device, VktcPlan plan, const VktcBuffers& buffers) {
  VktcBuffers packing{};
  packing.weights = buffers.weights;
  packing.packedWeights = buffers.packedWeights;
  const BindingsHandle bindings = create_bindings(plan, packing);
  device.submit([&](VkCommandBuffer commands) {
    record_between_barriers(device, commands, [&](VktcError& error) {
      return vktcCmdPackWeightsBound(commands, bindings.get(), nullptr, &error);
    });
  });
}

void submit_conv_transpose(Device& device, VktcBindings bindings) {
  device.submit([&](VkCommandBuffer commands) { record_conv_transpose(device, commands, bindings, nullptr); });
}

void record_conv_transpose(const Device& device, VkCommandBuffer commands, VktcBindings bindings,
                           const VktcTimestamps* timestamps) {
  record_between_barriers(device, commands, [&](VktcError& error) {
    return vktcCmdConvTransposeBound(commands, bindings, timestamps, &error);
  });
}

void check_array(const char* name, const void* array) {
  if (array == nullptr) raise(VKTC_ERROR_INVALID_PARAMETER, name, "%s is NULL: the problem needs that array", name);
}

}  // namespace vktconv::host

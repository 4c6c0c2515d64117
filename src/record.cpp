#include "record.h"

#include <algorithm>

namespace vktconv {
namespace {

const CallBuffer& buffer_of(const CallBuffers& buffers, const Window& window) {
  return buffers[static_cast<size_t>(window.tensor)];
}

// Everything that earlier dispatches wrote becomes visible; what they read may be overwritten.
void record_barrier(VkCommandBuffer command_buffer, const DeviceFunctions& vk) {
  VkMemoryBarrier barrier{};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  vk.CmdPipelineBarrier(command_buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0,
                        1, &barrier, 0, nullptr, 0, nullptr);
}

void record_push_constants(VkCommandBuffer command_buffer, const DeviceFunctions& vk, const Plan& plan,
                           const Dispatch& dispatch, VkPipelineLayout layout, const CallBuffers& buffers) {
  uint32_t words[max_push_bytes / sizeof(uint32_t)];
  uint32_t count = 0;
  if (plan.device_address) {
    for (const Window& window : dispatch.windows) {
      const VkDeviceAddress address = buffer_of(buffers, window).address + window.offset;
      words[count++] = static_cast<uint32_t>(address);
      words[count++] = static_cast<uint32_t>(address >> 32);
    }
  }
  std::copy(dispatch.params.begin(), dispatch.params.end(), words + count);
  count += static_cast<uint32_t>(dispatch.params.size());
  if (count == 0) return;
  vk.CmdPushConstants(command_buffer, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                      count * static_cast<uint32_t>(sizeof(uint32_t)), words);
}

}  // namespace

DescriptorWrites::DescriptorWrites(const Dispatch& dispatch, const CallBuffers& buffers, VkDescriptorSet set) noexcept
    : count_(static_cast<uint32_t>(dispatch.windows.size())) {
  for (uint32_t i = 0; i < count_; ++i) {
    const Window& window = dispatch.windows[i];
    const CallBuffer& buffer = buffer_of(buffers, window);
    infos_[i] = {buffer.handle, buffer.offset + window.offset, window.range};
    writes_[i] = {};
    writes_[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes_[i].dstSet = set;
    writes_[i].dstBinding = i;
    writes_[i].descriptorCount = 1;
    writes_[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes_[i].pBufferInfo = &infos_[i];
  }
}

void record(VkCommandBuffer command_buffer, const VktcPlan_T& plan, Work work, const CallBuffers& buffers,
            const VkDescriptorSet* sets, const VktcTimestamps* timestamps) noexcept {
  const DeviceFunctions& vk = plan.context->device.functions;
  const std::vector<Dispatch>& dispatches = plan.dispatches(work);
  const std::vector<std::shared_ptr<const Pipeline>>& pipelines = plan.pipelines(work);
  uint32_t query = 0;
  const auto write_timestamp = [&] {
    if (timestamps == nullptr) return;
    // At the bottom of the pipe: when everything recorded so far is done.
    vk.CmdWriteTimestamp(command_buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, timestamps->queryPool,
                         timestamps->firstQuery + query++);
  };

  write_timestamp();
  const Pipeline* bound = nullptr;
  for (size_t i = 0; i < dispatches.size(); ++i) {
    const Dispatch& dispatch = dispatches[i];
    const Pipeline& pipeline = *pipelines[i];
    if (dispatch.barrier_before) record_barrier(command_buffer, vk);
    if (bound != &pipeline) vk.CmdBindPipeline(command_buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
    bound = &pipeline;
    if (!plan.plan.device_address && !dispatch.windows.empty()) {
      if (sets != nullptr) {
        vk.CmdBindDescriptorSets(command_buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &sets[i], 0,
                                 nullptr);
      } else {
        const DescriptorWrites writes(dispatch, buffers, VK_NULL_HANDLE);
        vk.CmdPushDescriptorSet(command_buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, writes.count(),
                                writes.data());
      }
    }
    record_push_constants(command_buffer, vk, plan.plan, dispatch, pipeline.layout, buffers);
    vk.CmdDispatch(command_buffer, dispatch.group_count[0], dispatch.group_count[1], dispatch.group_count[2]);
    write_timestamp();
  }
}

}  // namespace vktconv

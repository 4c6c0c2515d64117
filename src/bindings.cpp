#include "bindings.h"

#include "record.h"

VktcBindings_T::~VktcBindings_T() {
  const vktconv::DeviceAccess& device = plan.context->device;
  if (pool != VK_NULL_HANDLE) device.functions.DestroyDescriptorPool(device.handle, pool, device.allocator);
}

namespace vktconv {
namespace {

void count_descriptors(const std::vector<Dispatch>& dispatches, uint32_t& sets, uint32_t& descriptors) {
  for (const Dispatch& dispatch : dispatches) {
    if (dispatch.windows.empty()) continue;
    sets += 1;
    descriptors += static_cast<uint32_t>(dispatch.windows.size());
  }
}

bool create_pool(VktcBindings_T& bindings, VktcError& error) {
  const DeviceAccess& device = bindings.plan.context->device;
  uint32_t sets = 0;
  uint32_t descriptors = 0;
  if (bindings.pack) count_descriptors(bindings.plan.plan.pack, sets, descriptors);
  if (bindings.run) count_descriptors(bindings.plan.plan.run, sets, descriptors);
  if (sets == 0) return true;
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors};
  VkDescriptorPoolCreateInfo create_info{};
  create_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  create_info.maxSets = sets;
  create_info.poolSizeCount = 1;
  create_info.pPoolSizes = &size;
  const VkResult result =
      device.functions.CreateDescriptorPool(device.handle, &create_info, device.allocator, &bindings.pool);
  if (result == VK_SUCCESS) return true;
  bindings.pool = VK_NULL_HANDLE;
  return fail_vulkan(error, result, "vkCreateDescriptorPool");
}

bool fill_sets(const VktcBindings_T& bindings, Work work, WorkBindings& filled, VktcError& error) {
  VktcContext context = bindings.plan.context;
  const DeviceAccess& device = context->device;
  const std::vector<Dispatch>& dispatches = bindings.plan.dispatches(work);
  filled.sets.resize(dispatches.size(), VK_NULL_HANDLE);
  for (size_t i = 0; i < dispatches.size(); ++i) {
    const Dispatch& dispatch = dispatches[i];
    if (dispatch.windows.empty()) continue;
    VkDescriptorSetLayout layout = VK_NULL_HANDLE;
    if (!context->pipelines.get_set_layout(static_cast<uint32_t>(dispatch.windows.size()), layout, error)) {
      return false;
    }
    VkDescriptorSetAllocateInfo allocate_info{};
    allocate_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    allocate_info.descriptorPool = bindings.pool;
    allocate_info.descriptorSetCount = 1;
    allocate_info.pSetLayouts = &layout;
    const VkResult result = device.functions.AllocateDescriptorSets(device.handle, &allocate_info, &filled.sets[i]);
    if (result != VK_SUCCESS) return fail_vulkan(error, result, "vkAllocateDescriptorSets");
    const DescriptorWrites writes(dispatch, filled.buffers, filled.sets[i]);
    device.functions.UpdateDescriptorSets(device.handle, writes.count(), writes.data(), 0, nullptr);
  }
  return true;
}

}  // namespace

bool create_bindings(const VktcPlan_T& plan, const VktcBuffers& buffers, std::unique_ptr<VktcBindings_T>& bindings,
                     VktcError& error) {
  auto made = std::make_unique<VktcBindings_T>(plan);
  if (buffers.weights.buffer != VK_NULL_HANDLE) {
    if (!check_call_buffers(plan, Work::pack, buffers, made->pack.emplace().buffers, error)) return false;
  }
  if (buffers.input.buffer != VK_NULL_HANDLE || buffers.output.buffer != VK_NULL_HANDLE) {
    if (!check_call_buffers(plan, Work::run, buffers, made->run.emplace().buffers, error)) return false;
  }
  if (!made->pack && !made->run) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "buffers",
                "buffers names neither weights (to pack them) nor input and output (to run): one of both is needed");
  }
  if (!plan.plan.device_address && !plan.context->device.caps.push_descriptor) {
    if (!create_pool(*made, error) || (made->pack && !fill_sets(*made, Work::pack, *made->pack, error)) ||
        (made->run && !fill_sets(*made, Work::run, *made->run, error))) {
      return false;
    }
  }
  bindings = std::move(made);
  return true;
}

}  // namespace vktconv

#include "compute_shader.h"

#include "shader_table.h"

namespace vktconv::bench {

// Implemented by the generated table of vktconv-bench-shaders.
const ShaderCode* find_shader(std::string_view name);

namespace {

constexpr uint32_t sets_per_pool = 64;

}  // namespace

bool has_shader(std::string_view name) { return find_shader(name) != nullptr; }

ComputeShader::ComputeShader(const host::Device& device, const VulkanTable& vulkan, std::string_view shader,
                             uint32_t buffer_count, uint32_t push_constant_bytes, std::span<const uint32_t> constants)
    : vulkan_(vulkan), device_(device.device()), buffer_count_(buffer_count) {
  const ShaderCode* code = find_shader(shader);
  if (code == nullptr) throw std::logic_error("bench shader " + std::string(shader) + " is not in this build");

  std::vector<VkDescriptorSetLayoutBinding> bindings(buffer_count);
  for (uint32_t i = 0; i < buffer_count; ++i) {
    bindings[i].binding = i;
    bindings[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[i].descriptorCount = 1;
    bindings[i].stageFlags = VK_SHADER_STAGE_COMPUTE_BIT;
  }
  std::vector<VkSpecializationMapEntry> entries(constants.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    entries[i] = {i, i * static_cast<uint32_t>(sizeof(uint32_t)), sizeof(uint32_t)};
  }
  VkShaderModule module = VK_NULL_HANDLE;
  try {
    VkDescriptorSetLayoutCreateInfo set_info = {};
    set_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    set_info.bindingCount = buffer_count;
    set_info.pBindings = bindings.data();
    check(vulkan_.vkCreateDescriptorSetLayout(device_, &set_info, nullptr, &set_layout_),
          "vkCreateDescriptorSetLayout");

    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, push_constant_bytes};
    VkPipelineLayoutCreateInfo layout_info = {};
    layout_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layout_info.setLayoutCount = 1;
    layout_info.pSetLayouts = &set_layout_;
    layout_info.pushConstantRangeCount = push_constant_bytes == 0 ? 0 : 1;
    layout_info.pPushConstantRanges = &range;
    check(vulkan_.vkCreatePipelineLayout(device_, &layout_info, nullptr, &layout_), "vkCreatePipelineLayout");

    VkShaderModuleCreateInfo module_info = {};
    module_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    module_info.codeSize = code->word_count * sizeof(uint32_t);
    module_info.pCode = code->words;
    check(vulkan_.vkCreateShaderModule(device_, &module_info, nullptr, &module), "vkCreateShaderModule");

    VkSpecializationInfo specialization = {};
    specialization.mapEntryCount = static_cast<uint32_t>(entries.size());
    specialization.pMapEntries = entries.data();
    specialization.dataSize = constants.size_bytes();
    specialization.pData = constants.data();
    VkComputePipelineCreateInfo pipeline_info = {};
    pipeline_info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    pipeline_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline_info.stage.module = module;
    pipeline_info.stage.pName = "main";
    pipeline_info.stage.pSpecializationInfo = constants.empty() ? nullptr : &specialization;
    pipeline_info.layout = layout_;
    check(vulkan_.vkCreateComputePipelines(device_, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &pipeline_),
          "vkCreateComputePipelines");
  } catch (...) {
    vulkan_.vkDestroyShaderModule(device_, module, nullptr);
    destroy();
    throw;
  }
  vulkan_.vkDestroyShaderModule(device_, module, nullptr);
}

ComputeShader::~ComputeShader() { destroy(); }

void ComputeShader::destroy() {
  for (VkDescriptorPool pool : pools_) vulkan_.vkDestroyDescriptorPool(device_, pool, nullptr);
  vulkan_.vkDestroyPipeline(device_, pipeline_, nullptr);
  vulkan_.vkDestroyPipelineLayout(device_, layout_, nullptr);
  vulkan_.vkDestroyDescriptorSetLayout(device_, set_layout_, nullptr);
}

VkDescriptorSet ComputeShader::next_set() {
  if (sets_used_ == pools_.size() * sets_per_pool) {
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, buffer_count_ * sets_per_pool};
    VkDescriptorPoolCreateInfo pool_info = {};
    pool_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    pool_info.maxSets = sets_per_pool;
    pool_info.poolSizeCount = 1;
    pool_info.pPoolSizes = &size;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    check(vulkan_.vkCreateDescriptorPool(device_, &pool_info, nullptr, &pool), "vkCreateDescriptorPool");
    pools_.push_back(pool);
  }
  VkDescriptorSetAllocateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  info.descriptorPool = pools_[sets_used_ / sets_per_pool];
  info.descriptorSetCount = 1;
  info.pSetLayouts = &set_layout_;
  VkDescriptorSet set = VK_NULL_HANDLE;
  check(vulkan_.vkAllocateDescriptorSets(device_, &info, &set), "vkAllocateDescriptorSets");
  ++sets_used_;
  return set;
}

void ComputeShader::recycle() {
  for (VkDescriptorPool pool : pools_) check(vulkan_.vkResetDescriptorPool(device_, pool, 0), "vkResetDescriptorPool");
  sets_used_ = 0;
}

void ComputeShader::record(VkCommandBuffer commands, std::span<const VkDescriptorBufferInfo> buffers,
                           std::span<const uint32_t> push_constants, uint32_t group_count) {
  const VkDescriptorSet set = next_set();
  std::vector<VkWriteDescriptorSet> writes(buffers.size());
  for (uint32_t i = 0; i < writes.size(); ++i) {
    writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[i].dstSet = set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &buffers[i];
  }
  vulkan_.vkUpdateDescriptorSets(device_, static_cast<uint32_t>(writes.size()), writes.data(), 0, nullptr);
  vulkan_.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
  vulkan_.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &set, 0, nullptr);
  if (!push_constants.empty()) {
    vulkan_.vkCmdPushConstants(commands, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                               static_cast<uint32_t>(push_constants.size_bytes()), push_constants.data());
  }
  vulkan_.vkCmdDispatch(commands, group_count, 1, 1);
}

}  // namespace vktconv::bench

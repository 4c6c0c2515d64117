#include "pipeline_cache.h"

#include <algorithm>
#include <functional>

#include "shader_table.h"

namespace vktconv {

PipelineCache::~PipelineCache() {
  const DeviceFunctions& vk = device_.functions;
  for (const auto& [key, layout] : pipeline_layouts_) {
    vk.DestroyPipelineLayout(device_.handle, layout, device_.allocator);
  }
  for (const auto& [key, layout] : set_layouts_) {
    vk.DestroyDescriptorSetLayout(device_.handle, layout, device_.allocator);
  }
  for (const auto& [key, shader_module] : shader_modules_) {
    vk.DestroyShaderModule(device_.handle, shader_module, device_.allocator);
  }
  if (owns_handle_) vk.DestroyPipelineCache(device_.handle, handle_, device_.allocator);
}

bool PipelineCache::open(VkPipelineCache application_cache, const void* data, size_t size, VktcError& error) {
  handle_ = application_cache;
  if (application_cache != VK_NULL_HANDLE) return true;
  VkPipelineCacheCreateInfo create_info{};
  create_info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  create_info.initialDataSize = size;
  create_info.pInitialData = data;
  const VkResult result =
      device_.functions.CreatePipelineCache(device_.handle, &create_info, device_.allocator, &handle_);
  owns_handle_ = result == VK_SUCCESS;
  return owns_handle_ || fail_vulkan(error, result, "vkCreatePipelineCache");
}

size_t PipelineCache::KeyHash::operator()(const PipelineKey& key) const {
  size_t hash = std::hash<std::string>()(key.shader);
  const auto mix = [&hash](uint32_t value) { hash = (hash ^ value) * size_t{0x9e3779b97f4a7c15u}; };
  for (const uint32_t constant : key.constants) mix(constant);
  mix(key.subgroup_size);
  mix(key.binding_count);
  mix(key.push_bytes);
  return hash;
}

bool PipelineCache::get(const PipelineKey& key, std::shared_ptr<const Pipeline>& pipeline, VktcError& error) {
  const std::shared_ptr<Entry> entry = find_entry(key);
  const std::lock_guard lock(entry->compiling);
  pipeline = entry->pipeline.lock();
  if (pipeline != nullptr) return true;
  if (!compile(key, pipeline, error)) return false;
  entry->pipeline = pipeline;
  return true;
}

std::shared_ptr<PipelineCache::Entry> PipelineCache::find_entry(const PipelineKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= prune_at_) {
    // Entries that no thread works on (they take theirs under mutex_) and whose pipeline is gone. The lock is for what
    // the last thread wrote there: seeing the count that it left behind does not make that visible.
    std::erase_if(entries_, [](const auto& item) {
      Entry& entry = *item.second;
      const std::unique_lock written(entry.compiling, std::try_to_lock);
      return item.second.use_count() == 1 && written.owns_lock() && entry.pipeline.expired();
    });
    prune_at_ = std::max<size_t>(64, 2 * entries_.size());
  }
  return entries_.emplace(key, std::make_shared<Entry>()).first->second;
}

bool PipelineCache::compile(const PipelineKey& key, std::shared_ptr<const Pipeline>& pipeline, VktcError& error) {
  const auto made = std::make_shared<Pipeline>(device_);
  VkShaderModule shader_module = VK_NULL_HANDLE;
  {
    const std::lock_guard lock(mutex_);
    if (!get_shader_module(key.shader, shader_module, error) ||
        !get_pipeline_layout(key.binding_count, key.push_bytes, made->layout, error)) {
      return false;
    }
  }

  std::vector<VkSpecializationMapEntry> entries(key.constants.size());
  for (uint32_t id = 0; id < entries.size(); ++id) {
    entries[id] = {id, id * uint32_t{sizeof(uint32_t)}, sizeof(uint32_t)};
  }
  VkSpecializationInfo specialization{};
  specialization.mapEntryCount = static_cast<uint32_t>(entries.size());
  specialization.pMapEntries = entries.data();
  specialization.dataSize = key.constants.size() * sizeof(uint32_t);
  specialization.pData = key.constants.data();

  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo required_subgroup_size{};
  required_subgroup_size.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
  required_subgroup_size.requiredSubgroupSize = key.subgroup_size;

  VkComputePipelineCreateInfo create_info{};
  create_info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  // The application that enabled the feature wants to see the statistics.
  if (device_.caps.executable_properties) create_info.flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR;
  create_info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  create_info.stage.pNext = key.subgroup_size == 0 ? nullptr : &required_subgroup_size;
  create_info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  create_info.stage.module = shader_module;
  create_info.stage.pName = "main";
  create_info.stage.pSpecializationInfo = &specialization;
  create_info.layout = made->layout;
  create_info.basePipelineIndex = -1;
  const VkResult result = device_.functions.CreateComputePipelines(device_.handle, handle_, 1, &create_info,
                                                                   device_.allocator, &made->handle);
  if (result != VK_SUCCESS) return fail_vulkan(error, result, "vkCreateComputePipelines");
  pipeline = made;
  return true;
}

// In these three the slot of the map comes first, so that nothing leaks where it cannot be had.

bool PipelineCache::get_shader_module(const std::string& name, VkShaderModule& shader_module, VktcError& error) {
  VkShaderModule& slot = shader_modules_[name];
  if (slot == VK_NULL_HANDLE) {
    const ShaderCode* code = find_shader(name);
    if (code == nullptr) {
      return fail(error, VKTC_ERROR_FEATURE_NOT_ENABLED, "",
                  "this build of vktconv has no shader %s: the GLSL compiler that built it does not know an extension "
                  "that the shader needs",
                  name.c_str());
    }
    VkShaderModuleCreateInfo create_info{};
    create_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    create_info.codeSize = code->word_count * sizeof(uint32_t);
    create_info.pCode = code->words;
    const VkResult result =
        device_.functions.CreateShaderModule(device_.handle, &create_info, device_.allocator, &slot);
    if (result != VK_SUCCESS) {
      slot = VK_NULL_HANDLE;
      return fail_vulkan(error, result, "vkCreateShaderModule");
    }
  }
  shader_module = slot;
  return true;
}

bool PipelineCache::get_set_layout(uint32_t binding_count, VkDescriptorSetLayout& layout, VktcError& error) {
  const std::lock_guard lock(mutex_);
  return get_set_layout_locked(binding_count, layout, error);
}

bool PipelineCache::get_set_layout_locked(uint32_t binding_count, VkDescriptorSetLayout& layout, VktcError& error) {
  VkDescriptorSetLayout& slot = set_layouts_[binding_count];
  if (slot == VK_NULL_HANDLE) {
    std::vector<VkDescriptorSetLayoutBinding> bindings(binding_count);
    for (uint32_t binding = 0; binding < binding_count; ++binding) {
      bindings[binding] = {binding, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
    }
    VkDescriptorSetLayoutCreateInfo create_info{};
    create_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    if (device_.caps.push_descriptor) {
      create_info.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR;
    }
    create_info.bindingCount = binding_count;
    create_info.pBindings = bindings.data();
    const VkResult result =
        device_.functions.CreateDescriptorSetLayout(device_.handle, &create_info, device_.allocator, &slot);
    if (result != VK_SUCCESS) {
      slot = VK_NULL_HANDLE;
      return fail_vulkan(error, result, "vkCreateDescriptorSetLayout");
    }
  }
  layout = slot;
  return true;
}

bool PipelineCache::get_pipeline_layout(uint32_t binding_count, uint32_t push_bytes, VkPipelineLayout& layout,
                                        VktcError& error) {
  VkPipelineLayout& slot = pipeline_layouts_[{binding_count, push_bytes}];
  if (slot == VK_NULL_HANDLE) {
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    if (binding_count != 0 && !get_set_layout_locked(binding_count, set_layout, error)) return false;
    const VkPushConstantRange push_range{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
    VkPipelineLayoutCreateInfo create_info{};
    create_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    create_info.setLayoutCount = binding_count == 0 ? 0 : 1;
    create_info.pSetLayouts = &set_layout;
    create_info.pushConstantRangeCount = push_bytes == 0 ? 0 : 1;
    create_info.pPushConstantRanges = &push_range;
    const VkResult result =
        device_.functions.CreatePipelineLayout(device_.handle, &create_info, device_.allocator, &slot);
    if (result != VK_SUCCESS) {
      slot = VK_NULL_HANDLE;
      return fail_vulkan(error, result, "vkCreatePipelineLayout");
    }
  }
  layout = slot;
  return true;
}

}  // namespace vktconv

// The pipelines of a context, each made once and shared by the plans that use it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "device_access.h"

namespace vktconv {

// Everything that makes one pipeline differ from another. Compared in full: a hash alone could confuse two.
struct PipelineKey {
  std::string shader;
  std::vector<uint32_t> constants;  // specialization constants 0, 1, 2, ...
  uint32_t subgroup_size = 0;       // required; 0: none
  uint32_t binding_count = 0;       // storage buffer descriptors; 0 with device addresses
  uint32_t push_bytes = 0;

  bool operator==(const PipelineKey&) const = default;
};

class Pipeline {
 public:
  explicit Pipeline(const DeviceAccess& device) : device_(device) {}
  ~Pipeline() { device_.functions.DestroyPipeline(device_.handle, handle, device_.allocator); }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  VkPipeline handle = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;  // of the cache

 private:
  const DeviceAccess& device_;
};

// Threading: any number of threads at once. Several compile different pipelines at the same time; of those that ask for
// the same one, the first compiles it and the others wait for it.
class PipelineCache {
 public:
  explicit PipelineCache(const DeviceAccess& device) : device_(device) {}
  ~PipelineCache();
  PipelineCache(const PipelineCache&) = delete;
  PipelineCache& operator=(const PipelineCache&) = delete;

  // Before all else: works on the application's cache, or (null) on an own one that starts with data.
  bool open(VkPipelineCache application_cache, const void* data, size_t size, VktcError& error);
  VkPipelineCache handle() const { return handle_; }

  // The pipeline lives as long as someone shares it.
  bool get(const PipelineKey& key, std::shared_ptr<const Pipeline>& pipeline, VktcError& error);

  // Of a set with that many storage buffers; lives as long as the cache. With push descriptors where the device has
  // them.
  bool get_set_layout(uint32_t binding_count, VkDescriptorSetLayout& layout, VktcError& error);

 private:
  struct KeyHash {
    size_t operator()(const PipelineKey& key) const;
  };
  struct Entry {
    std::mutex compiling;
    std::weak_ptr<const Pipeline> pipeline;
  };

  std::shared_ptr<Entry> find_entry(const PipelineKey& key);
  bool compile(const PipelineKey& key, std::shared_ptr<const Pipeline>& pipeline, VktcError& error);
  bool get_shader_module(const std::string& name, VkShaderModule& shader_module, VktcError& error);
  bool get_pipeline_layout(uint32_t binding_count, uint32_t push_bytes, VkPipelineLayout& layout, VktcError& error);
  bool get_set_layout_locked(uint32_t binding_count, VkDescriptorSetLayout& layout, VktcError& error);

  const DeviceAccess& device_;
  VkPipelineCache handle_ = VK_NULL_HANDLE;
  bool owns_handle_ = false;

  std::mutex mutex_;  // of what follows; never held while a pipeline compiles
  std::unordered_map<PipelineKey, std::shared_ptr<Entry>, KeyHash> entries_;
  size_t prune_at_ = 64;
  std::map<std::string, VkShaderModule> shader_modules_;
  std::map<uint32_t, VkDescriptorSetLayout> set_layouts_;
  std::map<std::pair<uint32_t, uint32_t>, VkPipelineLayout> pipeline_layouts_;
};

}  // namespace vktconv

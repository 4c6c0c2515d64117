// One compute pipeline of the benchmark's own (bench/shaders), with storage buffers at bindings 0, 1, ...
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vulkan_table.h"

namespace vktconv::bench {

// Whether the build has this shader of bench/CMakeLists.txt's table; cooperative matrices need a recent glslang.
bool has_shader(std::string_view name);

class ComputeShader {
 public:
  // constants are the specialization constants 0, 1, 2, ... Throws host::Error.
  ComputeShader(const host::Device& device, const VulkanTable& vulkan, std::string_view shader, uint32_t buffer_count,
                uint32_t push_constant_bytes, std::span<const uint32_t> constants = {});
  ~ComputeShader();
  ComputeShader(const ComputeShader&) = delete;
  ComputeShader& operator=(const ComputeShader&) = delete;

  // Binds buffers and push constants and dispatches; barriers are the caller's.
  void record(VkCommandBuffer commands, std::span<const VkDescriptorBufferInfo> buffers,
              std::span<const uint32_t> push_constants, uint32_t group_count);

  // Forgets the descriptor sets of what was recorded. Its execution must have ended.
  void recycle();

 private:
  VkDescriptorSet next_set();
  void destroy();

  const VulkanTable& vulkan_;
  VkDevice device_ = VK_NULL_HANDLE;
  uint32_t buffer_count_ = 0;
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkPipeline pipeline_ = VK_NULL_HANDLE;
  std::vector<VkDescriptorPool> pools_;
  size_t sets_used_ = 0;
};

}  // namespace vktconv::bench

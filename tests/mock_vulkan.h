// A Vulkan without a device behind it: it hands out handles, notes what is alive, keeps the recorded commands and fails
// at the call it is told to. It allocates no memory itself, so that allocations can be counted around it.
#pragma once

#include <vktconv/vktconv.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

namespace vktconv::tests {

struct MockCommand {
  const char* name = "";
  uint64_t handle = 0;      // pipeline, descriptor set or query pool
  uint32_t count = 0;       // of words or of buffers; the query of a timestamp
  uint32_t words[32] = {};  // push constants; groups of a dispatch
  VkDescriptorBufferInfo buffers[16] = {};
};

struct MockObject {
  const char* kind = "";
  bool alive = false;
  bool from_allocator = false;
};

// At most one at a time. Its members may be changed until the context is made. Objects may be made by several threads,
// commands recorded by one.
class MockVulkan {
 public:
  MockVulkan();
  ~MockVulkan();
  MockVulkan(const MockVulkan&) = delete;
  MockVulkan& operator=(const MockVulkan&) = delete;

  // What the physical device is.
  VkPhysicalDeviceProperties properties{};
  uint32_t subgroup_size = 32, min_subgroup_size = 32, max_subgroup_size = 32;
  uint32_t shader_sm_count = 0;
  std::array<const char*, 16> extensions{};
  uint32_t extension_count = 0;
  bool supports_features = true;                    // each that a queried structure names, or none
  VkResult cooperative_matrix_result = VK_SUCCESS;  // of the query of shapes
  std::array<const char*, 4> hidden_functions{};    // not found by vkGet*ProcAddr

  void add_extension(const char* name) { extensions[extension_count++] = name; }

  // The fail_at-th call (from 1) fails: lookups of functions give null, what returns a VkResult gives
  // VK_ERROR_OUT_OF_DEVICE_MEMORY. Functions that cannot fail are not counted. 0: none.
  uint32_t fail_at = 0;
  uint32_t calls = 0;
  const char* failed_function = nullptr;  // null: the call was not reached
  bool failed_lookup = false;

  uint32_t live_objects(std::string_view kind = {}) const;  // empty: of all kinds
  uint32_t created_objects(std::string_view kind) const;
  uint32_t mistakes = 0;  // destroyed what is not alive, or with other allocation callbacks than it was made with

  std::array<MockCommand, 512> commands;
  uint32_t command_count = 0;

  // A complete one for a device that was created by device_info (may be null). Handles are fakes that no function but
  // this mock's may see.
  VktcContextCreateInfo context_create_info(const VkDeviceCreateInfo* device_info) const;

  template <typename Handle>
  static Handle handle(uintptr_t id) {
    return std::bit_cast<Handle>(id);
  }

  // Called while a pipeline is being created, by the thread that creates it.
  std::function<void()> on_create_pipeline;

  // For the functions behind it.
  static MockVulkan& current();
  bool strike(const char* function, bool lookup);
  uint64_t create(const char* kind, const VkAllocationCallbacks* allocator);
  void destroy(const char* kind, uint64_t id, const VkAllocationCallbacks* allocator);
  MockCommand& command(const char* name);

 private:
  std::array<MockObject, 8192> objects_;
  mutable std::mutex mutex_;
  uint32_t object_count_ = 0;
};

}  // namespace vktconv::tests

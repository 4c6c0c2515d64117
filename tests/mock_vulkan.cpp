#include "mock_vulkan.h"

#include <algorithm>
#include <cstring>

namespace vktconv::tests {
namespace {

MockVulkan* current_mock = nullptr;

MockVulkan& mock() { return MockVulkan::current(); }

template <typename Handle>
uint64_t id_of(Handle handle) {
  return reinterpret_cast<uintptr_t>(handle);
}

// ---- the physical device --------------------------------------------------------------------------------------------

VkResult VKAPI_PTR enumerate_extensions(VkPhysicalDevice, const char*, uint32_t* count, VkExtensionProperties* list) {
  if (mock().strike("vkEnumerateDeviceExtensionProperties", false)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  if (list != nullptr) {
    for (uint32_t i = 0; i < mock().extension_count; ++i) {
      list[i] = {};
      std::strncpy(list[i].extensionName, mock().extensions[i], VK_MAX_EXTENSION_NAME_SIZE - 1);
    }
  }
  *count = mock().extension_count;
  return VK_SUCCESS;
}

void VKAPI_PTR get_properties(VkPhysicalDevice, VkPhysicalDeviceProperties* properties) {
  *properties = mock().properties;
}

template <typename Structure>
Structure& as(VkBaseOutStructure* structure) {
  return *reinterpret_cast<Structure*>(structure);
}

void VKAPI_PTR get_properties2(VkPhysicalDevice, VkPhysicalDeviceProperties2* properties) {
  properties->properties = mock().properties;
  for (auto* s = static_cast<VkBaseOutStructure*>(properties->pNext); s != nullptr; s = s->pNext) {
    switch (s->sType) {
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES:
        as<VkPhysicalDeviceSubgroupProperties>(s).subgroupSize = mock().subgroup_size;
        as<VkPhysicalDeviceSubgroupProperties>(s).supportedStages = VK_SHADER_STAGE_COMPUTE_BIT;
        as<VkPhysicalDeviceSubgroupProperties>(s).supportedOperations =
            VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES:
        as<VkPhysicalDeviceSubgroupSizeControlProperties>(s).minSubgroupSize = mock().min_subgroup_size;
        as<VkPhysicalDeviceSubgroupSizeControlProperties>(s).maxSubgroupSize = mock().max_subgroup_size;
        as<VkPhysicalDeviceSubgroupSizeControlProperties>(s).maxComputeWorkgroupSubgroups = 16;
        as<VkPhysicalDeviceSubgroupSizeControlProperties>(s).requiredSubgroupSizeStages = VK_SHADER_STAGE_COMPUTE_BIT;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES:
        as<VkPhysicalDeviceMaintenance3Properties>(s).maxMemoryAllocationSize = VkDeviceSize{1} << 32;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV:
        as<VkPhysicalDeviceShaderSMBuiltinsPropertiesNV>(s).shaderSMCount = mock().shader_sm_count;
        break;
#ifdef VK_KHR_cooperative_matrix
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_PROPERTIES_KHR:
        as<VkPhysicalDeviceCooperativeMatrixPropertiesKHR>(s).cooperativeMatrixSupportedStages =
            VK_SHADER_STAGE_COMPUTE_BIT;
        break;
#endif
      default:
        break;
    }
  }
}

#ifdef VK_KHR_cooperative_matrix
VkResult VKAPI_PTR get_cooperative_matrix_properties(VkPhysicalDevice, uint32_t* count,
                                                     VkCooperativeMatrixPropertiesKHR* rows) {
  if (mock().cooperative_matrix_result != VK_SUCCESS) return mock().cooperative_matrix_result;
  *count = 2;
  if (rows == nullptr) return VK_SUCCESS;
  for (uint32_t i = 0; i < 2; ++i) {
    rows[i].MSize = rows[i].NSize = rows[i].KSize = 16;
    rows[i].AType = rows[i].BType = VK_COMPONENT_TYPE_FLOAT16_KHR;
    rows[i].CType = rows[i].ResultType = VK_COMPONENT_TYPE_FLOAT32_KHR;
    rows[i].saturatingAccumulation = VK_FALSE;
    rows[i].scope = i == 0 ? VK_SCOPE_SUBGROUP_KHR : VK_SCOPE_WORKGROUP_KHR;
  }
  return VK_SUCCESS;
}
#endif

// How many feature bits follow the header of a structure; 0: one that this device does not know.
size_t feature_count(VkStructureType type) {
  const auto count = [](size_t size) { return (size - sizeof(VkBaseOutStructure)) / sizeof(VkBool32); };
  switch (type) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2:
      return sizeof(VkPhysicalDeviceFeatures) / sizeof(VkBool32);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
      return count(sizeof(VkPhysicalDeviceVulkan11Features));
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES:
      return count(sizeof(VkPhysicalDeviceVulkan12Features)) - 1;  // padded
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES:
      return 2;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES:
      return 1;
#ifdef VK_KHR_cooperative_matrix
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR:
      return 2;
#endif
#ifdef VK_KHR_shader_bfloat16
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR:
      return 3;
#endif
    default:
      return 0;
  }
}

void VKAPI_PTR get_features2(VkPhysicalDevice, VkPhysicalDeviceFeatures2* features) {
  for (auto* s = reinterpret_cast<VkBaseOutStructure*>(features); s != nullptr; s = s->pNext) {
    auto* bits = reinterpret_cast<std::byte*>(s) + sizeof(VkBaseOutStructure);
    const VkBool32 value = mock().supports_features ? VK_TRUE : VK_FALSE;
    for (size_t i = 0; i < feature_count(s->sType); ++i) std::memcpy(bits + i * sizeof value, &value, sizeof value);
  }
}

// ---- objects --------------------------------------------------------------------------------------------------------

template <typename Info, typename Handle>
VkResult create(const char* function, const char* kind, const Info*, const VkAllocationCallbacks* allocator,
                Handle* handle) {
  if (mock().strike(function, false)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  *handle = MockVulkan::handle<Handle>(mock().create(kind, allocator));
  return VK_SUCCESS;
}

#define VKTC_MOCK_OBJECT(Kind)                                                                                 \
  VkResult VKAPI_PTR create_##Kind(VkDevice, const Vk##Kind##CreateInfo* info, const VkAllocationCallbacks* a, \
                                   Vk##Kind* handle) {                                                         \
    return create("vkCreate" #Kind, #Kind, info, a, handle);                                                   \
  }                                                                                                            \
  void VKAPI_PTR destroy_##Kind(VkDevice, Vk##Kind handle, const VkAllocationCallbacks* a) {                   \
    mock().destroy(#Kind, id_of(handle), a);                                                                   \
  }
VKTC_MOCK_OBJECT(DescriptorPool)
VKTC_MOCK_OBJECT(DescriptorSetLayout)
VKTC_MOCK_OBJECT(PipelineCache)
VKTC_MOCK_OBJECT(PipelineLayout)
VKTC_MOCK_OBJECT(ShaderModule)
#undef VKTC_MOCK_OBJECT

VkResult VKAPI_PTR create_pipelines(VkDevice, VkPipelineCache, uint32_t count, const VkComputePipelineCreateInfo* infos,
                                    const VkAllocationCallbacks* a, VkPipeline* pipelines) {
  if (mock().on_create_pipeline) mock().on_create_pipeline();
  for (uint32_t i = 0; i < count; ++i) {
    pipelines[i] = VK_NULL_HANDLE;
    const VkResult result = create("vkCreateComputePipelines", "Pipeline", &infos[i], a, &pipelines[i]);
    if (result != VK_SUCCESS) return result;
  }
  return VK_SUCCESS;
}

void VKAPI_PTR destroy_pipeline(VkDevice, VkPipeline handle, const VkAllocationCallbacks* a) {
  mock().destroy("Pipeline", id_of(handle), a);
}

VkResult VKAPI_PTR allocate_sets(VkDevice, const VkDescriptorSetAllocateInfo* info, VkDescriptorSet* sets) {
  if (mock().strike("vkAllocateDescriptorSets", false)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  static uintptr_t next = 0;  // they die with their pool, so they are not noted
  for (uint32_t i = 0; i < info->descriptorSetCount; ++i) {
    sets[i] = MockVulkan::handle<VkDescriptorSet>(0x5e700000 + ++next);
  }
  return VK_SUCCESS;
}

void VKAPI_PTR update_sets(VkDevice, uint32_t, const VkWriteDescriptorSet*, uint32_t, const VkCopyDescriptorSet*) {}

VkResult VKAPI_PTR get_cache_data(VkDevice, VkPipelineCache, size_t* size, void* data) {
  if (mock().strike("vkGetPipelineCacheData", false)) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  if (data == nullptr) {
    *size = 32;
    return VK_SUCCESS;
  }
  const size_t written = std::min<size_t>(*size, 32);
  std::memset(data, 0x5a, written);
  *size = written;
  return written == 32 ? VK_SUCCESS : VK_INCOMPLETE;
}

// The address of a buffer is its handle in the upper word, so that a test can tell where an address came from.
VkDeviceAddress VKAPI_PTR get_address(VkDevice, const VkBufferDeviceAddressInfo* info) {
  return id_of(info->buffer) << 32;
}

// ---- commands -------------------------------------------------------------------------------------------------------

void VKAPI_PTR bind_pipeline(VkCommandBuffer, VkPipelineBindPoint, VkPipeline pipeline) {
  mock().command("bind pipeline").handle = id_of(pipeline);
}

void VKAPI_PTR bind_sets(VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t, uint32_t,
                         const VkDescriptorSet* sets, uint32_t, const uint32_t*) {
  mock().command("bind set").handle = id_of(sets[0]);
}

void VKAPI_PTR push_descriptors(VkCommandBuffer, VkPipelineBindPoint, VkPipelineLayout, uint32_t, uint32_t count,
                                const VkWriteDescriptorSet* writes) {
  MockCommand& command = mock().command("push descriptors");
  command.count = count;
  for (uint32_t i = 0; i < count; ++i) command.buffers[writes[i].dstBinding] = *writes[i].pBufferInfo;
}

void VKAPI_PTR push_constants(VkCommandBuffer, VkPipelineLayout, VkShaderStageFlags, uint32_t offset, uint32_t size,
                              const void* data) {
  MockCommand& command = mock().command("push constants");
  command.count = size / 4;
  std::memcpy(reinterpret_cast<std::byte*>(command.words) + offset, data, size);
}

void VKAPI_PTR dispatch(VkCommandBuffer, uint32_t x, uint32_t y, uint32_t z) {
  MockCommand& command = mock().command("dispatch");
  command.count = 3;
  command.words[0] = x;
  command.words[1] = y;
  command.words[2] = z;
}

void VKAPI_PTR barrier(VkCommandBuffer, VkPipelineStageFlags before, VkPipelineStageFlags after, VkDependencyFlags,
                       uint32_t, const VkMemoryBarrier* memory, uint32_t, const VkBufferMemoryBarrier*, uint32_t,
                       const VkImageMemoryBarrier*) {
  MockCommand& command = mock().command("barrier");
  command.count = 4;
  command.words[0] = before;
  command.words[1] = after;
  command.words[2] = memory->srcAccessMask;
  command.words[3] = memory->dstAccessMask;
}

void VKAPI_PTR write_timestamp(VkCommandBuffer, VkPipelineStageFlagBits, VkQueryPool pool, uint32_t query) {
  MockCommand& command = mock().command("timestamp");
  command.handle = id_of(pool);
  command.count = query;
}

// ---- lookup ---------------------------------------------------------------------------------------------------------

PFN_vkVoidFunction VKAPI_PTR get_device_proc_addr(VkDevice, const char* name);

struct NamedFunction {
  const char* name;
  PFN_vkVoidFunction function;
};

template <typename Function>
NamedFunction named(const char* name, Function function) {
  return {name, reinterpret_cast<PFN_vkVoidFunction>(function)};
}

const NamedFunction functions[] = {
    named("vkGetDeviceProcAddr", get_device_proc_addr),
    named("vkEnumerateDeviceExtensionProperties", enumerate_extensions),
    named("vkGetPhysicalDeviceProperties", get_properties),
    named("vkGetPhysicalDeviceProperties2", get_properties2),
    named("vkGetPhysicalDeviceFeatures2", get_features2),
#ifdef VK_KHR_cooperative_matrix
    named("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", get_cooperative_matrix_properties),
#endif
    named("vkCreateDescriptorPool", create_DescriptorPool),
    named("vkDestroyDescriptorPool", destroy_DescriptorPool),
    named("vkCreateDescriptorSetLayout", create_DescriptorSetLayout),
    named("vkDestroyDescriptorSetLayout", destroy_DescriptorSetLayout),
    named("vkCreatePipelineCache", create_PipelineCache),
    named("vkDestroyPipelineCache", destroy_PipelineCache),
    named("vkCreatePipelineLayout", create_PipelineLayout),
    named("vkDestroyPipelineLayout", destroy_PipelineLayout),
    named("vkCreateShaderModule", create_ShaderModule),
    named("vkDestroyShaderModule", destroy_ShaderModule),
    named("vkCreateComputePipelines", create_pipelines),
    named("vkDestroyPipeline", destroy_pipeline),
    named("vkAllocateDescriptorSets", allocate_sets),
    named("vkUpdateDescriptorSets", update_sets),
    named("vkGetPipelineCacheData", get_cache_data),
    named("vkGetBufferDeviceAddress", get_address),
    named("vkCmdBindPipeline", bind_pipeline),
    named("vkCmdBindDescriptorSets", bind_sets),
    named("vkCmdPushDescriptorSetKHR", push_descriptors),
    named("vkCmdPushDescriptorSet", push_descriptors),
    named("vkCmdPushConstants", push_constants),
    named("vkCmdDispatch", dispatch),
    named("vkCmdPipelineBarrier", barrier),
    named("vkCmdWriteTimestamp", write_timestamp),
};

PFN_vkVoidFunction look_up(const char* name) {
  if (mock().strike(name, true)) return nullptr;
  for (const char* hidden : mock().hidden_functions) {
    if (hidden != nullptr && std::strcmp(hidden, name) == 0) return nullptr;
  }
  for (const NamedFunction& function : functions) {
    if (std::strcmp(function.name, name) == 0) return function.function;
  }
  return nullptr;
}

PFN_vkVoidFunction VKAPI_PTR get_device_proc_addr(VkDevice, const char* name) { return look_up(name); }
PFN_vkVoidFunction VKAPI_PTR get_instance_proc_addr(VkInstance, const char* name) { return look_up(name); }

}  // namespace

MockVulkan::MockVulkan() {
  current_mock = this;
  properties.apiVersion = VK_API_VERSION_1_2;
  properties.vendorID = 0x1234;
  properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  std::strcpy(properties.deviceName, "Mock");
  VkPhysicalDeviceLimits& limits = properties.limits;
  std::fill_n(limits.maxComputeWorkGroupCount, 3, 65535u);
  std::fill_n(limits.maxComputeWorkGroupSize, 3, 1024u);
  limits.maxComputeWorkGroupInvocations = 1024;
  limits.maxComputeSharedMemorySize = 32768;
  limits.maxPushConstantsSize = 128;
  limits.maxStorageBufferRange = 1u << 30;
  limits.maxPerStageDescriptorStorageBuffers = 16;
  limits.minStorageBufferOffsetAlignment = 64;
}

MockVulkan::~MockVulkan() { current_mock = nullptr; }

MockVulkan& MockVulkan::current() { return *current_mock; }

bool MockVulkan::strike(const char* function, bool lookup) {
  const std::lock_guard lock(mutex_);
  if (++calls != fail_at) return false;
  failed_function = function;
  failed_lookup = lookup;
  return true;
}

uint64_t MockVulkan::create(const char* kind, const VkAllocationCallbacks* allocator) {
  const std::lock_guard lock(mutex_);
  objects_[object_count_] = {kind, true, allocator != nullptr};
  return ++object_count_;
}

void MockVulkan::destroy(const char* kind, uint64_t id, const VkAllocationCallbacks* allocator) {
  if (id == 0) return;
  const std::lock_guard lock(mutex_);
  MockObject& object = objects_[id - 1];
  const bool right = id <= object_count_ && object.alive && std::strcmp(object.kind, kind) == 0 &&
                     object.from_allocator == (allocator != nullptr);
  if (!right) ++mistakes;
  object.alive = false;
}

MockCommand& MockVulkan::command(const char* name) {
  MockCommand& command = commands[command_count++ % commands.size()];
  command.name = name;
  return command;
}

uint32_t MockVulkan::live_objects(std::string_view kind) const {
  return static_cast<uint32_t>(std::count_if(
      objects_.begin(), objects_.begin() + object_count_,
      [kind](const MockObject& object) { return object.alive && (kind.empty() || kind == object.kind); }));
}

uint32_t MockVulkan::created_objects(std::string_view kind) const {
  return static_cast<uint32_t>(std::count_if(objects_.begin(), objects_.begin() + object_count_,
                                             [kind](const MockObject& object) { return kind == object.kind; }));
}

VktcContextCreateInfo MockVulkan::context_create_info(const VkDeviceCreateInfo* device_info) const {
  VktcContextCreateInfo info{};
  info.instance = handle<VkInstance>(1);
  info.physicalDevice = handle<VkPhysicalDevice>(2);
  info.device = handle<VkDevice>(3);
  info.getInstanceProcAddr = get_instance_proc_addr;
  info.apiVersion = VK_API_VERSION_1_2;
  info.deviceCreateInfo = device_info;
  return info;
}

}  // namespace vktconv::tests

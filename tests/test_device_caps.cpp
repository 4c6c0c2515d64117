// What the library reads from a device and from the VkDeviceCreateInfo of its application, and what it asks for.
#include <doctest/doctest.h>

#include <vktconv/vktconv.hpp>

#include <string>
#include <utility>
#include <vector>

#include "context.h"
#include "device_features.h"
#include "device_rates.h"
#include "mock_vulkan.h"

TEST_SUITE_BEGIN("device_caps");

namespace {

using namespace vktconv::tests;
using vktconv::DeviceCaps;

// The caps of a context made with these features and extensions.
DeviceCaps caps_of(const MockVulkan& mock, const void* chain, const VkPhysicalDeviceFeatures* core,
                   const std::vector<const char*>& extensions, uint32_t api_version = VK_API_VERSION_1_2) {
  VkDeviceCreateInfo device_info{};
  device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  device_info.pNext = chain;
  device_info.pEnabledFeatures = core;
  device_info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  device_info.ppEnabledExtensionNames = extensions.data();
  VktcContextCreateInfo info = mock.context_create_info(&device_info);
  info.apiVersion = api_version;
  const vktc::Context context(info);
  return context.get()->device.caps;
}

}  // namespace

TEST_CASE("without a VkDeviceCreateInfo nothing optional is enabled") {
  MockVulkan mock;
  mock.add_extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  const vktc::Context context(mock.context_create_info(nullptr));
  const DeviceCaps& caps = context.get()->device.caps;
  CHECK(!caps.push_descriptor);
  CHECK(!caps.buffer_device_address);
  CHECK(!caps.storage_16bit);
  CHECK(!caps.shader_float16);
  CHECK(!caps.subgroup_size_control);
  CHECK(!caps.cooperative_matrix);
  CHECK(caps.cooperative_matrix_shapes.empty());
  // Limits are there all the same.
  CHECK(caps.name == "Mock");
  CHECK(caps.max_storage_buffer_range == 1u << 30);
  CHECK(caps.min_storage_buffer_offset_alignment == 64);
  CHECK(caps.max_storage_buffers_per_stage == 16);
  CHECK(caps.max_memory_allocation_size == uint64_t{1} << 32);
  CHECK(caps.max_buffer_size == uint64_t{1} << 32);  // no maintenance4 to tell it
  CHECK(caps.subgroup_size == 32);
  CHECK(caps.subgroup_basic);
  CHECK(caps.subgroup_shuffle);
  CHECK(!caps.subgroup_arithmetic);
}

TEST_CASE("features count wherever they stand") {
  MockVulkan mock;
  VkPhysicalDeviceFeatures core{};
  core.shaderInt16 = VK_TRUE;

  SUBCASE("in the structures of Vulkan versions") {
    VkPhysicalDeviceVulkan12Features vulkan12{};
    vulkan12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    vulkan12.bufferDeviceAddress = VK_TRUE;
    vulkan12.shaderFloat16 = VK_TRUE;
    vulkan12.shaderInt8 = VK_TRUE;
    vulkan12.storageBuffer8BitAccess = VK_TRUE;
    vulkan12.vulkanMemoryModel = VK_TRUE;
    VkPhysicalDeviceVulkan11Features vulkan11{};
    vulkan11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    vulkan11.pNext = &vulkan12;
    vulkan11.storageBuffer16BitAccess = VK_TRUE;
    const DeviceCaps caps = caps_of(mock, &vulkan11, &core, {});
    CHECK(caps.buffer_device_address);
    CHECK(caps.shader_float16);
    CHECK(caps.shader_int8);
    CHECK(caps.storage_8bit);
    CHECK(caps.vulkan_memory_model);
    CHECK(caps.storage_16bit);
    CHECK(!caps.push_descriptor);
  }
  SUBCASE("in the structures of their extensions, behind one that the library does not know") {
    VkPhysicalDevice16BitStorageFeatures storage{};
    storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    storage.storageBuffer16BitAccess = VK_TRUE;
    VkPhysicalDeviceBufferDeviceAddressFeatures address{};
    address.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
    address.pNext = &storage;
    address.bufferDeviceAddress = VK_TRUE;
    VkPhysicalDeviceMultiviewFeatures unknown{};
    unknown.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTIVIEW_FEATURES;
    unknown.pNext = &address;
    unknown.multiview = VK_TRUE;
    VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &unknown, core};
    const DeviceCaps caps = caps_of(mock, &features, nullptr, {});
    CHECK(caps.buffer_device_address);
    CHECK(caps.storage_16bit);
    CHECK(!caps.shader_float16);
  }
  SUBCASE("16-bit storage needs shaderInt16 as well") {
    VkPhysicalDevice16BitStorageFeatures storage{};
    storage.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    storage.storageBuffer16BitAccess = VK_TRUE;
    CHECK(!caps_of(mock, &storage, nullptr, {}).storage_16bit);
    CHECK(caps_of(mock, &storage, &core, {}).storage_16bit);
  }
}

TEST_CASE("push descriptors come from the extension or from Vulkan 1.4") {
  MockVulkan mock;
  CHECK(caps_of(mock, nullptr, nullptr, {VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME}).push_descriptor);
#ifdef VK_VERSION_1_4
  mock.properties.apiVersion = VK_API_VERSION_1_4;
  mock.hidden_functions[0] = "vkCmdPushDescriptorSetKHR";
  VkPhysicalDeviceVulkan14Features vulkan14{};
  vulkan14.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES;
  CHECK(!caps_of(mock, &vulkan14, nullptr, {}, VK_API_VERSION_1_4).push_descriptor);
  vulkan14.pushDescriptor = VK_TRUE;
  CHECK(caps_of(mock, &vulkan14, nullptr, {}, VK_API_VERSION_1_4).push_descriptor);
#endif
}

TEST_CASE("subgroup size control needs its feature, and Vulkan 1.3 or the extension") {
  MockVulkan mock;
  mock.add_extension(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  mock.min_subgroup_size = 8;
  mock.max_subgroup_size = 64;
  VkPhysicalDeviceSubgroupSizeControlFeatures control{};
  control.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
  const std::vector<const char*> extension = {VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME};

  DeviceCaps caps = caps_of(mock, &control, nullptr, extension);
  CHECK(!caps.subgroup_size_control);
  CHECK(caps.min_subgroup_size == 32);
  control.subgroupSizeControl = VK_TRUE;
  CHECK(!caps_of(mock, &control, nullptr, {}).subgroup_size_control);
  caps = caps_of(mock, &control, nullptr, extension);
  CHECK(caps.subgroup_size_control);
  CHECK(!caps.compute_full_subgroups);
  CHECK(caps.min_subgroup_size == 8);
  CHECK(caps.max_subgroup_size == 64);
  CHECK(caps.max_compute_workgroup_subgroups == 16);
  CHECK(caps.subgroup_size == 32);

  // The version counts as what both the device and the instance have.
  mock.properties.apiVersion = VK_API_VERSION_1_3;
  CHECK(caps_of(mock, &control, nullptr, {}, VK_API_VERSION_1_3).subgroup_size_control);
  CHECK(!caps_of(mock, &control, nullptr, {}, VK_API_VERSION_1_2).subgroup_size_control);
  mock.min_subgroup_size = 0;  // seen on drivers: no usable answer
  CHECK(!caps_of(mock, &control, nullptr, {}, VK_API_VERSION_1_3).subgroup_size_control);
}

TEST_CASE("a subgroup size of 0 is taken for 1") {
  MockVulkan mock;
  mock.subgroup_size = 0;
  CHECK(caps_of(mock, nullptr, nullptr, {}).subgroup_size == 1);
}

#ifdef VK_KHR_cooperative_matrix
TEST_CASE("cooperative matrices need the extension, the feature and an answer of the driver") {
  MockVulkan mock;
  mock.add_extension(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR feature{};
  feature.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;
  const std::vector<const char*> extension = {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME};

  CHECK(!caps_of(mock, &feature, nullptr, extension).cooperative_matrix);
  feature.cooperativeMatrix = VK_TRUE;
  CHECK(!caps_of(mock, &feature, nullptr, {}).cooperative_matrix);
  const DeviceCaps caps = caps_of(mock, &feature, nullptr, extension);
  CHECK(caps.cooperative_matrix);
  REQUIRE(caps.cooperative_matrix_shapes.size() == 1);  // the one of subgroup scope
  CHECK(caps.cooperative_matrix_shapes[0].m == 16);
  CHECK(caps.cooperative_matrix_shapes[0].a_type == VK_COMPONENT_TYPE_FLOAT16_KHR);
  CHECK(caps.cooperative_matrix_shapes[0].result_type == VK_COMPONENT_TYPE_FLOAT32_KHR);

  mock.cooperative_matrix_result = VK_ERROR_OUT_OF_HOST_MEMORY;
  CHECK(!caps_of(mock, &feature, nullptr, extension).cooperative_matrix);
  mock.cooperative_matrix_result = VK_SUCCESS;
  mock.hidden_functions[0] = "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR";
  CHECK(!caps_of(mock, &feature, nullptr, extension).cooperative_matrix);
}
#endif

TEST_CASE("features are asked for where the device has them, and none is cleared") {
  MockVulkan mock;
  const VktcContextCreateInfo device = mock.context_create_info(nullptr);
  VkPhysicalDeviceMultiviewFeatures unknown{};
  unknown.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTIVIEW_FEATURES;
  VkPhysicalDeviceVulkan12Features vulkan12{};
  vulkan12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  vulkan12.pNext = &unknown;
  vulkan12.timelineSemaphore = VK_TRUE;  // the application's own wish
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable{};
  executable.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
  unknown.pNext = &executable;
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &vulkan12, {}};
  const auto request = [&] {
    return vktcRequestDeviceFeatures(device.instance, device.physicalDevice, device.getInstanceProcAddr, &features,
                                     nullptr);
  };

  mock.supports_features = false;
  vulkan12.shaderFloat16 = VK_TRUE;
  CHECK(request() == VKTC_SUCCESS);
  CHECK(vulkan12.shaderFloat16 == VK_TRUE);
  CHECK(vulkan12.timelineSemaphore == VK_TRUE);
  CHECK(vulkan12.bufferDeviceAddress == VK_FALSE);
  CHECK(features.features.shaderInt16 == VK_FALSE);

  mock.supports_features = true;
  CHECK(request() == VKTC_SUCCESS);
  CHECK(features.features.shaderInt16 == VK_TRUE);
  CHECK(features.features.shaderInt64 == VK_FALSE);
  CHECK(features.features.robustBufferAccess == VK_FALSE);
  CHECK(vulkan12.bufferDeviceAddress == VK_TRUE);
  CHECK(vulkan12.shaderInt8 == VK_TRUE);
  CHECK(vulkan12.vulkanMemoryModel == VK_TRUE);
  CHECK(vulkan12.descriptorIndexing == VK_FALSE);
  CHECK(vulkan12.bufferDeviceAddressCaptureReplay == VK_FALSE);
  CHECK(unknown.multiview == VK_FALSE);
  CHECK(executable.pipelineExecutableInfo == VK_FALSE);

  VktcError error{};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  CHECK(vktcRequestDeviceFeatures(device.instance, device.physicalDevice, device.getInstanceProcAddr, nullptr,
                                  &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "features");
  features.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  CHECK(request() == VKTC_ERROR_INVALID_PARAMETER);
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  mock.properties.apiVersion = VK_API_VERSION_1_1;
  CHECK(vktcRequestDeviceFeatures(device.instance, device.physicalDevice, device.getInstanceProcAddr, &features,
                                  &error) == VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(std::string(error.parameter) == "physicalDevice");
  CHECK(std::string(error.message) == "the device Mock has Vulkan 1.1: vktconv needs 1.2 or newer");
}

TEST_CASE("extensions are named where the device has them and their feature") {
  MockVulkan mock;
  mock.add_extension("VK_KHR_swapchain");
  mock.add_extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  mock.add_extension(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  const VktcContextCreateInfo device = mock.context_create_info(nullptr);
  const auto get = [&](uint32_t* count, const char** names) {
    return vktcGetDeviceExtensions(device.instance, device.physicalDevice, device.getInstanceProcAddr, count, names,
                                   nullptr);
  };
  uint32_t count = 0;
  CHECK(get(&count, nullptr) == VKTC_SUCCESS);
  CHECK(count == 2);
  const char* names[3] = {nullptr, nullptr, nullptr};
  count = 3;
  CHECK(get(&count, names) == VKTC_SUCCESS);
  CHECK(count == 2);
  CHECK(std::string(names[0]) == VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  CHECK(std::string(names[1]) == VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  CHECK(names[2] == nullptr);

  count = 1;  // room for one
  names[1] = nullptr;
  CHECK(get(&count, names) == VKTC_SUCCESS);
  CHECK(count == 1);
  CHECK(names[1] == nullptr);

  mock.supports_features = false;
  CHECK(get(&count, nullptr) == VKTC_SUCCESS);
  CHECK(count == 1);
  CHECK(get(nullptr, nullptr) == VKTC_ERROR_INVALID_PARAMETER);
}

TEST_CASE("the feature chain of the C++ layer joins what the application asked for") {
  MockVulkan mock;
  mock.add_extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  mock.add_extension(VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  const VktcContextCreateInfo device = mock.context_create_info(nullptr);
  vktc::DeviceFeatures made(device.instance, device.physicalDevice, device.getInstanceProcAddr);
  vktc::DeviceFeatures wanted = std::move(made);  // the chain survives the move

  VkPhysicalDeviceMultiviewFeatures own{};
  own.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTIVIEW_FEATURES;
  own.multiview = VK_TRUE;
  VkPhysicalDeviceFeatures core{};
  core.robustBufferAccess = VK_TRUE;
  const char* const names[] = {"VK_KHR_swapchain", VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME};
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &own;
  info.pEnabledFeatures = &core;
  info.enabledExtensionCount = 2;
  info.ppEnabledExtensionNames = names;
  wanted.splice(info);

  CHECK(info.pEnabledFeatures == nullptr);
  REQUIRE(info.enabledExtensionCount == 3);
  CHECK(std::string(info.ppEnabledExtensionNames[0]) == "VK_KHR_swapchain");
  CHECK(std::string(info.ppEnabledExtensionNames[2]) == VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  CHECK(wanted.chain().features.robustBufferAccess == VK_TRUE);
  CHECK(wanted.chain().features.shaderInt16 == VK_TRUE);
  bool found_own = false;
  for (auto* s = static_cast<const VkBaseInStructure*>(info.pNext); s != nullptr; s = s->pNext) {
    found_own = found_own || static_cast<const void*>(s) == &own;
  }
  CHECK(found_own);

  // A context understands what came out.
  const vktc::Context context(mock.context_create_info(&info));
  const DeviceCaps& caps = context.get()->device.caps;
  CHECK(caps.push_descriptor);
  CHECK(caps.storage_16bit);
  CHECK(caps.buffer_device_address);
  CHECK(caps.subgroup_size_control);
  CHECK(caps.compute_full_subgroups);

  VkPhysicalDeviceVulkan12Features vulkan12{};
  vulkan12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  VkDeviceCreateInfo clashing{};
  clashing.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  clashing.pNext = &vulkan12;
  CHECK_THROWS_AS(wanted.splice(clashing), vktc::Error);
}

TEST_CASE("rates of known devices scale with the multiprocessors that are there") {
  const auto rates = [](const char* name, uint32_t device_id, uint32_t multiprocessors) {
    DeviceCaps caps;
    caps.name = name;
    caps.vendor_id = 0x10de;
    caps.device_id = device_id;
    caps.multiprocessors = multiprocessors;
    set_device_rates(vktconv::DeviceKind::discrete, caps);
    return caps;
  };
  const DeviceCaps h200 = rates("NVIDIA H200", 0, 132);
  CHECK(h200.multiprocessors == 132);
  CHECK(h200.fp32_flops == doctest::Approx(62.8e12));
  CHECK(h200.matrix_flops == doctest::Approx(635e12));
  CHECK(h200.memory_bandwidth == doctest::Approx(4160e9));
  CHECK(rates("NVIDIA H200", 0, 0).multiprocessors == 132);
  CHECK(rates("NVIDIA H200 MIG 1g.18gb", 0x2335, 16).fp32_flops == doctest::Approx(62.8e12 * 16 / 132));
  const DeviceCaps ada = rates("NVIDIA GeForce RTX 4090", 0x2684, 128);
  CHECK(ada.fp32_flops == doctest::Approx(82.6e12));
  CHECK(ada.memory_bandwidth == doctest::Approx(1008e9));
  CHECK(rates("NVIDIA GeForce RTX 4090 Laptop GPU", 0x2757, 76).memory_bandwidth < 1008e9);
}

TEST_CASE("every kind of device gets rates above zero") {
  using vktconv::DeviceKind;
  for (const DeviceKind kind :
       {DeviceKind::discrete, DeviceKind::integrated, DeviceKind::virtual_gpu, DeviceKind::cpu, DeviceKind::other}) {
    DeviceCaps caps;
    set_device_rates(kind, caps);
    CHECK(caps.fp32_flops > 0);
    CHECK(caps.memory_bandwidth > 0);
    CHECK(caps.matrix_flops == 0);  // no cooperative matrix
  }
}

TEST_CASE("multiprocessors come from the driver") {
  MockVulkan mock;
  mock.shader_sm_count = 46;
  CHECK(caps_of(mock, nullptr, nullptr, {}).multiprocessors == 0);  // not without the extension
  mock.add_extension(VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME);
  CHECK(caps_of(mock, nullptr, nullptr, {}).multiprocessors == 46);
}

TEST_SUITE_END();

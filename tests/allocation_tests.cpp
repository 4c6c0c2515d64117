// vktconv-allocation-tests: a program of its own, because allocations.cpp replaces operator new. Recording allocates
// nothing, and memory that cannot be had gives VKTC_ERROR_OUT_OF_HOST_MEMORY and leaves nothing behind.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <vktconv/vktconv.hpp>

#include <chrono>
#include <string>

#include "allocations.h"
#include "mock_vulkan.h"

namespace {

using vktconv::tests::allocations;
using vktconv::tests::Armed;
using vktconv::tests::MockVulkan;

VktcConvTransposeDesc problem() {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.batch = 40;
  desc.inChannels = 4;
  desc.outChannels = 4;
  desc.inputSize[0] = 4096;
  desc.kernelSize[0] = 4;
  desc.stride[0] = 2;
  desc.hasBias = VK_TRUE;
  return desc;
}

VktcBuffers fake_buffers(const VktcPlanRequirements& r) {
  const auto buffer = [](uintptr_t id, VkDeviceSize size) {
    return VktcBuffer{MockVulkan::handle<VkBuffer>(id), 0, size};
  };
  return {buffer(11, r.inputBytes), buffer(12, r.weightsBytes), buffer(13, r.packedWeightsBytes),
          buffer(14, r.biasBytes),  buffer(15, r.outputBytes),  buffer(16, r.workspaceBytes),
          buffer(17, r.scaleBytes), buffer(18, r.shiftBytes),   buffer(19, r.residualBytes)};
}

struct Enabled {
  VkPhysicalDeviceBufferDeviceAddressFeatures address{};
  const char* extension = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
  VkDeviceCreateInfo info{};

  explicit Enabled(bool push_descriptor) {
    address.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
    address.bufferDeviceAddress = VK_TRUE;
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &address;
    info.enabledExtensionCount = push_descriptor ? 1 : 0;
    info.ppEnabledExtensionNames = &extension;
  }
};

const VkCommandBuffer command_buffer = MockVulkan::handle<VkCommandBuffer>(77);

}  // namespace

TEST_CASE("the count sees the library's allocations") {
  MockVulkan mock;
  const VktcContextCreateInfo info = mock.context_create_info(nullptr);
  VktcContext context = nullptr;
  {
    const Armed armed;
    vktcCreateContext(&info, &context, nullptr);
    vktcDestroyContext(context);
  }
  CHECK(allocations.count > 0);
  CHECK(allocations.alive == 0);
}

TEST_CASE("recording allocates nothing and is quick") {
  MockVulkan mock;
  mock.properties.limits.maxStorageBufferRange = 1 << 18;  // several dispatches
  const Enabled enabled(true);
  const vktc::Context context(mock.context_create_info(&enabled.info));
  for (const VktcMemoryAccess access : {VKTC_MEMORY_ACCESS_DESCRIPTORS, VKTC_MEMORY_ACCESS_DEVICE_ADDRESS}) {
    VktcPlanOptions options{};
    options.memoryAccess = access;
    const vktc::Plan plan(context, problem(), options);
    const VktcBuffers buffers = fake_buffers(plan.requirements());
    const vktc::Bindings bindings(plan, buffers);
    const VktcTimestamps timestamps{MockVulkan::handle<VkQueryPool>(99), 0};
    double best = 1;
    for (int repeat = 0; repeat < 50; ++repeat) {
      VktcStatus statuses[4];
      const auto start = std::chrono::steady_clock::now();
      {
        const Armed armed;
        statuses[0] = vktcCmdPackWeights(command_buffer, plan.get(), &buffers, &timestamps, nullptr);
        statuses[1] = vktcCmdConvTranspose(command_buffer, plan.get(), &buffers, &timestamps, nullptr);
        statuses[2] = vktcCmdPackWeightsBound(command_buffer, bindings.get(), &timestamps, nullptr);
        statuses[3] = vktcCmdConvTransposeBound(command_buffer, bindings.get(), &timestamps, nullptr);
      }
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      best = time.count() < best ? time.count() : best;
      for (const VktcStatus status : statuses) REQUIRE(status == VKTC_SUCCESS);
      REQUIRE(allocations.count == 0);
    }
    const VktcPlanRequirements requirements = plan.requirements();
    const double dispatches = 2.0 * (requirements.packDispatchCount + requirements.dispatchCount);
    MESSAGE("recording takes " << best / dispatches * 1e6 << " us for each of " << dispatches << " dispatches");
    CHECK(best / dispatches < 10e-6);
  }
}

TEST_CASE("a refused call allocates nothing either") {
  MockVulkan mock;
  const Enabled enabled(true);
  const vktc::Context context(mock.context_create_info(&enabled.info));
  const vktc::Plan plan(context, problem());
  VktcBuffers buffers = fake_buffers(plan.requirements());
  buffers.output.size = 4;
  VktcError error;
  VktcStatus status;
  {
    const Armed armed;
    status = vktcCmdConvTranspose(command_buffer, plan.get(), &buffers, nullptr, &error);
  }
  CHECK(status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(allocations.count == 0);
}

TEST_CASE("host memory that cannot be had") {
  bool failed = true;
  unsigned fail_at = 1;
  for (; failed; ++fail_at) {
    CAPTURE(fail_at);
    MockVulkan mock;
    mock.add_extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    mock.properties.limits.maxStorageBufferRange = 1 << 18;
    const Enabled enabled(false);
    const VktcContextCreateInfo info = mock.context_create_info(&enabled.info);
    const VktcConvTransposeDesc desc = problem();
    VktcPlanOptions options{};
    options.memoryAccess = VKTC_MEMORY_ACCESS_DESCRIPTORS;
    VktcContext context = nullptr;
    VktcPlan plan = nullptr;
    VktcBindings bindings = nullptr;
    VktcError error{};
    VktcStatus status;
    {
      const Armed armed(fail_at);
      VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, nullptr, {}};
      status =
          vktcRequestDeviceFeatures(info.instance, info.physicalDevice, info.getInstanceProcAddr, &features, &error);
      uint32_t count = 0;
      if (status == VKTC_SUCCESS) {
        status = vktcGetDeviceExtensions(info.instance, info.physicalDevice, info.getInstanceProcAddr, &count, nullptr,
                                         &error);
      }
      if (status == VKTC_SUCCESS) status = vktcCreateContext(&info, &context, &error);
      if (status == VKTC_SUCCESS) status = vktcCreatePlan(context, &desc, &options, &plan, &error);
      if (status == VKTC_SUCCESS) {
        VktcPlanRequirements requirements;
        vktcGetPlanRequirements(plan, &requirements);
        const VktcBuffers buffers = fake_buffers(requirements);
        status = vktcCreateBindings(plan, &buffers, &bindings, &error);
      }
      vktcDestroyBindings(bindings);
      vktcDestroyPlan(plan);
      vktcDestroyContext(context);
    }
    failed = allocations.failed;
    CHECK(status == (failed ? VKTC_ERROR_OUT_OF_HOST_MEMORY : VKTC_SUCCESS));
    if (failed) CHECK(std::string(error.message) == "out of host memory");
    CHECK(allocations.alive == 0);
    CHECK(mock.live_objects() == 0);
    CHECK(mock.mistakes == 0);
  }
  CHECK(fail_at > 20);
}

// Contexts and plans on a device made by hand: what they refuse and why, how long they live, which threads may use
// them.
#include <doctest/doctest.h>

#include <vktconv/vktconv.hpp>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "foreign_enum.h"
#include "raw_call.h"
#include "raw_device.h"
#include "tensors.h"

TEST_SUITE_BEGIN("context");

namespace {

using namespace vktconv::tests;
namespace reference = vktconv::reference;

VktcConvTransposeDesc small_desc(int64_t kernel = 3) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.batch = 2;
  desc.inChannels = 5;
  desc.outChannels = 7;
  desc.hasBias = VK_TRUE;
  for (int axis = 0; axis < 2; ++axis) {
    desc.inputSize[axis] = 6;
    desc.kernelSize[axis] = kernel;
    desc.stride[axis] = 2;
  }
  return desc;
}

bool gives_right_results(const RawDevice& device, const vktc::Context& context, const VktcConvTransposeDesc& desc) {
  const Tensors tensors(desc, reference::Fill::exact, 7);
  const vktc::Plan plan(context, desc);
  const RawCall call(device, plan, tensors);
  call.run_bound();
  return agrees(tensors, call.output());
}

struct CreateInfoFault {
  std::function<void(VktcContextCreateInfo&)> spoil;
  const char* parameter;
  const char* message;
};

const int something = 0;
const VkDeviceCreateInfo wrong_type = {
    VK_STRUCTURE_TYPE_APPLICATION_INFO, nullptr, 0, 0, nullptr, 0, nullptr, 0, nullptr, nullptr};
const VkDeviceCreateInfo no_names = {
    VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, nullptr, 0, 0, nullptr, 0, nullptr, 2, nullptr, nullptr};

const CreateInfoFault create_info_faults[] = {
    {[](auto& i) { i.pNext = &something; }, "pNext", "pNext must be NULL"},
    {[](auto& i) { i.instance = VK_NULL_HANDLE; }, "instance", "instance must not be null"},
    {[](auto& i) { i.physicalDevice = VK_NULL_HANDLE; }, "physicalDevice", "physicalDevice must not be null"},
    {[](auto& i) { i.device = VK_NULL_HANDLE; }, "device", "device must not be null"},
    {[](auto& i) { i.getInstanceProcAddr = nullptr; }, "getInstanceProcAddr", "getInstanceProcAddr must not be null"},
    {[](auto& i) { i.apiVersion = 0; }, "apiVersion",
     "apiVersion is 0.0: the instance must be made for Vulkan 1.2 or newer"},
    {[](auto& i) { i.apiVersion = VK_API_VERSION_1_1; }, "apiVersion",
     "apiVersion is 1.1: the instance must be made for Vulkan 1.2 or newer"},
    {[](auto& i) { i.deviceCreateInfo = &wrong_type; }, "deviceCreateInfo.sType",
     "deviceCreateInfo.sType is 0: it must be VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO"},
    {[](auto& i) { i.deviceCreateInfo = &no_names; }, "deviceCreateInfo.ppEnabledExtensionNames",
     "deviceCreateInfo.ppEnabledExtensionNames must not be null"},
    {[](auto& i) { i.pipelineCacheDataSize = 3; }, "pipelineCacheDataSize",
     "pipelineCacheDataSize is 3: it must be 0 where pipelineCacheData is NULL"},
};

}  // namespace

TEST_CASE("a context is refused with the reason") {
  const RawDevice device;
  for (const CreateInfoFault& fault : create_info_faults) {
    CAPTURE(fault.message);
    VktcContextCreateInfo info = device.context_create_info();
    fault.spoil(info);
    VktcContext context = nullptr;
    VktcError error{};
    CHECK(vktcCreateContext(&info, &context, &error) == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(context == nullptr);
    CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(error.vkResult == VK_SUCCESS);
    CHECK(std::string(error.parameter) == fault.parameter);
    CHECK(std::string(error.message) == fault.message);
    CHECK(vktcCreateContext(&info, &context, nullptr) == VKTC_ERROR_INVALID_PARAMETER);
  }
}

TEST_CASE("null arguments are refused by name") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, small_desc());
  const VktcContextCreateInfo info = device.context_create_info();
  const VktcConvTransposeDesc desc = small_desc();
  const VktcBuffers buffers{};
  VktcContext made_context = nullptr;
  VktcPlan made_plan = nullptr;
  VktcBindings made_bindings = nullptr;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VktcError error{};
  const auto check = [&](VktcStatus status, const char* parameter) {
    CAPTURE(parameter);
    CHECK(status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error.parameter) == parameter);
    CHECK(std::string(error.message).starts_with(std::string(parameter) + " must not be "));
  };
  check(vktcCreateContext(nullptr, &made_context, &error), "createInfo");
  check(vktcCreateContext(&info, nullptr, &error), "context");
  check(vktcCreatePlan(nullptr, &desc, nullptr, &made_plan, &error), "context");
  check(vktcCreatePlan(context.get(), nullptr, nullptr, &made_plan, &error), "desc");
  check(vktcCreatePlan(context.get(), &desc, nullptr, nullptr, &error), "plan");
  check(vktcGetPipelineCacheData(nullptr, nullptr, nullptr, &error), "context");
  check(vktcGetPipelineCacheData(context.get(), nullptr, nullptr, &error), "size");
  check(vktcCreateBindings(nullptr, &buffers, &made_bindings, &error), "plan");
  check(vktcCreateBindings(plan.get(), nullptr, &made_bindings, &error), "buffers");
  check(vktcCreateBindings(plan.get(), &buffers, nullptr, &error), "bindings");
  check(vktcCmdPackWeights(commands, plan.get(), &buffers, nullptr, &error), "commandBuffer");
  check(vktcCmdConvTranspose(commands, plan.get(), &buffers, nullptr, &error), "commandBuffer");
  check(vktcCmdConvTransposeBound(commands, nullptr, nullptr, &error), "commandBuffer");
  const RawCommandBuffer real(device);
  check(vktcCmdPackWeights(real.get(), nullptr, &buffers, nullptr, &error), "plan");
  check(vktcCmdConvTranspose(real.get(), plan.get(), nullptr, nullptr, &error), "buffers");
  check(vktcCmdPackWeightsBound(real.get(), nullptr, nullptr, &error), "bindings");
  check(vktcCmdConvTransposeBound(real.get(), nullptr, nullptr, &error), "bindings");
  check(vktcGetOutputSize(nullptr, nullptr, &error), "desc");
  check(vktcGetOutputSize(&desc, nullptr, &error), "outputSize");
  check(vktcGetDeviceExtensions(info.instance, info.physicalDevice, info.getInstanceProcAddr, nullptr, nullptr, &error),
        "count");
  CHECK(vktcGetPipelineCache(nullptr) == VkPipelineCache{VK_NULL_HANDLE});

  // What gives no status does nothing, or gives nothing.
  vktcDestroyContext(nullptr);
  vktcDestroyPlan(nullptr);
  vktcDestroyBindings(nullptr);
  vktcGetPlanRequirements(plan.get(), nullptr);
  vktcGetPlanInfo(plan.get(), nullptr);
  vktcGetDispatchInfo(plan.get(), 0, nullptr);
  VktcPlanRequirements requirements;
  vktcGetPlanRequirements(nullptr, &requirements);
  CHECK(requirements.outputBytes == 0);
  VktcPlanInfo plan_info;
  vktcGetPlanInfo(nullptr, &plan_info);
  CHECK(std::string(plan_info.algorithm).empty());
  VktcDispatchInfo dispatch_info;
  vktcGetDispatchInfo(plan.get(), plan.requirements().dispatchCount, &dispatch_info);
  CHECK(std::string(dispatch_info.name).empty());
  CHECK(dispatch_info.pipeline == VkPipeline{VK_NULL_HANDLE});
}

TEST_CASE("plan options are refused with the reason") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  const VktcConvTransposeDesc desc = small_desc();
  const auto check = [&](const VktcPlanOptions& options, VktcStatus status, const std::string& parameter,
                         const std::string& message) {
    CAPTURE(message);
    VktcPlan plan = nullptr;
    VktcError error{};
    CHECK(vktcCreatePlan(context.get(), &desc, &options, &plan, &error) == status);
    CHECK(plan == nullptr);
    CHECK(std::string(error.parameter) == parameter);
    CHECK(std::string(error.message).starts_with(message));
  };
  check({&something, nullptr, VKTC_MEMORY_ACCESS_AUTO, 0, nullptr, VKTC_PRECISION_F32}, VKTC_ERROR_INVALID_PARAMETER,
        "options.pNext", "options.pNext must be NULL");
  check({nullptr, "direct", VKTC_MEMORY_ACCESS_AUTO, 0, nullptr, VKTC_PRECISION_F32}, VKTC_ERROR_INVALID_PARAMETER,
        "options.algorithm", "options.algorithm is \"direct\": it must be one of gather");
  check({nullptr, nullptr, foreign_enum<VktcMemoryAccess>(3), 0, nullptr, VKTC_PRECISION_F32},
        VKTC_ERROR_INVALID_PARAMETER, "options.memoryAccess",
        "options.memoryAccess is 3: it must be a VktcMemoryAccess");
  check({nullptr, nullptr, VKTC_MEMORY_ACCESS_AUTO, 0, nullptr, foreign_enum<VktcPrecision>(9)},
        VKTC_ERROR_INVALID_PARAMETER, "options.precision", "options.precision is 9: it must be a VktcPrecision");
  check({nullptr, nullptr, VKTC_MEMORY_ACCESS_DEVICE_ADDRESS, 0, nullptr, VKTC_PRECISION_F32},
        VKTC_ERROR_FEATURE_NOT_ENABLED, "options.memoryAccess",
        "options.memoryAccess is VKTC_MEMORY_ACCESS_DEVICE_ADDRESS, but the application did not enable the feature "
        "bufferDeviceAddress");
  check({nullptr, nullptr, VKTC_MEMORY_ACCESS_AUTO, 0, "magic:1,2", VKTC_PRECISION_F32}, VKTC_ERROR_INVALID_PARAMETER,
        "options.choice", "options.choice is \"magic:1,2\": it must be one of the ");
  VktcConvTransposeDesc wrong = desc;
  wrong.stride[1] = 0;
  VktcPlan plan = nullptr;
  VktcError error{};
  CHECK(vktcCreatePlan(context.get(), &wrong, nullptr, &plan, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.message) == "stride[1] is 0: it must be at least 1");
  // An error of before does not stay.
  CHECK(vktcCreatePlan(context.get(), &desc, nullptr, &plan, &error) == VKTC_SUCCESS);
  CHECK(error.status == VKTC_SUCCESS);
  CHECK(std::string(error.message).empty());
  vktcDestroyPlan(plan);
}

TEST_CASE("the C++ handles throw what the C functions report") {
  const RawDevice device;
  VktcContextCreateInfo info = device.context_create_info();
  info.apiVersion = 0;
  CHECK_THROWS_AS(vktc::Context{info}, vktc::Error);
  const vktc::Context context(device.context_create_info());
  VktcConvTransposeDesc desc = small_desc();
  desc.groups = 2;
  try {
    const vktc::Plan plan(context, desc);
    FAIL_CHECK("no error");
  } catch (const vktc::Error& error) {
    CHECK(error.status() == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error.error().parameter) == "groups");
    CHECK(std::string(error.what()) == error.error().message);
  }
  vktc::Plan plan(context, small_desc());
  const VktcPlan handle = plan.get();
  vktc::Plan moved = std::move(plan);
  CHECK(moved.get() == handle);
  CHECK(!plan);  // NOLINT(bugprone-use-after-move): what a move leaves is part of the contract
  plan = std::move(moved);
  CHECK(plan.get() == handle);
}

TEST_CASE("requirements say what the buffers need") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  for (const VktcDataType type : data_types) {
    CAPTURE(type);
    VktcConvTransposeDesc desc = with_type(small_desc(), type);
    const vktc::Plan plan(context, desc);
    const VktcPlanRequirements r = plan.requirements();
    const auto rounded = [](int64_t elements, VktcDataType of) {
      return (static_cast<VkDeviceSize>(elements) * element_size(of) + 3) / 4 * 4;
    };
    CHECK(r.outputSize[0] == 13);
    CHECK(r.outputSize[1] == 13);
    CHECK(r.inputBytes == rounded(2 * 5 * 36, type));
    CHECK(r.weightsBytes == rounded(5 * 7 * 9, type));  // odd: rounded up for small types
    CHECK(r.biasBytes == rounded(7, reference::bias_type(desc)));
    CHECK(r.outputBytes == rounded(2 * 7 * 169, reference::output_type(desc)));
    CHECK(r.packedWeightsBytes >= r.weightsBytes);
    CHECK(r.offsetAlignment >= 16);
    CHECK(r.offsetAlignment % device.properties().limits.minStorageBufferOffsetAlignment == 0);
    CHECK((r.bufferUsage & VK_BUFFER_USAGE_STORAGE_BUFFER_BIT) != 0);
    CHECK(r.dispatchCount >= 1);
    for (uint32_t i = 0; i < r.dispatchCount; ++i) {
      const VktcDispatchInfo info = plan.dispatch_info(i);
      CHECK(!std::string(info.name).empty());
      CHECK(info.groupCount[0] >= 1);
      CHECK(info.pipeline != VkPipeline{VK_NULL_HANDLE});
    }
    const VktcPlanInfo info = plan.info();
    CHECK(std::string(info.algorithm) != "");
    CHECK(std::string(info.explanation) != "");
    VktcPlanOptions same{};
    same.choice = info.choice;
    CHECK(std::string(vktc::Plan(context, desc, same).info().choice) == info.choice);
    CHECK(info.flop > 0);
    CHECK(info.bytes > 0);
  }
}

TEST_CASE("a device without optional features computes every data type") {
  const RawDevice device;
  VktcContextCreateInfo info = device.context_create_info();
  SUBCASE("with its VkDeviceCreateInfo") {}
  SUBCASE("without") { info.deviceCreateInfo = nullptr; }
  const vktc::Context context(info);
  for (const VktcDataType type : data_types) {
    CAPTURE(type);
    CHECK(gives_right_results(device, context, with_type(small_desc(), type)));
  }
}

TEST_CASE("a device with everything the library would like computes every data type") {
  for (const uint32_t api_version : {VK_API_VERSION_1_2, VK_API_VERSION_1_3}) {
    RawDeviceOptions options;
    options.all_features = true;
    options.api_version = api_version;
    const RawDevice device(options);
    const vktc::Context context(device.context_create_info());
    for (const VktcDataType type : data_types) {
      CAPTURE(type);
      CHECK(gives_right_results(device, context, with_type(small_desc(), type)));
    }
  }
}

TEST_CASE("contexts and devices live side by side") {
  const RawDevice first_device;
  RawDeviceOptions options;
  options.push_descriptor = true;
  const RawDevice second_device(options);
  const vktc::Context first(first_device.context_create_info());
  const vktc::Context same_device(first_device.context_create_info());
  const vktc::Context second(second_device.context_create_info());
  for (int64_t kernel = 1; kernel <= 3; ++kernel) {
    CHECK(gives_right_results(first_device, first, small_desc(kernel)));
    CHECK(gives_right_results(second_device, second, small_desc(kernel)));
    CHECK(gives_right_results(first_device, same_device, small_desc(kernel)));
  }
  // One context goes, its neighbours stay.
  { const vktc::Context gone(first_device.context_create_info()); }
  CHECK(gives_right_results(first_device, first, small_desc(4)));
}

TEST_CASE("threads create plans of one context and run them") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  constexpr size_t thread_count = 4;
  constexpr size_t plan_count = 4;
  std::vector<std::vector<vktc::Plan>> plans(thread_count);
  std::vector<std::string> errors(thread_count);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (size_t p = 0; p < plan_count; ++p) {
          // Some are everyone's, some this thread's own.
          const int64_t kernel = static_cast<int64_t>(p % 2 == 0 ? 1 + p : 3 + t);
          plans[t].emplace_back(context, small_desc(kernel));
          if (p % 2 == 1) plans[t].erase(plans[t].begin());
        }
      } catch (const vktc::Error& error) {
        errors[t] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) CHECK(error == "");
  for (size_t t = 0; t < thread_count; ++t) {
    REQUIRE(plans[t].size() == plan_count / 2);
    const vktc::Plan& plan = plans[t].back();
    const Tensors tensors(small_desc(static_cast<int64_t>(3 + t)), reference::Fill::exact, t);
    const RawCall call(device, plan, tensors);
    call.run_bound();
    CHECK(agrees(tensors, call.output()));
  }
}

TEST_CASE("the application's pipeline cache is used and left alone") {
  const RawDevice device;
  VkPipelineCacheCreateInfo cache_info{};
  cache_info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  VkPipelineCache cache = VK_NULL_HANDLE;
  REQUIRE(device.call<PFN_vkCreatePipelineCache>("vkCreatePipelineCache")(device.device(), &cache_info, nullptr,
                                                                          &cache) == VK_SUCCESS);
  const auto cache_size = [&] {
    size_t size = 0;
    CHECK(device.call<PFN_vkGetPipelineCacheData>("vkGetPipelineCacheData")(device.device(), cache, &size, nullptr) ==
          VK_SUCCESS);
    return size;
  };
  const size_t empty = cache_size();
  VktcContextCreateInfo info = device.context_create_info();
  info.pipelineCache = cache;
  {
    const vktc::Context context(info);
    CHECK(context.pipeline_cache() == cache);
    CHECK(gives_right_results(device, context, small_desc()));
    CHECK(context.pipeline_cache_data().size() == cache_size());
  }
  CHECK(cache_size() >= empty);  // still alive

  const char data[4] = {1, 2, 3, 4};
  info.pipelineCacheData = data;
  info.pipelineCacheDataSize = sizeof data;
  VktcContext refused = nullptr;
  VktcError error{};
  CHECK(vktcCreateContext(&info, &refused, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "pipelineCacheData");
  device.call<PFN_vkDestroyPipelineCache>("vkDestroyPipelineCache")(device.device(), cache, nullptr);
}

TEST_CASE("the library's own pipeline cache goes out and comes back") {
  const RawDevice device;
  std::vector<std::byte> data;
  {
    const vktc::Context context(device.context_create_info());
    CHECK(context.pipeline_cache() != VkPipelineCache{VK_NULL_HANDLE});
    CHECK(gives_right_results(device, context, small_desc()));
    data = context.pipeline_cache_data();
    CHECK(data.size() >= sizeof(VkPipelineCacheHeaderVersionOne));

    VktcError error{};
    size_t too_small = data.size() - 1;
    std::vector<std::byte> cut(data.size());
    CHECK(vktcGetPipelineCacheData(context.get(), &too_small, cut.data(), &error) == VKTC_ERROR_VULKAN);
    CHECK(error.vkResult == VK_INCOMPLETE);
    CHECK(std::string(error.message) == "vkGetPipelineCacheData failed with VkResult 5");
  }
  VktcContextCreateInfo info = device.context_create_info();
  info.pipelineCacheData = data.data();
  info.pipelineCacheDataSize = data.size();
  const vktc::Context context(info);
  CHECK(gives_right_results(device, context, small_desc()));
}

TEST_CASE("pipelines tell their statistics where the application asked for them") {
  RawDeviceOptions options;
  options.executable_properties = true;
  const RawDevice device(options);
  if (!device.enabled().executable_properties) {
    MESSAGE("the device has no pipelineExecutableInfo");
    return;
  }
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, small_desc());
  VkPipelineInfoKHR info{};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR;
  info.pipeline = plan.dispatch_info(0).pipeline;
  uint32_t count = 0;
  CHECK(device.call<PFN_vkGetPipelineExecutablePropertiesKHR>("vkGetPipelineExecutablePropertiesKHR")(
            device.device(), &info, &count, nullptr) == VK_SUCCESS);
  CHECK(count >= 1);
}

TEST_CASE("version and names") {
  CHECK(vktcGetVersion() == (VKTC_VERSION_MAJOR << 22 | VKTC_VERSION_MINOR << 12 | VKTC_VERSION_PATCH));
  CHECK(std::string(vktcStatusName(VKTC_ERROR_LIMIT_EXCEEDED)) == "VKTC_ERROR_LIMIT_EXCEEDED");
  CHECK(std::string(vktcStatusName(foreign_enum<VktcStatus>(-7))) == "unknown VktcStatus");
  CHECK(std::string(vktcGetAlgorithmName(0)) == "gather");
  CHECK(vktcGetAlgorithmName(1000) == nullptr);
}

TEST_SUITE_END();

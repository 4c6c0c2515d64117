// The commands that a plan becomes, one by one, on a Vulkan that is made up.
#include <doctest/doctest.h>

#include <vktconv/vktconv.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "built_plan.h"
#include "mock_vulkan.h"

TEST_SUITE_BEGIN("commands");

namespace {

using namespace vktconv::tests;
using vktconv::Dispatch;
using vktconv::Tensor;
using vktconv::Window;

// What an application enabled, for the mock.
struct Enabled {
  VkPhysicalDeviceBufferDeviceAddressFeatures address{};
  std::vector<const char*> extensions;
  VkDeviceCreateInfo info{};

  Enabled(bool push_descriptor, bool device_address) {
    address.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
    address.bufferDeviceAddress = device_address ? VK_TRUE : VK_FALSE;
    if (push_descriptor) extensions.push_back(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &address;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
  }
  Enabled(const Enabled&) = delete;
  Enabled& operator=(const Enabled&) = delete;
};

// A problem that is cut into several dispatches: a binding of the device holds one image only.
VktcConvTransposeDesc several_images() {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.batch = 3;
  desc.inChannels = 4;
  desc.outChannels = 4;
  desc.inputSize[0] = 4096;
  desc.kernelSize[0] = 4;
  desc.stride[0] = 2;
  desc.hasBias = VK_TRUE;
  return desc;
}

void shrink_bindings(MockVulkan& mock) { mock.properties.limits.maxStorageBufferRange = 1 << 18; }

VktcBuffers fake_buffers(const VktcPlanRequirements& r) {
  const auto buffer = [](uintptr_t id, VkDeviceSize offset, VkDeviceSize size) {
    return VktcBuffer{MockVulkan::handle<VkBuffer>(id), offset, size};
  };
  const VkDeviceSize step = r.offsetAlignment;
  return {buffer(11, step, r.inputBytes),
          buffer(12, 2 * step, r.weightsBytes),
          buffer(13, 3 * step, r.packedWeightsBytes),
          buffer(14, 4 * step, r.biasBytes),
          buffer(15, 5 * step, r.outputBytes),
          buffer(16, 6 * step, r.workspaceBytes),
          buffer(17, 7 * step, r.scaleBytes),
          buffer(18, 8 * step, r.shiftBytes),
          buffer(19, 9 * step, r.residualBytes)};
}

const VktcBuffer& buffer_of(const VktcBuffers& buffers, Tensor tensor) {
  const VktcBuffer* const all[] = {&buffers.input, &buffers.weights, &buffers.packedWeights,
                                   &buffers.bias,  &buffers.output,  &buffers.workspace,
                                   &buffers.scale, &buffers.shift,   &buffers.residual};
  return *all[static_cast<size_t>(tensor)];
}

VkCommandBuffer command_buffer() { return MockVulkan::handle<VkCommandBuffer>(77); }

// Goes through the recorded commands.
class Reader {
 public:
  explicit Reader(const MockVulkan& mock) : mock_(mock) {}

  const MockCommand& next(std::string_view name) {
    REQUIRE(at_ < mock_.command_count);
    const MockCommand& command = mock_.commands[at_++];
    CHECK(std::string(command.name) == name);
    return command;
  }
  bool next_is(std::string_view name) const { return at_ < mock_.command_count && mock_.commands[at_].name == name; }
  bool at_end() const { return at_ == mock_.command_count; }

 private:
  const MockVulkan& mock_;
  uint32_t at_ = 0;
};

uint32_t address_words(bool addresses, const Dispatch& dispatch) {
  return addresses ? 2 * static_cast<uint32_t>(dispatch.windows.size()) : 0;
}

enum class Way { pushed, sets, addresses };

void check_commands(const MockVulkan& mock, const VktcPlan_T& plan, vktconv::Work work, const VktcBuffers& buffers,
                    Way way, uint32_t first_query) {
  Reader reader(mock);
  uint32_t query = first_query;
  CHECK(reader.next("timestamp").count == query++);
  uint64_t bound = 0;
  const std::vector<Dispatch>& dispatches = plan.dispatches(work);
  for (size_t i = 0; i < dispatches.size(); ++i) {
    CAPTURE(i);
    const Dispatch& dispatch = dispatches[i];
    if (dispatch.barrier_before) {
      const MockCommand& barrier = reader.next("barrier");
      CHECK(barrier.words[0] == VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
      CHECK(barrier.words[1] == VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
      CHECK(barrier.words[2] == VK_ACCESS_SHADER_WRITE_BIT);
      CHECK(barrier.words[3] == (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT));
    }
    const uint64_t pipeline = reinterpret_cast<uintptr_t>(plan.pipelines(work)[i]->handle);
    if (pipeline != bound) CHECK(reader.next("bind pipeline").handle == pipeline);
    bound = pipeline;
    if (way == Way::pushed) {
      const MockCommand& pushed = reader.next("push descriptors");
      REQUIRE(pushed.count == dispatch.windows.size());
      for (size_t w = 0; w < dispatch.windows.size(); ++w) {
        const Window& window = dispatch.windows[w];
        const VktcBuffer& buffer = buffer_of(buffers, window.tensor);
        CHECK(pushed.buffers[w].buffer == buffer.buffer);
        CHECK(pushed.buffers[w].offset == buffer.offset + window.offset);
        CHECK(pushed.buffers[w].range == window.range);
      }
    } else if (way == Way::sets) {
      CHECK(reader.next("bind set").handle != 0);
    }
    const MockCommand& constants = reader.next("push constants");
    const uint32_t skipped = address_words(way == Way::addresses, dispatch);
    REQUIRE(constants.count == skipped + dispatch.params.size());
    for (uint32_t w = 0; 2 * w < skipped; ++w) {
      const Window& window = dispatch.windows[w];
      const VktcBuffer& buffer = buffer_of(buffers, window.tensor);
      const uint64_t address =
          (uint64_t{reinterpret_cast<uintptr_t>(buffer.buffer)} << 32) + buffer.offset + window.offset;
      CHECK(constants.words[2 * w] == static_cast<uint32_t>(address));
      CHECK(constants.words[2 * w + 1] == static_cast<uint32_t>(address >> 32));
    }
    for (size_t w = 0; w < dispatch.params.size(); ++w) CHECK(constants.words[skipped + w] == dispatch.params[w]);
    const MockCommand& dispatched = reader.next("dispatch");
    for (size_t axis = 0; axis < 3; ++axis) CHECK(dispatched.words[axis] == dispatch.group_count[axis]);
    CHECK(reader.next("timestamp").count == query++);
  }
  CHECK(reader.at_end());
}

}  // namespace

TEST_CASE("each dispatch becomes its commands, by every way to record and for every algorithm") {
  for (uint32_t index = 0; vktcGetAlgorithmName(index) != nullptr; ++index) {
    for (const Way way : {Way::pushed, Way::sets, Way::addresses}) {
      CAPTURE(vktcGetAlgorithmName(index));
      CAPTURE(static_cast<int>(way));
      MockVulkan mock;
      shrink_bindings(mock);
      const Enabled enabled(way == Way::pushed, way == Way::addresses);
      const vktc::Context context(mock.context_create_info(&enabled.info));
      VktcPlanOptions options{};
      options.algorithm = vktcGetAlgorithmName(index);
      options.memoryAccess = way == Way::addresses ? VKTC_MEMORY_ACCESS_DEVICE_ADDRESS : VKTC_MEMORY_ACCESS_DESCRIPTORS;
      VktcPlan made = nullptr;
      VktcError error{};
      const VktcConvTransposeDesc desc = several_images();
      const VktcStatus status = vktcCreatePlan(context.get(), &desc, &options, &made, &error);
      if (status == VKTC_ERROR_FEATURE_NOT_ENABLED || status == VKTC_ERROR_LIMIT_EXCEEDED) continue;
      CAPTURE(error.message);
      REQUIRE(status == VKTC_SUCCESS);
      const VktcPlan_T& plan = *made;
      if (way != Way::addresses) CHECK(plan.plan.run.size() > 1);

      const VktcBuffers buffers = fake_buffers(plan.requirements);
      const VktcTimestamps timestamps{MockVulkan::handle<VkQueryPool>(99), 5};
      if (way == Way::sets) {
        VktcBindings bindings = nullptr;
        REQUIRE(vktcCreateBindings(made, &buffers, &bindings, nullptr) == VKTC_SUCCESS);
        CHECK(vktcCmdPackWeightsBound(command_buffer(), bindings, &timestamps, nullptr) == VKTC_SUCCESS);
        check_commands(mock, plan, vktconv::Work::pack, buffers, way, 5);
        mock.command_count = 0;
        CHECK(vktcCmdConvTransposeBound(command_buffer(), bindings, &timestamps, nullptr) == VKTC_SUCCESS);
        check_commands(mock, plan, vktconv::Work::run, buffers, way, 5);
        vktcDestroyBindings(bindings);
      } else {
        CHECK(vktcCmdPackWeights(command_buffer(), made, &buffers, &timestamps, nullptr) == VKTC_SUCCESS);
        check_commands(mock, plan, vktconv::Work::pack, buffers, way, 5);
        mock.command_count = 0;
        CHECK(vktcCmdConvTranspose(command_buffer(), made, &buffers, &timestamps, nullptr) == VKTC_SUCCESS);
        check_commands(mock, plan, vktconv::Work::run, buffers, way, 5);
      }
      vktcDestroyPlan(made);
    }
  }
}

TEST_CASE("a refused call records nothing") {
  MockVulkan mock;
  const Enabled enabled(true, false);
  const vktc::Context context(mock.context_create_info(&enabled.info));
  const vktc::Plan plan(context, several_images());
  VktcBuffers buffers = fake_buffers(plan.requirements());
  buffers.output.size -= 4;
  CHECK(vktcCmdConvTranspose(command_buffer(), plan.get(), &buffers, nullptr, nullptr) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(mock.command_count == 0);
}

TEST_CASE("plans share pipelines, which die with the last of them") {
  MockVulkan mock;
  const Enabled enabled(true, false);
  {
    const vktc::Context context(mock.context_create_info(&enabled.info));
    {
      const vktc::Plan first(context, several_images());
      const uint32_t pipelines = mock.created_objects("Pipeline");
      CHECK(pipelines >= 2);  // one packs, one runs
      const vktc::Plan second(context, several_images());
      CHECK(mock.created_objects("Pipeline") == pipelines);
      CHECK(first.dispatch_info(0).pipeline == second.dispatch_info(0).pipeline);
      VktcConvTransposeDesc other = several_images();
      other.kernelSize[0] = 5;
      const vktc::Plan third(context, other);
      CHECK(mock.created_objects("Pipeline") > pipelines);
      CHECK(third.dispatch_info(0).pipeline != first.dispatch_info(0).pipeline);
    }
    const uint32_t pipelines = mock.created_objects("Pipeline");
    const uint32_t shader_modules = mock.created_objects("ShaderModule");
    const uint32_t alive = mock.live_objects();
    const vktc::Plan again(context, several_images());
    CHECK(mock.created_objects("Pipeline") > pipelines);
    CHECK(mock.live_objects() == alive + mock.created_objects("Pipeline") - pipelines);
    CHECK(mock.created_objects("ShaderModule") == shader_modules);  // kept
  }
  CHECK(mock.live_objects() == 0);
  CHECK(mock.mistakes == 0);
}

TEST_CASE("many short-lived plans leave nothing behind") {
  MockVulkan mock;
  {
    const vktc::Context context(mock.context_create_info(nullptr));
    for (int i = 1; i <= 300; ++i) {
      VktcConvTransposeDesc desc = several_images();
      desc.kernelSize[0] = i;
      { const vktc::Plan plan(context, desc); }
      CHECK(mock.live_objects("Pipeline") == 0);
    }
  }
  CHECK(mock.live_objects() == 0);
}

TEST_CASE("threads compile different pipelines at the same time, and one pipeline once") {
  MockVulkan mock;
  std::mutex mutex;
  std::condition_variable both;
  int inside = 0;
  bool met = false;
  const vktc::Context context(mock.context_create_info(nullptr));
  const auto create = [&](int64_t kernel) {
    VktcConvTransposeDesc desc = several_images();
    desc.kernelSize[0] = kernel;
    VktcPlanOptions options = {};
    options.algorithm = "tiled";  // one of those that pack weights once, whatever the kernel
    VktcPlan plan = nullptr;
    vktcCreatePlan(context.get(), &desc, &options, &plan, nullptr);
    return plan;
  };
  // Packing is the same for all: its pipeline is here already, so that each thread has one of its own to compile.
  const VktcPlan packing = create(3);
  REQUIRE(packing != nullptr);
  // Each waits until the other is inside as well: a lock around the compilation would keep it out.
  mock.on_create_pipeline = [&] {
    std::unique_lock lock(mutex);
    if (++inside == 2) {
      met = true;
      both.notify_all();
    }
    both.wait_for(lock, std::chrono::seconds(20), [&] { return met; });
    --inside;
  };
  VktcPlan plans[2] = {nullptr, nullptr};
  std::thread first([&] { plans[0] = create(4); });
  std::thread second([&] { plans[1] = create(5); });
  first.join();
  second.join();
  CHECK(met);
  REQUIRE(plans[0] != nullptr);
  REQUIRE(plans[1] != nullptr);

  mock.on_create_pipeline = nullptr;
  const uint32_t before = mock.created_objects("Pipeline");
  vktcDestroyPlan(plans[0]);
  vktcDestroyPlan(plans[1]);
  vktcDestroyPlan(packing);
  const VktcPlan alone = create(7);
  const uint32_t of_one_plan = mock.created_objects("Pipeline") - before;
  vktcDestroyPlan(alone);
  const uint32_t start = mock.created_objects("Pipeline");
  std::vector<std::thread> threads;
  std::vector<VktcPlan> same(4, nullptr);
  threads.reserve(same.size());
  for (VktcPlan& plan : same) threads.emplace_back([&plan, &create] { plan = create(9); });
  for (std::thread& thread : threads) thread.join();
  CHECK(mock.created_objects("Pipeline") - start == of_one_plan);
  for (const VktcPlan plan : same) vktcDestroyPlan(plan);
}

TEST_CASE("the allocation callbacks of the application are used for every object") {
  MockVulkan mock;
  const VkAllocationCallbacks callbacks{};  // the mock only looks whether they are there
  {
    VktcContextCreateInfo info = mock.context_create_info(nullptr);
    info.allocator = &callbacks;
    const vktc::Context context(info);
    const vktc::Plan plan(context, several_images());
    const vktc::Bindings bindings(plan, fake_buffers(plan.requirements()));
  }
  CHECK(mock.live_objects() == 0);
  CHECK(mock.mistakes == 0);
}

// Every call of Vulkan that can fail does so once.
TEST_CASE("a failing call of Vulkan gives an error and leaves nothing alive") {
  for (const bool device_address : {false, true}) {
    uint32_t fail_at = 1;
    bool reached = true;
    for (; reached; ++fail_at) {
      CAPTURE(fail_at);
      MockVulkan mock;
      mock.add_extension(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
      mock.fail_at = fail_at;
      const Enabled enabled(false, device_address);
      VktcError error{};
      VktcContext context = nullptr;
      VktcPlan plan = nullptr;
      VktcBindings bindings = nullptr;
      size_t size = 0;
      const VktcContextCreateInfo info = mock.context_create_info(&enabled.info);
      const VktcConvTransposeDesc desc = several_images();
      VktcPlanOptions options{};
      if (device_address) options.memoryAccess = VKTC_MEMORY_ACCESS_DEVICE_ADDRESS;
      VktcStatus status = vktcCreateContext(&info, &context, &error);
      CHECK((context != nullptr) == (status == VKTC_SUCCESS));
      if (status == VKTC_SUCCESS) {
        status = vktcCreatePlan(context, &desc, &options, &plan, &error);
        CHECK((plan != nullptr) == (status == VKTC_SUCCESS));
      }
      if (status == VKTC_SUCCESS) {
        VktcPlanRequirements requirements;
        vktcGetPlanRequirements(plan, &requirements);
        const VktcBuffers buffers = fake_buffers(requirements);
        status = vktcCreateBindings(plan, &buffers, &bindings, &error);
        CHECK((bindings != nullptr) == (status == VKTC_SUCCESS));
      }
      if (status == VKTC_SUCCESS) status = vktcGetPipelineCacheData(context, &size, nullptr, &error);

      reached = mock.failed_function != nullptr;
      const std::string function = reached ? mock.failed_function : "";
      CAPTURE(function);
      CAPTURE(error.message);
      if (!reached || function == "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR") {
        CHECK(status == VKTC_SUCCESS);  // nothing failed, or something that nobody needs
      } else if (mock.failed_lookup) {
        CHECK(status == VKTC_ERROR_INVALID_PARAMETER);
        CHECK(std::string(error.parameter) == "getInstanceProcAddr");
        CHECK(std::string(error.message).find(function) != std::string::npos);
      } else {
        CHECK(status == VKTC_ERROR_VULKAN);
        CHECK(error.vkResult == VK_ERROR_OUT_OF_DEVICE_MEMORY);
        CHECK(std::string(error.message) == function + " failed with VkResult -2");
      }
      if (context != nullptr && plan == nullptr) {
        // What failed once works the next time.
        CHECK(vktcCreatePlan(context, &desc, &options, &plan, &error) == VKTC_SUCCESS);
      }
      vktcDestroyBindings(bindings);
      vktcDestroyPlan(plan);
      vktcDestroyContext(context);
      CHECK(mock.live_objects() == 0);
      CHECK(mock.mistakes == 0);
    }
    CHECK(fail_at > 30);  // the walk went through lookups, context, plan and bindings
  }
}

TEST_SUITE_END();

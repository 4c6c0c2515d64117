// The ways to record a plan: pushed descriptors, descriptor sets made up front, device addresses. Which of them a
// device offers depends on the features that the application enabled; the result must not.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "raw_call.h"
#include "raw_device.h"
#include "tensors.h"

TEST_SUITE_BEGIN("record");

namespace {

using namespace vktconv::tests;
namespace reference = vktconv::reference;

VktcConvTransposeDesc small_desc() {
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.batch = 2;
  desc.inChannels = 6;
  desc.outChannels = 10;
  desc.groups = 2;
  desc.hasBias = VK_TRUE;
  for (int axis = 0; axis < 2; ++axis) {
    desc.inputSize[axis] = 7 + axis;
    desc.kernelSize[axis] = 3;
    desc.stride[axis] = 2;
    desc.paddingBegin[axis] = 1;
    desc.paddingEnd[axis] = axis;
    desc.outputPadding[axis] = axis;
  }
  return desc;
}

VktcPlanOptions with_access(VktcMemoryAccess access) {
  VktcPlanOptions options{};
  options.memoryAccess = access;
  return options;
}

enum class Way { pushed, sets, pushed_through_bindings, addresses, addresses_through_bindings };

std::vector<std::byte> result_of(Way way, const Tensors& tensors) {
  RawDeviceOptions options;
  options.storage_16bit = true;
  options.push_descriptor = way == Way::pushed || way == Way::pushed_through_bindings;
  const bool addresses = way == Way::addresses || way == Way::addresses_through_bindings;
  options.buffer_device_address = addresses;
  const RawDevice device(options);
  if (options.push_descriptor && !device.enabled().push_descriptor) return {};
  if (addresses && !device.enabled().buffer_device_address) return {};
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, tensors.desc,
                        with_access(addresses ? VKTC_MEMORY_ACCESS_DEVICE_ADDRESS : VKTC_MEMORY_ACCESS_DESCRIPTORS));
  const bool has_address_usage = (plan.requirements().bufferUsage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0;
  CHECK(has_address_usage == addresses);
  const RawCall call(device, plan, tensors);
  if (way == Way::pushed || way == Way::addresses) {
    call.run();
  } else {
    call.run_bound();
  }
  return call.output();
}

}  // namespace

TEST_CASE("every way to record gives the same bits") {
  for (const VktcDataType type : data_types) {
    CAPTURE(type);
    VktcConvTransposeDesc desc = with_type(small_desc(), type);
    if (type == VKTC_DATA_TYPE_F16) {  // seven buffers instead of four
      vktc::append(desc, vktc::post_op::scale_shift());
      vktc::append(desc, vktc::post_op::residual());
    }
    const Tensors tensors(desc, reference::Fill::random, 1);
    const std::vector<std::byte> sets = result_of(Way::sets, tensors);
    CHECK(agrees(tensors, sets));
    for (const Way way : {Way::pushed, Way::pushed_through_bindings, Way::addresses, Way::addresses_through_bindings}) {
      CAPTURE(static_cast<int>(way));
      const std::vector<std::byte> result = result_of(way, tensors);
      if (result.empty()) {
        MESSAGE("the device lacks what this way needs");
        continue;
      }
      CHECK(result == sets);
    }
  }
}

TEST_CASE("without push descriptors the buffers cannot be recorded directly") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, small_desc(), with_access(VKTC_MEMORY_ACCESS_DESCRIPTORS));
  const RawCall call(device, plan, Tensors(small_desc(), reference::Fill::exact, 1));
  RawCommandBuffer commands(device);
  commands.begin();
  const VktcBuffers buffers = call.buffers();
  VktcError error{};
  CHECK(vktcCmdConvTranspose(commands.get(), plan.get(), &buffers, nullptr, &error) == VKTC_ERROR_FEATURE_NOT_ENABLED);
  CHECK(std::string(error.parameter) == "plan");
  CHECK(
      std::string(error.message) ==
      "recording this plan needs push descriptors, but the application did not enable VK_KHR_push_descriptor: make its "
      "descriptor sets with vktcCreateBindings");
  commands.end();
}

namespace {

// What is wrong with one buffer, and the error that it must give.
struct BufferFault {
  const char* name;
  std::function<void(VktcBuffers&, const VktcPlanRequirements&)> spoil;
  std::string parameter;
  std::function<std::string(const VktcPlanRequirements&)> message;
};

std::string number(VkDeviceSize value) { return std::to_string(value); }

const BufferFault run_faults[] = {
    {"no input", [](VktcBuffers& b, const auto&) { b.input = {}; }, "buffers.input.buffer",
     [](const auto& r) {
       return "buffers.input.buffer is VK_NULL_HANDLE: the call needs a buffer of " + number(r.inputBytes) +
              " bytes there";
     }},
    {"no packed weights", [](VktcBuffers& b, const auto&) { b.packedWeights.buffer = VK_NULL_HANDLE; },
     "buffers.packedWeights.buffer",
     [](const auto& r) {
       return "buffers.packedWeights.buffer is VK_NULL_HANDLE: the call needs a buffer of " +
              number(r.packedWeightsBytes) + " bytes there";
     }},
    {"no bias", [](VktcBuffers& b, const auto&) { b.bias = {}; }, "buffers.bias.buffer",
     [](const auto& r) {
       return "buffers.bias.buffer is VK_NULL_HANDLE: the call needs a buffer of " + number(r.biasBytes) +
              " bytes there";
     }},
    {"no scale", [](VktcBuffers& b, const auto&) { b.scale = {}; }, "buffers.scale.buffer",
     [](const auto& r) {
       return "buffers.scale.buffer is VK_NULL_HANDLE: the call needs a buffer of " + number(r.scaleBytes) +
              " bytes there";
     }},
    {"short shift", [](VktcBuffers& b, const auto& r) { b.shift.size = r.shiftBytes - 4; }, "buffers.shift.size",
     [](const auto& r) {
       return "buffers.shift.size is " + number(r.shiftBytes - 4) + ": it must be at least " + number(r.shiftBytes);
     }},
    {"no residual", [](VktcBuffers& b, const auto&) { b.residual.buffer = VK_NULL_HANDLE; }, "buffers.residual.buffer",
     [](const auto& r) {
       return "buffers.residual.buffer is VK_NULL_HANDLE: the call needs a buffer of " + number(r.residualBytes) +
              " bytes there";
     }},
    {"the residual is the output", [](VktcBuffers& b, const auto&) { b.residual = b.output; }, "buffers.output.offset",
     [](const auto& r) {
       return "buffers.output.offset is 0: output (" + number(r.outputBytes) + " bytes) overlaps residual (" +
              number(r.residualBytes) + " bytes at 0) in the same VkBuffer";
     }},
    {"short output", [](VktcBuffers& b, const auto& r) { b.output.size = r.outputBytes - 1; }, "buffers.output.size",
     [](const auto& r) {
       return "buffers.output.size is " + number(r.outputBytes - 1) + ": it must be at least " + number(r.outputBytes);
     }},
    {"empty output", [](VktcBuffers& b, const auto&) { b.output.size = 0; }, "buffers.output.size",
     [](const auto& r) { return "buffers.output.size is 0: it must be at least " + number(r.outputBytes); }},
    {"whole size", [](VktcBuffers& b, const auto&) { b.input.size = VK_WHOLE_SIZE; }, "buffers.input.size",
     [](const auto& r) {
       return "buffers.input.size is VK_WHOLE_SIZE: it must be the number of bytes from offset on, at least " +
              number(r.inputBytes);
     }},
    {"unaligned offset", [](VktcBuffers& b, const auto& r) { b.bias.offset = r.offsetAlignment / 2; },
     "buffers.bias.offset",
     [](const auto& r) {
       return "buffers.bias.offset is " + number(r.offsetAlignment / 2) + ": it must be a multiple of " +
              number(r.offsetAlignment);
     }},
    {"end beyond 2^64",
     [](VktcBuffers& b, const auto& r) {
       b.input.offset = UINT64_MAX / r.offsetAlignment * r.offsetAlignment;
       b.input.size = r.inputBytes + r.offsetAlignment;
     },
     "buffers.input.size",
     [](const auto& r) {
       return "buffers.input.size is " + number(r.inputBytes + r.offsetAlignment) + ": with an offset of " +
              number(UINT64_MAX / r.offsetAlignment * r.offsetAlignment) + " the end is beyond 2^64";
     }},
    {"output over input",
     [](VktcBuffers& b, const auto& r) {
       b.output = {b.input.buffer, 0, r.outputBytes};
     },
     "buffers.output.offset",
     [](const auto& r) {
       return "buffers.output.offset is 0: output (" + number(r.outputBytes) + " bytes) overlaps input (" +
              number(r.inputBytes) + " bytes at 0) in the same VkBuffer";
     }},
    {"output over packed weights",
     [](VktcBuffers& b, const auto& r) {
       b.packedWeights.offset = 0;
       b.output = {b.packedWeights.buffer,
                   r.packedWeightsBytes / r.offsetAlignment * r.offsetAlignment - r.offsetAlignment, r.outputBytes};
     },
     "buffers.output.offset",
     [](const auto& r) {
       return "buffers.output.offset is " +
              number(r.packedWeightsBytes / r.offsetAlignment * r.offsetAlignment - r.offsetAlignment) + ": output (" +
              number(r.outputBytes) + " bytes) overlaps packedWeights (" + number(r.packedWeightsBytes) +
              " bytes at 0) in the same VkBuffer";
     }},
};

const BufferFault pack_faults[] = {
    {"no weights", [](VktcBuffers& b, const auto&) { b.weights = {}; }, "buffers.weights.buffer",
     [](const auto& r) {
       return "buffers.weights.buffer is VK_NULL_HANDLE: the call needs a buffer of " + number(r.weightsBytes) +
              " bytes there";
     }},
    {"short packed weights", [](VktcBuffers& b, const auto& r) { b.packedWeights.size = r.packedWeightsBytes - 4; },
     "buffers.packedWeights.size",
     [](const auto& r) {
       return "buffers.packedWeights.size is " + number(r.packedWeightsBytes - 4) + ": it must be at least " +
              number(r.packedWeightsBytes);
     }},
    {"packed over weights",
     [](VktcBuffers& b, const auto& r) {
       b.packedWeights = {b.weights.buffer, 0, r.packedWeightsBytes};
     },
     "buffers.packedWeights.offset",
     [](const auto& r) {
       return "buffers.packedWeights.offset is 0: packedWeights (" + number(r.packedWeightsBytes) +
              " bytes) overlaps weights (" + number(r.weightsBytes) + " bytes at 0) in the same VkBuffer";
     }},
};

using RecordFunction = VktcStatus (*)(VkCommandBuffer, VktcPlan, const VktcBuffers*, const VktcTimestamps*, VktcError*);

}  // namespace

TEST_CASE("wrong buffers are refused by name, in all ways to record") {
  RawDeviceOptions options;
  options.push_descriptor = true;
  const RawDevice device(options);
  const vktc::Context context(device.context_create_info());
  VktcConvTransposeDesc desc = small_desc();
  vktc::append(desc, vktc::post_op::scale_shift());
  vktc::append(desc, vktc::post_op::residual());
  const vktc::Plan plan(context, desc, with_access(VKTC_MEMORY_ACCESS_DESCRIPTORS));
  const VktcPlanRequirements requirements = plan.requirements();
  const RawCall call(device, plan, Tensors(desc, reference::Fill::exact, 1));
  RawCommandBuffer commands(device);
  commands.begin();

  const auto check_refused = [&](const BufferFault& fault, bool pack) {
    CAPTURE(fault.name);
    VktcBuffers buffers = call.buffers();
    fault.spoil(buffers, requirements);
    const RecordFunction record = pack ? vktcCmdPackWeights : vktcCmdConvTranspose;
    VktcError error{};
    CHECK(record(commands.get(), plan.get(), &buffers, nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error.parameter) == fault.parameter);
    CHECK(std::string(error.message) == fault.message(requirements));
    // Without the VktcError the status alone tells.
    CHECK(record(commands.get(), plan.get(), &buffers, nullptr, nullptr) == VKTC_ERROR_INVALID_PARAMETER);

    // Bindings that leave the other half out, so that only this fault is there to be found.
    if (pack) {
      if (fault.parameter == "buffers.weights.buffer") return;  // would be bindings without packing
      buffers.input = buffers.output = {};
    } else {
      buffers.weights = {};
    }
    VktcBindings bindings = nullptr;
    CHECK(vktcCreateBindings(plan.get(), &buffers, &bindings, &error) == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(bindings == nullptr);
    CHECK(std::string(error.message) == fault.message(requirements));
  };
  if (device.enabled().push_descriptor) {
    for (const BufferFault& fault : run_faults) check_refused(fault, false);
    for (const BufferFault& fault : pack_faults) check_refused(fault, true);
  }
  commands.end();
}

TEST_CASE("buffers that a call does not need may be left zero") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  VktcConvTransposeDesc desc = small_desc();
  desc.hasBias = VK_FALSE;
  const vktc::Plan plan(context, desc);
  CHECK(plan.requirements().biasBytes == 0);
  const Tensors tensors(desc, reference::Fill::exact, 3);
  const RawCall call(device, plan, tensors);
  VktcBuffers buffers = call.buffers();

  VktcBuffers pack_only{};
  pack_only.weights = buffers.weights;
  pack_only.packedWeights = buffers.packedWeights;
  const vktc::Bindings pack(plan, pack_only);
  VktcBuffers run_only = buffers;
  run_only.weights = {};
  run_only.bias = {};
  const vktc::Bindings run(plan, run_only);

  RawCommandBuffer commands(device);
  commands.begin();
  VktcError error{};
  CHECK(vktcCmdConvTransposeBound(commands.get(), pack.get(), nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "bindings");
  CHECK(std::string(error.message) == "the bindings were made from buffers that name no input and output");
  CHECK(vktcCmdPackWeightsBound(commands.get(), run.get(), nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.message) == "the bindings were made from buffers that name no weights");
  commands.end();

  const VktcBuffers nothing{};
  VktcBindings bindings = nullptr;
  CHECK(vktcCreateBindings(plan.get(), &nothing, &bindings, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "buffers");

  call.run_bound();
  CHECK(agrees(tensors, call.output()));
}

TEST_CASE("tensors may share one buffer at aligned offsets") {
  RawDeviceOptions options;
  options.push_descriptor = true;
  options.buffer_device_address = true;
  const RawDevice device(options);
  const vktc::Context context(device.context_create_info());
  for (const VktcMemoryAccess access : {VKTC_MEMORY_ACCESS_DESCRIPTORS, VKTC_MEMORY_ACCESS_DEVICE_ADDRESS}) {
    if (access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS && !device.enabled().buffer_device_address) continue;
    const vktc::Plan plan(context, small_desc(), with_access(access));
    const VktcPlanRequirements r = plan.requirements();
    const Tensors tensors(small_desc(), reference::Fill::exact, 4);
    VkDeviceSize end = 0;
    const auto place = [&](VkDeviceSize bytes) {
      // A tensor past the first alignment step, so that no offset is zero.
      const VkDeviceSize offset =
          (end + r.offsetAlignment - 1) / r.offsetAlignment * r.offsetAlignment + r.offsetAlignment;
      end = offset + bytes;
      return offset;
    };
    VktcBuffers buffers{};
    buffers.input = {VK_NULL_HANDLE, place(r.inputBytes), r.inputBytes};
    buffers.weights = {VK_NULL_HANDLE, place(r.weightsBytes), r.weightsBytes};
    buffers.packedWeights = {VK_NULL_HANDLE, place(r.packedWeightsBytes), r.packedWeightsBytes};
    buffers.bias = {VK_NULL_HANDLE, place(r.biasBytes), r.biasBytes};
    buffers.output = {VK_NULL_HANDLE, place(r.outputBytes), r.outputBytes};
    if (r.workspaceBytes != 0) buffers.workspace = {VK_NULL_HANDLE, place(r.workspaceBytes), r.workspaceBytes};
    const RawBuffer all(device, end);
    std::memset(all.data(), 0xff, end);
    for (VktcBuffer* buffer : {&buffers.input, &buffers.weights, &buffers.packedWeights, &buffers.bias, &buffers.output,
                               &buffers.workspace}) {
      if (buffer->size != 0) buffer->buffer = all.get();
    }
    const auto fill = [&](const VktcBuffer& buffer, const std::vector<std::byte>& content) {
      std::memcpy(all.data() + buffer.offset, content.data(), content.size());
    };
    fill(buffers.input, tensors.input);
    fill(buffers.weights, tensors.weights);
    fill(buffers.bias, tensors.bias);
    const vktc::Bindings bindings(plan, buffers);
    device.submit([&](VkCommandBuffer commands) { bindings.pack_weights(commands); });
    device.submit([&](VkCommandBuffer commands) { bindings.conv_transpose(commands); });
    const std::byte* output = all.data() + buffers.output.offset;
    CHECK(agrees(tensors, {output, output + r.outputBytes}));
    // What lies before and behind the output is untouched.
    CHECK(output[-1] == std::byte{0xff});
    CHECK(std::memcmp(all.data() + buffers.input.offset, tensors.input.data(), tensors.input.size()) == 0);
  }
}

TEST_CASE("timestamps are written around every dispatch") {
  const RawDevice device;
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, small_desc());
  const RawCall call(device, plan, Tensors(small_desc(), reference::Fill::exact, 5));
  const vktc::Bindings bindings(plan, call.buffers());
  const VktcPlanRequirements requirements = plan.requirements();
  const uint32_t first = 3;
  const uint32_t pack_count = requirements.packDispatchCount + 1;
  const uint32_t run_count = requirements.dispatchCount + 1;

  VkQueryPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = first + pack_count + run_count;
  VkQueryPool pool = VK_NULL_HANDLE;
  REQUIRE(device.call<PFN_vkCreateQueryPool>("vkCreateQueryPool")(device.device(), &info, nullptr, &pool) ==
          VK_SUCCESS);
  device.submit([&](VkCommandBuffer commands) {
    device.call<PFN_vkCmdResetQueryPool>("vkCmdResetQueryPool")(commands, pool, 0, info.queryCount);
    const VktcTimestamps pack{pool, first};
    bindings.pack_weights(commands, &pack);
  });
  device.submit([&](VkCommandBuffer commands) {
    const VktcTimestamps run{pool, first + pack_count};
    bindings.conv_transpose(commands, &run);
  });
  std::vector<uint64_t> ticks(pack_count + run_count);
  const VkResult result = device.call<PFN_vkGetQueryPoolResults>("vkGetQueryPoolResults")(
      device.device(), pool, first, pack_count + run_count, ticks.size() * sizeof(uint64_t), ticks.data(),
      sizeof(uint64_t), VK_QUERY_RESULT_64_BIT);
  CHECK(result == VK_SUCCESS);  // VK_NOT_READY: one was not written
  for (size_t i = 1; i < ticks.size(); ++i) CHECK(ticks[i] >= ticks[i - 1]);
  device.call<PFN_vkDestroyQueryPool>("vkDestroyQueryPool")(device.device(), pool, nullptr);

  const VktcTimestamps no_pool{VK_NULL_HANDLE, 0};
  RawCommandBuffer commands(device);
  VktcError error{};
  CHECK(vktcCmdConvTransposeBound(commands.get(), bindings.get(), &no_pool, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "timestamps.queryPool");
}

TEST_CASE("several threads record one plan at once") {
  RawDeviceOptions options;
  options.all_features = true;
  const RawDevice device(options);
  const vktc::Context context(device.context_create_info());
  const vktc::Plan plan(context, small_desc());
  const RawCall call(device, plan, Tensors(small_desc(), reference::Fill::exact, 6));
  const VktcBuffers buffers = call.buffers();
  const vktc::Bindings bindings(plan, buffers);
  constexpr int thread_count = 4;
  std::vector<VktcStatus> statuses(thread_count, VKTC_SUCCESS);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      RawCommandBuffer commands(device);
      commands.begin();
      for (int repeat = 0; repeat < 50 && statuses[t] == VKTC_SUCCESS; ++repeat) {
        statuses[t] = vktcCmdConvTransposeBound(commands.get(), bindings.get(), nullptr, nullptr);
        record_barrier(device, commands.get());
        if (device.enabled().push_descriptor && statuses[t] == VKTC_SUCCESS) {
          statuses[t] = vktcCmdConvTranspose(commands.get(), plan.get(), &buffers, nullptr, nullptr);
          record_barrier(device, commands.get());
        }
      }
      commands.end();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const VktcStatus status : statuses) CHECK(status == VKTC_SUCCESS);
}

TEST_SUITE_END();

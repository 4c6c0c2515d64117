// The device, buffers and submissions of the host layer, on a device, under the validation layer.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gpu_fixture.h"
#include "host/device_impl.h"
#include "scratch_folder.h"

TEST_SUITE_BEGIN("host_device");

namespace {

using namespace vktconv::tests;
namespace host = vktconv::host;

// Bytes that no shifted or doubled copy of them equals.
std::vector<std::byte> pattern(size_t size, uint32_t seed) {
  std::vector<std::byte> bytes(size);
  uint32_t state = seed * 2654435761u + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

template <typename Call>
VktcError error_of(Call&& call) {
  try {
    call();
  } catch (const host::Error& error) {
    CHECK(std::string(error.what()).starts_with(error.error().message));
    return error.error();
  }
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

host::DeviceOptions test_options() {
  host::DeviceOptions options;
  if (const char* name = std::getenv("VKTCONV_TEST_DEVICE")) options.device = name;
  options.tuning_file.clear();
  return options;
}

// An environment variable, for the time of a scope.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

VktcPlan create_plan(const host::Device& device) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = 9;
  desc.kernelSize[0] = 3;
  VktcPlan plan = nullptr;
  VktcError error = {};
  if (vktcCreatePlan(device.context(), &desc, nullptr, &plan, &error) != VKTC_SUCCESS) throw host::Error(error);
  return plan;
}

VKAPI_ATTR VkResult VKAPI_CALL submit_to_a_lost_device(VkQueue, uint32_t, const VkSubmitInfo*, VkFence) {
  return VK_ERROR_DEVICE_LOST;
}

}  // namespace

TEST_CASE("What is uploaded is downloaded, whole and in parts, mapped and staged") {
  for (const bool staged : {false, true}) {
    CAPTURE(staged);
    using Names = std::vector<std::string>;
    TestDevice& test = test_device(staged ? Names{"VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT"} : Names{});
    // Up to more than two chunks of staging.
    const size_t most = 2 * static_cast<size_t>(host::Staging::largest_chunk) + 12345;
    for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{65537}, most}) {
      CAPTURE(size);
      host::Buffer buffer(test.device(), size);
      CHECK((buffer.handle() != VK_NULL_HANDLE));
      CHECK(buffer.size() == size);
      std::vector<std::byte> expected = pattern(size, 1), seen(size);
      buffer.upload(expected.data(), size);
      buffer.download(seen.data(), size);
      CHECK((seen == expected));

      // A part of it changes, and nothing around it.
      const size_t begin = size / 3, count = (size - begin) / 2;
      const std::vector<std::byte> part = pattern(count, 2);
      buffer.upload(part.data(), count, begin);
      std::copy(part.begin(), part.end(), expected.begin() + static_cast<std::ptrdiff_t>(begin));
      std::vector<std::byte> guarded(size + 2, std::byte{0x5a});
      buffer.download(guarded.data() + 1, size);
      CHECK(std::equal(expected.begin(), expected.end(), guarded.begin() + 1));
      CHECK((guarded.front() == std::byte{0x5a} && guarded.back() == std::byte{0x5a}));
      std::vector<std::byte> tail(size - begin);
      buffer.download(tail.data(), tail.size(), begin);
      CHECK(std::equal(tail.begin(), tail.end(), expected.begin() + static_cast<std::ptrdiff_t>(begin)));
    }
    CHECK(test.take_validation_messages() == "");
  }
}

TEST_CASE("A buffer is filled to its last byte") {
  TestDevice& test = test_device();
  for (const size_t size : {size_t{2}, size_t{7}, size_t{1} << 20}) {
    host::Buffer buffer(test.device(), size);
    buffer.fill(0xa1b2c3d4);
    std::vector<uint8_t> seen(size);
    buffer.download(seen.data(), size);
    const uint8_t bytes[] = {0xd4, 0xc3, 0xb2, 0xa1};
    bool same = true;
    for (size_t i = 0; i < size; ++i) same = same && seen[i] == bytes[i % 4];
    CHECK(same);
  }
  CHECK(test.take_validation_messages() == "");
}

TEST_CASE("A view ends with the buffer, on a whole word") {
  host::Buffer buffer(test_device().device(), 10);
  CHECK(buffer.view().size == 12);  // a tensor of five 16-bit elements needs that
  CHECK(buffer.view(4).offset == 4);
  CHECK(buffer.view(4).size == 8);
  CHECK((buffer.view().buffer == buffer.handle()));
  CHECK(error_of([&] { buffer.view(11); }).status == VKTC_ERROR_INVALID_PARAMETER);
}

TEST_CASE("Buffers are moved; empty ones do no harm") {
  host::Device& device = test_device().device();
  host::Buffer first(device, 16);
  const uint32_t word = 42;
  first.upload(&word, 4, 8);
  host::Buffer second = std::move(first);
  host::Buffer third(device, 4);
  third = std::move(second);
  uint32_t seen = 0;
  third.download(&seen, 4, 8);
  CHECK(seen == 42);

  host::Buffer empty;
  CHECK(empty.size() == 0);
  CHECK((empty.view().buffer == VK_NULL_HANDLE));
  CHECK(empty.view().size == 0);
  empty.fill(1);
  empty.upload(nullptr, 0);
  empty.download(nullptr, 0);
  CHECK(error_of([&] { empty.upload(&word, 4); }).status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(error_of([&] { empty.download(&seen, 4); }).status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(host::Buffer(device, 0).size() == 0);
}

TEST_CASE("Copies beyond the buffer are refused") {
  host::Buffer buffer(test_device().device(), 100);
  std::vector<std::byte> bytes(200);
  const VkDeviceSize most = ~VkDeviceSize{0};
  const VkDeviceSize ranges[][2] = {{101, 0}, {1, 100}, {60, 41}, {most, 1}, {1, most}, {most, most}};
  for (const auto& range : ranges) {
    const VkDeviceSize size = range[0];
    const VkDeviceSize offset = range[1];
    CAPTURE(size);
    CAPTURE(offset);
    CHECK(error_of([&] { buffer.upload(bytes.data(), size, offset); }).status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(error_of([&] { buffer.download(bytes.data(), size, offset); }).status == VKTC_ERROR_INVALID_PARAMETER);
  }
}

TEST_CASE("A buffer over the limits is refused, with the limit") {
  host::Device& device = test_device().device();
  const VktcError error = error_of([&] { host::Buffer(device, device.max_allocation_size() + 1); });
  CHECK(error.status == VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK_MESSAGE(has(error.message, std::to_string(device.max_allocation_size())), error.message);
}

TEST_CASE("Threads share a device") {
  TestDevice& test = test_device({"VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT"});
  constexpr unsigned thread_count = 4, rounds = 20;
  std::vector<unsigned> right(thread_count);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < thread_count; ++t) {
    threads.emplace_back([&, t] {
      host::Buffer buffer(test.device(), 200'000);
      for (unsigned round = 0; round < rounds; ++round) {
        const std::vector<std::byte> sent = pattern(200'000, t * rounds + round);
        std::vector<std::byte> seen(sent.size());
        buffer.upload(sent.data(), sent.size());
        buffer.download(seen.data(), seen.size());
        if (seen == sent) ++right[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const unsigned count : right) CHECK(count == rounds);
  CHECK(test.take_validation_messages() == "");
}

TEST_CASE("A recording that throws leaves the device as it was") {
  TestDevice& test = test_device();
  host::Device& device = test.device();
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(device.submit([](VkCommandBuffer) { throw std::logic_error("planted"); }), std::logic_error);
    bool called = false;
    device.submit([&](VkCommandBuffer commands) { called = commands != VK_NULL_HANDLE; });
    CHECK(called);
  }
  CHECK(test.take_validation_messages() == "");
}

TEST_CASE("Timestamps are nanoseconds since the first, and all of them must be written") {
  TestDevice& test = test_device();
  host::Device& device = test.device();
  if (!device.has_timestamps()) {
    CHECK(error_of([&] { device.submit_timed(1, [](VkCommandBuffer, VkQueryPool) {}); }).status ==
          VKTC_ERROR_LIMIT_EXCEEDED);
    return;
  }
  const auto& functions = device.impl().device.functions;
  host::Buffer buffer(device, 8 << 20);
  const std::vector<double> stamps = device.submit_timed(3, [&](VkCommandBuffer commands, VkQueryPool pool) {
    for (uint32_t i = 0; i < 3; ++i) {
      functions.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, i);
      if (i == 0) functions.vkCmdFillBuffer(commands, buffer.handle(), 0, VK_WHOLE_SIZE, 1);
    }
  });
  REQUIRE(stamps.size() == 3);
  CHECK(stamps[0] == 0);
  CHECK(stamps[1] > 0);  // 8 MiB are not written in no time
  CHECK(stamps[1] < 60e9);
  CHECK(stamps[2] >= stamps[1]);

  CHECK(error_of([&] { device.submit_timed(0, [](VkCommandBuffer, VkQueryPool) {}); }).status ==
        VKTC_ERROR_INVALID_PARAMETER);
  const VktcError unwritten = error_of([&] {
    device.submit_timed(2, [&](VkCommandBuffer commands, VkQueryPool pool) {
      functions.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, 0);
    });
  });
  CHECK(unwritten.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(unwritten.parameter) == "count");
}

TEST_CASE("What is disabled is off, by options and by the environment") {
  const host::Device everything(test_options());
  std::string disable;
  std::vector<std::string> on;
  for (const char* name : {"shaderInt16", "storageBuffer16BitAccess", "storageBuffer8BitAccess", "shaderFloat16",
                           "shaderInt8", "bufferDeviceAddress", "vulkanMemoryModel", "subgroupSizeControl",
                           "computeFullSubgroups", "shaderIntegerDotProduct", "cooperativeMatrix"}) {
    if (!everything.has_feature(name)) continue;
    on.emplace_back(name);
    disable += std::string(",") + name;
  }
  CHECK(!everything.has_feature("noSuchFeature"));
  host::DeviceOptions options = test_options();
  options.disable = on;
  {
    const host::Device less(options);
    for (const std::string& name : on) CHECK_MESSAGE(!less.has_feature(name), name);
  }
  {
    const Environment environment("VKTCONV_DISABLE", disable.c_str());
    const host::Device less(test_options());
    for (const std::string& name : on) CHECK_MESSAGE(!less.has_feature(name), name);
  }
  // With the extension goes its feature.
  options.disable = {"VK_KHR_cooperative_matrix"};
  CHECK(!host::Device(options).has_feature("cooperativeMatrix"));
}

TEST_CASE("A device without any option creates plans and buffers without validation messages") {
  TestDevice& test = test_device({"shaderInt16",
                                  "storageBuffer16BitAccess",
                                  "storageBuffer8BitAccess",
                                  "shaderFloat16",
                                  "shaderInt8",
                                  "bufferDeviceAddress",
                                  "vulkanMemoryModel",
                                  "vulkanMemoryModelDeviceScope",
                                  "subgroupSizeControl",
                                  "computeFullSubgroups",
                                  "shaderIntegerDotProduct",
                                  "cooperativeMatrix",
                                  "shaderBFloat16Type",
                                  "shaderBFloat16CooperativeMatrix",
                                  "VK_KHR_push_descriptor",
                                  "VK_EXT_subgroup_size_control",
                                  "VK_KHR_shader_integer_dot_product",
                                  "VK_KHR_cooperative_matrix",
                                  "VK_KHR_shader_bfloat16",
                                  "VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT"});
  vktcDestroyPlan(create_plan(test.device()));
  const host::Buffer buffer(test.device(), 64);
  CHECK(test.take_validation_messages() == "");
}

TEST_CASE("A name that cannot be disabled is refused with those that can") {
  host::DeviceOptions options = test_options();
  options.disable = {"shaderFloat17"};
  const VktcError error = error_of([&] { host::Device device(options); });
  CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "disable");
  CHECK_MESSAGE(has(error.message, "shaderFloat17"), error.message);
  CHECK_MESSAGE(has(error.message, "shaderFloat16"), error.message);
}

TEST_CASE("The environment names a device where the caller does not") {
  const Environment environment("VKTCONV_DEVICE", "no such device");
  const VktcError error = error_of([] { host::Device device; });
  CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK_MESSAGE(has(error.message, "no such device"), error.message);
  host::DeviceOptions options;
  options.device = std::string("0");
  CHECK(host::Device(options).summary().index == 0);
}

TEST_CASE("Listed devices are those that can be had") {
  const std::vector<host::DeviceSummary> devices = host::list_devices();
  REQUIRE(!devices.empty());
  for (uint32_t i = 0; i < devices.size(); ++i) {
    CHECK(devices[i].index == i);
    CHECK(!devices[i].name.empty());
    CHECK(!devices[i].driver.empty());
  }
  const host::Device device(test_options());
  CHECK(device.summary().name == devices.at(device.summary().index).name);
  CHECK(device.max_allocation_size() >= VkDeviceSize{1} << 30);  // Vulkan 1.2 promises that much
  CHECK(device.device_local_memory() > 0);
}

TEST_CASE("Several devices live at once, are moved, and die in any order") {
  auto first = std::make_unique<host::Device>(test_options());
  host::Device second(test_options());
  CHECK((first->device() != second.device()));
  host::Device third = std::move(second);
  host::Buffer buffer(third, 4);
  second = host::Device(test_options());
  first.reset();
  const uint32_t word = 7;
  uint32_t seen = 0;
  buffer.upload(&word, 4);
  buffer.download(&seen, 4);
  CHECK(seen == 7);
  vktcDestroyPlan(create_plan(second));
}

TEST_CASE("Compiled pipelines are kept in the file, and the file is written when there is something new") {
  const ScratchFolder folder;
  host::DeviceOptions options = test_options();
  options.pipeline_cache_file = folder.path() / "deep" / "pipelines.bin";
  const std::filesystem::path& file = options.pipeline_cache_file;
  {
    host::Device device(options);
    vktcDestroyPlan(create_plan(device));
    CHECK(!std::filesystem::exists(file));
    device.save_pipeline_cache();
    CHECK(std::filesystem::exists(file));
    std::filesystem::remove(file);
    device.save_pipeline_cache();  // nothing new since
    CHECK(!std::filesystem::exists(file));
  }
  { const host::Device device(options); }  // nothing compiled, so the header of an empty cache at most
  {
    host::Device device(options);
    vktcDestroyPlan(create_plan(device));
  }
  REQUIRE(std::filesystem::exists(file));
  const auto owner = host::Device(test_options()).impl().cache_owner();
  const auto kept = host::read_pipeline_cache_file(file, owner);
  REQUIRE(kept.has_value());

  // Damaged: ignored, and replaced.
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(100);
    stream.put('\x7f').put('\x7f').put('\x7f');
  }
  REQUIRE(!host::read_pipeline_cache_file(file, owner).has_value());
  {
    host::Device device(options);
    vktcDestroyPlan(create_plan(device));
  }
  CHECK(host::read_pipeline_cache_file(file, owner).has_value());
}

TEST_CASE("A cache file that cannot be written is an error when saved by hand, and none in the destructor") {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "file") << "in the way";
  host::DeviceOptions options = test_options();
  options.pipeline_cache_file = folder.path() / "file" / "pipelines.bin";
  host::Device device(options);
  vktcDestroyPlan(create_plan(device));
  const VktcError error = error_of([&] { device.save_pipeline_cache(); });
  CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "pipeline_cache_file");
}

TEST_CASE("The cache files stand where the XDG specification puts them") {
  {
    const Environment environment("XDG_CACHE_HOME", "/some/where");
    CHECK(host::default_pipeline_cache_file() == "/some/where/vktconv/pipelines.bin");
    CHECK(host::default_tuning_file() == "/some/where/vktconv/tuning.json");
    CHECK(host::DeviceOptions().tuning_file == host::default_tuning_file());
  }
  const char* home = std::getenv("HOME");
  const std::string home_before = home != nullptr ? home : "";
  {
    const Environment relative("XDG_CACHE_HOME", "some/where");
    const Environment environment("HOME", "/home/someone");
    CHECK(host::default_pipeline_cache_file() == "/home/someone/.cache/vktconv/pipelines.bin");
  }
  CHECK(host::default_pipeline_cache_file().empty());  // neither is set
  if (home != nullptr) ::setenv("HOME", home_before.c_str(), 1);
}

TEST_CASE("A lost device is an error at once, and then at every call, and is destroyed all the same") {
  host::Device device(test_options());
  host::Buffer buffer(device, 64);
  device.impl().device.functions.vkQueueSubmit = submit_to_a_lost_device;
  const auto lost = [](const VktcError& error) {
    return error.status == VKTC_ERROR_VULKAN && error.vkResult == VK_ERROR_DEVICE_LOST &&
           has(error.message, "VK_ERROR_DEVICE_LOST");
  };
  bool recorded = false;
  CHECK(lost(error_of([&] { device.submit([&](VkCommandBuffer) { recorded = true; }); })));
  CHECK(recorded);
  recorded = false;
  uint32_t word = 0;
  CHECK(lost(error_of([&] { device.submit([&](VkCommandBuffer) { recorded = true; }); })));
  CHECK(!recorded);
  CHECK(lost(error_of([&] { buffer.upload(&word, 4); })));
  CHECK(lost(error_of([&] { buffer.download(&word, 4); })));
  CHECK(lost(error_of([&] { buffer.fill(0); })));
  CHECK(lost(error_of([&] { host::Buffer another(device, 64); })));
}

TEST_CASE("Validation messages are counted and passed on") {
  host::DeviceOptions options = test_options();
  options.validation = true;
  std::vector<std::string> messages;
  options.on_validation_message = [&](const std::string& message) { messages.push_back(message); };
  std::unique_ptr<host::Device> device;
  try {
    device = std::make_unique<host::Device>(options);
  } catch (const host::Error& error) {
    REQUIRE_MESSAGE(error.error().vkResult == VK_ERROR_LAYER_NOT_PRESENT, error.what());
    return;
  }
  CHECK(device->validation_message_count() == 0);
  VkBufferCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = 16;
  info.usage = 0;  // against the rules
  VkBuffer buffer = VK_NULL_HANDLE;
  const auto& functions = device->impl().device.functions;
  if (functions.vkCreateBuffer(device->device(), &info, nullptr, &buffer) == VK_SUCCESS) {
    functions.vkDestroyBuffer(device->device(), buffer, nullptr);
  }
  CHECK(device->validation_message_count() == 1);
  REQUIRE(messages.size() == 1);
  CHECK_MESSAGE(has(messages[0], "VUID-VkBufferCreateInfo"), messages[0]);
}

TEST_SUITE_END();

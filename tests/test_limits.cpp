// Problems past a device's limits, real ones and forced ones: right, or refused with the limit's name.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "cases.h"
#include "check.h"
#include "context.h"
#include "random_problem.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("limits");

namespace {

VktcConvTransposeDesc parse(const char* problem) { return support::parse_problem(problem).desc; }

// Runs a problem on host arrays and compares samples of its output: both ends of every image and many in between.
void check_samples(TestDevice& device, const VktcConvTransposeDesc& desc, const host::RunOptions& options = {}) {
  const Tensors tensors(desc, reference::Fill::exact, 9);
  std::vector<std::byte> output(output_bytes(desc));
  std::memset(output.data(), 0xff, output.size());
  uint64_t last_done = 0, last_total = 0;
  host::RunOptions with_progress = options;
  with_progress.progress = [&](uint64_t done, uint64_t total) {
    CHECK(done >= last_done);
    CHECK(done <= total);
    last_done = done;
    last_total = total;
  };
  host::conv_transpose(device.device(), desc, tensors.host_arrays(output.data()), with_progress);
  CHECK(last_done == last_total);
  const std::string messages = device.take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);

  Random random(1);
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < 40'000; ++i) samples.push_back(random.between(0, tensors.output_elements - 1));
  const int64_t plane = tensors.output_elements / (desc.batch * desc.outChannels);
  for (int64_t p = 0; p < std::min<int64_t>(desc.batch * desc.outChannels, 1000); ++p) {
    for (int64_t i = 0; i < std::min<int64_t>(plane, 16); ++i) {
      samples.push_back(p * plane + i);
      samples.push_back((p + 1) * plane - 1 - i);
    }
  }
  size_t wrong = 0;
  for (const int64_t index : samples) {
    const reference::Value expected = reference::conv_transpose_at(desc, tensors.arrays(), index);
    if (!is_right(desc, reference::Fill::exact, expected, output.data(), index) && ++wrong <= 3) {
      FAIL_CHECK(support::format_problem({"", desc}), ": output[", index, "] is ",
                 reference::element(reference::output_type(desc), output.data(), index), " instead of ",
                 expected.value);
    }
  }
  CHECK(wrong == 0);
}

// The caps of a device, to be made smaller before its first plan.
DeviceCaps& caps_of(TestDevice& device) { return device.device().context()->device.caps; }

void check_cases(TestDevice& device, const char* limit) {
  int passed = 0;
  for (size_t i = 0; i < cases().size(); ++i) {
    INFO(cases()[i].name);
    const Question question(in_turn(with_type(cases()[i].desc, data_types[i % type_count]), i / type_count),
                            reference::Fill::exact, i);
    for (const std::string& algorithm : algorithm_names()) {
      const Outcome outcome = check(device, question, {.algorithm = algorithm, .access = all_accesses[i % 3]});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      passed += outcome.kind == Outcome::passed;
      if (outcome.kind == Outcome::refused && algorithm == "gather") {
        CHECK_MESSAGE(outcome.text.find(limit) != std::string::npos, outcome.text);
      }
    }
  }
  CHECK(passed > static_cast<int>(cases().size()) / 2);
}

}  // namespace

TEST_CASE("More workgroups than a grid axis of 65,535 holds") {
  for (const char* problem : {"g70001ic70001iw1oc70001kw1",          // one per group
                              "ic1ih2iw2oc1kh1kw1sh300sw300oph299",  // one per phase
                              "mb70003ic1iw1oc5kw2sw2"}) {
    const Question question(parse(problem), reference::Fill::exact, 2);
    for (const std::string& algorithm : algorithm_names()) {
      const Outcome outcome = check(test_device(), question, {.algorithm = algorithm, .access = Access::bindings});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      if (algorithm == "gather") CHECK_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
    }
  }
}

TEST_CASE("A grid of seven workgroups along each axis") {
  TestDevice device;
  for (uint32_t& count : caps_of(device).max_compute_work_group_count) count = 7;
  check_cases(device, "maxComputeWorkGroupCount");
}

TEST_CASE("Bindings of 32 KiB") {
  TestDevice device;
  caps_of(device).max_storage_buffer_range = 32768;
  check_cases(device, "maxStorageBufferRange");
}

TEST_CASE("The least that Vulkan guarantees") {
  TestDevice device({"bufferDeviceAddress", "VK_KHR_push_descriptor", "storageBuffer16BitAccess"});
  DeviceCaps& caps = caps_of(device);
  const DeviceCaps least;
  std::copy_n(least.max_compute_work_group_size, 3, caps.max_compute_work_group_size);
  caps.max_compute_work_group_invocations = least.max_compute_work_group_invocations;
  caps.max_compute_shared_memory_size = least.max_compute_shared_memory_size;
  caps.max_push_constants_size = least.max_push_constants_size;
  caps.min_storage_buffer_offset_alignment = least.min_storage_buffer_offset_alignment;
  for (size_t i = 0; i < cases().size(); ++i) {
    const Question question(in_turn(with_type(cases()[i].desc, data_types[i % type_count]), i / type_count + 1),
                            reference::Fill::exact, i);
    for (const std::string& algorithm : algorithm_names()) {
      const Outcome outcome = check(device, question, {.algorithm = algorithm, .access = Access::bindings});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      if (algorithm == "gather") CHECK_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
    }
  }
}

TEST_CASE("The host layer cuts what no buffer holds") {
  for (size_t i = 0; i < cases().size(); ++i) {
    INFO(cases()[i].name);
    host::RunOptions options;
    options.max_buffer_size = 16384;
    check_samples(test_device(), in_turn(with_type(cases()[i].desc, data_types[i % type_count]), i / type_count),
                  options);
  }
}

TEST_CASE("The host layer cuts what the memory of the device does not hold") {
  host::RunOptions options;
  options.max_device_memory = 1 << 20;
  check_samples(test_device(), parse("mb6ic16ih60iw64oc24kh3sh2ph1bias"), options);
  check_samples(test_device(), parse("g4mb2ic16id10ih20iw24oc32kd3kh3kw3sd1sh2sw2"), options);
}

TEST_CASE("A tensor of 129 MiB: wider than maxStorageBufferRange on lavapipe") {
  // One plane, so that no batch or channel cut helps: by device addresses.
  check_samples(test_device(), parse("ic1ih4128iw4096oc1kh1kw2sh1sw2"));
  // Three images, each within a descriptor.
  host::RunOptions descriptors;
  descriptors.plan.memoryAccess = VKTC_MEMORY_ACCESS_DESCRIPTORS;
  check_samples(test_device(), parse("mb3ic1ih2752iw2048oc1kh1kw2sh1sw2"), descriptors);
}

TEST_CASE("A plane of 129 MiB without device addresses: by slabs of the host layer") {
  check_samples(test_device({"bufferDeviceAddress"}), parse("ic1ih4128iw4096oc1kh1kw2sh1sw2"));
}

TEST_CASE("A tensor of 300 MiB") { check_samples(test_device(), parse("mb2ic3ih2560iw2560oc6kh2kw2sh2sw2dtbf16bias")); }

TEST_CASE("What is over a limit is refused with its name") {
  VktcConvTransposeDesc desc = parse("mb1024ic1024ih1024iw1024oc1024kh1kw1");
  const VktcPlanOptions options = {};
  VktcPlan plan = nullptr;
  VktcError error = {};
  const VktcStatus status = vktcCreatePlan(test_device().device().context(), &desc, &options, &plan, &error);
  if (status == VKTC_SUCCESS) {
    vktcDestroyPlan(plan);
    FAIL_CHECK("4 TiB in one buffer were accepted");
  }
  CHECK(status == VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK_MESSAGE(std::strstr(error.message, "max") != nullptr, error.message);
  try {
    host::Buffer buffer(test_device().device(), VkDeviceSize{1} << 50);
    FAIL_CHECK("a buffer of a PiB was made");
  } catch (const host::Error& refused) {
    CHECK(refused.error().status == VKTC_ERROR_LIMIT_EXCEEDED);
  }
}

TEST_SUITE_END();

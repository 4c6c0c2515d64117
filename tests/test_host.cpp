// The same problems in every way that the host layer has to run them: in ever smaller slabs, of every type, by every
// algorithm, and kept on the device. Random problems and the promises of the calls are in test_host_arrays.cpp.
#include <doctest/doctest.h>
#include <support/problem_text.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "gpu_fixture.h"
#include "tensors.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("host");

namespace {

VktcConvTransposeDesc parse(const char* problem) { return support::parse_problem(problem).desc; }

// What slabs can get wrong: strided windows, groups, halos, phases without taps, outputs that no input reaches.
const char* const problems[] = {
    "mb5ic3ih9iw7oc5kh3kw2sh2sw3ph1pw0eh0ew1bias",
    "g4mb2ic8id4ih5iw6oc12kd2kh3kw2sd2sh1sw2dd1dh2dw3bias",
    "mb3ic7iw301oc9kw5sw3pw2opw2bias",
    "g6mb3ic6ih13iw11oc12kh3kw3sh2sw2ph1pw1oph1opw1",
    "ic2iw211oc3kw2sw9dw2bias",
    "ic2ih5iw61oc3kh1kw3sh4sw2ph-3pw-5eh-6ew-2bias",
    "ic3id5ih3iw17oc4kd3kh3kw3sd3sh2sw1pd2ph1pw2dd2bias",
};

uint64_t largest_tensor(const VktcConvTransposeDesc& desc) {
  const auto others = static_cast<uint64_t>(std::max(input_elements(desc), weight_elements(desc)));
  return std::max<uint64_t>(others * element_size(desc.dataType), output_bytes(desc));
}

// The output of a run, between guard bands and poisoned before.
class GuardedOutput {
 public:
  explicit GuardedOutput(size_t bytes) : bytes_(bytes), memory_(bytes + 2 * band, poison) {}
  std::byte* data() { return memory_.data() + band; }
  bool bands_are_whole() const {
    const auto is_poison = [](std::byte value) { return value == poison; };
    return std::all_of(memory_.begin(), memory_.begin() + band, is_poison) &&
           std::all_of(memory_.begin() + band + static_cast<std::ptrdiff_t>(bytes_), memory_.end(), is_poison);
  }

 private:
  static constexpr std::ptrdiff_t band = 64;
  static constexpr std::byte poison{0xff};
  size_t bytes_;
  std::vector<std::byte> memory_;
};

void check_equal(const Tensors& tensors, const void* output, const char* algorithm = nullptr) {
  const bool exact = algorithm == nullptr || computes_integers_exactly(algorithm);
  const reference::Fill fill = exact ? reference::Fill::exact : reference::Fill::random;
  const std::vector<reference::Value> expected = tensors.expected();
  size_t wrong = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    if (is_right(tensors.desc, fill, expected[i], output, index) || ++wrong > 3) continue;
    FAIL_CHECK("output[", i, "] is ", reference::element(reference::output_type(tensors.desc), output, index),
               " instead of ", expected[i].value);
  }
  CHECK(wrong == 0);
}

// Runs and compares every output; false where the limits are too narrow for the problem, which must then say so.
bool check_run(TestDevice& device, const VktcConvTransposeDesc& desc, const host::RunOptions& options, uint64_t seed) {
  CAPTURE(support::format_problem({"", desc}));
  CAPTURE(options.max_buffer_size);
  CAPTURE(options.max_device_memory);
  const Tensors tensors(desc, reference::Fill::exact, seed);
  GuardedOutput output(output_bytes(tensors.desc));
  bool ran = true;
  try {
    host::conv_transpose(device.device(), desc, tensors.host_arrays(output.data()), options);
    check_equal(tensors, output.data(), options.plan.algorithm);
  } catch (const host::Error& error) {
    CHECK_MESSAGE(error.error().status == VKTC_ERROR_LIMIT_EXCEEDED, error.what());
    CHECK_MESSAGE(std::strstr(error.what(), "RunOptions::") != nullptr, error.what());
    ran = false;
  }
  CHECK(output.bands_are_whole());
  const std::string messages = device.take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);
  return ran;
}

// Not every algorithm serves every device.
bool applies(TestDevice& device, const VktcConvTransposeDesc& desc, const std::string& algorithm) {
  return check_compilation(device.device().context(), desc, {.algorithm = algorithm}).kind == Outcome::passed;
}

void check_refused(const char* parameter, const std::function<void()>& call) {
  try {
    call();
    FAIL_CHECK(parameter, " was accepted");
  } catch (const host::Error& error) {
    CHECK(error.error().status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error.error().parameter) == parameter);
    CHECK_MESSAGE(std::strstr(error.what(), parameter) != nullptr, error.what());
  }
}

}  // namespace

TEST_CASE("Every type in ever smaller buffers") {
  uint64_t turn = 0;
  for (const VktcDataType type : data_types) {
    for (const char* problem : problems) {
      const VktcConvTransposeDesc desc = in_turn(with_type(parse(problem), type), turn++);
      host::RunOptions options;
      CHECK(check_run(test_device(), desc, options, 1));
      // Until a slab of one output is too large.
      int runs = 0;
      for (options.max_buffer_size = largest_tensor(desc) / 2; options.max_buffer_size >= 32;
           options.max_buffer_size = options.max_buffer_size * 2 / 5) {
        runs += check_run(test_device(), desc, options, 2);
      }
      CAPTURE(problem);
      CHECK(runs >= 1);
    }
  }
}

TEST_CASE("Every type in little device memory") {
  uint64_t turn = 0;
  for (const VktcDataType type : data_types) {
    for (const char* problem : problems) {
      const VktcConvTransposeDesc desc = in_turn(with_type(parse(problem), type), turn++);
      host::RunOptions options;
      options.max_device_memory = largest_tensor(desc) * 3 / 4;
      check_run(test_device(), desc, options, 3);
      options.max_device_memory = 3 * largest_tensor(desc);
      CHECK(check_run(test_device(), desc, options, 4));
    }
  }
}

TEST_CASE("Slabs on a device without optional features") {
  TestDevice& device = test_device({"bufferDeviceAddress", "VK_KHR_push_descriptor", "storageBuffer16BitAccess"});
  int runs = 0;
  for (size_t i = 0; i < std::size(problems) * type_count; ++i) {
    const VktcConvTransposeDesc desc =
        in_turn(with_type(parse(problems[i / type_count]), data_types[i % type_count]), i / type_count + 1);
    host::RunOptions options;
    options.max_buffer_size = largest_tensor(desc) / 2;
    runs += check_run(device, desc, options, i);
  }
  CHECK(runs >= 14);
}

TEST_CASE("Every algorithm by slabs") {
  for (const std::string& algorithm : algorithm_names()) {
    const VktcConvTransposeDesc desc = parse("mb4ic16ih12iw12oc16kh4kw4sh2sw2ph1pw1bias");
    host::RunOptions options;
    options.plan.algorithm = algorithm.c_str();
    options.max_buffer_size = 24576;  // winograd packs weights twice
    CAPTURE(algorithm);
    if (!applies(test_device(), desc, algorithm)) continue;
    CHECK(check_run(test_device(), desc, options, 5));
  }
}

TEST_CASE("A problem that stays on the device runs again and again, with other inputs and other weights") {
  uint64_t turn = 0;
  for (const VktcDataType type : data_types) {
    for (const char* problem : problems) {
      CAPTURE(problem);
      const VktcConvTransposeDesc desc = in_turn(with_type(parse(problem), type), turn++);
      host::ConvTranspose made(test_device().device(), desc);
      host::ConvTranspose convolution(std::move(made));
      Tensors tensors(desc, reference::Fill::exact, 1);
      for (uint64_t seed = 1; seed < 4; ++seed) {
        const Tensors next(desc, reference::Fill::exact, seed);
        tensors.input = next.input;
        if (seed != 2) {  // the second run keeps the weights of the first
          tensors.weights = next.weights;
          tensors.bias = next.bias;
          convolution.set_weights(tensors.weights.data(), tensors.bias.data());
        }
        if (!tensors.scale.empty() && seed != 3) {
          tensors.scale = next.scale;
          tensors.shift = next.shift;
          convolution.set_scale_shift(tensors.scale.data(), tensors.shift.data());
        }
        tensors.residual = next.residual;
        convolution.output().fill(0xffffffff);
        GuardedOutput output(output_bytes(tensors.desc));
        convolution.run(tensors.input.data(), output.data(), tensors.residual.data());
        check_equal(tensors, output.data());
        CHECK(output.bands_are_whole());
      }
    }
  }
  const std::string messages = test_device().take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);
}

TEST_CASE("ConvTranspose says what is missing") {
  host::ConvTranspose convolution(test_device().device(), parse("ic1iw4oc1kw2bias"));
  std::vector<float> array(16);
  check_refused("weights", [&] { convolution.run(array.data(), array.data()); });
  check_refused("weights", [&] { convolution.set_weights(nullptr, array.data()); });
  check_refused("bias", [&] { convolution.set_weights(array.data(), nullptr); });
  check_refused("weights", [&] { convolution.run(array.data(), array.data()); });
  convolution.set_weights(array.data(), array.data());
  check_refused("input", [&] { convolution.run(nullptr, array.data()); });
  check_refused("output", [&] { convolution.run(array.data(), nullptr); });
  check_refused("scale", [&] { convolution.set_scale_shift(array.data(), array.data()); });
  host::ConvTranspose chained(test_device().device(), parse("ic1iw4oc1kw2po\"scale_shift,residual\""));
  chained.set_weights(array.data(), nullptr);
  check_refused("residual", [&] { chained.run(array.data(), array.data()); });
  check_refused("scale", [&] { chained.run(array.data(), array.data(), array.data()); });
  check_refused("scale", [&] { chained.set_scale_shift(nullptr, array.data()); });
  check_refused("shift", [&] { chained.set_scale_shift(array.data(), nullptr); });
  chained.set_scale_shift(array.data(), array.data());
  chained.run(array.data(), array.data(), array.data());
  VktcConvTransposeDesc invalid = parse("ic1iw4oc1kw2");
  invalid.batch = -2;
  check_refused("batch", [&] { host::ConvTranspose(test_device().device(), invalid); });
}

TEST_CASE("The buffers of a call may be used without the host layer") {
  const Tensors tensors(parse("mb2ic3ih6iw5oc4kh3kw3sh2sw2bias"), reference::Fill::exact, 8);
  host::ConvTranspose convolution(test_device().device(), tensors.desc);
  convolution.set_weights(tensors.weights.data(), tensors.bias.data());
  CHECK(convolution.input().size() == convolution.requirements().inputBytes);
  CHECK(convolution.output().size() == convolution.requirements().outputBytes);
  convolution.input().upload(tensors.input.data(), tensors.input.size());
  const VktcBuffers buffers = convolution.buffers();
  VktcBindings bindings = nullptr;
  VktcError error = {};
  REQUIRE_MESSAGE(vktcCreateBindings(convolution.plan(), &buffers, &bindings, &error) == VKTC_SUCCESS, error.message);
  VktcStatus status = VKTC_ERROR_VULKAN;
  test_device().device().submit(
      [&](VkCommandBuffer commands) { status = vktcCmdConvTransposeBound(commands, bindings, nullptr, &error); });
  vktcDestroyBindings(bindings);
  CHECK_MESSAGE(status == VKTC_SUCCESS, error.message);
  std::vector<std::byte> output(output_bytes(tensors.desc));
  convolution.output().download(output.data(), output.size());
  check_equal(tensors, output.data());
  const std::string messages = test_device().take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);
}

TEST_SUITE_END();

// Random problems on host arrays, and what conv_transpose promises its callers: progress, threads, refusals. Problems
// chosen for slabs, and those that stay on the device, are in test_host.cpp; large ones in test_limits.cpp.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gpu_fixture.h"
#include "random_problem.h"
#include "tensors.h"

TEST_SUITE_BEGIN("host_arrays");

namespace {

using namespace vktconv;
using namespace vktconv::tests;

VktcConvTransposeDesc parse(const char* problem) { return support::parse_problem(problem).desc; }

// The output between guard bands, poisoned.
class Output {
 public:
  explicit Output(const Tensors& tensors)
      : bytes_(output_bytes(tensors.desc)), all_(bytes_ + 2 * guard, std::byte{0xa5}) {}

  void* data() { return all_.data() + guard; }
  std::string mistakes(const Tensors& tensors, const std::vector<reference::Value>& expected) const {
    const auto is_poison = [](std::byte byte) { return byte == std::byte{0xa5}; };
    if (!std::all_of(all_.begin(), all_.begin() + guard, is_poison) ||
        !std::all_of(all_.end() - guard, all_.end(), is_poison)) {
      return "bytes around the output were written";
    }
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!is_right(tensors.desc, reference::Fill::exact, expected[i], all_.data() + guard, static_cast<int64_t>(i))) {
        return support::format_problem({"", tensors.desc}) + ": output[" + std::to_string(i) + "] is wrong";
      }
    }
    return {};
  }

 private:
  static constexpr std::ptrdiff_t guard = 256;
  size_t bytes_;
  std::vector<std::byte> all_;
};

// Empty: right.
std::string run(host::Device& device, const VktcConvTransposeDesc& desc, const host::RunOptions& options = {}) {
  const Tensors tensors(desc, reference::Fill::exact, 5);
  Output output(tensors);
  host::conv_transpose(device, desc, tensors.host_arrays(output.data()), options);
  return output.mistakes(tensors, tensors.expected());
}

void check_right(const std::string& mistakes) { CHECK_MESSAGE(mistakes.empty(), mistakes); }

void check_silent(TestDevice& device) {
  const std::string messages = device.take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);
}

std::optional<VktcError> error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const host::Error& error) {
    return error.error();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("Random problems, cut to pieces") {
  size_t ran = 0;
  for (uint64_t index = 0; index < 60; ++index) {
    const VktcConvTransposeDesc desc = random_problem(index + 40'000);
    CAPTURE(support::format_problem({"", desc}));
    Random random(index);
    const int64_t largest = std::max({input_elements(desc), weight_elements(desc), output_elements(desc)}) *
                            static_cast<int64_t>(element_size(desc.dataType));
    host::RunOptions options;
    (index % 2 == 0 ? options.max_buffer_size : options.max_device_memory) =
        static_cast<VkDeviceSize>(random.between(4 + largest / 4, 4 + largest));
    try {
      check_right(run(test_device().device(), desc, options));
      ++ran;
    } catch (const host::Error& error) {
      CHECK(error.error().status == VKTC_ERROR_LIMIT_EXCEEDED);
      CHECK(std::string(error.what()).find("RunOptions::max_") != std::string::npos);
    }
  }
  MESSAGE(ran << " of 60 ran");
  CHECK(ran > 30);
  check_silent(test_device());
}

TEST_CASE("Packed weights count, too") {
  const VktcConvTransposeDesc desc = parse("g2mb2_ic6iw50_oc10kw5sw2pw1bias");
  VktcPlan plan = nullptr;
  VktcError error = {};
  REQUIRE(vktcCreatePlan(test_device().device().context(), &desc, nullptr, &plan, &error) == VKTC_SUCCESS);
  VktcPlanRequirements needs = {};
  vktcGetPlanRequirements(plan, &needs);
  vktcDestroyPlan(plan);
  host::RunOptions options;
  for (const VkDeviceSize size : {needs.packedWeightsBytes, needs.packedWeightsBytes - 1}) {
    options.max_buffer_size = std::max(size, VkDeviceSize{1024});
    check_right(run(test_device().device(), desc, options));
  }
  options = {};
  options.max_device_memory = needs.inputBytes + needs.weightsBytes + needs.packedWeightsBytes + needs.biasBytes +
                              needs.outputBytes + needs.workspaceBytes - 1;
  check_right(run(test_device().device(), desc, options));
  check_silent(test_device());
}

TEST_CASE("Progress goes from nothing to everything") {
  const VktcConvTransposeDesc desc = parse("mb4_ic3ih20iw20_oc4kh3sh2");
  std::vector<uint64_t> dones;
  uint64_t bytes = 0;
  host::RunOptions options;
  options.max_buffer_size = 8192;
  options.progress = [&](uint64_t done, uint64_t total) {
    dones.push_back(done);
    bytes = total;
  };
  check_right(run(test_device().device(), desc, options));
  REQUIRE(dones.size() > 4);
  CHECK(bytes == static_cast<uint64_t>(output_elements(desc)) * 4);
  CHECK(dones.front() == 0);
  CHECK(dones.back() == bytes);
  CHECK(std::is_sorted(dones.begin(), dones.end()));

  // A caller may give up from inside; the device goes on working.
  options.progress = [](uint64_t done, uint64_t) {
    if (done > 0) throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH(run(test_device().device(), desc, options), "enough");
  check_right(run(test_device().device(), desc));
  check_silent(test_device());
}

TEST_CASE("Threads run problems on one device") {
  std::vector<std::string> mistakes(4);
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < mistakes.size(); ++thread) {
    threads.emplace_back([&, thread] {
      try {
        for (uint64_t round = 0; round < 5 && mistakes[thread].empty(); ++round) {
          host::RunOptions options;
          options.max_buffer_size = 1 << 16;
          mistakes[thread] = run(test_device().device(), random_problem(50'000 + thread * 5 + round), options);
        }
      } catch (const std::exception& error) {
        mistakes[thread] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : mistakes) check_right(text);
  check_silent(test_device());
}

TEST_CASE("A missing array is refused by name") {
  const VktcConvTransposeDesc desc = parse("mb1_ic2iw5_oc3kw3bias");
  const Tensors tensors(desc, reference::Fill::exact, 5);
  Output output(tensors);
  for (int missing = 0; missing < 4; ++missing) {
    const auto error = error_of([&] {
      host::conv_transpose(test_device().device(), desc, missing == 0 ? nullptr : tensors.input.data(),
                           missing == 1 ? nullptr : tensors.weights.data(),
                           missing == 2 ? nullptr : tensors.bias.data(), missing == 3 ? nullptr : output.data());
    });
    REQUIRE(error);
    CHECK(error->status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error->parameter) ==
          std::vector{"input", "weights", "bias", "output"}[static_cast<size_t>(missing)]);
  }
}

TEST_CASE("What post-ops read is asked for by name, and only what they read") {
  const VktcConvTransposeDesc desc = parse("mb1_ic2iw5_oc3kw3po\"scale_shift,residual\"");
  const Tensors tensors(desc, reference::Fill::exact, 5);
  Output output(tensors);
  for (const char* missing : {"scale", "shift", "residual"}) {
    const auto error = error_of([&] {
      host::Arrays arrays = tensors.host_arrays(output.data());
      if (missing == std::string("scale")) arrays.scale = nullptr;
      if (missing == std::string("shift")) arrays.shift = nullptr;
      if (missing == std::string("residual")) arrays.residual = nullptr;
      host::conv_transpose(test_device().device(), desc, arrays);
    });
    REQUIRE(error);
    CHECK(error->status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error->parameter) == missing);
  }
  // The call without them is for problems that need none.
  const auto error = error_of([&] {
    host::conv_transpose(test_device().device(), desc, tensors.input.data(), tensors.weights.data(), nullptr,
                         output.data());
  });
  REQUIRE(error);
  CHECK(std::string(error->parameter) == "scale");
}

TEST_CASE("What is wrong is said, not tried again with smaller slabs") {
  const VktcConvTransposeDesc desc = parse("mb1_ic2iw5_oc3kw3");
  host::RunOptions options;
  options.plan.algorithm = "no such algorithm";
  auto error = error_of([&] { run(test_device().device(), desc, options); });
  REQUIRE(error);
  CHECK(std::string(error->message).find("no such algorithm") != std::string::npos);

  options = {};
  options.max_buffer_size = 4;
  error = error_of([&] { run(test_device().device(), desc, options); });
  REQUIRE(error);
  CHECK(error->status == VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(std::string(error->message).find("RunOptions::max_buffer_size, which is 4 bytes") != std::string::npos);

  VktcConvTransposeDesc invalid = desc;
  invalid.groups = 5;
  error =
      error_of([&] { host::conv_transpose(test_device().device(), invalid, &invalid, &invalid, nullptr, &invalid); });
  REQUIRE(error);
  CHECK(std::string(error->parameter) == "groups");
}

TEST_SUITE_END();

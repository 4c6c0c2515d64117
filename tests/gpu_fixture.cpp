#include "gpu_fixture.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string_view>

namespace vktconv::tests {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

using Devices = std::map<std::vector<std::string>, std::unique_ptr<TestDevice>>;

Devices& devices() {
  static Devices all;
  return all;
}

}  // namespace

TestDevice::TestDevice(const std::vector<std::string>& disable) : disabled_(disable) {
  host::DeviceOptions options;
  options.device = environment("VKTCONV_TEST_DEVICE");
  options.disable = disable;
  options.tuning_file.clear();  // what the user has measured is none of the tests' business
  options.on_validation_message = [this](const std::string& message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  };
  const std::string wanted = environment("VKTCONV_TEST_VALIDATION");
  if (wanted != "off") {
    options.validation = true;
    try {
      device_ = std::make_unique<host::Device>(options);
      validated_ = true;
    } catch (const host::Error& error) {
      if (wanted == "required") throw;
      static bool told = false;
      if (!told) std::fprintf(stderr, "vktconv-tests: running without validation: %s\n", error.what());
      told = true;
      options.validation = false;
    }
  }
  if (!device_) device_ = std::make_unique<host::Device>(options);
}

std::string TestDevice::take_validation_messages() {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const std::string& message : messages_) all += message + "\n";
  messages_.clear();
  return all;
}

std::string TestDevice::close() {
  for (VktcPlan plan : retired_) vktcDestroyPlan(plan);
  retired_.clear();
  device_.reset();
  return take_validation_messages();
}

void TestDevice::retire(VktcPlan plan) {
  constexpr size_t most = 32;
  retired_.push_back(plan);
  if (retired_.size() <= most) return;
  vktcDestroyPlan(retired_.front());
  retired_.pop_front();
}

void TestDevice::require_sound_loops() {
  static bool sound = false;
  if (sound) return;
  // One output of a million products, all 1 * 1, in one invocation.
  constexpr int64_t iterations = 1'000'000;
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.dataType = VKTC_DATA_TYPE_I32;
  desc.inputSize[0] = desc.kernelSize[0] = iterations;
  desc.paddingBegin[0] = desc.paddingEnd[0] = iterations - 1;
  const std::vector<int32_t> ones(iterations, 1);
  int32_t count = -1;
  host::RunOptions options;
  options.plan.algorithm = "gather";
  host::conv_transpose(*device_, desc, ones.data(), ones.data(), nullptr, &count, options);
  if (count != iterations) {
    throw std::runtime_error(
        "the driver " + device_->summary().driver + " miscounts: a loop of 1,000,000 iterations ran " +
        std::to_string(count) +
        " times. Mesa before 23 does so on the CPU (lavapipe); use a newer one, for example through "
        "tools/make-vulkan-sdk and its with-lavapipe");
  }
  sound = true;
}

TestDevice& test_device(const std::vector<std::string>& disable) {
  std::unique_ptr<TestDevice>& device = devices()[disable];
  if (!device) {
    device = std::make_unique<TestDevice>(disable);
    if (devices().size() == 1) {
      const host::DeviceSummary& summary = device->device().summary();
      std::printf("device: %s (%s), validation %s\n", summary.name.c_str(), summary.driver.c_str(),
                  device->validated() ? "on" : "off");
    }
  }
  return *device;
}

std::string release_test_devices() {
  std::string messages;
  for (auto& [disabled, device] : devices()) messages += device->close();
  devices().clear();
  return messages;
}

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (uint32_t i = 0; vktcGetAlgorithmName(i); ++i) names.emplace_back(vktcGetAlgorithmName(i));
  return names;
}

}  // namespace vktconv::tests

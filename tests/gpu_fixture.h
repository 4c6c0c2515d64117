// The devices that tests run on, under the validation layer.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vktconv::tests {

// A device of vktconv-host whose validation messages are collected. Environment: VKTCONV_TEST_DEVICE says which device,
// VKTCONV_TEST_VALIDATION is "required" (an error without the layer), "off", or absent: where the layer is found.
class TestDevice {
 public:
  // disable: see host::DeviceOptions::disable.
  explicit TestDevice(const std::vector<std::string>& disable = {});
  TestDevice(const TestDevice&) = delete;
  TestDevice& operator=(const TestDevice&) = delete;

  host::Device& device() { return *device_; }
  const std::vector<std::string>& disabled() const { return disabled_; }
  bool validated() const { return validated_; }
  // The messages since the last call, joined; empty: none.
  std::string take_validation_messages();
  // Counts to a million in a shader, once in a process; throws where the driver miscounts, for every result would be
  // doubtful then.
  void require_sound_loops();
  // Takes a plan and destroys it some plans later: pipelines live as long as a plan that uses them, so that checks of
  // one problem in several ways compile them once.
  void retire(VktcPlan plan);

  // Destroys the device; returns what the validation layer had to say about its end.
  std::string close();
  ~TestDevice() { close(); }

 private:
  std::vector<std::string> disabled_;
  bool validated_ = false;
  std::deque<VktcPlan> retired_;
  std::mutex mutex_;
  std::vector<std::string> messages_;
  std::unique_ptr<host::Device> device_;
};

// Made at the first use and kept to the end of the program, one for each set of disabled features.
TestDevice& test_device(const std::vector<std::string>& disable = {});

// Destroys those devices; returns what the validation layer had to say about their end. Called by main.
std::string release_test_devices();

// Every algorithm of the library by name.
std::vector<std::string> algorithm_names();

}  // namespace vktconv::tests

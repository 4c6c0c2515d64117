// Which of several devices the host layer takes, by what it knows of them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "host/device_choice.h"

TEST_SUITE_BEGIN("device_choice");

namespace {

namespace host = vktconv::host;

host::DeviceSummary summary(const std::string& name, VkPhysicalDeviceType type, const std::string& refused = "") {
  host::DeviceSummary device;
  device.name = name;
  device.driver = "driver of " + name;
  device.type = type;
  device.refused = refused;
  return device;
}

std::vector<host::DeviceSummary> numbered(std::vector<host::DeviceSummary> devices) {
  for (size_t i = 0; i < devices.size(); ++i) devices[i].index = static_cast<uint32_t>(i);
  return devices;
}

std::vector<host::DeviceSummary> a_machine() {
  return numbered({summary("llvmpipe (LLVM 19.1.7, 256 bits)", VK_PHYSICAL_DEVICE_TYPE_CPU),
                   summary("AMD Radeon 780M", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU),
                   summary("NVIDIA GeForce RTX 4090", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU),
                   summary("NVIDIA GeForce GTX 1080", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU),
                   summary("Tesla K20", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "it has Vulkan 1.1: 1.2 is needed")});
}

// The message of the refusal; empty: there was none.
std::string refusal(const std::vector<host::DeviceSummary>& devices, const std::string& wanted,
                    VktcStatus status = VKTC_ERROR_INVALID_PARAMETER) {
  try {
    host::choose_device(devices, wanted);
  } catch (const host::Error& error) {
    CHECK(error.error().status == status);
    CHECK(std::string(error.error().parameter) == "device");
    return error.what();
  }
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("The best device is discrete, then integrated, then virtual, then a CPU; the first of equals") {
  CHECK(host::choose_device(a_machine(), "") == 2);
  std::vector<host::DeviceSummary> devices = {summary("a", VK_PHYSICAL_DEVICE_TYPE_OTHER),
                                              summary("b", VK_PHYSICAL_DEVICE_TYPE_CPU)};
  CHECK(host::choose_device(devices, "") == 1);
  devices.push_back(summary("c", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU));
  CHECK(host::choose_device(devices, "") == 2);
  devices.push_back(summary("d", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU));
  devices.push_back(summary("e", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU));
  CHECK(host::choose_device(devices, "") == 3);
}

TEST_CASE("A device that cannot be used is never the best") {
  const std::vector<host::DeviceSummary> devices =
      numbered({summary("old", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "it is too old"),
                summary("slow", VK_PHYSICAL_DEVICE_TYPE_CPU)});
  CHECK(host::choose_device(devices, "") == 1);
  const std::string reason = refusal({devices[0]}, "", VKTC_ERROR_VULKAN);
  CHECK_MESSAGE(has(reason, "it is too old"), reason);
}

TEST_CASE("A device is named by its index") {
  for (size_t i = 0; i < 4; ++i) CHECK(host::choose_device(a_machine(), std::to_string(i)) == i);
  const std::string reason = refusal(a_machine(), "4");
  CHECK_MESSAGE(has(reason, "Vulkan 1.1"), reason);
}

TEST_CASE("A device is named by a part of its name, in any case of letters") {
  CHECK(host::choose_device(a_machine(), "LLVMpipe") == 0);
  CHECK(host::choose_device(a_machine(), "radeon") == 1);
  CHECK(host::choose_device(a_machine(), "GTX 1080") == 3);
  CHECK(host::choose_device(a_machine(), "4090") == 2);  // no index: no machine has so many
}

TEST_CASE("A name of no device, or of several, is refused with a list") {
  for (const char* wanted : {"geforce", "intel", "7", "19", "55", "-1", "0x1", "99999999999999999999"}) {
    const std::string reason = refusal(a_machine(), wanted);
    CAPTURE(std::string(wanted));
    CHECK_MESSAGE(has(reason, std::string("\"") + wanted + "\""), reason);
    for (const host::DeviceSummary& device : a_machine()) CHECK_MESSAGE(has(reason, device.name), reason);
  }
  CHECK(has(refusal(a_machine(), "geforce"), "more than one"));
  CHECK(has(refusal(a_machine(), "intel"), "no device"));
}

TEST_CASE("Without any device the error says so") {
  CHECK(has(refusal({}, "", VKTC_ERROR_VULKAN), "no device"));
  CHECK(has(refusal({}, "llvmpipe", VKTC_ERROR_VULKAN), "no device"));
}

TEST_SUITE_END();

#include "device_flags.h"

#include <fmt/format.h>

#include "failure.h"
#include "support/precision_text.h"
#include "support/printable.h"
#include "text_option.h"

namespace vktconv::cli {
namespace {

constexpr const char* group_name = "Device";

}  // namespace

void DeviceFlags::add_device_to(CLI::App& command) {
  add_text_option(command, "--device", device, "N|NAME", group_name,
                  "A device by its index or a part of its name, see vktconv info; default: the best");
  command.add_flag("--validation", validation, "Run under the Khronos validation layer; what it reports is a failure")
      ->group(group_name);
}

void DeviceFlags::add_algorithm_to(CLI::App& command) {
  add_text_option(command, "--algorithm", algorithm, "NAME", group_name,
                  fmt::format("One of: {}; default: the one with the shortest predicted time", algorithm_names()));
  add_text_option(
      command, "--precision", precision, "NAME", group_name,
      "fp32: fp32 elements may be multiplied in two fp16 parts; fp32_fma: never; relaxed: as fp16; default: fp32");
}

void DeviceFlags::add_tuning_to(CLI::App& command) {
  add_text_option(command, "--tuning-file", tuning_file, "FILE", group_name,
                  "What vktconv tune has measured; default: tuning.json in the user's cache folder");
}

bool DeviceFlags::any_given() const {
  return !device.empty() || !algorithm.empty() || !precision.empty() || !tuning_file.empty() || validation;
}

host::Device DeviceFlags::open() const {
  host::DeviceOptions options;
  options.device = device;
  options.validation = validation;
  options.pipeline_cache_file = host::default_pipeline_cache_file();
  if (!tuning_file.empty()) options.tuning_file = tuning_file;
  try {
    host::Device opened(options);
    if (!opened.tuning_file_problem().empty()) fmt::print(stderr, "vktconv: {}\n", opened.tuning_file_problem());
    return opened;
  } catch (const host::Error& error) {
    throw Failure(exit_no_device, error.what());
  }
}

VktcPlanOptions DeviceFlags::plan_options() const {
  VktcPlanOptions options = {};
  if (!precision.empty()) {
    const std::optional<VktcPrecision> parsed = support::parse_precision(precision);
    if (!parsed) {
      refuse(fmt::format("--precision: there is no \"{}\", only: {}", support::printable(precision, 40),
                         support::all_precisions));
    }
    options.precision = *parsed;
  }
  if (algorithm.empty()) return options;
  for (uint32_t index = 0; vktcGetAlgorithmName(index) != nullptr; ++index) {
    if (algorithm == vktcGetAlgorithmName(index)) {
      options.algorithm = algorithm.c_str();
      return options;
    }
  }
  refuse(
      fmt::format("--algorithm: there is no \"{}\", only: {}", support::printable(algorithm, 40), algorithm_names()));
}

void DeviceFlags::check_validation(const host::Device& device_in_use) const {
  if (!validation || device_in_use.validation_message_count() == 0) return;
  throw Failure(exit_failure, fmt::format("the validation layer reported {} errors or warnings",
                                          device_in_use.validation_message_count()));
}

std::string format_version(uint32_t version) {
  return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                     VK_API_VERSION_PATCH(version));
}

const char* device_type_name(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return "discrete GPU";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return "integrated GPU";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return "virtual GPU";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return "CPU";
    default:
      return "other";
  }
}

std::string algorithm_names() {
  std::string names;
  for (uint32_t index = 0; vktcGetAlgorithmName(index) != nullptr; ++index) {
    names += std::string(index == 0 ? "" : ", ") + vktcGetAlgorithmName(index);
  }
  return names;
}

}  // namespace vktconv::cli

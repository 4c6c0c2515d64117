// The flags that choose a device, an algorithm and the tuning file.
#pragma once

#include <string>
#include <vktconv/vktconv_host.hpp>

namespace CLI {
class App;
}

namespace vktconv::cli {

struct DeviceFlags {
  std::string device;
  std::string algorithm;
  std::string precision;
  std::string tuning_file;
  bool validation = false;

  void add_device_to(CLI::App& command);
  void add_algorithm_to(CLI::App& command);
  void add_tuning_to(CLI::App& command);

  bool any_given() const;

  // Failure with exit_no_device where there is none. Pipelines are kept in the user's cache folder. Says on stderr
  // where a tuning file is there and not used.
  host::Device open() const;
  // Failure for a name that this library does not have.
  VktcPlanOptions plan_options() const;
  // Failure where the validation layer had something to say.
  void check_validation(const host::Device& device) const;
};

// "1.2.3"
std::string format_version(uint32_t version);
const char* device_type_name(VkPhysicalDeviceType type);
// The algorithms by name, "gather, ...".
std::string algorithm_names();

}  // namespace vktconv::cli

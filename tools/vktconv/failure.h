// How a command ends other than well: one sentence for stderr and an exit code for scripts.
#pragma once

#include <stdexcept>
#include <string>

namespace vktconv::cli {

enum ExitCode : int {
  exit_success = 0,
  exit_failure = 1,     // the device, the memory or the file system failed while working
  exit_bad_input = 2,   // usage, a file, a descriptor or a problem is wrong
  exit_no_device = 3,   // there is no usable device, or none that --device names
  exit_over_limit = 4,  // a valid problem that this device cannot do
};

// For --help.
constexpr const char* exit_code_help =
    "Exit codes: 0 done; 1 the device, the memory or the file system failed; 2 bad usage\n"
    "or input; 3 no usable device; 4 a valid problem over a limit of the device.";

class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

[[noreturn]] inline void refuse(const std::string& message) { throw Failure(exit_bad_input, message); }

// The exit code for the exception that is being handled, whatever it is; says on stderr what it was.
int report_exception() noexcept;

}  // namespace vktconv::cli

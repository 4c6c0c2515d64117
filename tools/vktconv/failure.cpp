#include "failure.h"

#include <cstdio>
#include <new>
#include <vktconv/vktconv_host.hpp>

namespace vktconv::cli {
namespace {

int report(ExitCode code, const char* message) noexcept {
  std::fprintf(stderr, "vktconv: %s\n", message);
  return code;
}

ExitCode exit_code(VktcStatus status) {
  switch (status) {
    case VKTC_SUCCESS:
    case VKTC_ERROR_OUT_OF_HOST_MEMORY:
    case VKTC_ERROR_VULKAN:
      return exit_failure;
    case VKTC_ERROR_INVALID_PARAMETER:
      return exit_bad_input;
    case VKTC_ERROR_LIMIT_EXCEEDED:
    case VKTC_ERROR_FEATURE_NOT_ENABLED:
      return exit_over_limit;
  }
  return exit_failure;
}

}  // namespace

int report_exception() noexcept {
  try {
    throw;
  } catch (const Failure& failure) {
    return report(failure.code(), failure.what());
  } catch (const host::Error& error) {
    return report(exit_code(error.error().status), error.what());
  } catch (const std::invalid_argument& error) {  // what the readers of files and descriptors throw
    return report(exit_bad_input, error.what());
  } catch (const std::bad_alloc&) {
    return report(exit_failure, "there is not enough memory");
  } catch (const std::exception& error) {
    return report(exit_failure, error.what());
  } catch (...) {
    return report(exit_failure, "an unknown failure");
  }
}

}  // namespace vktconv::cli

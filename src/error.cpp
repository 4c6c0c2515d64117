#include "error.h"

#include <cstdarg>
#include <cstdio>

namespace vktconv {

VktcError no_error() { return VktcError{VKTC_SUCCESS, VK_SUCCESS, {}, {}}; }

bool fail(VktcError& error, VktcStatus status, const char* parameter, const char* format, ...) {
  error = no_error();
  error.status = status;
  std::snprintf(error.parameter, sizeof error.parameter, "%s", parameter);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(error.message, sizeof error.message, format, arguments);
  va_end(arguments);
  return false;
}

bool fail_vulkan(VktcError& error, VkResult result, const char* function) {
  fail(error, VKTC_ERROR_VULKAN, "", "%s failed with VkResult %d", function, static_cast<int>(result));
  error.vkResult = result;
  return false;
}

}  // namespace vktconv

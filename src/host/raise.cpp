#include "raise.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace vktconv::host {
namespace {

VktcError make_error(VktcStatus status, VkResult result, const char* parameter, const std::string& message) {
  VktcError error = {};
  error.status = status;
  error.vkResult = result;
  std::snprintf(error.parameter, sizeof(error.parameter), "%s", parameter);
  std::snprintf(error.message, sizeof(error.message), "%s", message.c_str());
  return error;
}

}  // namespace

Error::Error(const VktcError& error) : std::runtime_error(error.message), error_(error) {}

Error::Error(const VktcError& error, const std::string& message) : std::runtime_error(message), error_(error) {}

void raise(VktcStatus status, const char* parameter, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string message(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  if (length > 0) std::vsnprintf(message.data(), message.size() + 1, format, again);
  va_end(again);
  throw Error(make_error(status, VK_SUCCESS, parameter, message), message);
}

void raise_vulkan(VkResult result, const char* parameter, const std::string& message) {
  throw Error(make_error(VKTC_ERROR_VULKAN, result, parameter, message), message);
}

void check_vulkan(VkResult result, const char* function) {
  if (result < 0) raise_vulkan(result, "", std::string(function) + " returned " + vk_result_name(result));
}

void check_status(VktcStatus status, const VktcError& error) {
  if (status != VKTC_SUCCESS) throw Error(error);
}

std::string vk_result_name(VkResult result) {
  switch (result) {
#define VKTC_NAME(name) \
  case name:            \
    return #name
    VKTC_NAME(VK_SUCCESS);
    VKTC_NAME(VK_NOT_READY);
    VKTC_NAME(VK_TIMEOUT);
    VKTC_NAME(VK_INCOMPLETE);
    VKTC_NAME(VK_ERROR_OUT_OF_HOST_MEMORY);
    VKTC_NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    VKTC_NAME(VK_ERROR_INITIALIZATION_FAILED);
    VKTC_NAME(VK_ERROR_DEVICE_LOST);
    VKTC_NAME(VK_ERROR_MEMORY_MAP_FAILED);
    VKTC_NAME(VK_ERROR_LAYER_NOT_PRESENT);
    VKTC_NAME(VK_ERROR_EXTENSION_NOT_PRESENT);
    VKTC_NAME(VK_ERROR_FEATURE_NOT_PRESENT);
    VKTC_NAME(VK_ERROR_INCOMPATIBLE_DRIVER);
    VKTC_NAME(VK_ERROR_TOO_MANY_OBJECTS);
    VKTC_NAME(VK_ERROR_FRAGMENTED_POOL);
    VKTC_NAME(VK_ERROR_UNKNOWN);
    VKTC_NAME(VK_ERROR_OUT_OF_POOL_MEMORY);
    VKTC_NAME(VK_ERROR_FRAGMENTATION);
    VKTC_NAME(VK_ERROR_VALIDATION_FAILED_EXT);
#undef VKTC_NAME
    default:
      return "VkResult " + std::to_string(static_cast<int>(result));
  }
}

}  // namespace vktconv::host

// How the host layer reports errors: it throws vktconv::host::Error.
#pragma once

#include <vktconv/vktconv_host.hpp>

namespace vktconv::host {

#if defined(__GNUC__)
#define VKTC_HOST_PRINTF(format_index) __attribute__((format(printf, format_index, format_index + 1)))
#else
#define VKTC_HOST_PRINTF(format_index)
#endif

// The sentence names the parameter, its value and the rule. It may be of any length.
[[noreturn]] void raise(VktcStatus status, const char* parameter, const char* format, ...) VKTC_HOST_PRINTF(3);

// VKTC_ERROR_VULKAN, with a sentence of our own.
[[noreturn]] void raise_vulkan(VkResult result, const char* parameter, const std::string& message);

// Throws VKTC_ERROR_VULKAN where result is an error; positive results pass.
void check_vulkan(VkResult result, const char* function);

// Throws error where status is one.
void check_status(VktcStatus status, const VktcError& error);

// "VK_ERROR_DEVICE_LOST" and so on; the number where it has no name here.
std::string vk_result_name(VkResult result);

}  // namespace vktconv::host

// How a function inside the library reports why it refused: it fills in a VktcError and returns false.
#pragma once

#include <vktconv/vktconv.h>

namespace vktconv {

#if defined(__GNUC__)
#define VKTC_PRINTF(format_index) __attribute__((format(printf, format_index, format_index + 1)))
#else
#define VKTC_PRINTF(format_index)
#endif

// Fills in error and returns false, so that a check reads `return fail(error, ...)`.
// The sentence names the parameter, its value and the rule.
bool fail(VktcError& error, VktcStatus status, const char* parameter, const char* format, ...) VKTC_PRINTF(4);

// The same for a Vulkan function that returned result.
bool fail_vulkan(VktcError& error, VkResult result, const char* function);

// Empty: VKTC_SUCCESS.
VktcError no_error();

}  // namespace vktconv

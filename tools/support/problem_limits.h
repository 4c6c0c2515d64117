// What the two readers of problems, for descriptors and for suites, hold in common.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace vktconv::support {

constexpr int64_t largest_number = std::numeric_limits<int32_t>::max();  // the rule of vktconv.h for sizes
constexpr size_t longest_name = 256;

// Why a problem may not have this name; empty where it may.
std::string name_error(std::string_view name);

}  // namespace vktconv::support

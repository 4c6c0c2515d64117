// A value that is no member of the enumeration, as a C program may give it.
#pragma once

#include <cstring>

namespace vktconv::tests {

template <typename Enum>
Enum foreign_enum(int value) {
  Enum result;
  static_assert(sizeof(result) == sizeof(value));
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

}  // namespace vktconv::tests

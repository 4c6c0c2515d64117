#include "problem_limits.h"

#include <fmt/format.h>

namespace vktconv::support {

std::string name_error(std::string_view name) {
  if (name.empty()) return "the name is empty";
  if (name.size() > longest_name) {
    return fmt::format("the name has {} bytes; {} are allowed", name.size(), longest_name);
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "the name has a control character";
  }
  return "";
}

}  // namespace vktconv::support

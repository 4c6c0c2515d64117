#include "printable.h"

namespace vktconv::support {

std::string printable(std::string_view text, size_t length) {
  std::string result;
  for (const char c : text.substr(0, length)) result += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > length) result += "...";
  return result;
}

}  // namespace vktconv::support

// Text from outside, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vktconv::support {

// The beginning of text: at most length bytes, what is not printable ASCII as "?", "..." where cut.
std::string printable(std::string_view text, size_t length);

}  // namespace vktconv::support

// Lists of whole numbers on the command line: "2", "2,1", "-1,0,3".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vktconv::cli {

// At most 32 numbers between -(2^31 - 1) and 2^31 - 1. option is for messages: "--stride". Failure where text is no
// list.
std::vector<int64_t> parse_numbers(const std::string& option, const std::string& text);

// The same with exactly count numbers, where a single one stands for all of them. what: "spatial axes".
std::vector<int64_t> parse_numbers(const std::string& option, const std::string& text, size_t count, const char* what);

}  // namespace vktconv::cli

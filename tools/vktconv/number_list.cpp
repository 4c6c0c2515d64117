#include "number_list.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

#include "failure.h"
#include "support/printable.h"

namespace vktconv::cli {
namespace {

constexpr size_t most_numbers = 32;
constexpr int64_t largest_number = std::numeric_limits<int32_t>::max();

int64_t parse_number(const std::string& option, std::string_view text) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::invalid_argument || end != text.data() + text.size()) {
    refuse(fmt::format("{}: \"{}\" is no whole number; numbers are separated by commas, without spaces", option,
                       support::printable(text, 40)));
  }
  if (status != std::errc() || value < -largest_number || value > largest_number) {
    refuse(fmt::format("{}: {} is not between {} and {}", option, support::printable(text, 40), -largest_number,
                       largest_number));
  }
  return value;
}

}  // namespace

std::vector<int64_t> parse_numbers(const std::string& option, const std::string& text) {
  std::vector<int64_t> numbers;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    if (numbers.size() == most_numbers) refuse(fmt::format("{}: more than {} numbers", option, most_numbers));
    numbers.push_back(parse_number(option, rest.substr(0, comma)));
    if (comma == std::string_view::npos) return numbers;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<int64_t> parse_numbers(const std::string& option, const std::string& text, size_t count, const char* what) {
  std::vector<int64_t> numbers = parse_numbers(option, text);
  if (numbers.size() == 1) numbers.resize(count, numbers[0]);
  if (numbers.size() != count) {
    refuse(fmt::format("{}: {} numbers are given, but {} are needed ({}), or one that stands for all", option,
                       numbers.size(), count, what));
  }
  return numbers;
}

}  // namespace vktconv::cli

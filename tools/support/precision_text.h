// The words of --precision.
#pragma once

#include <vktconv/vktconv.h>

#include <optional>
#include <string_view>
#include <utility>

namespace vktconv::support {

constexpr std::pair<const char*, VktcPrecision> precisions[] = {
    {"fp32", VKTC_PRECISION_F32}, {"fp32_fma", VKTC_PRECISION_F32_FMA}, {"relaxed", VKTC_PRECISION_RELAXED}};
constexpr const char* all_precisions = "fp32, fp32_fma, relaxed";

inline const char* precision_text(VktcPrecision precision) {
  for (const auto& [text, value] : precisions) {
    if (value == precision) return text;
  }
  return "?";
}

inline std::optional<VktcPrecision> parse_precision(std::string_view text) {
  for (const auto& [word, value] : precisions) {
    if (text == word) return value;
  }
  return std::nullopt;
}

}  // namespace vktconv::support

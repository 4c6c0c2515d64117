#include "post_ops_text.h"

#include <fmt/format.h>
#include <post_ops.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

#include "printable.h"

namespace vktconv::support {
namespace {

[[noreturn]] void refuse(std::string_view op, const std::string& reason) {
  throw std::invalid_argument(fmt::format("post-op \"{}\": {}", printable(op, 40), reason));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

VktcPostOpKind parse_kind(std::string_view op, std::string_view name) {
  std::string names;
  for (int kind = VKTC_POST_OP_RELU; kind <= VKTC_POST_OP_RESIDUAL; ++kind) {
    const char* known = post_op_name(static_cast<VktcPostOpKind>(kind));
    if (name == known) return static_cast<VktcPostOpKind>(kind);
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  refuse(op, "there is none of that name; there are " + names);
}

float parse_number(std::string_view op, std::string_view text) {
  float value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) {
    refuse(op, fmt::format("\"{}\" is no number of fp32", printable(text, 40)));
  }
  return value;
}

VktcPostOp parse_post_op(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ':');
  VktcPostOp op = {parse_kind(text, parts.front()), 0, 0};
  const auto parameters = static_cast<size_t>(post_op_parameters(op.kind));
  if (parts.size() != parameters + 1) {
    constexpr const char* forms[] = {"", ":alpha", ":alpha:beta"};
    refuse(text, fmt::format("it must read {}{}", parts.front(), forms[parameters]));
  }
  if (parameters > 0) op.alpha = parse_number(text, parts[1]);
  if (parameters > 1) op.beta = parse_number(text, parts[2]);
  return op;
}

}  // namespace

std::vector<VktcPostOp> parse_post_ops(std::string_view text) {
  std::vector<VktcPostOp> chain;
  for (const std::string_view part : split(text, ',')) {
    chain.push_back(parse_post_op(part));
    if (chain.size() > VKTC_MAX_POST_OPS) {
      throw std::invalid_argument(fmt::format("more than {} post-ops", VKTC_MAX_POST_OPS));
    }
  }
  return chain;
}

void set_post_ops(const std::vector<VktcPostOp>& chain, VktcConvTransposeDesc& desc) {
  desc.postOpCount = static_cast<uint32_t>(chain.size());
  std::fill(std::begin(desc.postOps), std::end(desc.postOps), VktcPostOp{});
  std::copy(chain.begin(), chain.end(), desc.postOps);
}

}  // namespace vktconv::support

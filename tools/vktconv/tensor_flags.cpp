#include "tensor_flags.h"

#include <fmt/format.h>

#include <stdexcept>

#include "failure.h"
#include "support/post_ops_text.h"
#include "support/problem_text.h"
#include "text_option.h"

namespace vktconv::cli {
namespace {

template <typename Value>
void set(const char* option, const std::string& text, Value (*parse)(std::string_view), Value& value) {
  if (text.empty()) return;
  try {
    value = parse(text);
  } catch (const std::invalid_argument& error) {
    refuse(fmt::format("{}: {}", option, error.what()));
  }
}

}  // namespace

void TensorFlags::add_to(CLI::App& command) {
  const auto add = [&command](const char* name, std::string& value, const char* type, const char* help) {
    add_text_option(command, name, value, type, "Tensors", help);
  };
  add("--input-layout", input_layout_, "LAYOUT", "channels_first (N,C,spatial...) or channels_last (N,spatial...,C)");
  add("--output-layout", output_layout_, "LAYOUT", "The same for the output");
  add("--post-ops", post_ops_, "OP,...", "What becomes of each sum before it is stored, see below");
  add("--output-type", output_type_, "TYPE",
      "f32 of f16 and bf16 tensors; of i8 i32, f32, f16 or i8; default: that of the input, of i8 i32");
}

void TensorFlags::apply(VktcConvTransposeDesc& desc) const {
  set("--input-layout", input_layout_, support::parse_layout, desc.inputLayout);
  set("--output-layout", output_layout_, support::parse_layout, desc.outputLayout);
  std::vector<VktcPostOp> chain;
  set("--post-ops", post_ops_, support::parse_post_ops, chain);
  if (!post_ops_.empty()) support::set_post_ops(chain, desc);
  set("--output-type", output_type_, support::parse_output_type, desc.outputType);
}

}  // namespace vktconv::cli

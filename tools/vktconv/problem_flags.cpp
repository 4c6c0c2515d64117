#include "problem_flags.h"

#include <fmt/format.h>

#include <optional>
#include <regex>

#include "elements.h"
#include "failure.h"
#include "number_list.h"
#include "support/npy.h"
#include "support/printable.h"
#include "tensor_shapes.h"
#include "text_option.h"

namespace vktconv::cli {
namespace {

using support::NamedProblem;

struct TensorArgument {
  NamedShape shape;
  std::optional<support::NpyType> type;  // of a file
};

// "8,64,32,32" is a shape, everything else a file.
TensorArgument read_tensor_argument(const std::string& option, const std::string& text) {
  if (text.find_first_not_of("0123456789,") == std::string::npos) return {{option, parse_numbers(option, text)}, {}};
  const support::NpyHeader header = support::read_npy_header(text);
  return {{text, header.shape}, header.type};
}

}  // namespace

void ProblemFlags::add_to(CLI::App& command) {
  command.add_option("descriptor", descriptor_, "The problem as a descriptor string, see below")
      ->type_name("DESCRIPTOR");
  const auto add = [&](const char* name, std::string& value, const char* type, const char* help) {
    add_text_option(command, name, value, type, "Problem", help);
  };
  add("--suite", suite_, "FILE", "Problems of a suite, in JSON as in bench/suites");
  add("--match", match_, "REGEX", "Only the problems of the suite whose name contains this");
  add("--input", input_, "SHAPE|FILE", "N,C,spatial... or C,spatial... (see --input-layout), or an .npy file");
  add("--weight", weights_, "SHAPE|FILE", "in_channels,out_channels/groups,kernel..., or an .npy file");
  add("--bias", bias_, "SHAPE|FILE", "out_channels, or an .npy file");
  add("--dtype", data_type_, "TYPE", "f32, f16, bf16, i32 or i8; default: that of the problem, or f32");
  convolution_.add_to(command);
  tensors_.add_to(command);
}

NamedProblem ProblemFlags::problem_from_tensors() const {
  if (input_.empty() || weights_.empty()) {
    refuse("--input and --weight are both needed where no descriptor and no --suite is given");
  }
  const TensorArgument input = read_tensor_argument("--input", input_);
  const TensorArgument weights = read_tensor_argument("--weight", weights_);
  std::optional<TensorArgument> bias;
  if (!bias_.empty()) bias = read_tensor_argument("--bias", bias_);
  DataTypeChoice choice(data_type_);
  for (const TensorArgument* tensor : {&input, &weights}) {
    if (tensor->type) choice.add_file(tensor->shape.name, *tensor->type);
  }
  if (bias && bias->type) choice.add_bias(bias->shape.name, *bias->type);
  if (!choice.has_type()) choice.add_file("--input", support::NpyType::f32);
  std::optional<NamedShape> bias_shape;
  if (bias) bias_shape = bias->shape;
  return {"", make_shaped_problem(input.shape, weights.shape, bias_shape, choice.type(), convolution_, tensors_).desc};
}

std::vector<NamedProblem> ProblemFlags::problems_from_suite() const {
  std::regex pattern;
  try {
    pattern = std::regex(match_, std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    refuse(fmt::format("--match: \"{}\" is no regular expression: {}", support::printable(match_, 80), error.what()));
  }
  std::vector<NamedProblem> problems = support::load_suite(suite_);
  std::erase_if(problems, [&](const NamedProblem& problem) { return !std::regex_search(problem.name, pattern); });
  if (problems.empty()) {
    refuse(fmt::format("--match: no problem of {} has a name that matches \"{}\"", suite_,
                       support::printable(match_, 80)));
  }
  return problems;
}

std::vector<NamedProblem> ProblemFlags::choose() const {
  const bool tensors = !input_.empty() || !weights_.empty() || !bias_.empty();
  const int sources = int{!descriptor_.empty()} + int{!suite_.empty()} + int{tensors};
  if (sources != 1) {
    refuse(sources == 0 ? "a descriptor, --suite, or --input and --weight is needed"
                        : "a descriptor, --suite, and --input with --weight exclude each other");
  }
  if (!match_.empty() && suite_.empty()) refuse("--match needs --suite");
  if (tensors) return {problem_from_tensors()};
  if (convolution_.any_given()) {
    refuse("--stride, --padding and the like belong to --input and --weight; a descriptor or a suite has its own");
  }
  std::vector<NamedProblem> problems =
      suite_.empty() ? std::vector{support::parse_problem(descriptor_)} : problems_from_suite();
  for (NamedProblem& problem : problems) {
    if (!data_type_.empty()) problem.desc.dataType = DataTypeChoice(data_type_).type();
    tensors_.apply(problem.desc);
    int64_t output[VKTC_MAX_SPATIAL_RANK];
    VktcError error = {};
    if (vktcGetOutputSize(&problem.desc, output, &error) != VKTC_SUCCESS) {
      refuse(fmt::format("{}: {}", problem.name.empty() ? descriptor_ : problem.name, error.message));
    }
  }
  return problems;
}

}  // namespace vktconv::cli

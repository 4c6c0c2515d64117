#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <regex>

#include "support/post_ops_text.h"
#include "support/precision_text.h"
#include "support/problem_text.h"
#include "vktconv_build_version.h"

namespace vktconv::bench {

namespace {

constexpr const char* examples =
    "Examples:\n"
    "  vktconv-bench                                        kb1 and decoders on a GPU, a short suite on a CPU device\n"
    "  vktconv-bench --suite kb1 --dtype f32,f16,bf16\n"
    "  vktconv-bench --suite kb1 --match '68|79' --algorithm all\n"
    "  vktconv-bench --suite kb1 --all-algorithms           how good the planner's choices are\n"
    "  vktconv-bench 'mb16_ic32iw131072_oc64kw3sw2pw1dw2'   one problem; bench/README.md lists the fields\n"
    "  vktconv-bench --suite kb1 --dtype f16 --input-layout channels_last --output-layout channels_last\n"
    "  vktconv-bench --suite my.json -o json --out results.json\n"
    "Every output is verified at sampled elements. % floor is the time that the measured ceilings allow over the time\n"
    "taken. Exit codes: 0 all right, 1 a result FAILED, 2 bad arguments or input, 3 no usable device.";

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (uint32_t i = 0; const char* name = vktcGetAlgorithmName(i); ++i) names.emplace_back(name);
  return names;
}

// "" where the text is a regular expression, otherwise what is wrong with it.
std::string check_regex(const std::string& text) {
  try {
    std::regex expression(text);
    return "";
  } catch (const std::regex_error& error) {
    return fmt::format("'{}' is no regular expression: {}", text, error.what());
  }
}

// "" where parse takes the text, otherwise what is wrong with it.
template <auto parse>
std::string check_word(const std::string& text) {
  try {
    parse(text);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string check_algorithm(const std::string& text) {
  const std::vector<std::string> names = algorithm_names();
  if (text == "all" || std::find(names.begin(), names.end(), text) != names.end()) return "";
  return fmt::format("there is no algorithm '{}'; there are {} and all", text, fmt::join(names, ", "));
}

}  // namespace

bool parse_options(int argc, const char* const* argv, Options& options, int& exit_code) {
  CLI::App app("Times transposed convolutions on a Vulkan device and verifies what was timed.", "vktconv-bench");
  app.footer(examples);
  app.set_version_flag("--version", fmt::format("vktconv-bench {} ({})", VKTCONV_BUILD_VERSION, VKTCONV_BUILD_COMMIT));

  std::vector<std::string> data_types, algorithms;
  std::string input_layout, output_layout, output_type, post_ops;
  bool all_algorithms = false;
  MeasurementOptions& measurement = options.measurement;
  const std::map<std::string, Format> formats = {
      {"table", Format::table}, {"csv", Format::csv}, {"json", Format::json}};
  const std::map<std::string, VktcMemoryAccess> accesses = {{"auto", VKTC_MEMORY_ACCESS_AUTO},
                                                            {"descriptors", VKTC_MEMORY_ACCESS_DESCRIPTORS},
                                                            {"address", VKTC_MEMORY_ACCESS_DEVICE_ADDRESS}};

  const std::map<std::string, VktcPrecision> precisions(std::begin(support::precisions), std::end(support::precisions));

  app.add_option("problems", options.problems, "Problems as descriptor strings");
  app.add_option("--suite", options.suites, "Suites: files, or kb1, decoders, small, cpu")->type_name("FILE|NAME");
  app.add_option("--match", options.match, "Only problems whose name this regular expression finds")
      ->check(CLI::Validator(check_regex, ""))
      ->type_name("REGEX");
  app.add_option("--dtype", data_types, "Data types: f32, f16, bf16, i32, i8; default: as the problem says, else f32")
      ->delimiter(',')
      ->check(CLI::Validator(check_word<support::parse_data_type>, ""))
      ->type_name("TYPE,...");
  app.add_option("--input-layout", input_layout, "channels_first or channels_last; default: as the problem says")
      ->check(CLI::Validator(check_word<support::parse_layout>, ""))
      ->type_name("LAYOUT");
  app.add_option("--output-layout", output_layout, "The same for the output")
      ->check(CLI::Validator(check_word<support::parse_layout>, ""))
      ->type_name("LAYOUT");
  app.add_option("--output-type", output_type,
                 "f32 of f16 and bf16; of i8 i32, f32, f16 or i8; default: as the problem says")
      ->check(CLI::Validator(check_word<support::parse_output_type>, ""))
      ->type_name("TYPE");
  app.add_option("--post-ops", post_ops, "Post-ops, for example relu or scale_shift,residual,relu; see bench/README.md")
      ->check(CLI::Validator(check_word<support::parse_post_ops>, ""))
      ->type_name("OP,...");
  app.add_option("--device", options.device, "Index or part of the name; default: the best")->type_name("N|NAME");
  app.add_option("--algorithm", algorithms, "Algorithms, or all; default: the planner's choice")
      ->delimiter(',')
      ->check(CLI::Validator(check_algorithm, ""))
      ->type_name("NAME,...|all");
  const CLI::Option* candidates =
      app.add_option(
             "--candidates", options.candidates,
             "Measure this many of the planner's candidates (algorithm and tile), best predicted first; default: 1")
          ->type_name("N")
          ->check(CLI::Range(1u, 100000u));
  app.add_option("--choice", options.choices,
                 "Measure exactly this candidate, as the column choice names it; may be given several times")
      ->allow_extra_args(false)
      ->excludes("--algorithm")
      ->excludes("--candidates")
      ->type_name("TEXT");
  app.add_flag("--all-algorithms", all_algorithms,
               "The planner's choice against the best: the same as --algorithm all --candidates 8")
      ->excludes("--choice");
  app.add_option("--repeats", measurement.repeats, "Timed repetitions; default: at least 10")
      ->check(CLI::Range(1u, 100000u));
  app.add_option("--min-time", measurement.min_time_seconds, "Repeat until this much time is measured; default: 0.2")
      ->check(CLI::Range(0.0, 600.0))
      ->type_name("SECONDS");
  app.add_option("--max-gflop", measurement.max_gflop, "Skip larger problems, for slow devices")
      ->check(CLI::PositiveNumber)
      ->type_name("GFLOP");
  app.add_option("--samples", measurement.samples, "Outputs to verify; default: 2000")
      ->check(CLI::Range(int64_t{1}, int64_t{10000000}))
      ->type_name("N");
  app.add_option("--memory-access", measurement.memory_access, "How shaders reach buffers: auto, descriptors, address")
      ->transform(CLI::CheckedTransformer(accesses).description(""));
  app.add_option("--precision", measurement.precision, "What may become of fp32 elements: fp32, fp32_fma or relaxed")
      ->transform(CLI::CheckedTransformer(precisions).description(""));
  app.add_flag("--registers", options.registers, "Show what the driver's compiler says: registers, spills, memory");
  app.add_flag("--validation", options.validation,
               "Run under the Khronos validation layer; its messages are a failure");
  app.add_option("-o", options.format, "Format: table, csv, json; default: table")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("FORMAT");
  app.add_option("--out", options.out, "Write the results to this file (and the table to stdout)")->type_name("FILE");
  app.add_flag("--list", options.list, "List the problems instead of running them");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    if (asked) {
      app.exit(error);
    } else {
      fmt::print(stderr, "vktconv-bench: {}\nTry vktconv-bench --help.\n", error.what());
    }
    exit_code = asked ? exit_success : exit_bad_arguments;
    return false;
  }
  for (const std::string& name : data_types) options.data_types.push_back(support::parse_data_type(name));
  if (!input_layout.empty()) options.input_layout = support::parse_layout(input_layout);
  if (!output_layout.empty()) options.output_layout = support::parse_layout(output_layout);
  if (!post_ops.empty()) options.post_ops = support::parse_post_ops(post_ops);
  if (!output_type.empty()) options.output_type = support::parse_output_type(output_type);
  if (all_algorithms || std::find(algorithms.begin(), algorithms.end(), "all") != algorithms.end()) {
    algorithms = algorithm_names();
  }
  constexpr unsigned candidates_of_each_algorithm = 8;
  if (all_algorithms && candidates->empty()) options.candidates = candidates_of_each_algorithm;
  options.algorithms = algorithms.empty() ? std::vector<std::string>{""} : algorithms;
  return true;
}

}  // namespace vktconv::bench

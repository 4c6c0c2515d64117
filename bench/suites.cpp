#include "suites.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <stdexcept>

#include "support/post_ops_text.h"
#include "workload.h"

namespace vktconv::bench {

namespace {

// Where the suites may lie: in the source tree of this build, or, where a build tree was moved, as it lies in a
// checkout or an installation from the program.
std::vector<std::filesystem::path> suite_folders() {
  std::vector<std::filesystem::path> folders = {VKTCONV_BENCH_SUITE_DIR};
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    folders.push_back(program.parent_path().parent_path().parent_path() / "bench" / "suites");
  }
  return folders;
}

std::vector<support::NamedProblem> in_each_type(const std::vector<support::NamedProblem>& problems,
                                                const std::vector<VktcDataType>& types) {
  std::vector<support::NamedProblem> typed;
  for (VktcDataType type : types) {
    for (support::NamedProblem problem : problems) {
      problem.desc.dataType = type;
      typed.push_back(problem);
    }
  }
  return typed;
}

}  // namespace

const std::vector<std::string>& suite_names() {
  static const std::vector<std::string> names = {"kb1", "decoders", "small", "cpu"};
  return names;
}

std::filesystem::path find_suite(const std::string& name_or_path) {
  const std::vector<std::string>& names = suite_names();
  if (std::find(names.begin(), names.end(), name_or_path) != names.end()) {
    const std::vector<std::filesystem::path> folders = suite_folders();
    for (const std::filesystem::path& folder : folders) {
      std::filesystem::path file = folder / (name_or_path + ".json");
      std::error_code error;
      if (std::filesystem::is_regular_file(file, error)) return file;
    }
    std::string looked;
    for (const std::filesystem::path& folder : folders) looked += (looked.empty() ? "" : ", ") + folder.string();
    throw std::invalid_argument(
        fmt::format("--suite {}: there is no {}.json in {}", name_or_path, name_or_path, looked));
  }
  std::error_code error;
  if (std::filesystem::is_regular_file(name_or_path, error)) return name_or_path;
  throw std::invalid_argument(
      fmt::format("--suite {}: neither a file nor one of the suites {}", name_or_path, fmt::join(names, ", ")));
}

std::vector<support::NamedProblem> select_problems(const Options& options,
                                                   const std::vector<std::string>& default_suites) {
  std::vector<support::NamedProblem> problems;
  for (const std::string& text : options.problems) problems.push_back(support::parse_problem(text));
  const bool use_default = options.problems.empty() && options.suites.empty();
  for (const std::string& suite : use_default ? default_suites : options.suites) {
    const std::vector<support::NamedProblem> loaded = support::load_suite(find_suite(suite));
    problems.insert(problems.end(), loaded.begin(), loaded.end());
  }
  if (!options.match.empty()) {
    const std::regex expression(options.match);
    std::erase_if(problems, [&](const support::NamedProblem& problem) {
      return !std::regex_search(display_name(problem), expression);
    });
    if (problems.empty())
      throw std::invalid_argument(fmt::format("--match {}: no problem has such a name", options.match));
  }
  if (!options.data_types.empty()) problems = in_each_type(problems, options.data_types);
  for (support::NamedProblem& problem : problems) {
    problem.desc.inputLayout = options.input_layout.value_or(problem.desc.inputLayout);
    problem.desc.outputLayout = options.output_layout.value_or(problem.desc.outputLayout);
    problem.desc.outputType = options.output_type.value_or(problem.desc.outputType);
    if (options.post_ops.has_value()) support::set_post_ops(*options.post_ops, problem.desc);
    int64_t output[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    if (vktcGetOutputSize(&problem.desc, output, &error) != VKTC_SUCCESS) {
      throw std::invalid_argument(fmt::format("problem {}: {}", display_name(problem), error.message));
    }
  }
  return problems;
}

std::string display_name(const support::NamedProblem& problem) {
  return problem.name.empty() ? support::format_problem(problem) : problem.name;
}

std::string list_text(const std::vector<support::NamedProblem>& problems) {
  size_t width = 7;
  for (const support::NamedProblem& problem : problems) width = std::max(width, display_name(problem).size());
  std::string text =
      fmt::format("{:<{}}  {:<5} {:>10} {:>10}  {}\n", "problem", width, "type", "GFLOP", "MB", "descriptor");
  for (const support::NamedProblem& problem : problems) {
    const Workload work = workload(problem.desc);
    text += fmt::format("{:<{}}  {:<5} {:>10.4g} {:>10.4g}  {}\n", display_name(problem), width,
                        support::data_type_name(problem.desc.dataType), work.flop * 1e-9, work.bytes * 1e-6,
                        support::format_problem(problem));
  }
  return text;
}

}  // namespace vktconv::bench

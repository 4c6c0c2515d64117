// Which problems to run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "options.h"
#include "support/problem_text.h"

namespace vktconv::bench {

// The suites of bench/suites by name.
const std::vector<std::string>& suite_names();

// The file of a suite that is given by name or by path. Throws std::invalid_argument that says where it was looked for.
std::filesystem::path find_suite(const std::string& name_or_path);

// The problems of options, in order: descriptors, then suites; those of default_suites where options names none. Each
// is repeated for each of the data types. Throws std::invalid_argument that says what is wrong where.
std::vector<support::NamedProblem> select_problems(const Options& options,
                                                   const std::vector<std::string>& default_suites);

// One line for each problem: name, type, GFLOP, megabytes, descriptor.
std::string list_text(const std::vector<support::NamedProblem>& problems);

// The name, or the descriptor of a problem that has none.
std::string display_name(const support::NamedProblem& problem);

}  // namespace vktconv::bench

// libFuzzer on descriptors and suites. Build with clang and -DVKTCONV_FUZZERS=ON, then bin/fuzz_problem_text [FOLDER].
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/problem_text.h"

namespace {

using namespace vktconv::support;

// What was let through has a text, and that text means the same.
void check(const NamedProblem& problem) {
  const std::string text = format_problem(problem);
  if (format_problem(parse_problem(text)) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check(parse_problem(text));
  } catch (const std::invalid_argument&) {
  }
  try {
    for (const NamedProblem& problem : parse_suite(text, "input")) check(problem);
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

// vktconv-tests: doctest's own options, and
//   --problem TEXT ...   repeats one check (the line that a failing test prints)
//   --compile-only       creates every plan of the cases and of the sweep on the device, and submits nothing
//   --modelled-times SUITE...  what the planner predicts for an RTX 4090
//   --planted-hazard     succeeds if the validation layer reports a race that is there on purpose
// Environment: VKTCONV_TEST_DEVICE (index or part of a name), VKTCONV_TEST_VALIDATION (required, off; else where
// found).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "gpu_fixture.h"
#include "modelled_times.h"
#include "modes.h"

namespace {

int run(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--problem" || argument.starts_with("--problem=")) return vktconv::tests::repeat_check(argc, argv);
    if (argument == "--compile-only") return vktconv::tests::compile_every_plan(argc, argv);
    if (argument == "--modelled-times") return vktconv::tests::print_modelled_times(argc, argv);
    if (argument == "--planted-hazard") return vktconv::tests::detect_planted_hazard();
  }
  return doctest::Context(argc, argv).run();
}

}  // namespace

int main(int argc, char** argv) {
  int status = 1;
  try {
    status = run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vktconv-tests: %s\n", error.what());
  }
  // Before static destruction: the validation layer does not outlive that.
  const std::string messages = vktconv::tests::release_test_devices();
  if (messages.empty()) return status;
  std::fprintf(stderr, "validation, after the tests: %s\n", messages.c_str());
  return 1;
}

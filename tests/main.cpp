// vktconv-tests: doctest's own options, and
//   --problem TEXT ...   repeats one check (the line that a failing test prints)
//   --compile-only       creates every plan of the cases and of the sweep on the device, and submits nothing
//   --planted-hazard     succeeds if the validation layer reports a race that is there on purpose
// Environment: VKTCONV_TEST_DEVICE (index or part of a name), VKTCONV_TEST_VALIDATION (required, off; else where found).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "gpu_fixture.h"
#include "modes.h"

int main(int argc, char** argv) {
  try {
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--problem" || argument.starts_with("--problem=")) return vktconv::tests::repeat_check(argc, argv);
      if (argument == "--compile-only") return vktconv::tests::compile_every_plan(argc, argv);
      if (argument == "--planted-hazard") return vktconv::tests::detect_planted_hazard();
    }
    const int status = doctest::Context(argc, argv).run();
    const std::string messages = vktconv::tests::release_test_devices();
    if (!messages.empty()) std::fprintf(stderr, "validation, after the tests: %s\n", messages.c_str());
    return messages.empty() ? status : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vktconv-tests: %s\n", error.what());
    return 1;
  }
}

// What the test program does instead of running doctest's test cases. Each returns the exit status.
#pragma once

namespace vktconv::tests {

// Status of ctest's SKIP_RETURN_CODE: what the entry needs is not on this machine.
constexpr int skipped = 77;

int repeat_check(int argc, char** argv);
int compile_every_plan(int argc, char** argv);
int detect_planted_hazard();

}  // namespace vktconv::tests

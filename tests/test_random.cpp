// The seeded sweep: random problems of every rank, type and parameter, by the planner's choice and by name.
// VKTCONV_SWEEP_FIRST and VKTCONV_SWEEP_COUNT cut it into shards; without them one run does it all.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "random_problem.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("sweep");

namespace {

uint64_t number_from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("Random problems") {
  const uint64_t first = number_from_environment("VKTCONV_SWEEP_FIRST", 0);
  const uint64_t count = number_from_environment("VKTCONV_SWEEP_COUNT", sweep_size);
  const std::vector<std::string> algorithms = algorithm_names();
  int passed = 0;
  for (uint64_t i = first; i < first + count; ++i) {
    INFO(i);
    const VktcConvTransposeDesc desc = random_problem(i);
    const Question question(desc, i % 2 ? reference::Fill::random : reference::Fill::exact, i);
    // Every fifth problem of small elements without 16-bit storage.
    const bool small = element_size(desc.dataType) < 4;
    TestDevice& device = small && i % 10 < 2 ? test_device({"storageBuffer16BitAccess"}) : test_device();
    const Access access = all_accesses[i / 2 % 3];
    const Outcome chosen = check(device, question, {.access = access});
    CHECK_MESSAGE(chosen.kind != Outcome::failed, chosen.text);
    passed += chosen.kind == Outcome::passed;
    // Each algorithm by its name on an eighth of the problems, so that the suite ends in a quarter of an hour; every
    // case with every algorithm is in test_correctness.cpp.
    for (size_t a = 0; a < algorithms.size(); ++a) {
      if ((i / 4 + a) % 8 != 0) continue;
      const Outcome outcome = check(device, question, {.algorithm = algorithms[a], .access = access});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
    }
  }
  MESSAGE(passed << " of " << count << " problems");
  // Where the device has descriptors alone, a third is done without addresses.
  CHECK(passed * 3 >= static_cast<int>(count));
}

TEST_SUITE_END();

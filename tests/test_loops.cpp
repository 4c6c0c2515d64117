// Long loops in shaders. Mesa 22.3's lavapipe ends every loop after 65,535 iterations, nested ones together.
#include <doctest/doctest.h>

#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("loops");

TEST_CASE("The driver counts to a million") { test_device().require_sound_loops(); }

TEST_CASE("Sums of 70,000 and more products, along taps, channels and both") {
  const struct { int64_t channels, taps; } rows[] = {{1, 70001}, {70001, 1}, {271, 260}, {3, 25000}};
  for (const auto& row : rows) {
    VktcConvTransposeDesc desc = vktcDefaultDesc(1);
    desc.inChannels = row.channels;
    desc.outChannels = 2;
    desc.inputSize[0] = row.taps;
    desc.kernelSize[0] = row.taps;
    desc.paddingBegin[0] = desc.paddingEnd[0] = row.taps - 1;  // one output, all taps
    for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_I32}) {
      const Question question(with_type(desc, type), reference::Fill::exact, 4);
      REQUIRE(question.expected.size() == 2);
      REQUIRE(question.expected[0].terms == row.channels * row.taps);
      for (const std::string& algorithm : algorithm_names()) {
        const Outcome outcome = check(test_device(), question, {.algorithm = algorithm, .access = Access::bindings});
        CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
        if (algorithm == "gather") CHECK(outcome.kind == Outcome::passed);
      }
    }
  }
}

TEST_SUITE_END();

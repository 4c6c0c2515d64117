// Geometry that Winograd's way along the width treats apart.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <iterator>

#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("winograd");

TEST_CASE("Tiles of all kinds, on wide, tall, dilated and strided kernels") {
  const char* problems[] = {
      "mb2ic16ih6iw23oc12kh3kw7ph1pw3bias",                                         // two groups of taps
      "ic24iw70oc5kw19pw-2po\"linear:0.5:1,relu\"",                                 // four, beyond the input
      "mb2ic24iw61oc20kw5dw3pw2",                                                   // rows of three interleaved parts
      "ic16ih13iw18oc9kh11kw3ph4pw1",                                               // two steps over the height
      "ic16ih9iw20oc8kh3kw5dh2",                                                    // rows that share no inputs
      "g2ic32ih7iw15oc26kh5kw9sh2sw3dh3ph2pw4biaspo\"scale_shift,residual,silu\"",  // phases of unequal length
      "mb3ic48id5ih6iw9oc8kd2kh3kw4pd1ph2pw3ed0eh1ew2biaspo\"residual,scale_shift\"",  // all in one workgroup
      "ic33iw50oc8kw6opw5sw7dw7",                                                      // phases without taps
      "ic40iw9oc8kw5dw3",                                                              // taps past all inputs
  };
  constexpr VktcDataType types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16};
  int passed = 0;
  constexpr uint32_t samples = 3;  // of the candidates of a problem
  size_t at = 0;
  for (const char* problem : problems) {
    const VktcConvTransposeDesc desc = support::parse_problem(problem).desc;
    const Outcome planned = check_compilation(test_device().device().context(), desc, {"winograd"});
    REQUIRE_MESSAGE(planned.kind == Outcome::passed, planned.text);
    for (uint32_t sample = 0; sample < std::min(samples, planned.candidate_count); ++sample, ++at) {
      VktcConvTransposeDesc typed = with_type(desc, types[at / 2 % std::size(types)]);
      if (typed.dataType != VKTC_DATA_TYPE_F32 && at % 2 == 0) typed.outputType = VKTC_OUTPUT_TYPE_F32;
      const Question question(typed, reference::Fill::random, at);
      const uint32_t candidate = sample * planned.candidate_count / samples;
      const Outcome outcome =
          check(test_device(), question, {"winograd", candidate, all_accesses[at % std::size(all_accesses)]});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      passed += outcome.kind == Outcome::passed;
    }
  }
  CHECK(passed >= static_cast<int>(std::size(problems)));  // not every device has addresses and push descriptors
}

TEST_SUITE_END();

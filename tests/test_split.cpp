// Parts of the in-channels (src/algorithms/split.cpp): which sums belong together, and what becomes of them.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "algorithms/algorithm.h"
#include "check.h"
#include "plan_rules.h"
#include "planner.h"
#include "shape.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("split");

TEST_CASE("Groups, layouts, types and post-ops, whoever convolves the parts") {
  const char* problems[] = {
      "ic32iw19_oc5kw4sw2pw1_bias",
      "mb3ic64ih4iw5_oc7kh3kw3_po\"scale_shift,residual,silu\"",
      "g2mb2ic64ih5iw6_oc12kh3kw4sh2sw2ph1pw1_bias_po\"residual,scale_shift\"",
      "g3ic96iw21_oc9kw5sw3_bias",
      "mb2ic48id3ih4iw5_oc6kd2kh3kw2sd2sh1sw2_bias",
      "ilast_olast_mb2ic64ih5iw6_oc10kh2kw3sh2sw2_bias_po\"scale_shift\"",
      "ilast_olast_g2mb3ic64iw11_oc8kw3sw2_po\"residual\"",
      "olast_ic32ih6iw7_oc9kh3kw3dh2dw2_bias",
      "ilast_mb2ic80ih3iw4_oc16kh4kw4sh4sw4",
  };
  constexpr VktcDataType types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16};
  int applied = 0, passed = 0;
  size_t at = 0;
  for (const char* problem : problems) {
    for (const VktcDataType type : types) {
      VktcConvTransposeDesc desc = with_type(support::parse_problem(problem).desc, type);
      if (type != VKTC_DATA_TYPE_F32 && at % 2 == 0) desc.outputType = VKTC_OUTPUT_TYPE_F32;
      const Outcome planned = check_compilation(test_device().device().context(), desc, {"split"});
      REQUIRE_MESSAGE(planned.kind == Outcome::passed, planned.text);
      const Question question(desc, reference::Fill::random, at);
      for (uint32_t turn = 0; turn < 2; ++turn, ++at) {
        const auto candidate = static_cast<uint32_t>((at * 7919) % planned.candidate_count);
        const Outcome outcome =
            check(test_device(), question, {"split", candidate, all_accesses[at % std::size(all_accesses)]});
        CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
        ++applied;
        passed += outcome.kind == Outcome::passed;
      }
    }
  }
  CHECK(2 * passed >= applied);  // not every device has addresses and push descriptors
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("planner");

TEST_CASE("In-channels are split where that fills the device, and only evenly") {
  Problem problem;
  VktcError error = {};
  Plan plan;
  const auto plan_text = [&](const char* text, const char* algorithm) {
    REQUIRE(make_problem(support::parse_problem(text).desc, problem, error));
    return make_plan(problem, ada_caps(), {algorithm}, plan, error);
  };
  REQUIRE(plan_text("ic512iw32_oc256kw16sw8pw4", ""));
  CHECK(plan.algorithm == "split");
  CHECK(plan.run.back().shader.starts_with("sum_parts"));
  CHECK(plan.workspace_bytes >= 2u * 256 * 256 * 4);
  REQUIRE(plan_text("mb8ic512iw4096_oc256kw16sw8pw4", ""));
  CHECK(plan.algorithm != "split");
  CHECK(!plan_text("ic31iw32_oc256kw16sw8pw4", "split"));  // odd
  CHECK(std::string(error.message).find("16") != std::string::npos);
  CHECK(!plan_text("ic16iw32_oc256kw16sw8pw4", "split"));               // too few
  CHECK(!plan_text("ic256ih67108863iw67108863_oc256kh1kw1", "split"));  // too large, even to count the bytes
  CHECK(!plan_text("dti8_ic512iw32_oc256kw16sw8pw4", "split"));
}

TEST_SUITE_END();

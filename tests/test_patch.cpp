// What patches of cells treat apart: phases without taps, patches cut at every border, windows of inputs, the ways in
// and out.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "algorithms/patch_tile.h"
#include "check.h"
#include "plan_rules.h"
#include "planner.h"
#include "shape.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("patch");

TEST_CASE("Tiles of all kinds, on cells that are cut, empty and far apart") {
  const char* problems[] = {
      // Strides 1 to 8 along the width, kernels from less than a stride to more than two.
      "mb2ic3ih7iw9oc4kh3kw5ph1pw2bias",
      "mb2ic5ih9iw16oc3kh4sh2ph1",                // rows of whole vectors
      "ic4ih5iw11oc5kh3kw8sh1sw3ph0pw4oph0opw2",  // and 2 taps a phase
      "ic3ih6iw8oc2kh9kw9sh4sw4ph4pw4oph3opw3bias",
      "mb2ic6iw37oc7kw3sw5pw1bias",      // phases without taps
      "ic2ih3iw7oc1kh5kw6sh2sw6ph2pw5",  // one out-channel
      "g3ic6iw25oc9kw15sw7pw3",
      "g5mb2ic5ih4iw6oc5kh16sh8ph4bias",  // depthwise
      // Dilation that shares a factor with the stride: height without taps in half of its rows.
      "g2mb2ic6ih6iw7oc16kh3kw5sh2sw3ph1pw2dh2dw1bias",
      "ic3ih5iw9oc6kh2kw3sh4sw6dh2dw4ph0pw3bias",
      "ic4iw9oc5kw3sw8dw8bias",                  // all phases but one are empty
      "ic4ih2iw30oc3kh2kw4sh2sw1dh11dw9ph0pw5",  // taps farther apart than the inputs between them
      // All borders: negative and uneven padding, output far past the last input, output smaller than a stride.
      "mb2ic4ih7iw8oc6kh3kw4sh2sw3ph-2pw-1eh3ew-4bias",
      "ic4iw20oc3kw3sw2pw17ew18",
      "ic2ih3iw3oc3kh2kw2sh16sw4oph15opw3bias",
      "ic4ih1iw1oc3kh2kw3sh7sw5ph0pw1",
      // Depth.
      "g2ic6id3ih4iw5oc8kd3kh5kw7sd2sh2sw2pd1ph2pw3opd1oph1opw1bias",
      "mb2ic3id4ih3iw6oc2kd2kh3kw3sd3sh1sw2dd3pd1",
      // Layouts and post-ops; vectors of a row, of pixels, and of neither.
      "mb2ic5ih4iw9oc3kh4kw4sh2sw2ph1pw1ilast_olast_bias",
      "ic4ih5iw8oc8kh3sh2ph1oph1olast_po\"scale_shift,residual,silu\"",
      "g3ic6ih4iw7oc24kh2kw3sh1sw2ilast_olast_bias_po\"scale_shift,relu\"",
      "mb2ic3ih4iw8oc4kh4sh2ph1ilast_bias_po\"residual,scale_shift,clamp:-9:9\"",
  };
  constexpr VktcDataType types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16};
  constexpr uint32_t samples = 6;  // of the candidates of a problem
  int passed = 0;
  size_t at = 0;
  for (const char* problem : problems) {
    const VktcConvTransposeDesc desc = support::parse_problem(problem).desc;
    const Outcome planned = check_compilation(test_device().device().context(), desc, {"patch"});
    REQUIRE_MESSAGE(planned.kind == Outcome::passed, planned.text);
    for (uint32_t sample = 0; sample < std::min(samples, planned.candidate_count); ++sample, ++at) {
      VktcConvTransposeDesc typed = with_type(desc, types[at % std::size(types)]);
      if (typed.dataType != VKTC_DATA_TYPE_F32 && at % 2 == 0) typed.outputType = VKTC_OUTPUT_TYPE_F32;
      const bool integers = desc.postOpCount == 0 && at % 3 != 0;
      const Question question(typed, integers ? reference::Fill::exact : reference::Fill::random, at);
      const auto turn = static_cast<uint32_t>(at);
      const uint32_t candidate = (sample * planned.candidate_count / samples + turn) % planned.candidate_count;
      const Access access = all_accesses[at / 2 % std::size(all_accesses)];
      const Outcome outcome = check(test_device(), question, {"patch", candidate, access});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      passed += outcome.kind == Outcome::passed;
    }
  }
  CHECK(passed >= 2 * static_cast<int>(std::size(problems)));  // not every device has addresses and push descriptors
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("planner");

TEST_CASE("Patches are for few out-channels of a group, and say why not for others") {
  const struct {
    const char* problem;
    VktcDataType type;
    const char* words;
  } refused[] = {
      {"ic8iw100oc8kw3", VKTC_DATA_TYPE_I32, "floating-point"},
      {"g2ic8iw100oc66kw3", VKTC_DATA_TYPE_F32, "a group has 33 out-channels: it is for 32 and fewer"},
      {"ic8iw100oc8kw3sw200", VKTC_DATA_TYPE_F32, "not even the smallest patch fits"},
      {"ic8iw1000oc8kw200", VKTC_DATA_TYPE_F16, "not even the smallest patch fits"},
  };
  Problem problem;
  VktcError error = {};
  Plan plan;
  for (const auto& row : refused) {
    CAPTURE(row.problem);
    REQUIRE(make_problem(with_type(support::parse_problem(row.problem).desc, row.type), problem, error));
    CHECK_FALSE(make_plan(problem, ada_caps(), {"patch"}, plan, error));
    CAPTURE(error.message);
    CHECK(std::string(error.message).find(row.words) != std::string::npos);
  }
  // Whatever the stride and the number of out-channels are, up to there.
  for (int stride = 1; stride <= 8; ++stride) {
    for (int channels = 1; channels <= 32; ++channels) {
      const std::string text = "ic8ih20iw30oc" + std::to_string(channels) + "kh5sh" + std::to_string(stride);
      CAPTURE(text);
      REQUIRE(make_problem(support::parse_problem(text).desc, problem, error));
      for (const DeviceCaps& caps : {ada_caps(), phone_caps(), lavapipe_caps()}) {
        REQUIRE(make_plan(problem, caps, {"patch"}, plan, error));
        CHECK(broken_rule(problem, caps, plan) == "");
      }
    }
  }
}

TEST_CASE("Patches store sixteen bytes together where rows, or a pixel's channels, allow it") {
  const auto vector = [](const char* text, uint32_t channels, uint32_t in_order = 1) {
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(support::parse_problem(text).desc, problem, error));
    Tile tile;
    tile.values = {channels, 1, 1, 2, 128, 8, 0, in_order};
    return patch::output_vector(problem, ada_caps(), tile);
  };
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1", 3) == 4);     // rows of 32 follow each other
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1", 3, 0) == 1);  // not put in order
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1dtf16", 3) == 8);
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1dtf16_otf32", 3) == 4);
  CHECK(vector("ic8ih9iw17oc3kh4sh2ph1", 3) == 1);           // rows of 34
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1oph1olast", 3) == 1);  // rows of 33 pixels, three channels each
  CHECK(vector("ic8ih9iw16oc3kh4sh2ph1olast", 3) == 4);      // of 32
  CHECK(vector("ic8ih9iw16oc8kh4sh2ph1oph1olast", 4) == 4);  // half of each pixel's channels
  CHECK(vector("ic8ih9iw16oc6kh4sh2ph1oph1olast", 4) == 1);  // a pixel's six: some of a block are none
}

TEST_SUITE_END();

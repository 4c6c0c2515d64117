// Tensors that matrix_window.comp reads and stores in different ways: layouts, widths and numbers of channels.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("matrix_window");

TEST_CASE("Every layout, with channels in whole vectors and not, in strips, slabs and phases") {
  const char* problems[] = {
      "mb2ic24ih9iw11_oc40kh3kw4sh2bias",                             // whole vectors, a tail of the block
      "mb2ic17ih9iw9_oc9kh3kw3sh1sw3",                                // no vectors, phases of one tap
      "g3ic36ih7iw10_oc30kh3kw3ph1pw1bias",                           // groups of 12 and 10: no vectors
      "g2ic32id4ih5iw6_oc48kd2kh3kw2sd2sh2sw2",                       // vectors in groups, three axes
      "ic16ih4iw70_oc16kh3kw5ph1pw2po\"silu,scale_shift,residual\"",  // rows longer than a strip
      "mb3ic8iw5_oc8kw7pw3sw4bias",                                   // phases without taps for some outputs
      "ic20ih6iw8_oc12kh3kw3dh2dw3ph-1pw-1po\"residual,relu\"",       // dilation, negative padding
      "mb2ic16ih1iw1_oc24kh4kw4sh4sw4",                               // images of one pixel
  };
  constexpr VktcLayout layouts[] = {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST};
  int applied = 0, passed = 0;
  size_t at = 0;
  for (size_t number = 0; number < std::size(problems); ++number) {
    const char* problem = problems[number];
    // fp32 is prepared whatever its layout: half of the problems have one of the four, for a CPU's compiler takes its
    // time.
    for (int variant = 0; variant < (number % 2 == 0 ? 4 : 5); ++variant) {
      const VktcDataType type = variant < 4 ? VKTC_DATA_TYPE_F16 : VKTC_DATA_TYPE_F32;
      VktcConvTransposeDesc desc = with_type(support::parse_problem(problem).desc, type);
      const size_t pair = variant < 4 ? static_cast<size_t>(variant) : number / 2 % 4;
      desc.inputLayout = layouts[pair % 2];
      desc.outputLayout = layouts[pair / 2];
      desc.outputType = type == VKTC_DATA_TYPE_F16 && at % 3 == 0 ? VKTC_OUTPUT_TYPE_F32 : VKTC_OUTPUT_TYPE_DEFAULT;
      const Outcome planned = check_compilation(test_device().device().context(), desc, {"matrix_window"});
      REQUIRE_MESSAGE(planned.kind != Outcome::failed, planned.text);
      if (planned.kind != Outcome::passed) continue;  // a device without matrix units
      ++applied;
      const Question question(desc, reference::Fill::random, at);
      const auto candidate = static_cast<uint32_t>((at * 7919) % planned.candidate_count);
      const Outcome outcome =
          check(test_device(), question, {"matrix_window", candidate, all_accesses[at % std::size(all_accesses)]});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      passed += outcome.kind == Outcome::passed;
      ++at;
    }
  }
  CHECK(2 * passed >= applied);  // not every device has addresses and push descriptors
}

TEST_CASE("Phases of one row or slice, of outputs that have more") {
  // Rows of the other phases begin elsewhere in a vector, or a tile's end lies within one.
  for (const char* problem : {"ic64ih1iw7_oc64kh4kw4sh2sw2ph1pw1", "ic16ih1iw5_oc8kh8kw3sh8sw2ph0pw0",
                              "ic16id1ih5iw11_oc8kd2kh2kw2sd2sh1sw1"}) {
    const VktcConvTransposeDesc desc = with_type(support::parse_problem(problem).desc, VKTC_DATA_TYPE_F16);
    const Outcome planned = check_compilation(test_device().device().context(), desc, {"matrix_window"});
    REQUIRE_MESSAGE(planned.kind != Outcome::failed, planned.text);
    if (planned.kind != Outcome::passed) continue;  // a device without matrix units
    for (uint32_t candidate = 0; candidate < std::min(planned.candidate_count, 4u); ++candidate) {
      const Outcome outcome =
          check(test_device(), Question(desc, reference::Fill::random, candidate), {"matrix_window", candidate});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
    }
  }
}

TEST_SUITE_END();

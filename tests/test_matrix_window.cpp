// Tensors that matrix_window.comp reads and stores in different ways: layouts, widths and numbers of channels.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "check.h"
#include "context.h"

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
    // fp32 is split whatever its layout: half of the problems have one of the four, for a CPU's compiler takes its
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

TEST_CASE("Channels-last outputs are right where invocations hold other sums than expected") {
  for (const uint32_t row_lanes : {0u, 2u}) {
    TestDevice device;
    device.device().context()->device.caps.matrix_row_lanes = row_lanes;
    for (const char* problem : {"dtf16_olast_mb2ic24ih5iw9_oc40kh3kw4sh2bias", "dtbf16_olast_ic16ih4iw7_oc9kh3kw3ph1",
                                "dtf32_olast_ic32iw20_oc24kw3sw2bias"}) {
      const VktcConvTransposeDesc desc = support::parse_problem(problem).desc;
      const Outcome outcome = check(device, Question(desc, reference::Fill::random, row_lanes), {"matrix_window"});
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);  // a device without matrix units refuses
    }
  }
}

TEST_CASE("fp32 that is split by the kernel: every layout, whole vectors of channels and not") {
  size_t at = 0;
  for (const char* problem :
       {"g2ic48ih4iw9_oc16kh3kw3sh1sw2bias", "ic21iw30_oc8kw5", "mb2ic40ih3iw6_oc12kh2kw2sh2sw2"}) {
    for (const VktcLayout input : {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST}) {
      VktcConvTransposeDesc desc = support::parse_problem(problem).desc;
      desc.inputLayout = input;
      Way way = {.access = all_accesses[at++ % std::size(all_accesses)]};
      way.choice = find_choice(test_device().device().context(), desc, "matrix_window", VKTC_PRECISION_F32,
                               "split as it is read");
      if (way.choice.empty()) continue;  // a device without matrix units
      const Outcome outcome = check(test_device(), Question(desc, reference::Fill::random, at), way);
      CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
    }
  }
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

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

// Channels-first outputs, stored by the invocations that hold their sums.
// says: what the tile's description ends with.
void check_units(TestDevice& device, const char* problem, VktcDataType type, VktcOutputType output, size_t at,
                 const std::string& says = "outputs stored from registers") {
  VktcConvTransposeDesc desc = with_type(support::parse_problem(problem).desc, type);
  desc.outputType = output;
  const VktcPrecision precision = VKTC_PRECISION_F32;
  const std::string choice = find_choice(device.device().context(), desc, "matrix_window", precision, says);
  if (choice.empty()) return;  // a device without matrix units
  const Way way = {.access = all_accesses[at % std::size(all_accesses)], .choice = choice};
  const Outcome outcome = check(device, Question(desc, reference::Fill::random, at), way);
  CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
}

// On lavapipe an invocation's positions are no neighbours, so its units are of one position; units of two run on GPUs,
// where vktconv-bench verifies what it times.
TEST_CASE("Channels-first outputs are stored from registers, in units of every size, wherever these begin") {
  const struct {
    const char* problem;
    VktcDataType type;
    VktcOutputType output;
    const char* says = "outputs stored from registers";
  } rows[] = {
      // Without merged phases, rows longer than a strip, whole pairs.
      {"mb2ic16ih5iw9_oc20kh3kw3ph1pw1bias", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_DEFAULT},
      {"ic16ih3iw70_oc8kh3kw2", VKTC_DATA_TYPE_F32, VKTC_OUTPUT_TYPE_DEFAULT,
       "strips, input split as it is read, outputs stored from registers"},
      {"mb2ic16ih5iw6_oc9kh2kw2sh2sw2bias", VKTC_DATA_TYPE_F32, VKTC_OUTPUT_TYPE_DEFAULT},
      // One output early; a phase of bias alone, and two phases beside one; phases of the depth, negative padding.
      {"g2ic32iw21_oc24kw4sw2pw1bias", VKTC_DATA_TYPE_BF16, VKTC_OUTPUT_TYPE_DEFAULT},
      {"ic16iw13_oc12kw3sw2pw1dw2bias", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_F32},
      {"ic16iw9_oc16kw2sw3dw2bias", VKTC_DATA_TYPE_F32, VKTC_OUTPUT_TYPE_DEFAULT,
       "2 merged phases of the width, input split as it is read, outputs stored from registers"},
      {"mb2ic16id3ih3iw5_oc16kd2kh1kw4sd2sh1sw2pd0ph0pw-1", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_DEFAULT},
      // Four phases, and eight.
      {"ic16id2ih3iw9_oc16kd1kh3kw8sd1sh2sw4pd0ph0pw2opd0oph0opw1", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_DEFAULT},
      {"mb3ic16iw9_oc16kw16sw8pw4bias", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_DEFAULT},
  };
  for (size_t at = 0; at < std::size(rows); ++at) {
    check_units(test_device(), rows[at].problem, rows[at].type, rows[at].output, at, rows[at].says);
  }
}

TEST_CASE("Channels-first outputs are right where invocations hold other sums than expected") {
  TestDevice device;
  device.device().context()->device.caps.matrix_row_lanes = 2;
  check_units(device, "mb2ic16ih5iw9_oc20kh3kw3ph1pw1bias", VKTC_DATA_TYPE_F16, VKTC_OUTPUT_TYPE_DEFAULT, 1);
  check_units(device, "ic16iw13_oc12kw3sw2pw1dw2bias", VKTC_DATA_TYPE_BF16, VKTC_OUTPUT_TYPE_DEFAULT, 2);
  check_units(device, "g2ic32iw20_oc24kw4sw2pw1bias", VKTC_DATA_TYPE_F32, VKTC_OUTPUT_TYPE_DEFAULT, 3);
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

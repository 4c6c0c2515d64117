// Winograd on matrix units: geometry, layouts, slabs and borders that its transforms treat apart; its plans.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include "algorithms/algorithm.h"
#include "algorithms/matrix_winograd_tile.h"
#include "check.h"
#include "context.h"
#include "plan_rules.h"
#include "planner.h"
#include "shape.h"

using namespace vktconv;
using namespace vktconv::tests;

namespace {

VktcConvTransposeDesc parse(const char* text) { return support::parse_problem(text).desc; }

// One of a problem's candidates, by turns: filters and tiles.
void check_candidate(TestDevice& device, const VktcConvTransposeDesc& desc, size_t& turn, int& applied, int& passed) {
  Way way = {.algorithm = "matrix_winograd"};
  const Outcome planned = check_compilation(device.device().context(), desc, way);
  REQUIRE_MESSAGE(planned.kind != Outcome::failed, planned.text);
  if (planned.kind != Outcome::passed) {
    MESSAGE(planned.text);
    return;
  }
  const Question question(desc, reference::Fill::random, turn);
  way.candidate = static_cast<uint32_t>(turn * 7 % planned.candidate_count);
  way.access = all_accesses[turn % std::size(all_accesses)];
  ++turn;
  const Outcome outcome = check(device, question, way);
  CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
  ++applied;
  passed += outcome.kind == Outcome::passed;
}

}  // namespace

TEST_SUITE_BEGIN("matrix_winograd");

TEST_CASE("Axes, strides, dilations, groups, layouts and post-ops, with rows of whole vectors and not") {
  const char* problems[] = {
      "mb2ic32id4ih5iw12oc24kd3kh3kw5bias",                                      // kb1.68: rows of whole vectors
      "mb2ic24ih6iw20oc20kh3kw3",                                                // rows of 22
      "ic64iw71oc9kw4pw1bias",                                                   // three or five outputs a tile
      "g3mb2ic48iw33oc30kw6pw2po\"scale_shift,residual,silu\"",                  // groups of 10: no whole vectors
      "ic16ih7iw18oc12kh3kw5sh2sw1dh3dw1ph1pw2biaspo\"residual,relu\"",          // phases of the height without taps
      "g2mb3ic40id3ih4iw9oc16kd2kh2kw3sd2sh3sw1pd0ph1pw1ed1eh0ew2opd1oph2opw0",  // all axes
      "mb2ic32iw61oc20kw5dw3pw2bias",                                            // three interleaved rows
      "ic32ih3iw29oc8kh3kw3ph1pw-2po\"linear:0.5:1\"",                           // beyond the input
      "ic40iw9oc8kw5dw4",                                                        // taps past all inputs
      "mb5ic17ih2iw3oc5kh2kw6ph1pw1",               // rows shorter than a tile, padded channels
      "mb2ic24ih6iw23oc20kh3kw7ph1pw3bias",         // two groups of taps
      "g2ic80iw31oc20kw9dw2pw-1po\"scale_shift\"",  // the same, whose in-channels share a chunk
      "ic48iw3oc9kw12pw2",                          // longer than the input
      "ic36iw1oc7kw3",                              // one input
  };
  constexpr VktcLayout layouts[] = {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST};
  int applied = 0, passed = 0;
  size_t turn = 0;
  for (size_t number = 0; number < std::size(problems); ++number) {
    for (size_t pair = 0; pair < 2; ++pair) {
      VktcConvTransposeDesc desc = parse(problems[number]);
      // Two of the four pairs of layouts for each problem, by turns.
      desc.inputLayout = layouts[(number + pair) % 2];
      desc.outputLayout = layouts[pair];
      check_candidate(test_device(), desc, turn, applied, passed);
    }
  }
  CHECK(2 * passed >= applied);  // not every device has addresses and push descriptors
}

TEST_CASE("Slabs of images, and of groups where one image is too large, take turns in the workspace") {
  for (const uint64_t range : {uint64_t{32768}, uint64_t{131072}}) {
    TestDevice device;
    device.device().context()->device.caps.max_storage_buffer_range = range;
    int applied = 0, passed = 0;
    size_t turn = 3;
    for (const char* problem : {"mb5ic32iw40oc24kw5bias", "g4mb2ic128iw60oc40kw3po\"residual\"",
                                "olast_g4mb3ic64iw80oc48kw4", "ilast_g2mb4ic48iw50oc32kw3bias"}) {
      check_candidate(device, parse(problem), turn, applied, passed);
    }
    CHECK(2 * passed >= applied);
  }
}

TEST_CASE("At the ends of rows, with few products an output, they are as exact as sums of their own") {
  // The first and the last outputs take one tap of the width: of 16 in-channels 16 products, beside those of 80.
  for (const char* problem : {"ic16iw24oc40kw5", "ic16iw24oc40kw3", "ic20iw24oc40kw6", "ic32ih3iw24oc24kh1kw4"}) {
    const VktcConvTransposeDesc desc = parse(problem);
    for (uint64_t seed = 0; seed < 2; ++seed) {
      Way way = {.algorithm = "matrix_winograd", .access = Access::bindings};
      const Question question(desc, reference::Fill::random, seed);
      const Outcome planned = check_compilation(test_device().device().context(), desc, way);
      if (planned.kind == Outcome::refused) return;
      for (; way.candidate < std::min(3u, planned.candidate_count); ++way.candidate) {
        const Outcome outcome = check(test_device(), question, way);
        CHECK_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
      }
    }
  }
}

TEST_CASE("Where inputs do not exist, outputs are bias alone, to the bit") {
  // Two rows of the height, one without taps; and gaps of a dilated kernel.
  for (const char* problem : {"ic32ih4iw11oc8kh1kw3sh2sw1oph1opw0bias", "ic32iw3oc8kw5dw9bias"}) {
    const Question question(parse(problem), reference::Fill::random, 5);
    const Outcome outcome =
        check(test_device(), question, {.algorithm = "matrix_winograd", .access = Access::bindings});
    if (outcome.kind == Outcome::refused) return;
    REQUIRE_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
    int alone = 0;
    for (size_t i = 0; i < question.expected.size(); ++i) {
      if (question.expected[i].terms > 0) continue;
      ++alone;
      const double value = reference::element(VKTC_DATA_TYPE_F32, outcome.output.data(), static_cast<int64_t>(i));
      CHECK(value == question.expected[i].value);
    }
    CHECK(alone > 0);
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("planner");

TEST_CASE("Winograd on matrix units takes fp32 with 3 to 12 taps of the width, and says why not others") {
  const auto plan_it = [](const VktcConvTransposeDesc& desc, const DeviceCaps& caps) -> std::string {
    Problem problem;
    VktcError error = {};
    Plan plan;
    REQUIRE(make_problem(desc, problem, error));
    return make_plan(problem, caps, {"matrix_winograd"}, plan, error) ? "" : error.message;
  };
  const struct {
    const char* problem;
    const char* words;
  } refused[] = {
      {"dtf16_ic64iw1000oc64kw3", "fp32 elements only"},
      {"dti8_ic64iw1000oc64kw3", "fp32 elements only"},
      {"ic64iw1000oc64kw3sw2", "stride of the width is 2"},
      {"ic64iw1000oc64kw13", "the width has 13 taps"},
      {"ic60iw1000oc64kw7", "a multiple of 8 in-channels"},
      {"ic64ih99iw1000oc64kh3kw2", "the width has 2 taps"},
      {"g8ic64iw1000oc64kw3", "16 in-channels"},
      {"ic64iw2oc64kw3dw500000000", "past 2^31 - 1"},
  };
  for (const auto& row : refused) {
    CAPTURE(std::string(row.problem));
    const std::string why = plan_it(parse(row.problem), ada_caps());
    CAPTURE(why);
    CHECK(why.find(row.words) != std::string::npos);
  }
  CHECK(plan_it(parse("ic64iw1000oc64kw3"), phone_caps()).find("VK_KHR_cooperative_matrix") != std::string::npos);
  DeviceCaps narrow = ada_caps();
  narrow.buffer_device_address = false;
  narrow.max_storage_buffer_range = 65536;
  CHECK(plan_it(parse("ic64iw9000oc64kw3"), narrow).find("maxStorageBufferRange") != std::string::npos);

  // What one candidate or another computes; every one of them by the rules, and found again by its text.
  const struct {
    const char* problem;
    std::set<std::string> filters;
  } taken[] = {{"mb16_ic32id64_oc64kd3kh5", {"8,5", "6,5"}},
               {"mb8_ic64ih1024_oc64kh3", {"8,3", "6,3", "4,3"}},
               {"ic16iw1000oc64kw4", {"6,4"}},
               {"ic64iw1000oc64kw6_olast", {"8,6"}},
               {"mb8ic64ih512oc64kh3kw7", {"8,4", "6,4"}},
               {"mb32_ic32iw131072_oc64kw5dw3_po\"scale_shift,residual\"", {"8,5", "6,5"}}};
  for (const auto& row : taken) {
    CAPTURE(std::string(row.problem));
    std::set<std::string> filters;
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(parse(row.problem), problem, error));
    Plan plan, again;
    PlanOptions options;
    options.algorithm = "matrix_winograd";
    for (uint32_t count = 1; options.candidate < count; ++options.candidate) {
      REQUIRE(make_plan(problem, ada_caps(), options, plan, error));
      count = plan.candidate_count;
      CHECK(broken_rule(problem, ada_caps(), plan) == "");
      const size_t begin = plan.choice.find(':') + 1;
      filters.insert(plan.choice.substr(begin, plan.choice.find(',', begin + 2) - begin));
      PlanOptions by_choice;
      by_choice.choice = plan.choice;
      REQUIRE(make_plan(problem, ada_caps(), by_choice, again, error));
      CHECK(again.tile == plan.tile);
    }
    CHECK(filters == row.filters);
  }
}

TEST_CASE("Winograd on matrix units is cut into slabs of images, else of groups, where bindings are small") {
  const struct {
    const char* problem;
    size_t slabs;
  } rows[] = {{"mb5ic32iw40oc24kw5bias", 5}, {"g4mb2ic128iw60oc40kw3", 4}, {"olast_g4mb3ic64iw80oc48kw4", 6}};
  DeviceCaps caps = ada_caps();
  caps.buffer_device_address = false;
  caps.max_storage_buffer_range = 32768;
  for (const auto& row : rows) {
    CAPTURE(std::string(row.problem));
    Problem problem;
    VktcError error = {};
    Plan plan;
    REQUIRE(make_problem(parse(row.problem), problem, error));
    REQUIRE(make_plan(problem, caps, {"matrix_winograd"}, plan, error));
    CHECK(broken_rule(problem, caps, plan) == "");
    CHECK(plan.run.size() == 3 * row.slabs);
    for (size_t i = 0; i < plan.run.size(); i += 3) {
      CHECK(plan.run[i].shader == "transform_input.f32.descriptors");
      CHECK(plan.run[i + 1].shader == "matrix_window.f32.descriptors");
      CHECK(plan.run[i + 2].shader == "transform_output.f32.descriptors");
    }
  }
}

TEST_CASE("The workspace of Winograd on matrix units stays below 1 GiB where images are smaller") {
  Problem problem;
  VktcError error = {};
  Plan plan;
  REQUIRE(make_problem(parse("mb16_ic32id64_oc64kd3kh5"), problem, error));
  REQUIRE(make_plan(problem, ada_caps(), {"matrix_winograd"}, plan, error));
  CHECK(broken_rule(problem, ada_caps(), plan) == "");
  CHECK(plan.workspace_bytes <= uint64_t{1} << 30);
  CHECK(plan.workspace_bytes >= uint64_t{1} << 29);
  CHECK(plan.run.size() > 3);
  CHECK(plan.run.size() % 3 == 0);
  // One image of more than that.
  REQUIRE(make_problem(parse("mb2_ic64ih2048_oc64kh3"), problem, error));
  REQUIRE(make_plan(problem, ada_caps(), {"matrix_winograd"}, plan, error));
  CHECK(plan.workspace_bytes > uint64_t{1} << 30);
  CHECK(plan.run.size() == 6);
}

TEST_CASE("Products that are computed exactly are counted as one by one, and soon") {
  const matrix_winograd::Filter filter = {8, 3, 192, 128};
  const auto taps = [](const Axis& axis, int64_t output) {
    int64_t count = 0;
    for (int64_t k = 0; k < axis.kernel; ++k) {
      const int64_t from = output + axis.padding_begin - k * axis.dilation;
      if (from >= 0 && from % axis.stride == 0 && from / axis.stride < axis.input) ++count;
    }
    return count;
  };
  for (const char* text : {"ic16ih9iw20_oc8kh3kw3", "mb2_ic16id5ih9iw11_oc8kd3kh3kw3sd2sh3sw1pd1ph2pw2",
                           "ic16ih9iw20_oc8kh3kw4sh1sw1ph-2pw0dh1dw2", "ic16ih2iw3_oc8kh5kw5", "g2_ic32iw7_oc8kw3"}) {
    CAPTURE(text);
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(parse(text), problem, error));
    double expected = 0;
    for (int64_t d = 0; d < problem.axes[0].output; ++d) {
      for (int64_t h = 0; h < problem.axes[1].output; ++h) {
        for (int64_t w = 0; w < problem.axes[2].output; ++w) {
          const int64_t of_width = taps(problem.axes[2], w);
          const int64_t products =
              problem.group_in_channels() * taps(problem.axes[0], d) * taps(problem.axes[1], h) * of_width;
          if (of_width < problem.axes[2].kernel && products < filter.least_border)
            expected += static_cast<double>(products);
        }
      }
    }
    CHECK(matrix_winograd::exact_products(problem, filter) ==
          expected * static_cast<double>(problem.batch * problem.out_channels));
  }
  Problem tall;
  VktcError error = {};
  REQUIRE(make_problem(parse("ic16ih1000000000iw8_oc8kh3kw3"), tall, error));
  CHECK(matrix_winograd::exact_products(tall, filter) > 0);  // not by a loop over its rows
}

TEST_SUITE_END();

// int8 on matrix units: what the vectors of sixteen that shaders/octets.glsl makes could do wrong. A device without
// such units refuses.
#include <doctest/doctest.h>

#include <support/problem_text.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("int8");

namespace {

// The first candidates of matrix that have the input turned before, and that read it as it is, and the last of each:
// tiles of another depth or shape.
std::vector<std::string> unlike_choices(const VktcConvTransposeDesc& desc) {
  std::vector<std::string> of_kind[2];
  VktcPlanOptions options = {};
  options.algorithm = "matrix";
  for (uint32_t count = 1; options.candidate < count; ++options.candidate) {
    VktcPlan plan = nullptr;
    VktcError error = {};
    if (vktcCreatePlan(test_device().device().context(), &desc, &options, &plan, &error) != VKTC_SUCCESS) return {};
    VktcPlanInfo info = {};
    vktcGetPlanInfo(plan, &info);
    count = info.candidateCount;
    const bool turned = std::string(info.tile).find("turned to channels-last") != std::string::npos;
    of_kind[turned ? 1 : 0].emplace_back(info.choice);
    vktcDestroyPlan(plan);
  }
  std::vector<std::string> result;
  for (const std::vector<std::string>& choices : of_kind) {
    if (choices.empty()) continue;
    result.push_back(choices.front());
    if (choices.size() > 1) result.push_back(choices.back());
  }
  return result;
}

size_t next_access = 0;

// The number of checks that passed.
int check_choices(const Question& question) {
  int passed = 0;
  for (const std::string& choice : unlike_choices(question.tensors.desc)) {
    const Access access = all_accesses[next_access++ % std::size(all_accesses)];
    const Outcome outcome = check(test_device(), question, {.access = access, .choice = choice});
    CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
    passed += outcome.kind == Outcome::passed;
  }
  return passed;
}

}  // namespace

TEST_CASE("Every output type, either layout, channels in whole vectors and chunks and not, turned before and not") {
  const char* problems[] = {
      "dti8_mb2_ic32ih5iw7_oc24kh3kw3sh2sw2ph1pw1bias",                                 // int32, whole chunks
      "dti8_oti8_ilast_olast_g2_ic64ih5iw6_oc20kh3kw2sh2_bias_po\"scale_shift,relu\"",  // whole chunks in groups
      "dti8_otf16_ilast_mb2_ic17ih6iw5_oc9kh3kw3sh1sw3_bias_po\"scale_shift\"",         // no vectors, phases of one tap
      "dti8_otf32_g3_ic39ih5iw9_oc15kh3kw3ph1pw1_po\"scale_shift,residual\"",           // groups of 13 and 5
      "dti8_oti8_olast_g4_ic12iw33_oc28kw5dw2pw2_bias_po\"residual,scale_shift\"",      // few channels, dilation
      "dti8_otf16_ilast_olast_ic80id2ih3iw4_oc16kd2kh2kw4sd1sh1sw2_po\"scale_shift,residual\"",  // chunks to choose
                                                                                                 // from
  };
  int passed = 0, expected = 0;
  for (size_t i = 0; i < std::size(problems); ++i) {
    CAPTURE(problems[i]);
    const VktcConvTransposeDesc desc = support::parse_problem(problems[i]).desc;
    passed += check_choices(Question(desc, reference::Fill::random, i + 1));
    expected += static_cast<int>(unlike_choices(desc).size());
  }
  CHECK(2 * passed >= expected);  // not every device has addresses and push descriptors
}

TEST_CASE("The largest products, and sums that the bias takes past 2^31") {
  VktcConvTransposeDesc desc = support::parse_problem("dti8_ic70ih4iw9_oc11kh3kw3sh1sw2bias").desc;
  for (const std::byte weight : {std::byte{0x80}, std::byte{0x7f}}) {
    Tensors tensors(desc, reference::Fill::exact, 1);
    std::fill(tensors.input.begin(), tensors.input.end(), std::byte{0x80});
    std::fill(tensors.weights.begin(), tensors.weights.end(), weight);
    for (size_t c = 0; c < 11; ++c) {
      const int32_t bias = c % 3 == 0   ? std::numeric_limits<int32_t>::max()
                           : c % 3 == 1 ? std::numeric_limits<int32_t>::min()
                                        : 0;
      std::memcpy(tensors.bias.data() + c * sizeof bias, &bias, sizeof bias);
    }
    check_choices(Question(std::move(tensors)));
  }
}

TEST_CASE("Each in-channel meets its own weight") {
  // The input holds 1 in one channel of each pixel, another one in the next pixel, and every weight of an out-channel
  // is another: a vector out of order would show.
  VktcConvTransposeDesc desc = support::parse_problem("dti8_ic72iw72_oc3kw1").desc;
  for (const VktcLayout layout : {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST}) {
    desc.inputLayout = layout;
    Tensors tensors(desc, reference::Fill::exact, 1);
    for (size_t i = 0; i < tensors.input.size(); ++i)
      tensors.input[i] = static_cast<std::byte>(i / 72 == i % 72 ? 1 : 0);
    for (size_t i = 0; i < tensors.weights.size(); ++i) tensors.weights[i] = static_cast<std::byte>(i + 40);
    check_choices(Question(std::move(tensors)));
  }
}

TEST_SUITE_END();

// NaN and infinity reach the outputs that depend on them and no others.
//
// The universal algorithm keeps this to the letter, and so do Winograd's, which compute again what comes out not
// finite. Algorithms that give the phases of the width as many taps as the fullest of them has (tiled.comp) multiply
// some inputs by a weight of zero, and say that weights must be finite: for them, what is not finite in the input may
// also reach the outputs that a kernel of that length would reach, and no others.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "cases.h"
#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("special_values");

namespace {

enum class Special { nan, infinity, minus_infinity };

void plant(std::vector<std::byte>& data, VktcDataType type, size_t index, Special special) {
  if (type == VKTC_DATA_TYPE_F32) {
    const uint32_t bits[] = {0x7fc00001, 0x7f800000, 0xff800000};
    std::memcpy(data.data() + index * 4, &bits[static_cast<size_t>(special)], 4);
  } else {
    const uint16_t f16[] = {0x7e01, 0x7c00, 0xfc00}, bf16[] = {0x7fc1, 0x7f80, 0xff80};
    const uint16_t* bits = type == VKTC_DATA_TYPE_F16 ? f16 : bf16;
    std::memcpy(data.data() + index * 2, &bits[static_cast<size_t>(special)], 2);
  }
}

const char* names[] = {
    "prime_everything",       "shared_factor_6_9_4_6", "negative_padding", "asymmetric_padding",
    "depthwise_3d",           "small_kb1.68",          "small_kb1.79",     "small_kb1.77",
    "empty_phases_with_bias", "channels_31_33",        "groups_2",         "output_padding_over_stride"};

// The same problem with as many zeros behind the taps of the width as give each phase the same number of them.
Question with_full_phases(const Tensors& tensors) {
  VktcConvTransposeDesc desc = tensors.desc;
  const uint32_t width = desc.spatialRank - 1;
  const int64_t taps = desc.kernelSize[width];
  const int64_t step = desc.stride[width] / std::gcd(desc.stride[width], desc.dilation[width]);
  desc.kernelSize[width] = (taps + step - 1) / step * step;
  desc.paddingEnd[width] += desc.dilation[width] * (desc.kernelSize[width] - taps);
  const size_t size = element_size(desc.dataType);
  const size_t row = static_cast<size_t>(taps) * size, longer_row = static_cast<size_t>(desc.kernelSize[width]) * size;
  Tensors longer(desc, reference::Fill::exact, 1);
  longer.input = tensors.input;
  longer.bias = tensors.bias;
  longer.scale = tensors.scale;
  longer.shift = tensors.shift;
  longer.residual = tensors.residual;
  std::fill(longer.weights.begin(), longer.weights.end(), std::byte{0});
  for (size_t i = 0; i * row < tensors.weights.size(); ++i) {
    std::memcpy(longer.weights.data() + i * longer_row, tensors.weights.data() + i * row, row);
  }
  Question question(tensors);
  question.expected = longer.expected();
  return question;
}

enum class Where { input, weights, bias };

void check_planted(TestDevice& device, const Question& question, Where where) {
  size_t special = 0;
  for (const reference::Value& value : question.expected) special += !std::isfinite(value.value);
  CHECK(special > 0);
  for (const std::string& algorithm : algorithm_names()) {
    const bool to_the_letter = algorithm == "gather" || algorithm.find("winograd") != std::string::npos;
    if (where == Where::weights && !to_the_letter) continue;
    const Way way = {.algorithm = algorithm, .access = Access::bindings};
    Outcome outcome = check(device, question, way);
    if (outcome.kind == Outcome::failed && !to_the_letter && where == Where::input) {
      outcome = check(device, with_full_phases(question.tensors), way);
    }
    CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text, " (with special values)");
  }
}

template <typename Plant>
void for_each_case_and_type(Where where, Plant&& plant_into) {
  uint64_t turn = 0;
  for (const Case& one : cases()) {
    for (const char* name : names) {
      if (one.name != name) continue;
      for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16}) {
        INFO(one.name);
        Tensors tensors(in_turn(with_type(one.desc, type), turn++), reference::Fill::random, 77);
        plant_into(tensors);
        const Question question(std::move(tensors));
        check_planted(test_device(), question, where);
        if (type == VKTC_DATA_TYPE_F16 && where == Where::input) {
          check_planted(test_device({"storageBuffer16BitAccess"}), question, where);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("In the input") {
  for_each_case_and_type(Where::input, [](Tensors& tensors) {
    const size_t elements = tensors.input.size() / element_size(tensors.desc.dataType);
    plant(tensors.input, tensors.desc.dataType, elements / 2, Special::nan);
    plant(tensors.input, tensors.desc.dataType, elements - 1, Special::infinity);
    plant(tensors.input, tensors.desc.dataType, 0, Special::minus_infinity);
  });
}

TEST_CASE("In the weights") {
  for_each_case_and_type(Where::weights, [](Tensors& tensors) {
    const size_t elements = tensors.weights.size() / element_size(tensors.desc.dataType);
    plant(tensors.weights, tensors.desc.dataType, elements / 2, Special::nan);
    plant(tensors.weights, tensors.desc.dataType, elements - 1, Special::infinity);
  });
}

TEST_CASE("In the bias") {
  for_each_case_and_type(Where::bias, [](Tensors& tensors) {
    if (tensors.bias.empty()) {
      tensors.desc.hasBias = VK_TRUE;
      tensors.bias.resize(static_cast<size_t>(tensors.desc.outChannels) * element_size(tensors.desc.dataType));
    }
    plant(tensors.bias, tensors.desc.dataType, 0, Special::nan);
    plant(tensors.bias, tensors.desc.dataType, static_cast<size_t>(tensors.desc.outChannels) - 1, Special::infinity);
  });
}

TEST_CASE("Sums past the largest number of a type become infinite, and only those") {
  for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16}) {
    VktcConvTransposeDesc desc = vktcDefaultDesc(1);
    desc.dataType = type;
    desc.inChannels = 2;
    desc.inputSize[0] = 4;
    Tensors tensors(desc, reference::Fill::exact, 1);
    // 300 * 200 + 30 * 200 = 66,000 is past fp16's 65,504; 3e38 + 3e38 past the other two.
    const double large[] = {3e38, 300, 3e38}, weight[] = {1, 200, 1};
    const std::vector<reference::Value> input = {{large[type], 0, 0}, {1, 0, 0}, {-large[type], 0, 0}, {2, 0, 0},
                                                 {large[type], 0, 0}, {1, 0, 0}, {-large[type], 0, 0}, {3, 0, 0}};
    const std::vector<reference::Value> weights(2, {weight[type], 0, 0});
    reference::round_to_type(type, input, tensors.input.data());
    reference::round_to_type(type, weights, tensors.weights.data());
    const Question question(std::move(tensors));
    const Outcome outcome = check(test_device(), question, {.access = Access::bindings});
    REQUIRE_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
    CHECK(reference::element(type, outcome.output.data(), 0) == HUGE_VAL);
    CHECK(reference::element(type, outcome.output.data(), 2) == -HUGE_VAL);
    CHECK(reference::element(type, outcome.output.data(), 1) == 2 * weight[type]);
  }
}

TEST_SUITE_END();

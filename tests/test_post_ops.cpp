// Post-ops, one by one and in chains: at arguments where they go wrong, by every algorithm that has them.
#include <doctest/doctest.h>

#include <support/post_ops_text.h>
#include <support/problem_text.h>
#include <vktconv/vktconv.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("post_ops");

namespace {

const char* const kinds[] = {"relu",    "leaky_relu:0.1", "silu",           "gelu_tanh",    "gelu_erf",       "mish",
                             "sigmoid", "tanh",           "clamp:-0.3:2.5", "clamp:-inf:1", "linear:-1.7:0.3"};

constexpr float infinity = std::numeric_limits<float>::infinity();

// Where functions change their formula, overflow, underflow or cancel, and between.
std::vector<float> arguments() {
  std::vector<float> values = {0.0f, -0.0f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
  for (const float magnitude :
       {1e-38f, 1e-30f, 1e-20f,   1e-10f, 1e-6f, 1e-4f,  1e-3f,   0.01f, 0.1f,  0.3f,   0.5f,   0.6249f,
        0.625f, 0.7f,   0.9f,     1.0f,   1.3f,  1.312f, 1.3125f, 1.7f,  2.0f,  2.5f,   3.0f,   4.0f,
        4.9f,   5.5f,   6.0f,     7.0f,   8.0f,  9.2f,   10.0f,   12.0f, 13.0f, 15.0f,  15.1f,  19.9f,
        20.0f,  21.0f,  30.0f,    44.0f,  60.0f, 87.0f,  87.5f,   88.0f, 89.0f, 103.0f, 104.0f, 105.0f,
        200.0f, 1e3f,   65504.0f, 1e5f,   1e10f, 1e19f,  1e20f,   1e30f, 3e38f}) {
    values.push_back(magnitude);
    values.push_back(-magnitude);
  }
  for (int i = -400; i <= 400; ++i) values.push_back(static_cast<float>(i) * 0.0317f);
  return values;
}

// One channel, one tap with the weight 1: the sum is the input.
VktcConvTransposeDesc identity(const std::string& chain, size_t length) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = static_cast<int64_t>(length);
  support::set_post_ops(support::parse_post_ops(chain), desc);
  return desc;
}

bool applies_post_ops(const std::string& algorithm, const VktcConvTransposeDesc& desc) {
  return check_compilation(test_device().device().context(), desc, {.algorithm = algorithm}).kind == Outcome::passed;
}

float float_at(const std::vector<std::byte>& bytes, size_t index) {
  float value = 0;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

Tensors filled(const VktcConvTransposeDesc& desc, const std::vector<float>& input) {
  Tensors tensors(desc, reference::Fill::exact, 1);
  const std::vector<reference::Value> ones(tensors.weights.size() / element_size(desc.dataType), {1, 0, 0});
  reference::round_to_type(desc.dataType, ones, tensors.weights.data());
  std::vector<reference::Value> values;
  for (const float value : input) values.push_back({static_cast<double>(value), 0, 0});
  reference::round_to_type(desc.dataType, values, tensors.input.data());
  return tensors;
}

// Runs without a comparison of its own; empty: refused.
std::vector<std::byte> run(const Tensors& tensors, const std::string& algorithm) {
  std::vector<std::byte> output(output_bytes(tensors.desc));
  host::RunOptions options;
  options.plan.algorithm = algorithm.c_str();
  host::conv_transpose(test_device().device(), tensors.desc, tensors.host_arrays(output.data()), options);
  const std::string messages = test_device().take_validation_messages();
  CHECK_MESSAGE(messages.empty(), messages);
  return output;
}

}  // namespace

TEST_CASE("Each post-op is right to a few units of fp32, from -infinity to infinity, and passes NaN on") {
  const std::vector<float> values = arguments();
  for (const char* chain : kinds) {
    const VktcConvTransposeDesc desc = identity(chain, values.size());
    const Tensors tensors = filled(desc, values);
    for (const std::string& algorithm : algorithm_names()) {
      if (!applies_post_ops(algorithm, desc)) continue;
      CAPTURE(chain);
      CAPTURE(algorithm);
      const std::vector<std::byte> output = run(tensors, algorithm);
      for (size_t i = 0; i < values.size(); ++i) {
        const float actual = float_at(output, i);
        CAPTURE(values[i]);
        if (std::isnan(values[i])) {
          CHECK(std::isnan(actual));
          continue;
        }
        // The sum is exact, so all the error is the post-op's.
        const reference::Approximate expected =
            reference::apply_post_ops(desc, {static_cast<double>(values[i]), 0}, 1, 0, 0);
        if (std::isinf(expected.value) || std::abs(expected.value) > 3.4e38) {
          CHECK(static_cast<double>(actual) == std::copysign(HUGE_VAL, expected.value));
        } else {
          CAPTURE(actual);
          CAPTURE(expected.value);
          // A device may take for 0 what is below fp32's normal numbers.
          CHECK(std::abs(static_cast<double>(actual) - expected.value) <= expected.error + 0x1p-126);
        }
      }
    }
  }
}

TEST_CASE("The limits at infinity") {
  const std::vector<float> values = {-infinity, infinity, -3e38f, 3e38f};
  const struct {
    const char* chain;
    float expected[4];
  } rows[] = {{"relu", {0, infinity, 0, 3e38f}},
              {"silu", {0, infinity, 0, 3e38f}},
              {"gelu_tanh", {0, infinity, 0, 3e38f}},
              {"gelu_erf", {0, infinity, 0, 3e38f}},
              {"mish", {0, infinity, 0, 3e38f}},
              {"sigmoid", {0, 1, 0, 1}},
              {"tanh", {-1, 1, -1, 1}},
              {"clamp:-2:3", {-2, 3, -2, 3}},
              {"leaky_relu:0.5", {-infinity, infinity, -1.5e38f, 3e38f}}};
  for (const auto& row : rows) {
    CAPTURE(row.chain);
    const std::vector<std::byte> output = run(filled(identity(row.chain, values.size()), values), "gather");
    for (size_t i = 0; i < values.size(); ++i) CHECK(float_at(output, i) == row.expected[i]);
  }
}

TEST_CASE("Each post-op in every type, rank, layout and output type") {
  const char* problems[] = {"ic5iw23_oc6kw3sw2pw1bias", "g2mb2_ic4ih5iw4_oc6kh3kw2sh2sw3", "ic3id3ih2iw4_oc5kd2bias"};
  uint64_t turn = 0;
  for (const char* chain : kinds) {
    for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16}) {
      // Layouts and output types of a turn, the chain of this test.
      const uint64_t number = turn++;
      VktcConvTransposeDesc desc = in_turn(with_type(support::parse_problem(problems[number % 3]).desc, type), number);
      support::set_post_ops(support::parse_post_ops(chain), desc);
      const Question question(desc, reference::Fill::random, number);
      TestDevice& device = number % 5 == 1 ? test_device({"storageBuffer16BitAccess"}) : test_device();
      for (const std::string& algorithm : algorithm_names()) {
        const Outcome outcome =
            check(device, question, {.algorithm = algorithm, .access = all_accesses[number / 2 % 3]});
        CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      }
    }
  }
}

TEST_CASE("The order of a chain is that of the list") {
  const std::vector<float> values = {-4, -1, 0, 1, 4};
  const struct {
    const char* chain;
    float expected[5];
  } rows[] = {
      {"relu,linear:2:-1", {-1, -1, -1, 1, 7}},
      {"linear:2:-1,relu", {0, 0, 0, 1, 7}},
      {"linear:2:1,clamp:-3:3,linear:-1:0,leaky_relu:0.5,linear:4:0,relu,linear:1:1,clamp:0:100", {13, 5, 1, 1, 1}}};
  for (const auto& row : rows) {
    CAPTURE(row.chain);
    for (const char* algorithm : {"gather", "tiled"}) {
      const std::vector<std::byte> output = run(filled(identity(row.chain, values.size()), values), algorithm);
      for (size_t i = 0; i < values.size(); ++i) CHECK(float_at(output, i) == row.expected[i]);
    }
  }
}

TEST_CASE("Nothing is rounded before the store") {
  // 2049 is no number of fp16 and 257 none of bf16; the chain brings them back.
  for (const VktcDataType type : {VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16}) {
    const float large = type == VKTC_DATA_TYPE_F16 ? 2048 : 256;
    VktcConvTransposeDesc desc = identity("linear:1:" + std::to_string(-large) + ",linear:4:0.5", 3);
    desc.dataType = type;
    desc.inChannels = 2;
    const Tensors tensors = filled(desc, {large, large, 0, 1, 3, 0});
    for (const char* algorithm : {"gather", "tiled"}) {
      const std::vector<std::byte> output = run(tensors, algorithm);
      CHECK(reference::element(type, output.data(), 0) == 4.5);
      CHECK(reference::element(type, output.data(), 1) == 12.5);
    }
  }
}

TEST_CASE("int8 outputs are rounded to even, cut off at their ends, and 0 where they are NaN") {
  // scale_shift gives the fp32 values of a list, whatever the sum.
  const std::vector<float> values = {0.5f,    1.5f,   2.5f,      -0.5f,         -1.5f,       126.5f,
                                     127.4f,  127.5f, 1e30f,     infinity,      -127.5f,     -128.4f,
                                     -128.6f, -1e30f, -infinity, std::nanf(""), 0.49999997f, -3.0f};
  const std::vector<int> expected = {0, 2, 2, 0, -2, 126, 127, 127, 127, 127, -128, -128, -128, -128, -128, 0, 0, -3};
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.dataType = VKTC_DATA_TYPE_I8;
  desc.outputType = VKTC_OUTPUT_TYPE_I8;
  desc.outChannels = static_cast<int64_t>(values.size());
  desc.inputSize[0] = 3;
  vktc::append(desc, vktc::post_op::scale_shift());
  Tensors tensors(desc, reference::Fill::exact, 1);
  std::fill(tensors.scale.begin(), tensors.scale.end(), 0.0f);
  tensors.shift = values;
  for (const bool packed : {false, true}) {
    TestDevice& device = packed ? test_device({"storageBuffer8BitAccess"}) : test_device();
    for (const char* algorithm : {"gather", "tiled"}) {
      std::vector<std::byte> output(output_bytes(desc));
      host::RunOptions options;
      options.plan.algorithm = algorithm;
      host::conv_transpose(device.device(), desc, tensors.host_arrays(output.data()), options);
      for (size_t i = 0; i < output.size(); ++i) {
        CAPTURE(values[i / 3]);
        CHECK(static_cast<int>(static_cast<int8_t>(output[i])) == expected[i / 3]);
      }
    }
  }
}

TEST_CASE("int8 sums are exact: every pair of values, and past 2^31") {
  // The input holds all values, once for each weight: 256 groups of one channel.
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.dataType = VKTC_DATA_TYPE_I8;
  desc.groups = desc.inChannels = desc.outChannels = 256;
  desc.inputSize[0] = 256;
  desc.hasBias = VK_TRUE;
  Tensors tensors(desc, reference::Fill::exact, 1);
  for (size_t c = 0; c < 256; ++c) {
    tensors.weights[c] = static_cast<std::byte>(c);
    for (size_t i = 0; i < 256; ++i) tensors.input[c * 256 + i] = static_cast<std::byte>(i);
    const int32_t bias = c % 2 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
    std::memcpy(tensors.bias.data() + c * sizeof bias, &bias, sizeof bias);
  }
  const Question question(std::move(tensors));
  for (const bool packed : {false, true}) {
    TestDevice& device = packed ? test_device({"storageBuffer8BitAccess"}) : test_device();
    for (const std::string algorithm : {"gather", "tiled", "matrix"}) {
      const Outcome outcome = check(device, question, {.algorithm = algorithm, .access = Access::bindings});
      // Not every device has matrix units.
      const bool refused = algorithm == "matrix" && outcome.kind == Outcome::refused;
      CHECK_MESSAGE((refused || outcome.kind == Outcome::passed), outcome.text);
    }
  }
}

TEST_CASE("Scale, shift and residual are those of the output's channel and place") {
  // Every factor differs, in a group, a block and an image of several: 40 channels are more than a block of any tile
  // has.
  for (const char* layouts : {"", "olast_", "ilast_olast_"}) {
    VktcConvTransposeDesc desc =
        support::parse_problem(layouts + std::string("g2mb3_ic4ih3iw5_oc80kh2kw3sh2sw2bias")).desc;
    support::set_post_ops(support::parse_post_ops("scale_shift,residual"), desc);
    Tensors tensors(desc, reference::Fill::exact, 3);
    for (size_t c = 0; c < tensors.scale.size(); ++c) {
      tensors.scale[c] = static_cast<float>(c + 1);
      tensors.shift[c] = static_cast<float>(1000 * c);
    }
    std::vector<reference::Value> places;
    for (int64_t i = 0; i < tensors.output_elements; ++i) places.push_back({static_cast<double>(i), 0, 0});
    reference::round_to_type(VKTC_DATA_TYPE_F32, places, tensors.residual.data());
    Question question(std::move(tensors));
    question.fill = reference::Fill::exact;
    for (const std::string& algorithm : algorithm_names()) {
      for (const Access access : all_accesses) {
        const Outcome outcome = check(test_device(), question, {.algorithm = algorithm, .access = access});
        CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      }
    }
  }
}

TEST_CASE("The residual may be the input") {
  VktcConvTransposeDesc desc = support::parse_problem("ic3iw20_oc3kw3pw1po\"residual\"").desc;
  Tensors tensors(desc, reference::Fill::exact, 4);
  tensors.residual = tensors.input;
  const Question question(std::move(tensors));
  host::ConvTranspose convolution(test_device().device(), desc);
  convolution.set_weights(question.tensors.weights.data(), nullptr);
  convolution.input().upload(question.tensors.input.data(), question.tensors.input.size());
  VktcBuffers buffers = convolution.buffers();
  buffers.residual = buffers.input;
  VktcBindings bindings = nullptr;
  VktcError error = {};
  REQUIRE_MESSAGE(vktcCreateBindings(convolution.plan(), &buffers, &bindings, &error) == VKTC_SUCCESS, error.message);
  test_device().device().submit(
      [&](VkCommandBuffer commands) { vktcCmdConvTransposeBound(commands, bindings, nullptr, nullptr); });
  vktcDestroyBindings(bindings);
  std::vector<std::byte> output(output_bytes(desc));
  convolution.output().download(output.data(), output.size());
  for (size_t i = 0; i < question.expected.size(); ++i) {
    CHECK(is_right(desc, reference::Fill::exact, question.expected[i], output.data(), static_cast<int64_t>(i)));
  }

  buffers.residual = buffers.output;
  CHECK(vktcCreateBindings(convolution.plan(), &buffers, &bindings, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "buffers.output.offset");
  CHECK(std::string(error.message).find("overlaps residual") != std::string::npos);
}

TEST_CASE("The C++ layer makes the same post-ops") {
  using namespace vktc;
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  for (const VktcPostOp& op : {post_op::relu(), post_op::leaky_relu(0.5f), post_op::silu(), post_op::gelu_tanh(),
                               post_op::gelu_erf(), post_op::mish(), post_op::sigmoid(), post_op::tanh()}) {
    append(desc, op);
  }
  CHECK(support::format_problem({"", desc}) ==
        "ic1iw1_oc1kw1_po\"relu,leaky_relu:0.5,silu,gelu_tanh,gelu_erf,mish,sigmoid,tanh\"");
  CHECK_THROWS_AS(append(desc, post_op::relu()), Error);
  desc.postOpCount = 0;
  for (const VktcPostOp& op :
       {post_op::clamp(-1, 6), post_op::linear(2, -0.25f), post_op::scale_shift(), post_op::residual()}) {
    append(desc, op);
  }
  CHECK(support::format_problem({"", desc}) == "ic1iw1_oc1kw1_po\"clamp:-1:6,linear:2:-0.25,scale_shift,residual\"");
}

TEST_SUITE_END();

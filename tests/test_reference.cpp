// The judge is judged first: the reference against values worked out by hand, and against itself by two roads.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cases.h"
#include "half_bits.h"
#include "reference.h"
#include "tensors.h"

namespace reference = vktconv::reference;
using vktconv::tests::Tensors;

TEST_SUITE_BEGIN("reference");

TEST_CASE("Every 16-bit value survives the way to double and back") {
  int wrong = 0;
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const double f16 = reference::half_bits::f16_to_double(bits);
    const double bf16 = reference::half_bits::bf16_to_double(bits);
    if (!std::isnan(f16) && reference::half_bits::double_to_f16(f16) != bits) ++wrong;
    if (!std::isnan(bf16) && reference::half_bits::double_to_bf16(bf16) != bits) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Conversions to 16 bits round to nearest even") {
  using namespace reference::half_bits;
  CHECK(double_to_f16(1.0) == 0x3c00);
  CHECK(double_to_f16(1.0 + 0x1p-11) == 0x3c00);
  CHECK(double_to_f16(1.0 + 0x1.8p-10) == 0x3c02);
  CHECK(double_to_f16(1.0 + 0x1.0001p-11) == 0x3c01);
  CHECK(double_to_f16(65519.99) == 0x7bff);
  CHECK(double_to_f16(65520) == 0x7c00);
  CHECK(double_to_f16(-0.0) == 0x8000);
  CHECK(double_to_f16(0x1p-25) == 0x0000);
  CHECK(double_to_f16(0x1.8p-25) == 0x0001);
  CHECK(double_to_bf16(1.0) == 0x3f80);
  CHECK(double_to_bf16(257.0) == 0x4380);
  CHECK(double_to_bf16(259.0) == 0x4382);
  CHECK(double_to_bf16(-3.0) == 0xc040);
  CHECK(double_to_bf16(std::numeric_limits<double>::infinity()) == 0x7f80);
  CHECK(std::isnan(bf16_to_double(double_to_bf16(std::nan("")))));
  CHECK(std::isnan(f16_to_double(double_to_f16(std::nan("")))));
}

TEST_CASE("A transposed convolution worked out by hand") {
  // x = 1 2 3, w = 10 20 30, stride 2, dilation 2, padding 1: x[i] * w[k] lands on 2 i + 2 k - 1.
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = 3;
  desc.kernelSize[0] = 3;
  desc.stride[0] = 2;
  desc.dilation[0] = 2;
  desc.paddingBegin[0] = desc.paddingEnd[0] = 1;
  desc.outputPadding[0] = 1;
  desc.hasBias = VK_TRUE;
  const float x[] = {1, 2, 3}, w[] = {10, 20, 30}, bias[] = {5};
  const double expected[] = {5, 45, 5, 105, 5, 125, 5, 95};
  REQUIRE(reference::output_size(desc) == std::vector<int64_t>{8});
  const auto values = reference::conv_transpose(desc, {x, w, bias});
  REQUIRE(values.size() == 8);
  for (size_t i = 0; i < 8; ++i) CHECK(values[i].value == expected[i]);
  CHECK(values[3].terms == 3);
  CHECK(values[2].terms == 0);
}

TEST_CASE("Scatter and gather agree on every case") {
  uint64_t turn = 0;
  for (const vktconv::tests::Case& each : vktconv::tests::cases()) {
    ++turn;
    for (const VktcDataType type : vktconv::tests::data_types) {
      const Tensors tensors(vktconv::tests::in_turn(vktconv::tests::with_type(each.desc, type), turn + type),
                            reference::Fill::random, 11);
      const auto all = reference::conv_transpose(tensors.desc, tensors.arrays());
      REQUIRE(all.size() == static_cast<size_t>(tensors.output_elements));
      const size_t step = all.size() / 400 + 1;
      for (size_t i = 0; i < all.size(); i += step) {
        const auto one = reference::conv_transpose_at(tensors.desc, tensors.arrays(), static_cast<int64_t>(i));
        INFO(each.name);
        REQUIRE(one.terms == all[i].terms);
        REQUIRE(std::abs(one.value - all[i].value) <= 1e-12 * all[i].magnitude);
      }
    }
  }
}

TEST_CASE("Layouts and output types, worked out by hand") {
  // Two pixels of two channels, a kernel of one tap: out channel o is the sum of x[c] * w[c][o].
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inChannels = 2;
  desc.outChannels = 3;
  desc.inputSize[0] = 2;
  const float by_channel[] = {1, 2, 10, 20}, by_pixel[] = {1, 10, 2, 20}, w[] = {1, 2, 3, 4, 5, 6};
  const std::vector<double> outputs_by_channel = {41, 82, 52, 104, 63, 126},
                            outputs_by_pixel = {41, 52, 63, 82, 104, 126};
  for (const VktcLayout input : {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST}) {
    for (const VktcLayout output : {VKTC_LAYOUT_CHANNELS_FIRST, VKTC_LAYOUT_CHANNELS_LAST}) {
      desc.inputLayout = input;
      desc.outputLayout = output;
      const auto values =
          reference::conv_transpose(desc, {input == VKTC_LAYOUT_CHANNELS_FIRST ? by_channel : by_pixel, w});
      REQUIRE(values.size() == 6);
      for (size_t i = 0; i < 6; ++i) {
        CHECK(values[i].value == (output == VKTC_LAYOUT_CHANNELS_FIRST ? outputs_by_channel : outputs_by_pixel)[i]);
      }
    }
  }
  desc.dataType = VKTC_DATA_TYPE_F16;
  CHECK(reference::output_type(desc) == VKTC_DATA_TYPE_F16);
  desc.outputType = VKTC_OUTPUT_TYPE_F32;
  CHECK(reference::output_type(desc) == VKTC_DATA_TYPE_F32);
  // Not rounded to fp16, and held to the bound of fp32.
  const reference::Value expected = {1.0 + 0x1p-13, 2.0, 10};
  const float exact = 1.0f + 0x1p-13f, rounded = 1.0f;
  CHECK(reference::equals(desc, expected, &exact, 0));
  CHECK_FALSE(reference::equals(desc, expected, &rounded, 0));
  CHECK_FALSE(reference::matches(desc, expected, &rounded, 0));
  CHECK(reference::error_bound(desc, expected) == 12 * 0x1p-24 * 2.0);
}

TEST_CASE("Post-ops against figures worked out elsewhere") {
  const auto at = [](VktcPostOp op, double x) {
    VktcConvTransposeDesc desc = vktcDefaultDesc(1);
    desc.postOpCount = 1;
    desc.postOps[0] = op;
    return reference::apply_post_ops(desc, {x, 0}, 3, 0.25, -7).value;
  };
  const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-14); };
  CHECK(at({VKTC_POST_OP_RELU, 0, 0}, -1.5) == 0);
  CHECK(at({VKTC_POST_OP_RELU, 0, 0}, 1.5) == 1.5);
  CHECK(at({VKTC_POST_OP_LEAKY_RELU, 0.5f, 0}, -1.5) == -0.75);
  CHECK(at({VKTC_POST_OP_LEAKY_RELU, 0.5f, 0}, 1.5) == 1.5);
  CHECK(at({VKTC_POST_OP_SILU, 0, 0}, 1) == near(0.7310585786300049));
  CHECK(at({VKTC_POST_OP_SILU, 0, 0}, -1) == near(-0.2689414213699951));
  CHECK(at({VKTC_POST_OP_GELU_TANH, 0, 0}, 1) == near(0.8411919906082768));
  CHECK(at({VKTC_POST_OP_GELU_ERF, 0, 0}, 1) == near(0.8413447460685429));
  CHECK(at({VKTC_POST_OP_GELU_ERF, 0, 0}, -1) == near(-0.15865525393145707));
  CHECK(at({VKTC_POST_OP_MISH, 0, 0}, 1) == near(0.8650983882673103));
  CHECK(at({VKTC_POST_OP_SIGMOID, 0, 0}, -2) == near(0.11920292202211755));
  CHECK(at({VKTC_POST_OP_TANH, 0, 0}, 0.5) == near(0.46211715726000975));
  CHECK(at({VKTC_POST_OP_CLAMP, -1, 2}, -3) == -1);
  CHECK(at({VKTC_POST_OP_CLAMP, -1, 2}, 3) == 2);
  CHECK(at({VKTC_POST_OP_CLAMP, -1, 2}, 0.5) == 0.5);
  CHECK(at({VKTC_POST_OP_LINEAR, 2, -0.5f}, 3) == 5.5);
  CHECK(at({VKTC_POST_OP_SCALE_SHIFT, 0, 0}, 2) == 6.25);
  CHECK(at({VKTC_POST_OP_RESIDUAL, 0, 0}, 2) == -5);
  for (int kind = VKTC_POST_OP_RELU; kind <= VKTC_POST_OP_RESIDUAL; ++kind) {
    CHECK(std::isnan(at({static_cast<VktcPostOpKind>(kind), 1, 1}, std::nan(""))));
  }
}

TEST_CASE("A chain by hand: order, channel and place, and what an honest result may be off by") {
  // Two channels of two pixels; the sums are 1, 2 and -3, -6.
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.outChannels = 2;
  desc.inputSize[0] = 2;
  desc.postOpCount = 3;
  desc.postOps[0].kind = VKTC_POST_OP_SCALE_SHIFT;
  desc.postOps[1].kind = VKTC_POST_OP_RELU;
  desc.postOps[2].kind = VKTC_POST_OP_RESIDUAL;
  const float x[] = {1, 2}, w[] = {1, -3}, scale[] = {10, -1}, shift[] = {-15, 0};
  const float residual[] = {100, 200, 300, 400};
  const reference::Arrays arrays = {x, w, nullptr, scale, shift, residual};
  const auto check = [&](const std::vector<double>& expected) {
    const auto values = reference::conv_transpose(desc, arrays);
    REQUIRE(values.size() == 4);
    for (size_t i = 0; i < 4; ++i) {
      CHECK(values[i].value == expected[i]);
      const auto one = reference::conv_transpose_at(desc, arrays, static_cast<int64_t>(i));
      CHECK(one.value == expected[i]);
      CHECK(one.error == values[i].error);
    }
  };
  check({100, 205, 303, 406});
  desc.outputLayout = VKTC_LAYOUT_CHANNELS_LAST;
  check({100, 203, 305, 406});
  const reference::Value value = reference::conv_transpose_at(desc, arrays, 3);
  const double unit = 0x1p-24;
  // The sum's bound, times the scale; then scaling and adding round.
  CHECK(reference::error_bound(desc, value) >= 3 * unit * 6 + unit * 12 + unit * 406);
  CHECK(reference::error_bound(desc, value) <= 3 * unit * 6 + unit * 12 + unit * 406 + 1e-30);
}

TEST_CASE("int32 wraps") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.dataType = VKTC_DATA_TYPE_I32;
  desc.hasBias = VK_TRUE;
  const int32_t x[] = {0x7fffffff}, w[] = {3}, bias[] = {-7};
  const auto values = reference::conv_transpose(desc, {x, w, bias});
  CHECK(values[0].value == static_cast<double>(static_cast<int32_t>(0x7fffffffu * 3u - 7u)));
}

TEST_CASE("int8 is summed in int32, which wraps, and stored as the output type says") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.dataType = VKTC_DATA_TYPE_I8;
  desc.inChannels = 2;
  desc.hasBias = VK_TRUE;
  const int8_t x[] = {-128, 100}, w[] = {-128, 3};
  const int32_t bias[] = {2147483647};
  const auto value_of = [&] { return reference::conv_transpose(desc, {x, w, bias})[0]; };
  CHECK(reference::output_type(desc) == VKTC_DATA_TYPE_I32);
  const auto wrapped = static_cast<int32_t>(0x7fffffffu + 16384u + 300u);
  CHECK(value_of().value == wrapped);
  CHECK(reference::error_bound(desc, value_of()) == 0);

  // Half of it fits no fp32: either neighbour is honest.
  desc.outputType = VKTC_OUTPUT_TYPE_F32;
  CHECK(reference::error_bound(desc, value_of()) == std::abs(static_cast<double>(wrapped)) * 0x1p-23);

  desc.outputType = VKTC_OUTPUT_TYPE_I8;
  desc.hasBias = VK_FALSE;
  desc.postOpCount = 1;
  desc.postOps[0] = {VKTC_POST_OP_LINEAR, 0.5f, 0};
  const auto stored = [&](int8_t a, int8_t b) {
    const int8_t input[] = {a, b}, ones[] = {1, 1};
    const reference::Value value = reference::conv_transpose(desc, {input, ones})[0];
    int8_t result = 0;
    reference::round_to_type(VKTC_DATA_TYPE_I8, {&value, 1}, &result);
    CHECK(reference::equals(desc, value, &result, 0));
    CHECK(reference::matches(desc, value, &result, 0));
    return int{result};
  };
  CHECK(stored(5, 0) == 2);  // 2.5 and 3.5 go to the even neighbour
  CHECK(stored(7, 0) == 4);
  CHECK(stored(-5, 0) == -2);
  desc.postOps[0] = {VKTC_POST_OP_LINEAR, 1, 0};
  CHECK(stored(100, 100) == 127);
  CHECK(stored(-100, -100) == -128);
  desc.postOps[0].kind = VKTC_POST_OP_SCALE_SHIFT;
  const float nan[] = {std::nanf("")}, zero[] = {0};
  const reference::Value of_nan = reference::conv_transpose(desc, {x, w, nullptr, nan, zero})[0];
  CHECK(of_nan.value == 0);
}

TEST_CASE("The error bound accepts what is honest and nothing else") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  const reference::Value expected = {1.0, 2.0, 10};
  const double bound = 12 * 0x1p-24 * 2.0;
  CHECK(reference::error_bound(desc, expected) == bound);
  auto accepts = [&](float actual) { return reference::matches(desc, expected, &actual, 0); };
  CHECK(accepts(1.0f));
  CHECK(accepts(static_cast<float>(1.0 + 0.9 * bound)));
  CHECK_FALSE(accepts(static_cast<float>(1.0 + 1.1 * bound)));
  CHECK_FALSE(accepts(static_cast<float>(1.0 - 1.1 * bound)));
  CHECK_FALSE(accepts(std::numeric_limits<float>::quiet_NaN()));
  CHECK_FALSE(accepts(std::numeric_limits<float>::infinity()));

  const float nan = std::numeric_limits<float>::quiet_NaN(), one = 1, infinity = std::numeric_limits<float>::infinity();
  const reference::Value expected_nan = {std::nan(""), 2.0, 10};
  CHECK(reference::matches(desc, expected_nan, &nan, 0));
  CHECK_FALSE(reference::matches(desc, expected_nan, &one, 0));
  const reference::Value expected_infinity = {std::numeric_limits<double>::infinity(), 2.0, 10};
  CHECK(reference::matches(desc, expected_infinity, &infinity, 0));
  CHECK_FALSE(reference::matches(desc, expected_infinity, &one, 0));

  desc.dataType = VKTC_DATA_TYPE_F16;
  const uint16_t f16_one = 0x3c00, f16_next = 0x3c01;
  CHECK(reference::matches(desc, expected, &f16_one, 0));
  CHECK_FALSE(reference::matches(desc, expected, &f16_next, 0));
  CHECK(reference::equals(desc, {1.0 + 0x1p-12, 0, 0}, &f16_one, 0));
  CHECK_FALSE(reference::equals(desc, expected, &f16_next, 0));
  CHECK_FALSE(reference::equals(desc, {std::nan(""), 0, 0}, &f16_one, 0));
}

TEST_CASE("Test data does not depend on how much of it is made") {
  std::vector<float> a(100), b(50);
  reference::fill(VKTC_DATA_TYPE_F32, reference::Fill::random, 3, a.data(), 100);
  reference::fill(VKTC_DATA_TYPE_F32, reference::Fill::random, 3, b.data(), 50);
  a.resize(50);
  CHECK(a == b);
  reference::fill(VKTC_DATA_TYPE_F32, reference::Fill::random, 4, b.data(), 50);
  CHECK(a != b);
}

TEST_SUITE_END();

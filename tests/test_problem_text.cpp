// Descriptor strings and suites: what they mean, that they round-trip, and what is said of wrong ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mutation.h"
#include "post_ops.h"
#include "reference.h"
#include "scratch_folder.h"
#include "support/problem_text.h"

TEST_SUITE_BEGIN("problem_text");

namespace {

using namespace vktconv::support;
using vktconv::tests::ScratchFolder;

std::vector<int64_t> axes(const VktcConvTransposeDesc& desc, const int64_t* values) {
  return {values, values + desc.spatialRank};
}

bool same(const NamedProblem& a, const NamedProblem& b) {
  const VktcConvTransposeDesc &x = a.desc, &y = b.desc;
  const auto same_axes = [&](auto member) { return axes(x, x.*member) == axes(y, y.*member); };
  using Desc = VktcConvTransposeDesc;
  return a.name == b.name && x.spatialRank == y.spatialRank && x.dataType == y.dataType && x.batch == y.batch &&
         x.inChannels == y.inChannels && x.outChannels == y.outChannels && x.groups == y.groups &&
         x.hasBias == y.hasBias && x.inputLayout == y.inputLayout && x.outputLayout == y.outputLayout &&
         vktconv::post_ops_text(vktconv::post_ops_of(x)) == vktconv::post_ops_text(vktconv::post_ops_of(y)) &&
         vktconv::reference::output_type(x) == vktconv::reference::output_type(y) && same_axes(&Desc::inputSize) &&
         same_axes(&Desc::kernelSize) && same_axes(&Desc::stride) && same_axes(&Desc::paddingBegin) &&
         same_axes(&Desc::paddingEnd) && same_axes(&Desc::outputPadding) && same_axes(&Desc::dilation);
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

void check_message(const std::string& message, const std::string& expected) {
  CAPTURE(message);
  CAPTURE(expected);
  CHECK(message.find(expected) != std::string::npos);
}

void refuse_descriptor(const std::string& text, const std::string& expected) {
  CAPTURE(text);
  check_message(message_of([&] { parse_problem(text); }), expected);
}

void refuse_suite(const std::string& text, const std::string& expected) {
  CAPTURE(text);
  const std::string message = message_of([&] { parse_suite(text, "s.json"); });
  CHECK(message.starts_with("suite s.json: "));
  check_message(message, expected);
}

}  // namespace

TEST_CASE("a descriptor says what it says") {
  const NamedProblem p = parse_problem("g1mb16_ic32iw131072_oc64kw3sw2pw1dw2n\"kb1.79\"");
  CHECK(p.name == "kb1.79");
  CHECK(p.desc.spatialRank == 1);
  CHECK(p.desc.dataType == VKTC_DATA_TYPE_F32);
  CHECK(p.desc.batch == 16);
  CHECK(p.desc.groups == 1);
  CHECK(p.desc.inChannels == 32);
  CHECK(p.desc.outChannels == 64);
  CHECK(p.desc.inputSize[0] == 131072);
  CHECK(p.desc.kernelSize[0] == 3);
  CHECK(p.desc.stride[0] == 2);
  CHECK(p.desc.paddingBegin[0] == 1);
  CHECK(p.desc.paddingEnd[0] == 1);
  CHECK(p.desc.outputPadding[0] == 0);
  CHECK(p.desc.dilation[0] == 2);
  CHECK(p.desc.hasBias == VK_FALSE);

  const VktcConvTransposeDesc d =
      parse_problem("dtbf16g2mb3ic4id5ih6iw7oc8kd1kh2kw3sd4sh5sw6pd-1ph0pw1ed2eh-3ew4opd1oph2opw3dd1dh2dw3bias").desc;
  CHECK(d.spatialRank == 3);
  CHECK(d.dataType == VKTC_DATA_TYPE_BF16);
  CHECK(d.groups == 2);
  CHECK(d.batch == 3);
  CHECK(axes(d, d.inputSize) == std::vector<int64_t>{5, 6, 7});
  CHECK(axes(d, d.kernelSize) == std::vector<int64_t>{1, 2, 3});
  CHECK(axes(d, d.stride) == std::vector<int64_t>{4, 5, 6});
  CHECK(axes(d, d.paddingBegin) == std::vector<int64_t>{-1, 0, 1});
  CHECK(axes(d, d.paddingEnd) == std::vector<int64_t>{2, -3, 4});
  CHECK(axes(d, d.outputPadding) == std::vector<int64_t>{1, 2, 3});
  CHECK(axes(d, d.dilation) == std::vector<int64_t>{1, 2, 3});
  CHECK(d.hasBias == VK_TRUE);
  CHECK(d.inputLayout == VKTC_LAYOUT_CHANNELS_FIRST);
  CHECK(d.outputLayout == VKTC_LAYOUT_CHANNELS_FIRST);
  CHECK(d.outputType == VKTC_OUTPUT_TYPE_DEFAULT);

  const VktcConvTransposeDesc turned = parse_problem("dtf16otf32ilast_ic1ih4oc1kh3").desc;
  CHECK(turned.inputLayout == VKTC_LAYOUT_CHANNELS_LAST);
  CHECK(turned.outputLayout == VKTC_LAYOUT_CHANNELS_FIRST);
  CHECK(turned.outputType == VKTC_OUTPUT_TYPE_F32);
  const VktcConvTransposeDesc chained = parse_problem("ic1ih4_po\"clamp:-inf:1e-3,relu,scale_shift\"_oc1kh3").desc;
  REQUIRE(chained.postOpCount == 3);
  CHECK(chained.postOps[0].kind == VKTC_POST_OP_CLAMP);
  CHECK(chained.postOps[0].alpha == -std::numeric_limits<float>::infinity());
  CHECK(chained.postOps[0].beta == 1e-3f);
  CHECK(chained.postOps[1].kind == VKTC_POST_OP_RELU);
  CHECK(chained.postOps[2].kind == VKTC_POST_OP_SCALE_SHIFT);
  CHECK(parse_problem("olastic1ih4oc1kh3").desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST);
}

TEST_CASE("inner axes are copied from outer ones") {
  const VktcConvTransposeDesc square = parse_problem("ic1oc1ih64kh3sh2").desc;
  CHECK(square.spatialRank == 2);
  CHECK(axes(square, square.inputSize) == std::vector<int64_t>{64, 64});
  CHECK(axes(square, square.kernelSize) == std::vector<int64_t>{3, 3});
  CHECK(axes(square, square.stride) == std::vector<int64_t>{2, 2});
  const VktcConvTransposeDesc mixed = parse_problem("ic1oc1id9iw4kd3kh2pd2pw0ed1").desc;
  CHECK(axes(mixed, mixed.inputSize) == std::vector<int64_t>{9, 9, 4});
  CHECK(axes(mixed, mixed.kernelSize) == std::vector<int64_t>{3, 2, 2});
  CHECK(axes(mixed, mixed.paddingBegin) == std::vector<int64_t>{2, 2, 0});
  CHECK(axes(mixed, mixed.paddingEnd) == std::vector<int64_t>{1, 1, 1});
}

TEST_CASE("the text of a problem is short and brings it back") {
  CHECK(format_problem(parse_problem("ic1_oc2_ih64_iw64_kh3_kw3_sh1_sw1_ph1_pw1_eh1_ew1_mb1_g1_dtf32")) ==
        "ic1ih64_oc2kh3ph1");
  CHECK(format_problem(parse_problem("n\"a \\\"b\\\" \\\\ \xc3\xa9\"ic2iw8oc2kw3dti32biasg2mb4")) ==
        "dti32_g2mb4_ic2iw8_oc2kw3_bias_n\"a \\\"b\\\" \\\\ \xc3\xa9\"");
  CHECK(format_problem(parse_problem("olast_ic1iw4oc1kw3_ilast_otf32_dtbf16_mb2")) ==
        "dtbf16_otf32_ilast_olast_mb2_ic1iw4_oc1kw3");
  CHECK(format_problem(parse_problem("po\"linear:0.10:1e0,residual\"ic1iw4oc1kw3bias")) ==
        "ic1iw4_oc1kw3_bias_po\"linear:0.1:1,residual\"");
  CHECK(format_problem(parse_problem("dti8_oti8_ic1iw4oc1kw3bias")) == "dti8_oti8_ic1iw4_oc1kw3_bias");
  CHECK(format_problem(parse_problem("dti8_oti32_ic1iw4oc1kw3")) == "dti8_ic1iw4_oc1kw3");
  // What is said without need is the same problem.
  CHECK(format_problem(parse_problem("dtf16_otf16_ic1iw4oc1kw3")) == "dtf16_ic1iw4_oc1kw3");
  std::mt19937_64 random(11);
  const auto pick = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
  };
  for (int round = 0; round < 3000; ++round) {
    NamedProblem problem;
    problem.desc = vktcDefaultDesc(static_cast<uint32_t>(pick(1, 3)));
    VktcConvTransposeDesc& d = problem.desc;
    d.dataType = static_cast<VktcDataType>(pick(0, 4));
    d.groups = pick(1, 3);
    d.batch = pick(1, 3);
    d.inChannels = d.groups * pick(1, 3);
    d.outChannels = d.groups * pick(1, 3);
    for (uint32_t axis = 0; axis < d.spatialRank; ++axis) {
      d.inputSize[axis] = pick(8, 10);
      d.kernelSize[axis] = pick(1, 3);
      d.stride[axis] = pick(1, 2);
      d.paddingBegin[axis] = pick(-2, 2);
      d.paddingEnd[axis] = pick(-2, 2);
      d.dilation[axis] = pick(1, 2);
      d.outputPadding[axis] = pick(0, std::max(d.stride[axis], d.dilation[axis]) - 1);
    }
    d.hasBias = pick(0, 1) != 0 ? VK_TRUE : VK_FALSE;
    d.inputLayout = static_cast<VktcLayout>(pick(0, 1));
    d.outputLayout = static_cast<VktcLayout>(pick(0, 1));
    const bool is_16_bit = d.dataType == VKTC_DATA_TYPE_F16 || d.dataType == VKTC_DATA_TYPE_BF16;
    if (d.dataType == VKTC_DATA_TYPE_I8) {
      constexpr VktcOutputType types[] = {VKTC_OUTPUT_TYPE_DEFAULT, VKTC_OUTPUT_TYPE_F32, VKTC_OUTPUT_TYPE_F16,
                                          VKTC_OUTPUT_TYPE_I8};
      d.outputType = types[pick(0, 3)];
    }
    const bool has_chain = vktconv::reference::output_type(d) != VKTC_DATA_TYPE_I32;
    for (int64_t length = has_chain ? pick(0, 4) : 0; length > 0; --length) {
      const auto kind = static_cast<VktcPostOpKind>(pick(VKTC_POST_OP_RELU, VKTC_POST_OP_LINEAR));
      d.postOps[d.postOpCount++] = {kind, static_cast<float>(pick(-9, 0)) / 7,
                                    static_cast<float>(pick(0, 900)) * 1e-4f};
    }
    if (is_16_bit && pick(0, 1) == 0) d.outputType = VKTC_OUTPUT_TYPE_F32;
    for (int64_t length = pick(0, 5); length > 0; --length) problem.name += "ab\"\\_ "[pick(0, 5)];
    const std::string text = format_problem(problem);
    CAPTURE(text);
    CHECK(same(parse_problem(text), problem));
    CHECK(format_problem(parse_problem(text)) == text);
  }
}

TEST_CASE("a problem without a text is refused, an invalid one is not") {
  NamedProblem problem = parse_problem("ic1iw4oc1kw3");
  problem.desc.stride[0] = -7;
  CHECK(format_problem(problem) == "ic1iw4_oc1kw3sw-7");
  problem.desc.spatialRank = 4;
  check_message(message_of([&] { format_problem(problem); }), "spatial rank 4");
  problem.desc.spatialRank = 0;
  check_message(message_of([&] { format_problem(problem); }), "spatial rank 0");
  CHECK(parse_data_type("bf16") == VKTC_DATA_TYPE_BF16);
  check_message(message_of([&] { parse_data_type("F16"); }), "\"F16\" is no data type");
  check_message(message_of([&] { parse_data_type("f16\x01"); }), "\"f16?\" is no data type");
}

TEST_CASE("wrong descriptors are refused, with the reason and the place") {
  refuse_descriptor("", "it is empty");
  refuse_descriptor(std::string(5000, '_'), "character 4097: it has 5000 characters");
  refuse_descriptor("ic1ih3kh3", "character 10: \"oc\" (output channels) is missing");
  refuse_descriptor("oc1ih3kh3", "\"ic\" (input channels) is missing");
  refuse_descriptor("ic1oc1kh3", "the input size is missing");
  refuse_descriptor("ic1oc1ih3", "\"kh\" (kernel size) is missing");
  refuse_descriptor("ic1oc1ih3kw3", "\"kh\" (kernel size) is missing");
  refuse_descriptor("ic1oc1ih3kh3 ", "character 13: no field begins with \" \"");
  refuse_descriptor("ic1oc1ih3kh3x2", "character 13: no field begins with \"x2\"");
  refuse_descriptor("ic1oc1ih3kh3\xff\n", "no field begins with \"??\"");
  refuse_descriptor("IC1oc1ih3kh3", "no field begins with \"IC1oc1ih...\"");
  refuse_descriptor("ic1oc1ih3kh3sw2", "character 13: \"sw\" is given, but not \"sh\"");
  refuse_descriptor("ic1oc1iw3kw3sh2", "the problem has no axis h");
  refuse_descriptor("ic1ic1", "character 4: \"ic\" is given twice");
  refuse_descriptor("mb2_mb2", "\"mb\" is given twice");
  refuse_descriptor("bias_bias", "\"bias\" is given twice");
  refuse_descriptor("dtf16dtf16", "\"dt\" is given twice");
  refuse_descriptor("po\"relu\"po\"relu\"", "\"po\" is given twice");
  refuse_descriptor("porelu", "character 3: \"po\" needs a chain of post-ops in double quotes here");
  refuse_descriptor("po\"relu", "character 1: the chain of post-ops has no closing quote");
  refuse_descriptor("po\"\"", "post-op \"\": there is none of that name; there are relu, leaky_relu, silu,");
  refuse_descriptor("po\"relu,,tanh\"", "post-op \"\": there is none of that name");
  refuse_descriptor("po\"elu\"", "post-op \"elu\": there is none of that name");
  refuse_descriptor("po\"relu:1\"", "post-op \"relu:1\": it must read relu");
  refuse_descriptor("po\"linear:1\"", "post-op \"linear:1\": it must read linear:alpha:beta");
  refuse_descriptor("po\"leaky_relu:\"", "post-op \"leaky_relu:\": \"\" is no number of fp32");
  refuse_descriptor("po\"leaky_relu:1x\"", "\"1x\" is no number of fp32");
  refuse_descriptor("po\"leaky_relu:1e99\"", "\"1e99\" is no number of fp32");
  refuse_descriptor("po\"relu,relu,relu,relu,relu,relu,relu,relu,relu\"", "more than 8 post-ops");
  refuse_descriptor("ic1oc1iw3kw3po\"leaky_relu:nan\"", "postOps[0].alpha of leaky_relu is nan: it must be finite");
  refuse_descriptor("ic1oc1iw3kw3po\"residual,residual\"", "a chain may have one only");
  refuse_descriptor("dti32ic1oc1iw3kw3po\"relu\"", "where the output is i32 it must be 0");
  refuse_descriptor("otf32otf32", "\"ot\" is given twice");
  refuse_descriptor("ilastilast", "\"ilast\" is given twice");
  refuse_descriptor("olast_olast", "\"olast\" is given twice");
  refuse_descriptor("otf64", "character 3: \"ot\" needs one of");
  refuse_descriptor("ic1oc1iw3kw3otf16", "outputType is f16: where dataType is f32 it must be f32");
  refuse_descriptor("n\"a\"n\"a\"", "\"n\" is given twice");
  refuse_descriptor("dtf64", "character 3: \"dt\" needs one of");
  refuse_descriptor("ic", "character 3: \"ic\" needs a whole number");
  refuse_descriptor("ic+1", "character 3: \"ic\" needs a whole number");
  refuse_descriptor("ic-", "character 3: \"ic\" needs a whole number");
  refuse_descriptor("ic1.5", "no field begins with \".5\"");
  refuse_descriptor("ic2147483648", "\"ic\" is 2147483648: it must be between -2147483647 and 2147483647");
  refuse_descriptor("pd-2147483648", "\"pd\" is -2147483648: it must be between");
  refuse_descriptor("ic" + std::string(4000, '9'), "it must be between");
  refuse_descriptor("n", "character 2: \"n\" needs a name in double quotes");
  refuse_descriptor("nabc", "\"n\" needs a name in double quotes");
  refuse_descriptor("n\"abc", "character 1: the name has no closing quote");
  refuse_descriptor("n\"abc\\\"", "the name has no closing quote");
  refuse_descriptor("n\"abc\\", "the name has no closing quote");
  refuse_descriptor("n\"\"", "the name is empty");
  refuse_descriptor("n\"a\nb\"", "the name has a control character");
  refuse_descriptor("n\"" + std::string(257, 'a') + "\"", "the name has 257 bytes; 256 are allowed");
  refuse_descriptor("ic1oc1iw3kw3sw0", "stride[0] is 0: it must be at least 1");
  refuse_descriptor("ic1oc1iw3kw3mb-1", "batch is -1");
  refuse_descriptor("g2ic3oc2iw3kw3", "groups is 2: it must divide inChannels, which is 3");
  refuse_descriptor("ic1oc1iw3kw3opw1", "outputPadding[0] is 1");
  refuse_descriptor("ic1oc1iw3kw3pw4", "outputSize[0] comes out as -3");
  refuse_descriptor("ic1oc1iw3kw3ow4", "\"ow\" is 4, but the output size of the problem is 5");
  refuse_descriptor("ic1oc1iw3kw3oh5ow5", "\"oh\" is 5, but the output size of the problem is 1");
  CHECK_NOTHROW(parse_problem("ic1oc1iw3kw3ow5"));
}

TEST_CASE("a suite says what it says") {
  const std::vector<NamedProblem> suite = parse_suite(R"({"about": "two", "problems": [
    {"name": "a.1", "batch": 2, "in_channels": 4, "out_channels": 6, "input": [8, 9], "kernel": [3, 2], "stride": [2, 1],
     "padding": [1, 0], "output_padding": [1, 0], "dilation": [1, 2], "groups": 2, "bias": true, "output": [16, 11]},
    {"name": "b", "in_channels": 1, "out_channels": 1, "input": [5, 6, 7], "kernel": 3, "padding_begin": -1,
     "padding_end": [0, 1, 2], "dtype": "f16", "output_type": "f32", "input_layout": "channels_last",
     "output_layout": "channels_first", "post_ops": "relu,linear:2:0.5"}]})",
                                                      "s.json");
  REQUIRE(suite.size() == 2);
  CHECK(format_problem(suite[0]) == "g2mb2_ic4ih8iw9_oc6kh3kw2sh2sw1ph1pw0oph1opw0dh1dw2_bias_n\"a.1\"");
  CHECK(format_problem(suite[1]) ==
        "dtf16_otf32_ilast_ic1id5ih6iw7_oc1kd3pd-1ed0eh1ew2_po\"relu,linear:2:0.5\"_n\"b\"");
  CHECK(parse_suite("{\"problems\": []}", "s.json").empty());
}

TEST_CASE("wrong suites are refused, with the problem and the key") {
  const auto with = [](const std::string& more) {
    return R"({"problems": [{"name": "a", "in_channels": 2, "out_channels": 2, "input": [5], "kernel": [3])" + more +
           "}]}";
  };
  REQUIRE(parse_suite(with(""), "s.json").size() == 1);
  refuse_suite("", "line 1, column 1");
  refuse_suite("{\"problems\": [}", "line 1, column 15");
  refuse_suite("{\"problems\": []} x", "line 1, column 18");
  refuse_suite("{\"problems\": [], \"a\": \"\xff\"}", "ill-formed UTF-8");
  refuse_suite("[]", "it must be an object with the key \"problems\"");
  refuse_suite("{}", "the key \"problems\" must be there and hold a list");
  refuse_suite("{\"problems\": {}}", "the key \"problems\" must be there and hold a list");
  refuse_suite("{\"problem\": []}", "there is no key \"problem\"");
  refuse_suite("{\"problems\": [], \"problems\": []}", "the key \"problems\" is given twice");
  refuse_suite("{\"problems\": [1]}", "problem 1: it is not an object");
  refuse_suite("{\"problems\": [{}]}", "problem 1: key \"name\": it is missing");
  refuse_suite("{\"problems\": [{\"name\": 1}]}", "key \"name\": it must be a string");
  refuse_suite("{\"problems\": [{\"name\": \"\"}]}", "key \"name\": the name is empty");
  refuse_suite("{\"problems\": [{\"name\": \"a\\u0000\"}]}", "key \"name\": the name has a control character");
  refuse_suite("{\"problems\": [{\"name\": \"a\", \"name\": \"b\"}]}", "the key \"name\" is given twice");
  refuse_suite(std::string(3'000'000, '['), "nested more than 4 deep");
  refuse_suite("{\"problems\": [[[[1]]]]}", "nested more than 4 deep");
  refuse_suite(std::string((4u << 20) + 1, ' '), "4194304 are allowed");
  refuse_suite(with(R"(, "strides": [1])"), "problem 1 (a): key \"strides\": there is no such key");
  refuse_suite(with(R"(, "stride": [1, 1])"), "key \"stride\": it has 2 numbers, but \"input\" has 1");
  refuse_suite(with(R"(, "stride": [])"), "key \"stride\": it has 0 numbers");
  refuse_suite(with(R"(, "stride": [1.0])"), "key \"stride\": it must be a whole number, not 1.0");
  refuse_suite(with(R"(, "stride": ["1"])"), "key \"stride\": it must be a whole number, not a string");
  refuse_suite(with(R"(, "stride": {})"), "key \"stride\": it must be a whole number, not an object");
  refuse_suite(with(R"(, "groups": [1])"), "key \"groups\": it must be a whole number, not a list");
  refuse_suite(with(R"(, "stride": null)"), "key \"stride\": it must be a whole number, not null");
  refuse_suite(with(R"(, "stride": 1e30)"), "key \"stride\": it must be a whole number");
  refuse_suite(with(R"(, "stride": 18446744073709551615)"), "key \"stride\": it is 18446744073709551615");
  refuse_suite(with(R"(, "stride": 99999999999999999999)"), "key \"stride\": it must be a whole number");
  refuse_suite(with(R"(, "stride": 2147483648)"), "it must be between -2147483647 and 2147483647");
  refuse_suite(with(R"(, "stride": 0)"), "problem 1 (a): stride[0] is 0");
  refuse_suite(with(R"(, "bias": 1)"), "key \"bias\": it must be true or false");
  refuse_suite(with(R"(, "dtype": "float")"), "key \"dtype\": \"float\" is no data type");
  refuse_suite(with(R"(, "dtype": 1)"), "key \"dtype\": it must be a string");
  refuse_suite(with(R"(, "output_type": "f23")"), "key \"output_type\": \"f23\" is no data type");
  refuse_suite(with(R"(, "output_type": "f16")"), "outputType is f16: where dataType is f32");
  refuse_suite(with(R"(, "input_layout": "nhwc")"), "key \"input_layout\": \"nhwc\" is no layout; the layouts are");
  refuse_suite(with(R"(, "post_ops": "relu6")"), "key \"post_ops\": post-op \"relu6\": there is none of that name");
  refuse_suite(with(R"(, "post_ops": ["relu"])"), "key \"post_ops\": it must be a string");
  refuse_suite(with(R"(, "output_layout": 1)"), "key \"output_layout\": it must be a string");
  refuse_suite(with(R"(, "output": [8])"),
               "key \"output\": it is 8 on axis 0, but the output size of the problem is 7");
  refuse_suite(with(R"(, "padding_begin": [0])"), "key \"padding_end\": it is missing");
  refuse_suite(with(R"(, "padding_end": [0])"), "key \"padding_begin\": it is missing");
  refuse_suite(with(R"(, "padding": 0, "padding_end": 0, "padding_begin": 0)"),
               "key \"padding\": it may not be combined");
  refuse_suite(with(R"(, "groups": 3)"), "groups is 3: it must divide inChannels");
  refuse_suite(R"({"problems": [{"name": "a", "in_channels": 2, "out_channels": 2, "input": 5, "kernel": 3}]})",
               "key \"input\": it must be a list of 1, 2 or 3 numbers");
  refuse_suite(
      R"({"problems": [{"name": "a", "in_channels": 2, "out_channels": 2, "input": [1, 1, 1, 1], "kernel": 3}]})",
      "key \"input\": it must be a list of 1, 2 or 3 numbers");
  const std::string one = R"({"name": "a", "in_channels": 2, "out_channels": 2, "input": [5], "kernel": [3]})";
  refuse_suite("{\"problems\": [" + one + ", " + one + "]}",
               "problem 2 (a): key \"name\": an earlier problem has the same");
}

TEST_CASE("suite files are read, and what is no file is named") {
  const ScratchFolder folder;
  const auto message = [](const std::filesystem::path& file) { return message_of([&] { load_suite(file); }); };
  const std::filesystem::path file = folder.path() / "s.json";
  check_message(message(file), "s.json: there is no such file");
  check_message(message(folder.path()), "it is not a regular file");
  check_message(message("/dev/zero"), "suite /dev/zero: it is not a regular file");
  std::ofstream(file)
      << R"({"problems": [{"name": "a", "in_channels": 2, "out_channels": 2, "input": [5], "kernel": [3]}]})";
  CHECK(load_suite(file).size() == 1);
  std::filesystem::resize_file(file, uintmax_t{1} << 40);  // sparse: it takes no space
  check_message(message(file), "it has 1099511627776 bytes; 4194304 are allowed");
}

TEST_CASE("random damage never does worse than a refusal") {
  const std::string descriptors[] = {
      "g1mb16_ilast_dtf16_otf32_ic32iw131072_oc64kw3sw2pw1dw2n\"kb1.79\"",
      "dtbf16g2mb3ic4id5ih6iw7oc8kd1kh2kw3sd4sh5sw6pd-1ed2opd1dd1dh2biaspo\"relu,clamp:-1:2.5,residual\"n\"\\\"\""};
  std::mt19937_64 random(5);
  int accepted = 0;
  constexpr int rounds = 40000;
  for (int round = 0; round < rounds; ++round) {
    const std::string text = vktconv::tests::mutate(descriptors[round % 2], random);
    try {
      const NamedProblem problem = parse_problem(text);
      ++accepted;
      int64_t output[VKTC_MAX_SPATIAL_RANK];
      REQUIRE(vktcGetOutputSize(&problem.desc, output, nullptr) == VKTC_SUCCESS);
      REQUIRE(same(parse_problem(format_problem(problem)), problem));
    } catch (const std::invalid_argument& error) {
      REQUIRE(std::string_view(error.what()).starts_with("descriptor \""));
    }
  }
  CHECK(accepted > 0);
  CHECK(accepted < rounds / 2);

  const std::string suite =
      R"({"about": "x", "problems": [{"name": "a", "batch": 2, "in_channels": 4, "out_channels": 6,
    "input": [8, 9], "kernel": [3, 2], "stride": [2, 1], "padding": [1, 0], "bias": true, "output": [15, 10]}]})";
  for (int round = 0; round < rounds; ++round) {
    const std::string text = vktconv::tests::mutate(suite, random);
    try {
      for (const NamedProblem& problem : parse_suite(text, "s.json")) {
        REQUIRE(same(parse_problem(format_problem(problem)), problem));
      }
    } catch (const std::invalid_argument& error) {
      REQUIRE(std::string_view(error.what()).starts_with("suite s.json: "));
    }
  }
}

TEST_SUITE_END();

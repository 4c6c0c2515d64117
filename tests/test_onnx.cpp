// The padding attributes of ONNX ConvTranspose, against values worked out from the text of the operator
// (https://onnx.ai/onnx/operators/onnx__ConvTranspose.html) and its node tests; and PyTorch's padding.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "foreign_enum.h"
#include "reference.h"

using namespace vktconv;

TEST_SUITE_BEGIN("onnx");

namespace {

constexpr int64_t absent = INT64_MIN;  // no output_shape

struct Row {
  const char* what;
  VktcAutoPad auto_pad;
  int64_t input, kernel, stride, output_padding, dilation;
  int64_t output_shape;
  int64_t begin, end, output;  // expected
};

VktcConvTransposeDesc make_desc(const Row& row) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = row.input;
  desc.kernelSize[0] = row.kernel;
  desc.stride[0] = row.stride;
  desc.outputPadding[0] = row.output_padding;
  desc.dilation[0] = row.dilation;
  desc.paddingBegin[0] = desc.paddingEnd[0] = 99;  // must be overwritten
  return desc;
}

// x = 0..8 as 3x3, weights all 1, as in the node tests; the values of the first output channel.
std::vector<double> node_test(const VktcConvTransposeDesc& desc) {
  const float x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<float> w(18, 1.0f);
  std::vector<double> y;
  const auto values = reference::conv_transpose(desc, {x, w.data()});
  for (size_t i = 0; i < values.size() / 2; ++i) {
    y.push_back(values[i].value);
    CHECK(values[i].value == values[i + values.size() / 2].value);
  }
  return y;
}

VktcConvTransposeDesc node_test_desc(int64_t stride_h, int64_t stride_w) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.outChannels = 2;
  for (int i = 0; i < 2; ++i) {
    desc.inputSize[i] = 3;
    desc.kernelSize[i] = 3;
  }
  desc.stride[0] = stride_h;
  desc.stride[1] = stride_w;
  return desc;
}

}  // namespace

TEST_CASE("auto_pad and output_shape, one axis") {
  const Row rows[] = {
      // what                      auto_pad                    in  k  s op  d  shape  begin end  out
      {"nothing given", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, absent, 0, 0, 7},
      {"VALID", VKTC_AUTO_PAD_VALID, 3, 3, 2, 0, 1, absent, 0, 0, 7},
      {"VALID, output padding", VKTC_AUTO_PAD_VALID, 3, 3, 2, 1, 1, absent, 0, 0, 8},
      {"SAME_UPPER, total 1", VKTC_AUTO_PAD_SAME_UPPER, 3, 3, 2, 0, 1, absent, 0, 1, 6},
      {"SAME_LOWER, total 1", VKTC_AUTO_PAD_SAME_LOWER, 3, 3, 2, 0, 1, absent, 1, 0, 6},
      {"SAME_UPPER, total 2", VKTC_AUTO_PAD_SAME_UPPER, 5, 3, 1, 0, 1, absent, 1, 1, 5},
      {"SAME_LOWER, total 2", VKTC_AUTO_PAD_SAME_LOWER, 5, 3, 1, 0, 1, absent, 1, 1, 5},
      {"SAME_UPPER, total 3", VKTC_AUTO_PAD_SAME_UPPER, 4, 4, 1, 0, 1, absent, 1, 2, 4},
      {"SAME_LOWER, total 3", VKTC_AUTO_PAD_SAME_LOWER, 4, 4, 1, 0, 1, absent, 2, 1, 4},
      {"SAME_UPPER, dilation", VKTC_AUTO_PAD_SAME_UPPER, 6, 3, 2, 0, 3, absent, 2, 3, 12},
      {"SAME_UPPER, output padding counts", VKTC_AUTO_PAD_SAME_UPPER, 3, 3, 2, 1, 1, absent, 1, 1, 6},
      {"SAME_UPPER, kernel < stride: total -1", VKTC_AUTO_PAD_SAME_UPPER, 3, 1, 2, 0, 1, absent, -1, 0, 6},
      {"SAME_LOWER, kernel < stride: total -1", VKTC_AUTO_PAD_SAME_LOWER, 3, 1, 2, 0, 1, absent, 0, -1, 6},
      {"SAME_UPPER, total -3", VKTC_AUTO_PAD_SAME_UPPER, 2, 2, 5, 0, 1, absent, -2, -1, 10},
      {"SAME_LOWER, total -3", VKTC_AUTO_PAD_SAME_LOWER, 2, 2, 5, 0, 1, absent, -1, -2, 10},
      {"SAME_LOWER, total -2", VKTC_AUTO_PAD_SAME_LOWER, 2, 3, 5, 0, 1, absent, -1, -1, 10},
      {"output_shape, total 0", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 7, 0, 0, 7},
      {"output_shape, total 1", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 6, 1, 0, 6},
      {"output_shape, total 2", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 5, 1, 1, 5},
      {"output_shape, total 3", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 4, 2, 1, 4},
      {"output_shape, total -1", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 8, 0, -1, 8},
      {"output_shape, total -2", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 9, -1, -1, 9},
      {"output_shape, total -3", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 10, -1, -2, 10},
      {"output_shape, SAME_UPPER, total 3", VKTC_AUTO_PAD_SAME_UPPER, 3, 3, 2, 0, 1, 4, 1, 2, 4},
      {"output_shape, SAME_LOWER, total 3", VKTC_AUTO_PAD_SAME_LOWER, 3, 3, 2, 0, 1, 4, 2, 1, 4},
      {"output_shape, SAME_UPPER, total -1", VKTC_AUTO_PAD_SAME_UPPER, 3, 3, 2, 0, 1, 8, -1, 0, 8},
      {"output_shape, output padding counts", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 1, 1, 7, 1, 0, 7},
      {"output_shape, output padding = total -1", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 1, 1, 9, 0, -1, 9},
      {"output_shape, dilation", VKTC_AUTO_PAD_NOTSET, 4, 3, 3, 0, 2, 11, 2, 1, 11},
      {"output_shape 1", VKTC_AUTO_PAD_NOTSET, 3, 3, 2, 0, 1, 1, 3, 3, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    VktcConvTransposeDesc desc = make_desc(row);
    VktcOnnxPadding padding = {row.auto_pad, nullptr, row.output_shape == absent ? nullptr : &row.output_shape};
    VktcError error = {};
    REQUIRE_MESSAGE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS, error.message);
    CHECK(desc.paddingBegin[0] == row.begin);
    CHECK(desc.paddingEnd[0] == row.end);
    CHECK(desc.outputPadding[0] == row.output_padding);
    int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
    REQUIRE(vktcGetOutputSize(&desc, size, &error) == VKTC_SUCCESS);
    CHECK(size[0] == row.output);
  }
}

TEST_CASE("pads are all begins, then all ends") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(3);
  for (int i = 0; i < 3; ++i) desc.inputSize[i] = 10;
  const int64_t pads[] = {1, 2, 3, -4, 5, 0};
  const VktcOnnxPadding padding = {VKTC_AUTO_PAD_NOTSET, pads, nullptr};
  VktcError error = {};
  REQUIRE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS);
  for (int i = 0; i < 3; ++i) {
    CHECK(desc.paddingBegin[i] == pads[i]);
    CHECK(desc.paddingEnd[i] == pads[i + 3]);
  }
}

TEST_CASE("Each axis is resolved by itself") {
  VktcConvTransposeDesc desc = node_test_desc(3, 2);
  const int64_t shape[] = {10, 8};
  const VktcOnnxPadding padding = {VKTC_AUTO_PAD_NOTSET, nullptr, shape};
  VktcError error = {};
  REQUIRE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS);
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  REQUIRE(vktcGetOutputSize(&desc, size, &error) == VKTC_SUCCESS);
  CHECK(size[0] == 10);
  CHECK(size[1] == 8);
}

TEST_CASE("The node test convtranspose_output_shape") {
  VktcConvTransposeDesc desc = node_test_desc(3, 2);
  const int64_t shape[] = {10, 8};
  const VktcOnnxPadding padding = {VKTC_AUTO_PAD_NOTSET, nullptr, shape};
  VktcError error = {};
  REQUIRE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS);
  std::vector<double> expected;
  const double rows[3][8] = {{0, 0, 1, 1, 3, 2, 2, 0}, {3, 3, 7, 4, 9, 5, 5, 0}, {6, 6, 13, 7, 15, 8, 8, 0}};
  for (int i = 0; i < 9; ++i) expected.insert(expected.end(), rows[i / 3], rows[i / 3] + 8);
  expected.resize(80, 0.0);
  CHECK(node_test(desc) == expected);
}

TEST_CASE("The node test convtranspose_autopad_same") {
  VktcConvTransposeDesc desc = node_test_desc(2, 2);
  const VktcOnnxPadding padding = {VKTC_AUTO_PAD_SAME_UPPER, nullptr, nullptr};
  VktcError error = {};
  REQUIRE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS);
  const std::vector<double> expected = {0, 0, 1, 1, 3, 2, 0, 0, 1,  1,  3,  2,  3, 3, 8,  5, 12, 7,
                                        3, 3, 7, 4, 9, 5, 9, 9, 20, 11, 24, 13, 6, 6, 13, 7, 15, 8};
  CHECK(node_test(desc) == expected);
}

TEST_CASE("The node test convtranspose_pads") {
  VktcConvTransposeDesc desc = node_test_desc(3, 2);
  const int64_t pads[] = {1, 2, 1, 2};
  const VktcOnnxPadding padding = {VKTC_AUTO_PAD_NOTSET, pads, nullptr};
  VktcError error = {};
  REQUIRE(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_SUCCESS);
  const std::vector<double> expected = {1, 1, 3, 1, 1, 3, 7, 4, 9, 7, 4, 9, 7, 4, 9, 13, 7, 15, 13, 7, 15};
  CHECK(node_test(desc) == expected);
}

TEST_CASE("Contradictions and nonsense are refused, and the descriptor stays as it was") {
  struct Refusal {
    const char* what;
    VktcAutoPad auto_pad;
    std::vector<int64_t> pads, shape;
    const char* parameter;
  };
  const Refusal rows[] = {
      {"pads with SAME_UPPER", VKTC_AUTO_PAD_SAME_UPPER, {1, 1, 1, 1}, {}, "pads"},
      {"pads with SAME_LOWER", VKTC_AUTO_PAD_SAME_LOWER, {1, 1, 1, 1}, {}, "pads"},
      {"pads with VALID", VKTC_AUTO_PAD_VALID, {1, 1, 1, 1}, {}, "pads"},
      {"pads with output_shape", VKTC_AUTO_PAD_NOTSET, {1, 1, 1, 1}, {7, 7}, "pads"},
      {"output_shape 0", VKTC_AUTO_PAD_NOTSET, {}, {7, 0}, "outputShape[1]"},
      {"output_shape negative", VKTC_AUTO_PAD_NOTSET, {}, {-3, 7}, "outputShape[0]"},
      {"unknown auto_pad", vktconv::tests::foreign_enum<VktcAutoPad>(17), {}, {}, "autoPad"},
      {"negative auto_pad", vktconv::tests::foreign_enum<VktcAutoPad>(-1), {}, {}, "autoPad"},
  };
  for (const Refusal& row : rows) {
    CAPTURE(row.what);
    VktcConvTransposeDesc desc = node_test_desc(2, 2);
    desc.paddingBegin[0] = 42;
    const VktcOnnxPadding padding = {row.auto_pad, row.pads.empty() ? nullptr : row.pads.data(),
                                     row.shape.empty() ? nullptr : row.shape.data()};
    VktcError error = {};
    CHECK(vktcResolveOnnxPadding(&padding, &desc, &error) == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::string(error.parameter) == row.parameter);
    CHECK(std::string(error.message) != "");
    CHECK(desc.paddingBegin[0] == 42);
  }
}

TEST_CASE("PyTorch's padding is symmetric and not negative") {
  VktcConvTransposeDesc desc = node_test_desc(2, 2);
  const int64_t padding[] = {1, 2};
  VktcError error = {};
  REQUIRE(vktcResolvePytorchPadding(padding, &desc, &error) == VKTC_SUCCESS);
  CHECK(desc.paddingBegin[0] == 1);
  CHECK(desc.paddingEnd[0] == 1);
  CHECK(desc.paddingBegin[1] == 2);
  CHECK(desc.paddingEnd[1] == 2);
  const int64_t negative[] = {1, -1};
  CHECK(vktcResolvePytorchPadding(negative, &desc, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "padding[1]");
  CHECK(desc.paddingBegin[1] == 2);
}

TEST_SUITE_END();

// Output sizes, the lifting to three axes, the counting of work.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "cases.h"
#include "foreign_enum.h"
#include "shape.h"
#include "tensors.h"

using namespace vktconv;

TEST_SUITE_BEGIN("shape");

namespace {

struct AxisRow {
  int64_t input, kernel, stride, padding_begin, padding_end, output_padding, dilation;
  int64_t output;
};

VktcConvTransposeDesc one_axis(const AxisRow& row) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = row.input;
  desc.kernelSize[0] = row.kernel;
  desc.stride[0] = row.stride;
  desc.paddingBegin[0] = row.padding_begin;
  desc.paddingEnd[0] = row.padding_end;
  desc.outputPadding[0] = row.output_padding;
  desc.dilation[0] = row.dilation;
  return desc;
}

}  // namespace

TEST_CASE("The default descriptor is the identity") {
  for (uint32_t rank = 1; rank <= 3; ++rank) {
    const VktcConvTransposeDesc desc = vktcDefaultDesc(rank);
    CHECK(desc.pNext == nullptr);
    CHECK(desc.spatialRank == rank);
    CHECK(desc.dataType == VKTC_DATA_TYPE_F32);
    CHECK(desc.batch == 1);
    CHECK(desc.groups == 1);
    CHECK(desc.hasBias == VK_FALSE);
    for (uint32_t axis = 0; axis < rank; ++axis) {
      CHECK(desc.kernelSize[axis] == 1);
      CHECK(desc.stride[axis] == 1);
      CHECK(desc.dilation[axis] == 1);
      CHECK(desc.paddingBegin[axis] == 0);
      CHECK(desc.paddingEnd[axis] == 0);
      CHECK(desc.outputPadding[axis] == 0);
    }
  }
}

TEST_CASE("Output sizes") {
  // Sizes as torch.nn.functional.conv_transpose1d gives them where PyTorch has the parameters.
  const AxisRow rows[] = {
      {1, 1, 1, 0, 0, 0, 1, 1},
      {5, 3, 1, 0, 0, 0, 1, 7},
      {5, 3, 2, 1, 1, 1, 1, 10},
      {5, 3, 2, 1, 1, 0, 2, 11},
      {131072, 3, 2, 1, 1, 0, 2, 262145},  // kb1.79
      {131072, 5, 1, 0, 0, 0, 3, 131084},  // kb1.74
      {64, 3, 5, 1, 1, 0, 2, 318},         // kb1.81
      {540, 9, 4, 4, 4, 3, 1, 2160},       // fsrcnn.x4
      {3, 1, 7, 0, 0, 6, 1, 21},           // output padding up to stride - 1
      {3, 2, 2, 0, 0, 4, 5, 14},           // output padding beyond stride, below dilation
      {4, 3, 2, -1, -2, 0, 1, 12},         // negative padding extends
      {4, 3, 2, 0, 3, 0, 1, 6},            // asymmetric
      {1, 1, 1, -2147483000, 0, 0, 1, 2147483001},
  };
  for (const AxisRow& row : rows) {
    CAPTURE(row.output);
    const VktcConvTransposeDesc desc = one_axis(row);
    int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    REQUIRE(vktcGetOutputSize(&desc, size, &error) == VKTC_SUCCESS);
    CHECK(size[0] == row.output);
    CHECK(vktcGetOutputSize(&desc, size, nullptr) == VKTC_SUCCESS);
  }
}

TEST_CASE("Output parameters are written only on success") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.inputSize[0] = desc.inputSize[1] = 4;
  desc.stride[1] = 0;
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {-5, -6, -7};
  VktcError error = {};
  CHECK(vktcGetOutputSize(&desc, size, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(size[0] == -5);
  CHECK(size[1] == -6);
  CHECK(size[2] == -7);
}

TEST_CASE("Axes beyond the rank are ignored") {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inputSize[0] = 4;
  desc.inputSize[1] = desc.inputSize[2] = -1;
  desc.stride[1] = 0;
  desc.kernelSize[2] = -9;
  desc.outputPadding[1] = 1000;
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  CHECK(vktcGetOutputSize(&desc, size, nullptr) == VKTC_SUCCESS);
  CHECK(size[0] == 4);
}

TEST_CASE("Problems of every rank get three axes, the given ones innermost") {
  for (const tests::Case& each : tests::cases()) {
    const VktcConvTransposeDesc& desc = each.desc;
    INFO(each.name);
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(desc, problem, error));
    CHECK(problem.spatial_rank == desc.spatialRank);
    CHECK(problem.data_type == desc.dataType);
    CHECK(problem.batch == desc.batch);
    CHECK(problem.in_channels == desc.inChannels);
    CHECK(problem.out_channels == desc.outChannels);
    CHECK(problem.groups == desc.groups);
    CHECK(problem.has_bias == (desc.hasBias != VK_FALSE));
    const uint32_t missing = 3 - desc.spatialRank;
    for (uint32_t i = 0; i < missing; ++i) {
      const Axis& axis = problem.axes[i];
      CHECK(axis.input == 1);
      CHECK(axis.output == 1);
      CHECK(axis.kernel == 1);
      CHECK(axis.stride == 1);
      CHECK(axis.padding_begin == 0);
      CHECK(axis.dilation == 1);
    }
    const std::vector<int64_t> sizes = reference::output_size(desc);
    for (uint32_t i = 0; i < desc.spatialRank; ++i) {
      const Axis& axis = problem.axes[missing + i];
      CHECK(axis.input == desc.inputSize[i]);
      CHECK(axis.output == sizes[i]);
      CHECK(axis.kernel == desc.kernelSize[i]);
      CHECK(axis.stride == desc.stride[i]);
      CHECK(axis.padding_begin == desc.paddingBegin[i]);
      CHECK(axis.dilation == desc.dilation[i]);
    }
    CHECK(problem.input_elements() == tests::input_elements(desc));
    CHECK(problem.weight_elements() == tests::weight_elements(desc));
    CHECK(problem.output_elements() == tests::output_elements(desc));
  }
}

TEST_CASE("Useful work is two for each product that the reference forms") {
  uint64_t turn = 0;
  for (const tests::Case& each : tests::cases()) {
    const VktcConvTransposeDesc desc = tests::in_turn(tests::with_type(each.desc, VKTC_DATA_TYPE_BF16), turn++);
    INFO(each.name);
    const tests::Tensors tensors(desc, reference::Fill::exact, 1);
    double products = 0;
    for (const reference::Value& value : tensors.expected()) products += static_cast<double>(value.terms);
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(desc, problem, error));
    CHECK(useful_flop(problem) == 2 * products);
    const size_t bytes = tensors.input.size() + tensors.weights.size() + tensors.bias.size() + tensors.residual.size() +
                         (tensors.scale.size() + tensors.shift.size()) * 4 + tests::output_bytes(desc);
    CHECK(least_bytes(problem) == static_cast<double>(bytes));
  }
}

TEST_CASE("Names and sizes of the API's values") {
  CHECK(vktcDataTypeSize(VKTC_DATA_TYPE_F32) == 4);
  CHECK(vktcDataTypeSize(VKTC_DATA_TYPE_F16) == 2);
  CHECK(vktcDataTypeSize(VKTC_DATA_TYPE_BF16) == 2);
  CHECK(vktcDataTypeSize(VKTC_DATA_TYPE_I32) == 4);
  CHECK(vktcDataTypeSize(VKTC_DATA_TYPE_I8) == 1);
  CHECK(vktcDataTypeSize(vktconv::tests::foreign_enum<VktcDataType>(5)) == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_SUCCESS), "VKTC_SUCCESS") == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_ERROR_LIMIT_EXCEEDED), "VKTC_ERROR_LIMIT_EXCEEDED") == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_ERROR_INVALID_PARAMETER), "VKTC_ERROR_INVALID_PARAMETER") == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_ERROR_FEATURE_NOT_ENABLED), "VKTC_ERROR_FEATURE_NOT_ENABLED") == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_ERROR_OUT_OF_HOST_MEMORY), "VKTC_ERROR_OUT_OF_HOST_MEMORY") == 0);
  CHECK(std::strcmp(vktcStatusName(VKTC_ERROR_VULKAN), "VKTC_ERROR_VULKAN") == 0);
  CHECK(vktcStatusName(vktconv::tests::foreign_enum<VktcStatus>(99)) != nullptr);
  CHECK(vktcGetVersion() == ((VKTC_VERSION_MAJOR << 22) | (VKTC_VERSION_MINOR << 12) | VKTC_VERSION_PATCH));
}

TEST_SUITE_END();

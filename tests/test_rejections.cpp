// Every rule of VktcConvTransposeDesc, with the parameter, status and sentence that its breach must give.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include <vktconv/vktconv.h>

#include "foreign_enum.h"

TEST_SUITE_BEGIN("rejections");

namespace {

// A valid 2D problem that each row spoils in one place.
VktcConvTransposeDesc valid_desc() {
  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.batch = 2;
  desc.inChannels = 6;
  desc.outChannels = 4;
  desc.groups = 2;
  for (int i = 0; i < 2; ++i) {
    desc.inputSize[i] = 5;
    desc.kernelSize[i] = 3;
    desc.stride[i] = 2;
    desc.paddingBegin[i] = 1;
    desc.paddingEnd[i] = 1;
    desc.outputPadding[i] = 1;
  }
  return desc;
}

struct Row {
  std::function<void(VktcConvTransposeDesc&)> spoil;
  const char* parameter;
  const char* message;
};

using Desc = VktcConvTransposeDesc;
const int something = 0;
constexpr int64_t max_size = 2147483647;

void chain(Desc& desc, std::initializer_list<VktcPostOp> ops) {
  desc.postOpCount = static_cast<uint32_t>(ops.size());
  std::copy(ops.begin(), ops.end(), desc.postOps);
}

const Row rows[] = {
    {[](Desc& d) { d.pNext = &something; }, "pNext", "desc.pNext must be NULL"},
    {[](Desc& d) { d.spatialRank = 0; }, "spatialRank", "spatialRank is 0: it must be 1, 2 or 3"},
    {[](Desc& d) { d.spatialRank = 4; }, "spatialRank", "spatialRank is 4: it must be 1, 2 or 3"},
    {[](Desc& d) { d.spatialRank = 0xffffffff; }, "spatialRank", "spatialRank is 4294967295: it must be 1, 2 or 3"},
    {[](Desc& d) { d.dataType = vktconv::tests::foreign_enum<VktcDataType>(5); }, "dataType",
     "dataType is 5: it must be a VktcDataType"},
    {[](Desc& d) { d.dataType = vktconv::tests::foreign_enum<VktcDataType>(-1); }, "dataType",
     "dataType is -1: it must be a VktcDataType"},

    {[](Desc& d) { d.inputLayout = vktconv::tests::foreign_enum<VktcLayout>(2); }, "inputLayout",
     "inputLayout is 2: it must be a VktcLayout"},
    {[](Desc& d) { d.outputLayout = vktconv::tests::foreign_enum<VktcLayout>(-1); }, "outputLayout",
     "outputLayout is -1: it must be a VktcLayout"},
    {[](Desc& d) { d.outputType = vktconv::tests::foreign_enum<VktcOutputType>(6); }, "outputType",
     "outputType is 6: it must be a VktcOutputType"},
    {[](Desc& d) { d.outputType = vktconv::tests::foreign_enum<VktcOutputType>(INT32_MIN); }, "outputType",
     "outputType is -2147483648: it must be a VktcOutputType"},
    {[](Desc& d) { d.outputType = VKTC_OUTPUT_TYPE_F16; }, "outputType",
     "outputType is f16: where dataType is f32 it must be f32"},
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_F16;
       d.outputType = VKTC_OUTPUT_TYPE_BF16;
     },
     "outputType", "outputType is bf16: where dataType is f16 it must be f16 or f32"},
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_I32;
       d.outputType = VKTC_OUTPUT_TYPE_F32;
     },
     "outputType", "outputType is f32: where dataType is i32 it must be i32"},
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_I8;
       d.outputType = VKTC_OUTPUT_TYPE_BF16;
     },
     "outputType", "outputType is bf16: where dataType is i8 it must be i32, f32, f16 or i8"},
    {[](Desc& d) { d.outputType = VKTC_OUTPUT_TYPE_I8; }, "outputType",
     "outputType is i8: where dataType is f32 it must be f32"},
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_I8;
       chain(d, {{VKTC_POST_OP_RELU, 0, 0}});
     },
     "postOpCount", "postOpCount is 1: where the output is i32 it must be 0"},

    {[](Desc& d) { d.postOpCount = 9; }, "postOpCount", "postOpCount is 9: it must be at most 8"},
    {[](Desc& d) { d.postOpCount = 0xffffffff; }, "postOpCount", "postOpCount is 4294967295: it must be at most 8"},
    {[](Desc& d) { d.postOpCount = 1; }, "postOps[0].kind", "postOps[0].kind is 0: it must be a VktcPostOpKind"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_RELU, 0, 0}, {vktconv::tests::foreign_enum<VktcPostOpKind>(13), 0, 0}});
     },
     "postOps[1].kind", "postOps[1].kind is 13: it must be a VktcPostOpKind"},
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_I32;
       chain(d, {{VKTC_POST_OP_RELU, 0, 0}});
     },
     "postOpCount", "postOpCount is 1: where the output is i32 it must be 0"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_LEAKY_RELU, NAN, 0}});
     },
     "postOps[0].alpha", "postOps[0].alpha of leaky_relu is nan: it must be finite"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_RELU, 0, 0}, {VKTC_POST_OP_LINEAR, 1, -INFINITY}});
     },
     "postOps[1].beta", "postOps[1].beta of linear is -inf: it must be finite"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_CLAMP, -INFINITY, NAN}});
     },
     "postOps[0].beta", "postOps[0].beta of clamp is nan: it must be a number"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_CLAMP, 1, 0.5f}});
     },
     "postOps[0].alpha", "postOps[0].alpha of clamp is 1: it must be at most beta, which is 0.5"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_SCALE_SHIFT, 0, 0}, {VKTC_POST_OP_RELU, 0, 0}, {VKTC_POST_OP_SCALE_SHIFT, 0, 0}});
     },
     "postOps[2].kind", "postOps[2].kind is scale_shift, and so is postOps[0].kind: a chain may have one only"},
    {[](Desc& d) {
       chain(d, {{VKTC_POST_OP_RESIDUAL, 0, 0}, {VKTC_POST_OP_RESIDUAL, 0, 0}});
     },
     "postOps[1].kind", "postOps[1].kind is residual, and so is postOps[0].kind: a chain may have one only"},

    {[](Desc& d) { d.batch = 0; }, "batch", "batch is 0: it must be at least 1"},
    {[](Desc& d) { d.batch = -3; }, "batch", "batch is -3: it must be at least 1"},
    {[](Desc& d) { d.batch = max_size + 1; }, "batch", "batch is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.batch = INT64_MAX; }, "batch", "batch is 9223372036854775807: it must be at most 2147483647"},
    {[](Desc& d) { d.batch = INT64_MIN; }, "batch", "batch is -9223372036854775808: it must be at least 1"},
    {[](Desc& d) { d.inChannels = 0; }, "inChannels", "inChannels is 0: it must be at least 1"},
    {[](Desc& d) { d.inChannels = -6; }, "inChannels", "inChannels is -6: it must be at least 1"},
    {[](Desc& d) { d.inChannels = max_size + 1; }, "inChannels",
     "inChannels is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.outChannels = 0; }, "outChannels", "outChannels is 0: it must be at least 1"},
    {[](Desc& d) { d.outChannels = -4; }, "outChannels", "outChannels is -4: it must be at least 1"},
    {[](Desc& d) { d.outChannels = max_size + 1; }, "outChannels",
     "outChannels is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.groups = 0; }, "groups", "groups is 0: it must be at least 1"},
    {[](Desc& d) { d.groups = -2; }, "groups", "groups is -2: it must be at least 1"},
    {[](Desc& d) { d.groups = max_size + 1; }, "groups", "groups is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.groups = 4; }, "groups", "groups is 4: it must divide inChannels, which is 6"},
    {[](Desc& d) { d.groups = 3; }, "groups", "groups is 3: it must divide outChannels, which is 4"},
    {[](Desc& d) { d.groups = 12; }, "groups", "groups is 12: it must divide inChannels, which is 6"},

    {[](Desc& d) { d.inputSize[0] = 0; }, "inputSize[0]", "inputSize[0] is 0: it must be at least 1"},
    {[](Desc& d) { d.inputSize[1] = -5; }, "inputSize[1]", "inputSize[1] is -5: it must be at least 1"},
    {[](Desc& d) { d.inputSize[1] = max_size + 1; }, "inputSize[1]",
     "inputSize[1] is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.kernelSize[0] = 0; }, "kernelSize[0]", "kernelSize[0] is 0: it must be at least 1"},
    {[](Desc& d) { d.kernelSize[1] = -1; }, "kernelSize[1]", "kernelSize[1] is -1: it must be at least 1"},
    {[](Desc& d) { d.kernelSize[0] = max_size + 1; }, "kernelSize[0]",
     "kernelSize[0] is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.stride[0] = 0; }, "stride[0]", "stride[0] is 0: it must be at least 1"},
    {[](Desc& d) { d.stride[1] = -2; }, "stride[1]", "stride[1] is -2: it must be at least 1"},
    {[](Desc& d) { d.stride[1] = INT64_MAX; }, "stride[1]",
     "stride[1] is 9223372036854775807: it must be at most 2147483647"},
    {[](Desc& d) { d.dilation[0] = 0; }, "dilation[0]", "dilation[0] is 0: it must be at least 1"},
    {[](Desc& d) { d.dilation[1] = -1; }, "dilation[1]", "dilation[1] is -1: it must be at least 1"},
    {[](Desc& d) { d.dilation[1] = max_size + 1; }, "dilation[1]",
     "dilation[1] is 2147483648: it must be at most 2147483647"},
    {[](Desc& d) { d.paddingBegin[1] = max_size + 1; }, "paddingBegin[1]",
     "paddingBegin[1] is 2147483648: it must be between -2147483647 and 2147483647"},
    {[](Desc& d) { d.paddingBegin[0] = INT64_MIN; }, "paddingBegin[0]",
     "paddingBegin[0] is -9223372036854775808: it must be between -2147483647 and 2147483647"},
    {[](Desc& d) { d.paddingEnd[0] = INT64_MAX; }, "paddingEnd[0]",
     "paddingEnd[0] is 9223372036854775807: it must be between -2147483647 and 2147483647"},
    {[](Desc& d) { d.paddingEnd[1] = -max_size - 1; }, "paddingEnd[1]",
     "paddingEnd[1] is -2147483648: it must be between -2147483647 and 2147483647"},

    {[](Desc& d) { d.outputPadding[0] = -1; }, "outputPadding[0]",
     "outputPadding[0] is -1: it must be at least 0 and less than max(stride, dilation), which is 2"},
    {[](Desc& d) { d.outputPadding[0] = 2; }, "outputPadding[0]",
     "outputPadding[0] is 2: it must be at least 0 and less than max(stride, dilation), which is 2"},
    {[](Desc& d) {
       d.dilation[1] = 4;
       d.outputPadding[1] = 4;
     },
     "outputPadding[1]",
     "outputPadding[1] is 4: it must be at least 0 and less than max(stride, dilation), which is 4"},
    {[](Desc& d) {
       d.stride[0] = 1;
       d.outputPadding[0] = 1;
     },
     "outputPadding[0]",
     "outputPadding[0] is 1: it must be at least 0 and less than max(stride, dilation), which is 1"},
    {[](Desc& d) { d.outputPadding[1] = INT64_MAX; }, "outputPadding[1]",
     "outputPadding[1] is 9223372036854775807: it must be at least 0 and less than max(stride, dilation), which is 2"},

    {[](Desc& d) { d.paddingEnd[0] = 12; }, "outputSize[0]",
     "outputSize[0] comes out as -1: (inputSize - 1) * stride - paddingBegin - paddingEnd + dilation * "
     "(kernelSize - 1) + outputPadding + 1 must be at least 1"},
    {[](Desc& d) { d.paddingBegin[1] = 11; }, "outputSize[1]",
     "outputSize[1] comes out as 0: (inputSize - 1) * stride - paddingBegin - paddingEnd + dilation * "
     "(kernelSize - 1) + outputPadding + 1 must be at least 1"},
    {[](Desc& d) {
       d.inputSize[0] = max_size;
       d.inputSize[1] = 1;
     },
     "outputSize[0]", "outputSize[0] comes out as 4294967294: it must be at most 2147483647"},
    {[](Desc& d) {
       d.inputSize[0] = d.stride[0] = d.kernelSize[0] = d.dilation[0] = max_size;
       d.outputPadding[0] = max_size - 1;
       d.paddingBegin[0] = d.paddingEnd[0] = -max_size;
     },
     "outputSize[0]", "outputSize[0] comes out as 9223372030412324865: it must be at most 2147483647"},
    {[](Desc& d) {
       d.groups = 1;
       d.batch = d.inChannels = d.inputSize[1] = max_size;
       d.stride[1] = d.kernelSize[1] = 1;
       d.outputPadding[1] = 0;
       d.paddingBegin[1] = d.paddingEnd[1] = 0;
     },
     "input", "the input tensor has more than 2^62 bytes"},
    {[](Desc& d) {
       d.groups = 1;
       d.batch = d.outChannels = max_size;
     },
     "output", "the output tensor has more than 2^62 bytes"},
    // 2^61 elements: as fp16 they would be allowed.
    {[](Desc& d) {
       d.dataType = VKTC_DATA_TYPE_F16;
       d.outputType = VKTC_OUTPUT_TYPE_F32;
       d.groups = d.inChannels = 1;
       d.inputSize[0] = d.inputSize[1] = 1;
       d.outputPadding[0] = d.outputPadding[1] = 0;
       d.stride[0] = d.stride[1] = 1;
       d.kernelSize[0] = d.kernelSize[1] = 1;
       d.paddingBegin[0] = d.paddingEnd[0] = d.paddingBegin[1] = d.paddingEnd[1] = 0;
       d.batch = d.outChannels = int64_t{1} << 30;
       d.paddingEnd[1] = -1;
     },
     "output", "the output tensor has more than 2^62 bytes"},
    {[](Desc& d) {
       d.groups = 1;
       d.inChannels = d.outChannels = max_size;
       d.batch = 1;
     },
     "weights", "the weights tensor has more than 2^62 bytes"},
};

}  // namespace

TEST_CASE("The problem that the table spoils is valid") {
  const VktcConvTransposeDesc desc = valid_desc();
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  VktcError error = {};
  REQUIRE_MESSAGE(vktcGetOutputSize(&desc, size, &error) == VKTC_SUCCESS, error.message);
  CHECK(size[0] == 10);
}

TEST_CASE("Every broken rule is refused with its parameter and its reason") {
  for (const Row& row : rows) {
    VktcConvTransposeDesc desc = valid_desc();
    row.spoil(desc);
    int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    CAPTURE(row.message);
    CHECK(vktcGetOutputSize(&desc, size, &error) == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(error.vkResult == VK_SUCCESS);
    CHECK(std::string(error.parameter) == row.parameter);
    CHECK(std::string(error.message) == row.message);
    CHECK(vktcGetOutputSize(&desc, size, nullptr) == VKTC_ERROR_INVALID_PARAMETER);
  }
}

TEST_CASE("What a post-op does not use may hold anything, and what lies behind the chain as well") {
  VktcConvTransposeDesc desc = valid_desc();
  chain(desc, {{VKTC_POST_OP_RELU, NAN, NAN}, {VKTC_POST_OP_LEAKY_RELU, 0.5f, INFINITY}});
  desc.postOps[2].kind = vktconv::tests::foreign_enum<VktcPostOpKind>(99);
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  CHECK(vktcGetOutputSize(&desc, size, nullptr) == VKTC_SUCCESS);
}

TEST_CASE("Rules are checked on every axis of every rank") {
  for (uint32_t rank = 1; rank <= 3; ++rank) {
    for (uint32_t axis = 0; axis < rank; ++axis) {
      VktcConvTransposeDesc desc = vktcDefaultDesc(rank);
      for (uint32_t i = 0; i < rank; ++i) desc.inputSize[i] = 3;
      desc.outputPadding[axis] = 1;
      int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
      VktcError error = {};
      CHECK(vktcGetOutputSize(&desc, size, &error) == VKTC_ERROR_INVALID_PARAMETER);
      CHECK(std::string(error.parameter) == "outputPadding[" + std::to_string(axis) + "]");
    }
  }
}

TEST_CASE("output_padding is refused exactly where PyTorch refuses it") {
  // torch.nn.functional.conv_transpose: "output padding must be smaller than either stride or dilation".
  for (int64_t stride = 1; stride <= 5; ++stride) {
    for (int64_t dilation = 1; dilation <= 5; ++dilation) {
      for (int64_t output_padding = -1; output_padding <= 6; ++output_padding) {
        VktcConvTransposeDesc desc = vktcDefaultDesc(1);
        desc.inputSize[0] = 3;
        desc.kernelSize[0] = 2;
        desc.stride[0] = stride;
        desc.dilation[0] = dilation;
        desc.outputPadding[0] = output_padding;
        const bool pytorch_accepts = output_padding >= 0 && (output_padding < stride || output_padding < dilation);
        int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
        CHECK((vktcGetOutputSize(&desc, size, nullptr) == VKTC_SUCCESS) == pytorch_accepts);
      }
    }
  }
}

TEST_CASE("NULL where a pointer is needed is refused, not followed") {
  int64_t size[VKTC_MAX_SPATIAL_RANK] = {};
  const VktcConvTransposeDesc desc = valid_desc();
  VktcError error = {};
  CHECK(vktcGetOutputSize(nullptr, size, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.message) != "");
  CHECK(vktcGetOutputSize(&desc, nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(vktcResolveOnnxPadding(nullptr, nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(vktcResolvePytorchPadding(nullptr, nullptr, &error) == VKTC_ERROR_INVALID_PARAMETER);
  VktcContext context = nullptr;
  CHECK(vktcCreateContext(nullptr, &context, &error) == VKTC_ERROR_INVALID_PARAMETER);
  VktcPlan plan = nullptr;
  CHECK(vktcCreatePlan(nullptr, &desc, nullptr, &plan, &error) == VKTC_ERROR_INVALID_PARAMETER);
  vktcDestroyContext(nullptr);
  vktcDestroyPlan(nullptr);
  vktcDestroyBindings(nullptr);
}

TEST_SUITE_END();

// vktconv run: its results against --cpu and the reference, in every type, rank, layout and chain of post-ops, and what
// it refuses of them. The rest of the command is in test_cli.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "command_line.h"
#include "reference.h"
#include "support/npy.h"
#include "support/problem_text.h"

TEST_SUITE_BEGIN("cli");

namespace {

using namespace std::string_literals;
using namespace vktconv;
using namespace vktconv::tests;
using support::NpyArray;
using support::NpyType;

NpyType npy_type(VktcDataType type) {
  return type == VKTC_DATA_TYPE_F32    ? NpyType::f32
         : type == VKTC_DATA_TYPE_F16  ? NpyType::f16
         : type == VKTC_DATA_TYPE_BF16 ? NpyType::u16
         : type == VKTC_DATA_TYPE_I8   ? NpyType::i8
                                       : NpyType::i32;
}

// Runs the flags on the device and with --cpu; both results must be right and, without post-ops, equal bit by bit.
void check_run(const Workplace& workplace, const std::string& descriptor, const Arguments& flags, bool batched = true) {
  CAPTURE(descriptor);
  const VktcConvTransposeDesc desc = support::parse_problem(descriptor).desc;
  const NpyType type = npy_type(desc.dataType);
  const VktcDataType output_type = reference::output_type(desc);
  std::vector<int64_t> input_shape = {desc.batch, desc.inChannels};
  std::vector<int64_t> weight_shape = {desc.inChannels, desc.outChannels / desc.groups};
  std::vector<int64_t> output_shape = {desc.batch, desc.outChannels};
  int64_t output_size[VKTC_MAX_SPATIAL_RANK];
  REQUIRE(vktcGetOutputSize(&desc, output_size, nullptr) == VKTC_SUCCESS);
  for (uint32_t axis = 0; axis < desc.spatialRank; ++axis) {
    input_shape.push_back(desc.inputSize[axis]);
    weight_shape.push_back(desc.kernelSize[axis]);
    output_shape.push_back(output_size[axis]);
  }
  const auto channels_last = [](std::vector<int64_t>& shape) {
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  };
  if (desc.inputLayout == VKTC_LAYOUT_CHANNELS_LAST) channels_last(input_shape);
  if (desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST) channels_last(output_shape);
  if (!batched) {
    input_shape.erase(input_shape.begin());
    output_shape.erase(output_shape.begin());
  }
  workplace.write_tensor("x.npy", type, input_shape, 1);
  workplace.write_tensor("w.npy", type, weight_shape, 2);
  Arguments arguments = {"run", "--input", "x.npy", "--weight", "w.npy"};
  if (desc.hasBias != VK_FALSE) {
    workplace.write_tensor("b.npy", npy_type(reference::bias_type(desc)), {desc.outChannels}, 3);
    arguments.insert(arguments.end(), {"--bias", "b.npy"});
  }
  if (reference::has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT)) {
    workplace.write_tensor("scale.npy", NpyType::f32, {desc.outChannels}, 4);
    workplace.write_tensor("shift.npy", NpyType::f32, {desc.outChannels}, 5);
    arguments.insert(arguments.end(), {"--scale", "scale.npy", "--shift", "shift.npy"});
  }
  if (reference::has_post_op(desc, VKTC_POST_OP_RESIDUAL)) {
    workplace.write_tensor("r.npy", npy_type(output_type), output_shape, 6);
    arguments.insert(arguments.end(), {"--residual", "r.npy"});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"--output", "y.npy"});

  const CommandOutcome device = workplace.call_device(arguments);
  CAPTURE(device.error);
  REQUIRE(device.exit_code == 0);
  CHECK(device.error == "");
  CHECK(device.out.starts_with("y.npy: "s + support::data_type_name(output_type) + " (" +
                               std::to_string(output_shape[0])));
  const NpyArray by_device = support::read_npy(workplace.path("y.npy"));
  arguments.insert(arguments.end(), {"--cpu", "--quiet"});
  const CommandOutcome cpu = workplace.call(arguments);
  REQUIRE(cpu.exit_code == 0);
  CHECK(cpu.out == "");
  const NpyArray by_cpu = support::read_npy(workplace.path("y.npy"));
  CHECK(by_device.shape == output_shape);
  CHECK(by_device.type == npy_type(output_type));
  if (desc.postOpCount == 0) CHECK(same_arrays(by_device, by_cpu));

  const auto bias = desc.hasBias != VK_FALSE ? support::read_npy(workplace.path("b.npy")) : NpyArray();
  const NpyArray x = support::read_npy(workplace.path("x.npy")), w = support::read_npy(workplace.path("w.npy"));
  reference::Arrays arrays = {x.data.get(), w.data.get(), bias.data.get()};
  NpyArray scale, shift, residual;
  if (reference::has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT)) {
    scale = support::read_npy(workplace.path("scale.npy"));
    shift = support::read_npy(workplace.path("shift.npy"));
    arrays.scale = reinterpret_cast<const float*>(scale.data.get());
    arrays.shift = reinterpret_cast<const float*>(shift.data.get());
  }
  if (reference::has_post_op(desc, VKTC_POST_OP_RESIDUAL)) {
    residual = support::read_npy(workplace.path("r.npy"));
    arrays.residual = residual.data.get();
  }
  const auto values = reference::conv_transpose(desc, arrays);
  REQUIRE(static_cast<int64_t>(values.size()) == by_device.elements());
  int64_t wrong = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    wrong += !reference::matches(desc, values[i], by_device.data.get(), static_cast<int64_t>(i));
    wrong += !reference::matches(desc, values[i], by_cpu.data.get(), static_cast<int64_t>(i));
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("run agrees with --cpu and the reference, in every type and rank") {
  const Workplace workplace;
  check_run(workplace, "mb2_ic3iw9_oc4kw3sw2pw1_bias", {"--stride", "2", "--padding", "1"});
  check_run(workplace, "dtf16_g2mb2_ic4ih5iw7_oc6kh3kw2sh2sw3ph1pw0_bias",
            {"--stride", "2,3", "--padding", "1,0", "--groups", "2"});
  check_run(workplace, "dtbf16_ic3id3ih4iw5_oc2kd2kh3kw3sd1sh2sw2opd0oph1opw1_bias",
            {"--stride=1,2,2", "--output-padding=0,1,1"});
  check_run(workplace, "dti32_mb2_ic4iw11_oc8kw4sw3dw2_g4", {"--stride", "3", "--dilation", "2", "--groups", "4"});
  check_run(workplace, "ic3ih6_oc4kh3sh2", {"--stride", "2"}, false);
  check_run(workplace, "dtf16_ic2iw7_oc3kw5_bias", {}, false);
}

TEST_CASE("run reads and writes channels-last files, and fp32 outputs of 16-bit tensors") {
  const Workplace workplace;
  check_run(workplace, "ilast_olast_mb2_ic3ih5iw6_oc4kh3sh2ph1_bias",
            {"--stride", "2", "--padding", "1", "--input-layout", "channels_last", "--output-layout=channels_last"});
  check_run(workplace, "ilast_dtf16_otf32_g2_ic4iw7_oc6kw3sw2_bias",
            {"--stride", "2", "--groups", "2", "--input-layout", "channels_last", "--output-type", "f32"}, false);
  check_run(workplace, "olast_dtbf16_mb2_ic3id2ih3iw4_oc2kd2",
            {"--output-layout", "channels_last", "--input-layout", "channels_first", "--output-type", "bf16"});
  const Arguments run = {"run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"};
  const auto refuse = [&](const Arguments& more, const std::string& message) {
    Arguments arguments = run;
    arguments.insert(arguments.end(), more.begin(), more.end());
    workplace.check(arguments, 2, message);
  };
  refuse({"--input-layout", "NHWC"}, "--input-layout: \"NHWC\" is no layout; the layouts are channels_first and");
  refuse({"--output-layout", ""}, "--output-layout: a value is needed");
  refuse({"--output-type", "half"}, "--output-type: \"half\" is no data type");
  refuse({"--output-type", "f16"}, "outputType is f16: where dataType is bf16 it must be bf16 or f32");
  refuse({"--input-layout", "channels_last"},
         "x.npy has the shape (2, 3, 2, 3, 4), so it has 4 input channels, but w.npy has the shape (3, 2, 2, 2, 2)");
  const CommandOutcome explained = workplace.call_device(
      {"explain", "dtf16_ic8iw9_oc8kw3", "--output-type", "f32", "--output-layout", "channels_last"});
  REQUIRE(explained.exit_code == 0);
  CHECK(contains(explained.out, "dtf16_otf32_olast_ic8iw9_oc8kw3"));
  CHECK(contains(explained.out, "input channels-first, output channels-last, f32"));
  workplace.check({"explain", "ic8iw9_oc8kw3", "--output-type", "f16"}, 2, "outputType is f16: where dataType is f32");
}

TEST_CASE("run applies post-ops") {
  const Workplace workplace;
  check_run(workplace, "mb2_ic3ih5iw6_oc4kh3sh2ph1_bias_po\"scale_shift,leaky_relu:0.2\"",
            {"--stride", "2", "--padding", "1", "--post-ops", "scale_shift,leaky_relu:0.2"});
  check_run(workplace, "dtf16_otf32_olast_mb2_g2_ic4iw7_oc6kw3sw2_po\"residual,silu,scale_shift,clamp:-inf:0.5\"",
            {"--stride", "2", "--groups", "2", "--output-layout", "channels_last", "--output-type", "f32", "--post-ops",
             "residual,silu,scale_shift,clamp:-inf:0.5"});
  check_run(workplace, "dtbf16_ic3iw7_oc2kw3_po\"residual\"", {"--post-ops", "residual"}, false);

  workplace.write_tensor("x.npy", NpyType::f32, {2, 4, 5}, 1);
  workplace.write_tensor("w.npy", NpyType::f32, {4, 3, 3}, 2);
  workplace.write_tensor("v.npy", NpyType::f32, {3}, 3);
  workplace.write_tensor("v4.npy", NpyType::f32, {4}, 3);
  workplace.write_tensor("half.npy", NpyType::f16, {3}, 3);
  workplace.write_tensor("r.npy", NpyType::f32, {2, 3, 7}, 3);
  workplace.write_tensor("i.npy", NpyType::i32, {2, 3, 7}, 3);
  const auto refuse = [&](const Arguments& more, const std::string& message) {
    Arguments arguments = {"run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    workplace.check(arguments, 2, message);
  };
  refuse({"--post-ops", "relu6"}, "--post-ops: post-op \"relu6\": there is none of that name; there are relu, ");
  refuse({"--post-ops", "residual"}, "--residual is needed: --post-ops has residual");
  refuse({"--post-ops", "scale_shift", "--scale", "v.npy"}, "--shift is needed: --post-ops has scale_shift");
  refuse({"--scale", "v.npy"}, "--scale is given, but --post-ops has no scale_shift");
  refuse({"--residual", "r.npy", "--post-ops", "relu"}, "--residual is given, but --post-ops has no residual");
  refuse({"--post-ops", "scale_shift", "--scale", "v.npy", "--shift", "half.npy"},
         "half.npy is float16: --shift needs float32");
  refuse({"--post-ops", "scale_shift", "--scale", "v4.npy", "--shift", "v.npy"},
         "v4.npy has the shape (4,), but the output has 3 channels: --scale needs the shape (3,)");
  refuse({"--post-ops", "residual", "--residual", "x.npy"},
         "x.npy has the shape (2, 4, 5), but the output has the shape (2, 3, 7): the residual needs the same");
  refuse({"--post-ops", "residual", "--residual", "i.npy"}, "i.npy is int32");
  refuse({"--post-ops", "clamp:2:1"}, "postOps[0].alpha of clamp is 2: it must be at most beta, which is 1");
  const CommandOutcome explained =
      workplace.call_device({"explain", "ic8iw9_oc8kw3", "--post-ops", "scale_shift,gelu_erf,residual"});
  REQUIRE(explained.exit_code == 0);
  CHECK(contains(explained.out, "ic8iw9_oc8kw3_po\"scale_shift,gelu_erf,residual\""));
  CHECK(contains(explained.out, "post-ops: scale_shift,gelu_erf,residual"));
  CHECK(contains(explained.out, "residual                     352"));
}

TEST_CASE("run computes in int8") {
  const Workplace workplace;
  check_run(workplace, "dti8_mb2_ic5ih4iw5_oc3kh3sh2_bias", {"--stride", "2"});
  check_run(workplace, "dti8_oti8_ilast_olast_g2_ic8iw9_oc6kw3_bias_po\"scale_shift,residual\"",
            {"--groups", "2", "--input-layout", "channels_last", "--output-layout", "channels_last", "--output-type",
             "i8", "--post-ops", "scale_shift,residual"});
  check_run(workplace, "dti8_otf16_ic3iw9_oc2kw3_po\"linear:0.25:1\"",
            {"--output-type", "f16", "--post-ops", "linear:0.25:1"});
  workplace.write_tensor("x.npy", NpyType::i8, {2, 4, 5}, 1);
  workplace.write_tensor("w.npy", NpyType::i8, {4, 3, 3}, 2);
  workplace.write_tensor("b8.npy", NpyType::i8, {3}, 3);
  const auto refuse = [&](const Arguments& more, const std::string& message) {
    Arguments arguments = {"run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    workplace.check(arguments, 2, message);
  };
  refuse({"--bias", "b8.npy"}, "b8.npy is int8: the bias of i8 tensors is int32");
  refuse({"--dtype", "f16"}, "x.npy is int8, which --dtype f16 does not convert");
  refuse({"--output-type", "bf16"}, "outputType is bf16: where dataType is i8 it must be i32, f32, f16 or i8");
  refuse({"--post-ops", "relu"}, "postOpCount is 1: where the output is i32 it must be 0");
  workplace.write_tensor("b.npy", NpyType::i32, {3}, 3);
  const auto explains = [&](const Arguments& tensors, const std::string& problem) {
    Arguments arguments = {"explain"};
    arguments.insert(arguments.end(), tensors.begin(), tensors.end());
    const CommandOutcome outcome = workplace.call_device(arguments);
    CAPTURE(outcome.error);
    CHECK(outcome.exit_code == 0);
    CHECK(contains(outcome.out, problem));
  };
  explains({"--input", "x.npy", "--weight", "w.npy", "--bias", "b.npy"}, "dti8_mb2_ic4iw5_oc3kw3_bias");
  // Where nothing else says the type, the file of the bias does.
  explains({"--input", "2,4,5", "--weight", "4,3,3", "--bias", "b.npy"}, "dti32_mb2_ic4iw5_oc3kw3_bias");
}

TEST_CASE("run pads as ONNX says") {
  const Workplace workplace;
  check_run(workplace, "ic2ih4iw5_oc2kh3sh2ph-1pw1eh2ew-2", {"--stride", "2", "--pads", "-1,1,2,-2"});
  check_run(workplace, "ic2ih4iw5_oc2kh3sh2ph1", {"--stride", "2", "--pads=1"});
  // total = 3 * 2 + 3 - 4 * 2 = 1: SAME_UPPER puts the smaller half at the beginning, SAME_LOWER at the end.
  check_run(workplace, "ic2ih4_oc2kh3sh2ph0eh1", {"--stride", "2", "--auto-pad", "SAME_UPPER"});
  check_run(workplace, "ic2ih4_oc2kh3sh2ph1eh0", {"--stride", "2", "--auto-pad", "SAME_LOWER"});
  check_run(workplace, "ic2ih4_oc2kh3sh2", {"--stride", "2", "--auto-pad", "VALID"});
  // total = 9 - 8 = 1 and 9 - 10 = -1.
  check_run(workplace, "ic2ih4_oc2kh3sh2ph1pw0eh0ew-1", {"--stride", "2", "--output-shape", "8,10"});
  check_run(workplace, "ic2ih4_oc2kh3sh2ph0pw-1eh1ew0",
            {"--stride", "2", "--output-shape", "8,10", "--auto-pad", "SAME_UPPER"});
}

TEST_SUITE_END();

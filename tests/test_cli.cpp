// The command vktconv, run as a user or a script runs it: exit codes, what it says, and results against the reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command_line.h"
#include "reference.h"
#include "support/npy.h"
#include "support/problem_text.h"

TEST_SUITE_BEGIN("cli");

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using namespace vktconv;
using namespace vktconv::tests;
using support::NpyArray;
using support::NpyType;

bool same_arrays(const NpyArray& a, const NpyArray& b) {
  return a.type == b.type && a.shape == b.shape && std::memcmp(a.data.get(), b.data.get(), a.bytes()) == 0;
}

NpyType npy_type(VktcDataType type) {
  return type == VKTC_DATA_TYPE_F32    ? NpyType::f32
         : type == VKTC_DATA_TYPE_F16  ? NpyType::f16
         : type == VKTC_DATA_TYPE_BF16 ? NpyType::u16
                                       : NpyType::i32;
}

// Runs the flags on the device and with --cpu; both results must be equal bit by bit, and right.
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
    workplace.write_tensor("b.npy", type, {desc.outChannels}, 3);
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const std::string memory_limit = "";  // the sanitizers themselves reserve terabytes
#else
const std::string memory_limit = "ulimit -v 400000;";  // KiB
#endif

std::string npy_bytes(const std::string& dictionary, const std::string& data) {
  std::string bytes = "\x93NUMPY\x01\x00"s;
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + data;
}

}  // namespace

TEST_CASE("help teaches, and usage errors exit with 2") {
  const Workplace workplace;
  for (const Arguments& arguments :
       {Arguments{"--help"}, {"info", "--help"}, {"run", "-h"}, {"explain", "--help"}, {"tune", "--help"}}) {
    const CommandOutcome outcome = workplace.call(arguments);
    CAPTURE(arguments.front());
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.error == "");
    CHECK(contains(outcome.out, "Examples:\n  vktconv "));
    CHECK(contains(outcome.out, "Exit codes: 0 done; 1 "));
  }
  const CommandOutcome version = workplace.call({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(contains(version.out,
                 "vktconv " + std::to_string(VKTC_VERSION_MAJOR) + "." + std::to_string(VKTC_VERSION_MINOR)));

  workplace.check({}, 2, "subcommand is required");
  workplace.check({"walk"}, 2, "there is no command \"walk\", only info, run, explain, tune");
  workplace.check({"run"}, 2, "--input is required");
  workplace.check({"run", "--inputs", "x.npy"}, 2, "--input is required");
  workplace.check({"info", "--inputs"}, 2, "--inputs");
  workplace.check({"info", "--inputs"}, 2, "Try: vktconv info --help");
  workplace.check({"explain"}, 2, "a descriptor, --suite, or --input and --weight is needed");
  // A script must notice that a full disk took its output.
  CHECK(workplace.call({"--version"}, "", "/dev/full").exit_code == 1);
}

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
  CHECK(contains(explained.out, "input channels-first, output channels-last, in fp32"));
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

TEST_CASE("run converts types, byte orders and Fortran order") {
  const Workplace workplace;
  workplace.write_tensor("w.npy", NpyType::f32, {2, 3, 3}, 2);
  workplace.write_tensor("x.npy", NpyType::f32, {2, 4}, 1);
  const NpyArray x = support::read_npy(workplace.path("x.npy"));
  const auto run = [&](const std::string& input, const Arguments& more) {
    Arguments arguments = {"run", "--input", input, "--weight", "w.npy", "--output", "y.npy", "--cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandOutcome outcome = workplace.call(arguments);
    CAPTURE(outcome.error);
    REQUIRE(outcome.exit_code == 0);
    return support::read_npy(workplace.path("y.npy"));
  };
  const NpyArray expected = run("x.npy", {});
  CHECK(expected.type == NpyType::f32);
  CHECK(expected.shape == std::vector<int64_t>{3, 6});

  // The same numbers, the last byte first and the first index running fastest.
  std::string data;
  const auto* bytes = reinterpret_cast<const char*>(x.data.get());
  for (int column = 0; column < 4; ++column) {
    for (int row = 0; row < 2; ++row) {
      const char* element = bytes + 4 * (4 * row + column);
      data.append({element[3], element[2], element[1], element[0]});
    }
  }
  write_text(workplace.path("f.npy"), npy_bytes("{'descr': '>f4', 'fortran_order': True, 'shape': (2, 4), }\n", data));
  CHECK(same_arrays(run("f.npy", {}), expected));

  // Small whole numbers are the same in every type.
  const NpyArray half = run("x.npy", {"--dtype", "f16"});
  CHECK(half.type == NpyType::f16);
  const NpyArray bfloat = run("x.npy", {"--dtype", "bf16"});
  CHECK(bfloat.type == NpyType::u16);
  support::write_npy(workplace.path("h.npy"), NpyType::f16, {2, 4},
                     Workplace::make_tensor(NpyType::f16, {2, 4}, 1).data.get());
  CHECK(same_arrays(run("h.npy", {"--dtype", "f32"}), expected));
  CHECK(same_arrays(run("h.npy", {"--dtype", "f16"}), half));
  CHECK(same_arrays(run("h.npy", {"--dtype", "bf16"}), bfloat));
}

TEST_CASE("what does not fit together is refused with both numbers, and the old output stays") {
  const Workplace workplace;
  workplace.write_tensor("x.npy", NpyType::f32, {2, 4, 5, 5}, 1);
  workplace.write_tensor("w.npy", NpyType::f32, {4, 3, 3, 3}, 2);
  workplace.write_tensor("b.npy", NpyType::f32, {3}, 3);
  workplace.write_tensor("w5.npy", NpyType::f32, {5, 3, 3, 3}, 3);
  workplace.write_tensor("w6d.npy", NpyType::f32, {4, 3, 1, 1, 1, 1}, 3);
  workplace.write_tensor("w3d.npy", NpyType::f32, {4, 3, 1, 1, 1}, 3);
  workplace.write_tensor("w1d.npy", NpyType::f32, {4, 3, 1}, 3);
  workplace.write_tensor("w2.npy", NpyType::f32, {4, 3}, 3);
  workplace.write_tensor("half.npy", NpyType::f16, {4, 3, 3, 3}, 3);
  workplace.write_tensor("int.npy", NpyType::i32, {4, 3, 3, 3}, 3);
  write_text(workplace.path("y.npy"), "precious");
  const size_t files = workplace.file_count() + 2;  // and what was printed

  const auto refuse = [&](const Arguments& more, const std::string& words, int exit_code = 2) {
    Arguments arguments = {"run", "--input", "x.npy", "--output", "y.npy"};
    if (std::find(more.begin(), more.end(), "--weight") == more.end()) {
      arguments.insert(arguments.end(), {"--weight", "w.npy"});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    workplace.check(arguments, exit_code, words);
  };
  refuse({"--weight", "w5.npy"},
         "x.npy has the shape (2, 4, 5, 5), so it has 4 input channels, but w5.npy has the shape "
         "(5, 3, 3, 3), which is for 5");
  refuse({"--weight", "w3d.npy"}, "so it has 2 input channels, but w3d.npy");
  refuse({"--weight", "w1d.npy"},
         "x.npy has the shape (2, 4, 5, 5), 4 dimensions, but w1d.npy has the shape (4, 3, 1)");
  refuse({"--weight", "w6d.npy"}, "w6d.npy has the shape (4, 3, 1, 1, 1, 1): weights have 3, 4 or 5 dimensions");
  refuse({"--weight", "w2.npy"}, "w2.npy has the shape (4, 3): weights have 3, 4 or 5 dimensions");
  refuse({"--weight", "half.npy"}, "half.npy is float16, but x.npy is float32: say with --dtype");
  refuse({"--weight", "int.npy"}, "int.npy is int32, but x.npy is float32");
  refuse({"--weight", "int.npy", "--dtype", "f32"}, "int.npy is int32, which --dtype f32 does not convert");
  refuse({"--dtype", "i32"}, "x.npy is float32, which --dtype i32 does not convert");
  refuse({"--dtype", "fp16"}, "--dtype: \"fp16\" is no data type");
  refuse({"--bias", "b.npy", "--groups", "2"},
         "b.npy has the shape (3,), but the output has 6 channels (3 in the weights "
         "times 2 groups): the bias needs the shape (6,)");
  refuse({"--bias", ""}, "--bias: a value is needed");
  refuse({"--device", ""}, "--device: a value is needed");
  refuse({"--bias", "w.npy"}, "the bias needs the shape (3,)");
  refuse({"--groups", "3"}, "--groups is 3: it must divide the number of input channels, 4");
  refuse({"--groups", "0"}, "--groups is 0: it must be at least 1");
  refuse({"--groups", "-2"}, "--groups is -2: it must be at least 1");
  refuse({"--groups", "1,1"}, "--groups: 2 numbers are given, but 1");
  refuse({"--stride", "0"}, "stride[0] is 0");
  refuse({"--stride", "2,2,2"}, "--stride: 3 numbers are given, but 2 are needed");
  refuse({"--stride", "2x2"}, "--stride: \"2x2\" is no whole number");
  refuse({"--stride", "2,"}, "--stride: \"\" is no whole number");
  refuse({"--stride", "1.5"}, "--stride: \"1.5\" is no whole number");
  refuse({"--stride", "99999999999"}, "--stride: 99999999999 is not between");
  refuse({"--stride", ""}, "a value is needed");
  refuse({"--stride", "1", "--stride", "2"}, "--stride");
  refuse({"--padding", "-1"}, "padding[0] is -1: PyTorch allows no negative padding");
  refuse({"--padding", "9"}, "outputSize[0] comes out as -11");
  refuse({"--output-padding", "1"}, "outputPadding[0] is 1");
  refuse({"--padding", "1", "--pads", "1"}, "--padding (PyTorch) and --pads (ONNX) exclude each other");
  refuse({"--padding", "1", "--output-shape", "5"}, "--padding (PyTorch) and --output-shape (ONNX) exclude each other");
  refuse({"--pads", "1", "--auto-pad", "SAME_LOWER"}, "--pads and --auto-pad SAME_LOWER exclude each other");
  refuse({"--pads", "1", "--output-shape", "5"}, "--pads and --output-shape exclude each other");
  refuse({"--pads", "1,1"}, "--pads: 2 numbers are given, but 4 are needed");
  refuse({"--auto-pad", "same_upper"}, "--auto-pad: \"same_upper\" is none of");
  refuse({"--output-shape", "0"}, "outputShape[0] is 0");
  refuse({"--cpu", "--device", "0"}, "--cpu excludes --device");
  refuse({"--algorithm", "magic"}, "--algorithm: there is no \"magic\", only: gather");
  refuse({"--device", "no such device"}, "no such device", 3);
  refuse({"--device", "99"}, "99", 3);
  CHECK(read_text(workplace.path("y.npy")) == "precious");
  CHECK(workplace.file_count() == files);

  const Arguments good = {"run", "--input", "x.npy", "--weight", "w.npy", "--cpu", "--output"};
  const auto output_to = [&](const std::string& output) {
    Arguments arguments = good;
    arguments.push_back(output);
    return arguments;
  };
  workplace.check(output_to("no/y.npy"), 2, "no/y.npy: cannot write here: No such file or directory");
  workplace.check(output_to("cache"), 2, "cache: this is a directory");
  workplace.check(output_to("/dev/null"), 2, "/dev/null: this is not a regular file");
  workplace.check({"run", "--input", "none.npy", "--weight", "w.npy", "--output", "y.npy"}, 2,
                  "none.npy: there is no such");
  // In place of its own input: everything was read before anything is written.
  CHECK(workplace.call(output_to("x.npy")).exit_code == 0);
  CHECK(support::read_npy(workplace.path("x.npy")).shape == std::vector<int64_t>{2, 3, 7, 7});
}

TEST_CASE("malformed files are refused within little memory") {
  const Workplace workplace;
  workplace.write_tensor("w.npy", NpyType::f32, {4, 3, 3}, 2);
  const auto refuse = [&](const std::string& bytes, const std::string& words) {
    write_text(workplace.path("x.npy"), bytes);
    workplace.check({"run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy", "--cpu"}, 2, words,
                    memory_limit);
    CHECK(!fs::exists(workplace.path("y.npy")));
  };
  const auto shaped = [](const std::string& shape) {
    return npy_bytes("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", "12345678");
  };
  refuse("", "x.npy: this is no .npy file");
  refuse("\x93NUMPY\x03\x00\xff\xff\xff\x7f"s, "x.npy: the header claims a length of 2147483647 bytes");
  refuse("\x93NUMPY\x01\x00\xff\xff{"s, "x.npy: the file ends inside the header");
  refuse(shaped("(4, 1000000000000000000)"),
         "x.npy: the shape (4, 1000000000000000000) of float32 has more than 2^62 bytes");
  refuse(shaped("(4, 1000000000000)"),
         "x.npy: the data has 8 bytes, but the shape (4, 1000000000000) of float32 needs "
         "16000000000000: the file is truncated");
  refuse(shaped("(4, -1)"), "x.npy: byte 64: the shape has the negative dimension -1");
  refuse(shaped("(0, 4)"), "x.npy: the array has no elements");
  refuse(shaped("()"), "x.npy: the array has no dimensions");
  refuse(shaped("(1,"), "x.npy: byte");
  refuse(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "12345678"),
         "the elements have the type '<f8'");
  refuse(npy_bytes("{'descr': '\xff\xfe', 'fortran_order': False, 'shape': (2,)}", "12345678"), "no plain character");
  const std::string suite_words = "nested more than 4 deep";
  write_text(workplace.path("s.json"), std::string(4'000'000, '['));
  workplace.check({"explain", "--suite", "s.json"}, 2, suite_words, memory_limit);
  write_text(workplace.path("s.json"), "{\"problems\": [{\"name\": \"a\"}]}");
  workplace.check({"explain", "--suite", "s.json"}, 2, "suite s.json: problem 1 (a): key \"input\": it is missing");
  workplace.check({"explain", "--suite", "s.json", "--match", "("}, 2, "--match: \"(\" is no regular expression");
  workplace.check({"explain", std::string(100000, '9')}, 2, "character 4097", memory_limit);
  workplace.check({"explain", "ic1iw4oc1kw99999999999"}, 2, "\"kw\" is 99999999999");
}

TEST_CASE("a tensor that is too large is refused before memory is asked for, or says so") {
  const Workplace workplace;
  workplace.write_tensor("x.npy", NpyType::f32, {1, 1, 2}, 1);
  workplace.write_tensor("w.npy", NpyType::f32, {1, 1, 1}, 2);
  const Arguments huge = {"run",      "--input", "x.npy", "--weight", "w.npy",
                          "--output", "y.npy",   "--cpu", "--stride", "2000000000"};
  if (!memory_limit.empty())
    workplace.check(huge, 1, "not enough memory for the 8000000004 bytes of the output", memory_limit);
  workplace.write_tensor("x5.npy", NpyType::f32, {1, 1, 2, 2, 2}, 1);
  workplace.write_tensor("w5.npy", NpyType::f32, {1, 1, 1, 1, 1}, 2);
  workplace.check({"run", "--input", "x5.npy", "--weight", "w5.npy", "--output", "y.npy", "--stride", "2000000000"}, 2,
                  "the output tensor has more than 2^62 bytes", memory_limit);
  CHECK(!fs::exists(workplace.path("y.npy")));
}

TEST_CASE("explain tells the plan of descriptors, shapes, files and suites") {
  const Workplace workplace;
  const CommandOutcome by_text = workplace.call_device({"explain", "mb2_ic4iw100_oc8kw3sw2pw1dw2_bias_n\"mine\""});
  CAPTURE(by_text.error);
  REQUIRE(by_text.exit_code == 0);
  CHECK(by_text.out.starts_with("mb2_ic4iw100_oc8kw3sw2pw1dw2_bias_n\"mine\"\non "));
  CHECK(contains(by_text.out, "algorithm"));
  CHECK(contains(by_text.out, "width: input 100, output 201, kernel 3, stride 2, dilation 2"));
  CHECK(contains(by_text.out, "(bias alone)"));  // stride and dilation share a factor
  CHECK(contains(by_text.out, "Dispatches"));
  CHECK(contains(by_text.out, "workspace"));

  const Arguments flags = {"--stride", "2", "--padding", "1", "--dilation", "2"};
  Arguments by_shape = {"explain", "--input", "2,4,100", "--weight", "4,8,3", "--bias", "8"};
  by_shape.insert(by_shape.end(), flags.begin(), flags.end());
  const std::string same_but_name = by_text.out.substr(by_text.out.find('\n'));
  const CommandOutcome shaped = workplace.call_device(by_shape);
  CHECK(shaped.exit_code == 0);
  CHECK(shaped.out == "mb2_ic4iw100_oc8kw3sw2pw1dw2_bias" + same_but_name);
  workplace.write_tensor("x.npy", NpyType::f32, {2, 4, 100}, 1);
  Arguments by_file = {"explain", "--input", "x.npy", "--weight", "4,8,3", "--bias", "8"};
  by_file.insert(by_file.end(), flags.begin(), flags.end());
  CHECK(workplace.call_device(by_file).out == shaped.out);

  write_text(workplace.path("s.json"), R"({"problems": [
    {"name": "a.1", "in_channels": 1, "out_channels": 1, "input": [9], "kernel": [3]},
    {"name": "a.2", "in_channels": 1, "out_channels": 1, "input": [9, 9], "kernel": 3, "stride": 2},
    {"name": "b", "in_channels": 1, "out_channels": 1, "input": [9], "kernel": [3]}]})");
  const CommandOutcome suite =
      workplace.call_device({"explain", "--suite", "s.json", "--match", "^a", "--dtype", "f16"});
  CHECK(suite.exit_code == 0);
  CHECK(suite.out.starts_with("dtf16_ic1iw9_oc1kw3_n\"a.1\"\n"));
  CHECK(contains(suite.out, "\ndtf16_ic1ih9_oc1kh3sh2_n\"a.2\"\n"));
  CHECK(!contains(suite.out, "n\"b\""));

  // 32 GB in one image: too much for 32-bit indices, on any device. The others are explained all the same.
  const std::string over_limit = "mb1000_ic1iw2oc1000kw1sw2000000000";
  workplace.check({"explain", over_limit}, 4, "");
  write_text(workplace.path("mixed.json"), R"({"problems": [
    {"name": "huge", "batch": 1000, "in_channels": 1, "out_channels": 1000, "input": [2], "kernel": 1, "stride": 2000000000},
    {"name": "small", "in_channels": 1, "out_channels": 1, "input": [9], "kernel": [3]}]})");
  const CommandOutcome mixed = workplace.call_device({"explain", "--suite", "mixed.json"});
  CHECK(mixed.exit_code == 4);
  CHECK(mixed.out.starts_with(over_limit.substr(0, 6) + "_ic1iw2_oc1000kw1sw2000000000_n\"huge\"\nnot on "));
  CHECK(contains(mixed.out, "\nic1iw9_oc1kw3_n\"small\"\non "));
  CHECK(contains(mixed.error, "vktconv: 1 of 2 problems cannot be done on "));

  workplace.check({"explain", "--suite", "s.json", "--match", "c"}, 2,
                  "no problem of s.json has a name that matches \"c\"");
  workplace.check({"explain", "--match", "c", "ic1iw4oc1kw1"}, 2, "--match needs --suite");
  workplace.check({"explain", "ic1iw4oc1kw1", "--suite", "s.json"}, 2, "exclude each other");
  workplace.check({"explain", "ic1iw4oc1kw1", "--stride", "2"}, 2, "a descriptor or a suite has its own");
  workplace.check({"explain", "--input", "1,1,4"}, 2, "--input and --weight are both needed");
  workplace.check({"explain", "--input", "1,1,0", "--weight", "1,1,1"}, 2,
                  "--input has the shape (1, 1, 0): each dimension");
  workplace.check({"explain", "ic1iw4oc1kw1", "--algorithm", "magic"}, 2, "there is no \"magic\"");
  workplace.check({"explain", "ic1iw4oc1kw1", "--device", "no such device"}, 3, "no such device");
}

TEST_CASE("info lists devices, in words and as JSON") {
  const Workplace workplace;
  const CommandOutcome words = workplace.call_device({"info"});
  CAPTURE(words.error);
  REQUIRE(words.exit_code == 0);
  CHECK(contains(words.out, "algorithm gather: "));
  CHECK(contains(words.out, "maxStorageBufferRange"));
  CHECK(contains(words.out, "\nDevices\n  0  "));
  const CommandOutcome json = workplace.call_device({"info", "--json"});
  REQUIRE(json.exit_code == 0);
  const nlohmann::json root = nlohmann::json::parse(json.out);
  CHECK(root.at("library").at("algorithms").at(0).at("name") == "gather");
  REQUIRE(!root.at("devices").empty());
  const auto& in_use = root.at("inUse");
  CHECK(in_use.at("name") == root.at("devices").at(in_use.at("index").get<size_t>()).at("name"));
  CHECK(in_use.at("limits").at("maxStorageBufferRange").get<uint64_t>() >= uint64_t{1} << 27);
  CHECK(in_use.at("features").contains("bufferDeviceAddress"));
}

TEST_CASE("without a device the exit code is 3") {
  const Workplace workplace;
  const std::string no_driver = "VK_DRIVER_FILES=/none VK_ICD_FILENAMES=/none";
  workplace.check({"info"}, 3, "", no_driver);
  workplace.check({"explain", "ic1iw4oc1kw1"}, 3, "", no_driver);
  const CommandOutcome json = workplace.call({"info", "--json"}, no_driver);
  CHECK(json.exit_code == 3);
  CHECK(nlohmann::json::parse(json.out).at("inUse").is_null());
  workplace.write_tensor("x.npy", NpyType::f32, {4, 5}, 1);
  workplace.write_tensor("w.npy", NpyType::f32, {4, 3, 3}, 2);
  const Arguments run = {"run", "--input", "x.npy", "--weight", "w.npy", "--output", "y.npy"};
  workplace.check(run, 3, "", no_driver);
  CHECK(!fs::exists(workplace.path("y.npy")));
  Arguments on_cpu = run;
  on_cpu.push_back("--cpu");
  CHECK(workplace.call(on_cpu, no_driver).exit_code == 0);
}

TEST_CASE("NumPy reads what run writes, and agrees") {
  if (std::system("python3 -c 'import numpy' > /dev/null 2>&1") != 0) {
    MESSAGE("no python3 with numpy: not tested");
    return;
  }
  const Workplace workplace;
  write_text(workplace.path("make.py"), R"(
import numpy
rng = numpy.random.default_rng(1)
numpy.save("x.npy", numpy.asfortranarray(rng.standard_normal((2, 4, 5, 6))).astype(">f4"))
numpy.save("w.npy", rng.standard_normal((4, 3, 3, 2)).astype("<f4"))
numpy.save("b.npy", rng.standard_normal(6).astype("<f4"))
)");
  write_text(workplace.path("check.py"), R"(
import numpy
x, w, b, y = (numpy.load(name + ".npy") for name in "xwby")
stride, padding, dilation, output_padding, groups = (2, 3), (1, 0), (1, 2), (1, 2), 2
full = numpy.zeros((2, 6, 13, 22))
for n, i, h, v, o, k, l in numpy.ndindex(2, 4, 5, 6, 3, 3, 2):
    full[n, i // 2 * 3 + o, h * 2 + k, v * 3 + l * 2] += float(x[n, i, h, v]) * float(w[i, o, k, l])
expected = full[:, :, 1:11, 0:20] + b.reshape(1, 6, 1, 1)
assert y.dtype == numpy.float32 and y.flags["C_CONTIGUOUS"], (y.dtype, y.flags)
assert y.shape == expected.shape, (y.shape, expected.shape)
assert numpy.abs(y - expected).max() < 1e-5, numpy.abs(y - expected).max()
)");
  const std::string in_folder = "cd " + quoted(workplace.path("").string()) + " && python3 ";
  REQUIRE(std::system((in_folder + "make.py").c_str()) == 0);
  const CommandOutcome outcome = workplace.call_device(
      {"run", "--input", "x.npy", "--weight", "w.npy", "--bias", "b.npy", "--output", "y.npy", "--stride", "2,3",
       "--padding", "1,0", "--dilation", "1,2", "--output-padding", "1,2", "--groups", "2"});
  CAPTURE(outcome.error);
  REQUIRE(outcome.exit_code == 0);
  CHECK(std::system((in_folder + "check.py").c_str()) == 0);
}

TEST_SUITE_END();

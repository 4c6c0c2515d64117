// The command vktconv, run as a user or a script runs it: exit codes, what it says, and results against the reference.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
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

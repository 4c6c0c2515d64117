// vktconv run: .npy files in, one .npy file out.
#include <fmt/format.h>
#include <reference.h>
#include <shape.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <vktconv/vktconv_host.hpp>

#include "commands.h"
#include "device_flags.h"
#include "elements.h"
#include "failure.h"
#include "support/npy.h"
#include "support/problem_text.h"
#include "support/progress.h"
#include "tensor_shapes.h"
#include "text_option.h"

namespace vktconv::cli {
namespace {

namespace fs = std::filesystem;
using support::NpyArray;
using support::NpyHeader;

struct RunFlags {
  std::string input, weights, bias, scale, shift, residual, output, data_type;
  bool cpu = false;
  bool quiet = false;
  ConvolutionFlags convolution;
  TensorFlags tensors;
  DeviceFlags device;
};

// Reads a file whose header was already looked at, and brings it into the type of the run.
NpyArray read_tensor(const std::string& file, const NpyHeader& header, VktcDataType type) {
  support::ProgressLine line("Reading " + file);
  NpyArray array = support::read_npy(file, [&](uint64_t done, uint64_t total) { line.update(done, total); });
  if (array.shape != header.shape || array.type != header.type) {
    throw Failure(exit_failure, fmt::format("{}: the file has changed while it was being read", file));
  }
  convert_elements(array, type);
  return array;
}

std::unique_ptr<std::byte[]> allocate_output(int64_t elements, VktcDataType type) {
  const uint64_t bytes = static_cast<uint64_t>(elements) * vktcDataTypeSize(type);
  try {
    return std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(bytes));
  } catch (const std::bad_alloc&) {
    throw Failure(exit_failure, fmt::format("there is not enough memory for the {} bytes of the output", bytes));
  }
}

// One batch item after the other: the sums of the whole output in double would take much memory.
void run_on_cpu(const VktcConvTransposeDesc& desc, const host::Arrays& arrays) {
  VktcConvTransposeDesc item = desc;
  item.batch = 1;
  const host::TensorSizes sizes = host::tensor_sizes(item);
  const auto input_bytes = static_cast<size_t>(sizes.input_elements * sizes.element_size);
  const auto output_bytes = static_cast<size_t>(sizes.output_elements * sizes.output_element_size);
  const auto* input = static_cast<const std::byte*>(arrays.input);
  const auto* residual = static_cast<const std::byte*>(arrays.residual);
  auto* output = static_cast<std::byte*>(arrays.output);
  support::ProgressLine line("Running on the CPU");
  for (int64_t n = 0; n < desc.batch; ++n) {
    const auto values =
        reference::conv_transpose(item, {input, arrays.weights, arrays.bias, arrays.scale, arrays.shift, residual});
    reference::round_to_type(reference::output_type(item), values, output);
    input += input_bytes;
    output += output_bytes;
    if (residual != nullptr) residual += output_bytes;
    line.update(static_cast<uint64_t>(n) + 1, static_cast<uint64_t>(desc.batch));
  }
}

// Returns the name of the device.
std::string run_on_device(const DeviceFlags& flags, const VktcConvTransposeDesc& desc, const host::Arrays& arrays) {
  host::RunOptions options;
  options.plan = flags.plan_options();
  host::Device device = flags.open();
  support::ProgressLine line("Running on " + device.summary().name);
  options.progress = [&](uint64_t done, uint64_t total) { line.update(done, total); };
  host::conv_transpose(device, desc, arrays, options);
  flags.check_validation(device);
  return device.summary().name;
}

// The files that post-ops read, by what the chain says of them.
struct PostOpFiles {
  std::optional<NpyHeader> scale, shift, residual;
};

std::optional<NpyHeader> read_post_op_header(const char* option, const std::string& file, bool wanted, const char* op) {
  if (file.empty() && wanted) refuse(fmt::format("{} is needed: --post-ops has {}", option, op));
  if (!file.empty() && !wanted) refuse(fmt::format("{} is given, but --post-ops has no {}", option, op));
  if (file.empty()) return std::nullopt;
  return support::read_npy_header(file);
}

void check_vector(const char* option, const std::string& file, const std::optional<NpyHeader>& header,
                  int64_t out_channels) {
  if (!header) return;
  if (header->type != support::NpyType::f32) {
    refuse(fmt::format("{} is {}: {} needs float32", file, support::npy_type_name(header->type), option));
  }
  if (header->shape != std::vector<int64_t>{out_channels}) {
    refuse(fmt::format("{} has the shape {}, but the output has {} channels: {} needs the shape {}", file,
                       support::format_shape(header->shape), out_channels, option,
                       support::format_shape({out_channels})));
  }
}

PostOpFiles read_post_op_headers(const RunFlags& flags, const ShapedProblem& problem) {
  const host::TensorSizes sizes = host::tensor_sizes(problem.desc);
  const bool scaled = sizes.scale_elements > 0;
  PostOpFiles files;
  files.scale = read_post_op_header("--scale", flags.scale, scaled, "scale_shift");
  files.shift = read_post_op_header("--shift", flags.shift, scaled, "scale_shift");
  files.residual = read_post_op_header("--residual", flags.residual, sizes.residual_elements > 0, "residual");
  check_vector("--scale", flags.scale, files.scale, problem.desc.outChannels);
  check_vector("--shift", flags.shift, files.shift, problem.desc.outChannels);
  if (files.residual && files.residual->shape != problem.output_shape()) {
    refuse(fmt::format("{} has the shape {}, but the output has the shape {}: the residual needs the same",
                       flags.residual, support::format_shape(files.residual->shape),
                       support::format_shape(problem.output_shape())));
  }
  // A file that would need a conversion that --dtype does not name is as wrong here as for the input.
  if (files.residual) {
    DataTypeChoice choice(support::data_type_name(output_data_type(problem.desc)));
    choice.add_file(flags.residual, files.residual->type);
  }
  return files;
}

void run(const RunFlags& flags) {
  if (flags.cpu && flags.device.any_given()) {
    refuse("--cpu excludes --device, --algorithm, --precision, --tuning-file and --validation: it uses no device");
  }
  flags.device.plan_options();  // refuses an unknown name before anything is read

  // What is wrong with the headers is said before gigabytes are read.
  const NpyHeader input_header = support::read_npy_header(flags.input);
  const NpyHeader weights_header = support::read_npy_header(flags.weights);
  std::optional<NpyHeader> bias_header;
  if (!flags.bias.empty()) bias_header = support::read_npy_header(flags.bias);
  DataTypeChoice choice(flags.data_type);
  choice.add_file(flags.input, input_header.type);
  choice.add_file(flags.weights, weights_header.type);
  std::optional<NamedShape> bias_shape;
  if (bias_header) {
    choice.add_bias(flags.bias, bias_header->type);
    bias_shape = NamedShape{flags.bias, bias_header->shape};
  }
  const VktcDataType type = choice.type();
  const ShapedProblem problem =
      make_shaped_problem({flags.input, input_header.shape}, {flags.weights, weights_header.shape}, bias_shape, type,
                          flags.convolution, flags.tensors);
  const std::vector<int64_t> output_shape = problem.output_shape();
  const PostOpFiles post_op_files = read_post_op_headers(flags, problem);
  support::check_npy_output(flags.output);

  const NpyArray input = read_tensor(flags.input, input_header, type);
  const NpyArray weights = read_tensor(flags.weights, weights_header, type);
  NpyArray bias;
  if (bias_header) bias = read_tensor(flags.bias, *bias_header, bias_data_type(type));
  const host::TensorSizes sizes = host::tensor_sizes(problem.desc);
  const VktcDataType output_type = output_data_type(problem.desc);
  NpyArray scale, shift, residual;
  if (post_op_files.scale) scale = read_tensor(flags.scale, *post_op_files.scale, VKTC_DATA_TYPE_F32);
  if (post_op_files.shift) shift = read_tensor(flags.shift, *post_op_files.shift, VKTC_DATA_TYPE_F32);
  if (post_op_files.residual) residual = read_tensor(flags.residual, *post_op_files.residual, output_type);
  const auto output = allocate_output(sizes.output_elements, output_type);
  const host::Arrays arrays = {input.data.get(),
                               weights.data.get(),
                               bias.data.get(),
                               output.get(),
                               reinterpret_cast<const float*>(scale.data.get()),
                               reinterpret_cast<const float*>(shift.data.get()),
                               residual.data.get()};
  std::string device_name = "the CPU reference";
  if (flags.cpu) {
    run_on_cpu(problem.desc, arrays);
  } else {
    device_name = run_on_device(flags.device, problem.desc, arrays);
  }
  {
    support::ProgressLine line("Writing " + flags.output);
    support::write_npy(flags.output, npy_type_of(output_type), output_shape, output.get(),
                       [&](uint64_t done, uint64_t total) { line.update(done, total); });
  }
  if (!flags.quiet) {
    fmt::print("{}: {} {} by {}\n", flags.output, support::data_type_name(output_type),
               support::format_shape(output_shape), device_name);
  }
}

}  // namespace

void add_run_command(CLI::App& app) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* command = app.add_subcommand("run", "Compute one transposed convolution from and to .npy files");
  const auto add = [&](const char* name, std::string& value, const char* type, const char* help) {
    return add_text_option(*command, name, value, type, "Files", help);
  };
  add("--input", flags->input, "FILE",
      "(N, C, spatial...) or (C, spatial...), or as --input-layout says; the rank is that of the weights")
      ->required();
  add("--weight", flags->weights, "FILE", "(in_channels, out_channels / groups, kernel...)")->required();
  add("--bias", flags->bias, "FILE", "(out_channels,); of int8 tensors int32");
  add("--scale", flags->scale, "FILE", "(out_channels,) of float32, for the post-op scale_shift");
  add("--shift", flags->shift, "FILE", "The same");
  add("--residual", flags->residual, "FILE", "A tensor like the output, for the post-op residual");
  add("--output", flags->output, "FILE", "Where the result goes; replaced only when it is complete")->required();
  add("--dtype", flags->data_type, "TYPE",
      "Convert the files to f32, f16 or bf16 and compute in that; default: the type of the files");
  command->add_flag("--quiet", flags->quiet, "Print nothing on success")->group("Files");
  flags->convolution.add_to(*command);
  flags->tensors.add_to(*command);
  flags->device.add_device_to(*command);
  flags->device.add_algorithm_to(*command);
  flags->device.add_tuning_to(*command);
  command->add_flag("--cpu", flags->cpu, "Compute with the slow CPU reference (in double) instead of a device")
      ->group("Device");
  command->footer(
      fmt::format("{}\n\n"
                  "{}\n\n"
                  "Files are .npy of float32, float16, int32, int8, or uint16 with the bits of bf16; the\n"
                  "output has the type of the run or --output-type. Integers are exact and wrap; int8 is\n"
                  "accumulated in int32, and so is its output unless --output-type says otherwise. 16-bit\n"
                  "floats are accumulated in fp32 and rounded once.\n\n"
                  "Examples:\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 --padding 1\n"
                  "  vktconv run --input x.npy --weight w.npy --bias b.npy --output y.npy \\\n"
                  "    --stride 2,1 --output-padding 1,0 --groups 4 --dtype bf16 --device nvidia\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 \\\n"
                  "    --auto-pad SAME_UPPER\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --pads=-1,0,2,0\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 \\\n"
                  "    --input-layout channels_last --output-layout channels_last\n"
                  "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 \\\n"
                  "    --scale gamma.npy --shift beta.npy --post-ops scale_shift,leaky_relu:0.2\n\n{}",
                  convolution_help, post_ops_help, exit_code_help));
  command->callback([flags] { run(*flags); });
}

}  // namespace vktconv::cli

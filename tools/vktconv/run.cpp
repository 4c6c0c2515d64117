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
  std::string input, weights, bias, output, data_type;
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
void run_on_cpu(const VktcConvTransposeDesc& desc, const std::byte* input, const void* weights, const void* bias,
                std::byte* output) {
  VktcConvTransposeDesc item = desc;
  item.batch = 1;
  const host::TensorSizes sizes = host::tensor_sizes(item);
  const auto input_bytes = static_cast<size_t>(sizes.input_elements * sizes.element_size);
  const auto output_bytes = static_cast<size_t>(sizes.output_elements * sizes.output_element_size);
  support::ProgressLine line("Running on the CPU");
  for (int64_t n = 0; n < desc.batch; ++n) {
    const auto values = reference::conv_transpose(item, {input, weights, bias});
    reference::round_to_type(reference::output_type(item), values, output);
    input += input_bytes;
    output += output_bytes;
    line.update(static_cast<uint64_t>(n) + 1, static_cast<uint64_t>(desc.batch));
  }
}

// Returns the name of the device.
std::string run_on_device(const DeviceFlags& flags, const VktcConvTransposeDesc& desc, const void* input,
                          const void* weights, const void* bias, void* output) {
  host::RunOptions options;
  options.plan = flags.plan_options();
  host::Device device = flags.open();
  support::ProgressLine line("Running on " + device.summary().name);
  options.progress = [&](uint64_t done, uint64_t total) { line.update(done, total); };
  host::conv_transpose(device, desc, input, weights, bias, output, options);
  flags.check_validation(device);
  return device.summary().name;
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
    choice.add_file(flags.bias, bias_header->type);
    bias_shape = NamedShape{flags.bias, bias_header->shape};
  }
  const VktcDataType type = choice.type();
  const ShapedProblem problem =
      make_shaped_problem({flags.input, input_header.shape}, {flags.weights, weights_header.shape}, bias_shape, type,
                          flags.convolution, flags.tensors);
  const std::vector<int64_t> output_shape = problem.output_shape();
  support::check_npy_output(flags.output);

  const NpyArray input = read_tensor(flags.input, input_header, type);
  const NpyArray weights = read_tensor(flags.weights, weights_header, type);
  NpyArray bias;
  if (bias_header) bias = read_tensor(flags.bias, *bias_header, type);
  const host::TensorSizes sizes = host::tensor_sizes(problem.desc);
  const VktcDataType output_type = output_data_type(problem.desc);
  const auto output = allocate_output(sizes.output_elements, output_type);
  std::string device_name = "the CPU reference";
  if (flags.cpu) {
    run_on_cpu(problem.desc, input.data.get(), weights.data.get(), bias.data.get(), output.get());
  } else {
    device_name =
        run_on_device(flags.device, problem.desc, input.data.get(), weights.data.get(), bias.data.get(), output.get());
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
  add("--bias", flags->bias, "FILE", "(out_channels,)");
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
  command->footer(fmt::format(
      "{}\n\n"
      "Files are .npy of float32, float16, int32, or uint16 with the bits of bf16; the output\n"
      "has the type of the run or --output-type. int32 is exact and wraps. 16-bit floats are accumulated in\n"
      "fp32 and rounded once.\n\n"
      "Examples:\n"
      "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 --padding 1\n"
      "  vktconv run --input x.npy --weight w.npy --bias b.npy --output y.npy \\\n"
      "    --stride 2,1 --output-padding 1,0 --groups 4 --dtype bf16 --device nvidia\n"
      "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 \\\n"
      "    --auto-pad SAME_UPPER\n"
      "  vktconv run --input x.npy --weight w.npy --output y.npy --pads=-1,0,2,0\n"
      "  vktconv run --input x.npy --weight w.npy --output y.npy --stride 2 \\\n"
      "    --input-layout channels_last --output-layout channels_last\n\n{}",
      convolution_help, exit_code_help));
  command->callback([flags] { run(*flags); });
}

}  // namespace vktconv::cli

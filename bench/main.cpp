// vktconv-bench: times transposed convolutions on a Vulkan device, and verifies what it timed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ceilings.h"
#include "measurement.h"
#include "model_comparison.h"
#include "options.h"
#include "report.h"
#include "suites.h"

namespace vktconv::bench {

namespace {

void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

// Where results go: the table as it grows, and the chosen format into a file or, at the end, to stdout.
class Output {
 public:
  Output(const Options& options, const RunInfo& run, const std::vector<support::NamedProblem>& problems)
      : options_(options),
        run_(run),
        table_(names_of(problems), options.algorithms, options.candidates > 1 || !options.choices.empty(),
               options.registers, run.cpu) {
    show(table_.header(run_));
  }

  void add(Row row) {
    show(table_.row(row));
    rows_.push_back(std::move(row));
    // A run that is cut short leaves what it had.
    if (!options_.out.empty()) write_file(options_.out, formatted());
  }

  void finish() {
    show(table_.footer(summarize(rows_)));
    show(comparison_text(compare_model(rows_)));
    if (!options_.out.empty()) {
      write_file(options_.out, formatted());
    } else if (options_.format != Format::table) {
      print(stdout, formatted());
    }
  }

  bool failed() const { return summarize(rows_).failed > 0; }

 private:
  static std::vector<std::string> names_of(const std::vector<support::NamedProblem>& problems) {
    std::vector<std::string> names;
    names.reserve(problems.size());
    for (const support::NamedProblem& problem : problems) names.push_back(display_name(problem));
    return names;
  }

  // The table is for people: it makes way for other formats on stdout.
  void show(const std::string& text) {
    shown_ += text;
    print(options_.format == Format::table || !options_.out.empty() ? stdout : stderr, text);
  }

  std::string formatted() const {
    switch (options_.format) {
      case Format::csv:
        return to_csv(run_, rows_);
      case Format::json:
        return to_json(run_, rows_);
      case Format::table:
        break;
    }
    return shown_;
  }

  const Options& options_;
  const RunInfo& run_;
  Table table_;
  std::vector<Row> rows_;
  std::string shown_;
};

// Measures all problems; false after the device was lost.
bool measure_all(host::Device& device, const Options& options, const Ceilings& ceilings,
                 const std::vector<support::NamedProblem>& problems, Output& output) {
  Bench bench(device, ceilings);
  for (const support::NamedProblem& problem : problems) {
    const bool chosen = !options.choices.empty();
    for (const std::string& name : chosen ? options.choices : options.algorithms) {
      uint32_t count = 1;
      for (uint32_t candidate = 0; candidate < count; ++candidate) {
        Row row;
        row.name = display_name(problem);
        row.descriptor = support::format_problem(problem);
        row.dtype = support::data_type_name(problem.desc.dataType);
        bool lost = false;
        try {
          MeasurementOptions measurement = options.measurement;
          (chosen ? measurement.choice : measurement.algorithm) = name;
          measurement.candidate = candidate;
          row.measurement = bench.measure(problem.desc, measurement);
          count = std::min(chosen ? 1 : options.candidates, std::max(1u, row.measurement.candidate_count));
        } catch (const host::Error& error) {
          row.measurement.algorithm = name;
          row.measurement.status = Status::failed;
          row.measurement.reason = error.what();
          lost = error.error().vkResult == VK_ERROR_DEVICE_LOST;
        }
        output.add(std::move(row));
        if (lost) return false;
      }
    }
  }
  return true;
}

// No device of that name, or none at all.
class NoDevice : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

host::Device open_device(const Options& options) {
  host::DeviceOptions device_options;
  device_options.device = options.device;
  device_options.validation = options.validation;
  device_options.pipeline_statistics = options.registers;
  device_options.tuning_file.clear();  // the planner's choices are measured here
  try {
    return host::Device(device_options);
  } catch (const host::Error& error) {
    throw NoDevice(error.what());
  }
}

int run(const Options& options) {
  if (options.list) {
    print(stdout, list_text(select_problems(options, suite_names())));
    return exit_success;
  }
  // What the user gave is checked before a device is started for it.
  std::vector<support::NamedProblem> problems;
  const bool choose_suite = options.problems.empty() && options.suites.empty();
  if (!choose_suite) problems = select_problems(options, {});
  if (!options.out.empty()) check_writable(options.out);

  host::Device device = open_device(options);
  if (choose_suite) {
    const bool cpu = device.summary().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
    problems =
        select_problems(options, cpu ? std::vector<std::string>{"cpu"} : std::vector<std::string>{"kb1", "decoders"});
  }

  const Ceilings ceilings = measure_ceilings(device, VulkanTable(device));
  const RunInfo run_info = describe_run(device, ceilings, options.measurement);
  Output output(options, run_info, problems);
  const bool lost = !measure_all(device, options, ceilings, problems, output);
  output.finish();
  if (lost) {
    fmt::print(stderr, "vktconv-bench: the device was lost; the remaining problems were not run\n");
    return exit_failed;
  }
  if (const uint32_t messages = device.validation_message_count(); messages > 0) {
    fmt::print(stderr, "vktconv-bench: the validation layer gave {} messages\n", messages);
    return exit_failed;
  }
  return output.failed() ? exit_failed : exit_success;
}

int guarded_main(int argc, char** argv) {
  try {
    Options options;
    int exit_code = exit_success;
    if (!parse_options(argc, argv, options, exit_code)) return exit_code;
    return run(options);
  } catch (const NoDevice& error) {
    fmt::print(stderr, "vktconv-bench: {}\n", error.what());
    return exit_no_device;
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "vktconv-bench: {}\n", error.what());
    return exit_bad_arguments;
  } catch (const std::exception& error) {
    fmt::print(stderr, "vktconv-bench: {}\n", error.what());
    return exit_failed;
  }
}

}  // namespace

}  // namespace vktconv::bench

int main(int argc, char** argv) { return vktconv::bench::guarded_main(argc, argv); }

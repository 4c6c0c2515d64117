#include "report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>

#include "desc_text.h"
#include "model_comparison.h"
#include "support/precision_text.h"
#include "vktconv_build_version.h"

namespace vktconv::bench {

namespace {

using Json = nlohmann::ordered_json;

std::string version_text(uint32_t version) {
  return fmt::format("{}.{}.{}", version >> 22, version >> 12 & 0x3ff, version & 0xfff);
}

// JSON knows no infinity.
Json number_or_text(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : "inf";
}

Json registers_of(const Measurement& m) {
  Json registers = Json::array();
  for (const PipelineStatistics& statistics : m.statistics) {
    Json values = Json::object();
    for (const auto& [name, value] : statistics.values) values[name] = value;
    registers.push_back({{"dispatch", statistics.dispatch}, {"statistics", values}});
  }
  return registers;
}

Json row_json(const RunInfo& run, const Row& row) {
  const Measurement& m = row.measurement;
  Json json = {
      {"name", row.name},
      {"status", status_name(m.status)},
      {"reason", m.reason},
      {"device", run.device},
      {"driver", run.driver},
      {"api_version", run.api_version},
      {"library_version", run.library_version},
      {"git_commit", run.git_commit},
      {"date", run.date},
      {"descriptor", row.descriptor},
      {"dtype", row.dtype},
      {"algorithm", m.algorithm},
      {"candidate", m.candidate},
      {"predicted_ms", m.predicted_ms},
      {"memory_access", run.memory_access},
      {"precision", run.precision},
      {"choice", m.choice},
      {"tile", m.tile},
      {"flop", m.work.flop},
      {"bytes", m.work.bytes},
      {"floor_ms", m.floor.ms},
      {"floor_bound", m.floor.bound},
  };
  if (!m.has_times()) return json;
  Json dispatches = Json::array();
  for (const DispatchTime& dispatch : m.dispatches)
    dispatches.push_back({{"name", dispatch.name}, {"ms", dispatch.ms}});
  json.update({
      {"clock", m.gpu_clock ? "gpu" : "host"},
      {"repeats", m.repeats},
      {"note", m.note},
      {"median_ms", m.ms.median},
      {"min_ms", m.ms.min},
      {"p95_ms", m.ms.p95},
      {"stddev_ms", m.ms.stddev},
      {"tflops", m.tflops()},
      {"gbytes_per_second", m.gbytes_per_second()},
      {"floor_percent", m.floor_percent()},
      {"dispatch_count", m.dispatch_count},
      {"dispatches", dispatches},
      {"plan_ms", m.plan_ms},
      {"plan_again_ms", m.plan_again_ms},
      {"record_us_per_dispatch", m.record_us_per_dispatch},
      {"packed_weights_bytes", m.packed_weights_bytes},
      {"workspace_bytes", m.workspace_bytes},
      {"verified_samples", m.verification.samples},
      {"wrong_samples", m.verification.failures},
      {"error_ratio", number_or_text(m.verification.error_ratio)},
      {"registers", registers_of(m)},
  });
  return json;
}

Json comparison_json(const std::vector<ModelComparison>& comparisons) {
  Json problems = Json::array();
  for (const ModelComparison& comparison : comparisons) {
    problems.push_back({{"name", comparison.name},
                        {"dtype", comparison.dtype},
                        {"model_choice", comparison.model_choice},
                        {"model_ms", comparison.model_ms},
                        {"best_choice", comparison.best_choice},
                        {"best_ms", comparison.best_ms},
                        {"ratio", comparison.ratio()}});
  }
  return {{"problems", problems}, {"within_15_percent", count_close(comparisons)}};
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string csv_number(bool present, double value) { return present ? fmt::format("{:.6g}", value) : ""; }

std::filesystem::path temporary_file(std::filesystem::path file) {
  file += ".part";
  return file;
}

}  // namespace

RunInfo describe_run(const host::Device& device, const Ceilings& ceilings, const MeasurementOptions& options) {
  const host::DeviceSummary& summary = device.summary();
  RunInfo run;
  run.device = summary.name;
  run.driver = summary.driver;
  run.api_version = fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(summary.api_version),
                                VK_API_VERSION_MINOR(summary.api_version), VK_API_VERSION_PATCH(summary.api_version));
  run.cpu = summary.type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  run.library_version = version_text(vktcGetVersion());
  run.git_commit = VKTCONV_BUILD_COMMIT;
  run.date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                         fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  run.memory_access = memory_access_text(options.memory_access);
  run.precision = support::precision_text(options.precision);
  run.ceilings = ceilings;
  return run;
}

Summary summarize(const std::vector<Row>& rows) {
  Summary summary;
  std::map<std::pair<std::string, std::string>, double> best;  // floor percent, by problem and data type
  for (const Row& row : rows) {
    const Measurement& m = row.measurement;
    switch (m.status) {
      case Status::passed:
        ++summary.passed;
        best[{row.descriptor, row.dtype}] = std::max(best[{row.descriptor, row.dtype}], m.floor_percent());
        summary.largest_error_ratio = std::max(summary.largest_error_ratio, m.verification.error_ratio);
        break;
      case Status::failed:
        ++summary.failed;
        break;
      case Status::skipped:
        ++summary.skipped;
        break;
      case Status::unsupported:
        ++summary.unsupported;
        break;
    }
  }
  double logarithms = 0;
  for (const auto& [problem, percent] : best) logarithms += std::log(percent);
  if (!best.empty()) summary.floor_percent = std::exp(logarithms / static_cast<double>(best.size()));
  return summary;
}

std::string to_csv(const RunInfo& run, const std::vector<Row>& rows) {
  std::string text =
      "name,dtype,algorithm,status,reason,candidate,predicted_ms,repeats,median_ms,min_ms,p95_ms,stddev_ms,tflops,"
      "gbytes_per_second,floor_ms,"
      "floor_bound,floor_percent,error_ratio,verified_samples,dispatch_count,plan_ms,record_us_per_dispatch,registers,"
      "clock,note,choice,tile,descriptor,device,driver,api_version,library_version,git_commit,date\n";
  for (const Row& row : rows) {
    const Measurement& m = row.measurement;
    const bool timed = m.has_times();
    double registers = -1;
    for (const PipelineStatistics& statistics : m.statistics)
      registers = std::max(registers, register_count(statistics));
    const std::vector<std::string> fields = {
        row.name,
        row.dtype,
        m.algorithm,
        status_name(m.status),
        m.reason,
        timed ? std::to_string(m.candidate) : "",
        csv_number(timed, m.predicted_ms),
        timed ? std::to_string(m.repeats) : "",
        csv_number(timed, m.ms.median),
        csv_number(timed, m.ms.min),
        csv_number(timed, m.ms.p95),
        csv_number(timed, m.ms.stddev),
        csv_number(timed, timed ? m.tflops() : 0),
        csv_number(timed, timed ? m.gbytes_per_second() : 0),
        csv_number(true, m.floor.ms),
        m.floor.bound,
        csv_number(timed, timed ? m.floor_percent() : 0),
        csv_number(timed, m.verification.error_ratio),
        timed ? std::to_string(m.verification.samples) : "",
        timed ? std::to_string(m.dispatch_count) : "",
        csv_number(timed, m.plan_ms),
        csv_number(timed, m.record_us_per_dispatch),
        csv_number(registers >= 0, registers),
        timed ? (m.gpu_clock ? "gpu" : "host") : "",
        m.note,
        m.choice,
        m.tile,
        row.descriptor,
        run.device,
        run.driver,
        run.api_version,
        run.library_version,
        run.git_commit,
        run.date,
    };
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) text += ',';
      text += csv_field(fields[i]);
    }
    text += '\n';
  }
  return text;
}

std::string to_json(const RunInfo& run, const std::vector<Row>& rows) {
  const Ceilings& ceilings = run.ceilings;
  const Summary summary = summarize(rows);
  Json json = {
      {"device", run.device},
      {"driver", run.driver},
      {"api_version", run.api_version},
      {"library_version", run.library_version},
      {"git_commit", run.git_commit},
      {"date", run.date},
      {"ceilings",
       {{"copy_bytes_per_second", ceilings.copy_bytes},
        {"fp32_flops", ceilings.f32_flop},
        {"int32_ops", ceilings.i32_flop},
        {"matrix_flops", ceilings.matrix_flop},
        {"matrix_shape", ceilings.matrix_shape},
        {"matrix_left_out", ceilings.matrix_left_out}}},
      {"summary",
       {{"passed", summary.passed},
        {"failed", summary.failed},
        {"skipped", summary.skipped},
        {"unsupported", summary.unsupported},
        {"floor_percent_geometric_mean", summary.floor_percent},
        {"largest_error_ratio", summary.largest_error_ratio}}},
      {"model_against_best", comparison_json(compare_model(rows))},
      {"rows", Json::array()},
  };
  for (const Row& row : rows) json["rows"].push_back(row_json(run, row));
  // Names of drivers are what they are: replace what is no UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void check_writable(const std::filesystem::path& file) {
  const std::filesystem::path temporary = temporary_file(file);
  const bool writable = std::ofstream(temporary, std::ios::binary | std::ios::trunc).is_open();
  std::error_code error;
  std::filesystem::remove(temporary, error);
  if (!writable) throw std::invalid_argument(fmt::format("--out {}: cannot write there", file.string()));
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path temporary = temporary_file(file);
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error(fmt::format("cannot write {}", temporary.string()));
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) {
    throw std::runtime_error(
        fmt::format("cannot rename {} to {}: {}", temporary.string(), file.string(), error.message()));
  }
}

}  // namespace vktconv::bench

#include <fmt/format.h>

#include <algorithm>

#include "report.h"

namespace vktconv::bench {

namespace {

// Four significant digits, without an exponent for the times that occur.
std::string digits(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  if (value >= 100) return fmt::format("{:.1f}", value);
  if (value >= 10) return fmt::format("{:.2f}", value);
  if (value >= 1) return fmt::format("{:.3f}", value);
  return fmt::format("{:.4f}", value);
}

// A rate with the unit that keeps it readable on a phone and on a large GPU.
std::string rate_text(double rate, const char* unit) {
  return rate >= 1e12 ? digits(rate * 1e-12) + " T" + unit : digits(rate * 1e-9) + " G" + unit;
}

size_t longest(const std::vector<std::string>& texts, size_t least) {
  for (const std::string& text : texts) least = std::max(least, text.size());
  return least;
}

std::string statistics_text(const Measurement& m) {
  if (m.statistics.empty())
    return "    no pipeline statistics: the driver lacks VK_KHR_pipeline_executable_properties\n";
  std::string text;
  for (const PipelineStatistics& statistics : m.statistics) {
    std::string values;
    for (const auto& [name, value] : statistics.values) {
      values += fmt::format("{}{} {:g}", values.empty() ? "" : ", ", name, value);
    }
    text += fmt::format("    {}: {}\n", statistics.dispatch, values);
  }
  return text;
}

}  // namespace

Table::Table(const std::vector<std::string>& names, const std::vector<std::string>& algorithms, bool tiles,
             bool statistics, bool cpu)
    : name_width_(longest(names, 7)),
      algorithm_width_(longest(algorithms, 9)),
      tiles_(tiles),
      statistics_(statistics),
      cpu_(cpu) {}

std::string Table::header(const RunInfo& run) const {
  const Ceilings& ceilings = run.ceilings;
  std::string text = fmt::format("{} | {} | Vulkan {}\n", run.device, run.driver, run.api_version);
  text += fmt::format("vktconv {} ({}) | {}\n", run.library_version, run.git_commit, run.date);
  text +=
      fmt::format("ceilings measured in this run: copy {}, fp32 {}, int32 {}", rate_text(ceilings.copy_bytes, "B/s"),
                  rate_text(ceilings.f32_flop, "FLOPS"), rate_text(ceilings.i32_flop, "OPS"));
  text += ceilings.matrix_flop > 0 ? fmt::format(", matrix fp16 to fp32 {} ({})\n\n",
                                                 rate_text(ceilings.matrix_flop, "FLOPS"), ceilings.matrix_shape)
                                   : fmt::format("; no matrix rate: {}\n\n", ceilings.matrix_left_out);
  const std::string titles =
      fmt::format("{:<{}}  {:<5} {:<{}} {:>8} {:>8} {:>8} {:>5} {:>8} {:>8} {:>8} {:>7} {:>9}  {}", "problem",
                  name_width_, "type", "algorithm", algorithm_width_, "ms", "min", "p95", "+-%",
                  cpu_ ? "GFLOPS" : "TFLOPS", "GB/s", "floor ms", "% floor", "err/bound", "result");
  return text + titles + "\n" + std::string(titles.size(), '-') + "\n";
}

std::string Table::row(const Row& row) const {
  const Measurement& m = row.measurement;
  const std::string algorithm = m.algorithm.empty() ? "-" : m.algorithm;
  std::string text =
      fmt::format("{:<{}}  {:<5} {:<{}} ", row.name, name_width_, row.dtype, algorithm, algorithm_width_);
  if (!m.has_times()) return text + fmt::format("{}: {}\n", status_name(m.status), m.reason);
  text += fmt::format("{:>8} {:>8} {:>8} {:>5.1f} {:>8} {:>8} {:>8} {:>7.1f} {:>9.2g}  {}", digits(m.ms.median),
                      digits(m.ms.min), digits(m.ms.p95), m.ms.stddev / m.ms.median * 100,
                      digits(cpu_ ? m.tflops() * 1e3 : m.tflops()), digits(m.gbytes_per_second()), digits(m.floor.ms),
                      m.floor_percent(), m.verification.error_ratio, status_name(m.status));
  if (!m.gpu_clock) text += " (host clock)";
  if (!m.note.empty()) text += " (" + m.note + ")";
  text += '\n';
  if (m.status == Status::failed) {
    text +=
        fmt::format("    {}\n    again with: vktconv-bench '{}' --algorithm {}", m.reason, row.descriptor, m.algorithm);
    text += m.candidate > 0 ? fmt::format(" --candidates {}\n", m.candidate + 1) : "\n";
  }
  if (tiles_) {
    text += fmt::format("    candidate {} of {}: {} ({}); predicted {} ms\n", m.candidate, m.candidate_count, m.choice,
                        m.tile, digits(m.predicted_ms));
  }
  return statistics_ ? text + statistics_text(m) : text;
}

std::string Table::footer(const Summary& summary) const {
  std::string text = fmt::format("\n{} verified, {} FAILED, {} skipped, {} unsupported", summary.passed, summary.failed,
                                 summary.skipped, summary.unsupported);
  if (summary.passed > 0) {
    text += fmt::format("; geometric mean {:.1f} % of the floor; largest error {:.2g} of its bound",
                        summary.floor_percent, summary.largest_error_ratio);
  }
  return text + "\n";
}

}  // namespace vktconv::bench

// Results as a table for people, as CSV or as JSON.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "ceilings.h"
#include "measurement.h"

namespace vktconv::bench {

// What all rows of a run share.
struct RunInfo {
  std::string device, driver, api_version;
  bool cpu = false;
  std::string library_version, git_commit;
  std::string date;  // "2026-11-21T01:24:00Z"
  std::string memory_access, precision;
  Ceilings ceilings;
};

RunInfo describe_run(const host::Device& device, const Ceilings& ceilings, const MeasurementOptions& options);

struct Row {
  std::string name;        // the descriptor where the problem has none
  std::string descriptor;  // a text that makes the same problem again
  std::string dtype;
  Measurement measurement;
};

// Counts over rows; means over problems, of which the fastest row counts.
struct Summary {
  size_t passed = 0, failed = 0, skipped = 0, unsupported = 0;
  double floor_percent = 0;  // geometric mean; 0 where nothing passed
  double largest_error_ratio = 0;
};

Summary summarize(const std::vector<Row>& rows);

// Row by row, so that a long run shows its progress. Every text ends with a newline.
class Table {
 public:
  // The widths follow from all the names that will come. Rates are in TFLOPS, those of a CPU device in GFLOPS.
  Table(const std::vector<std::string>& names, const std::vector<std::string>& algorithms, bool tiles, bool statistics,
        bool cpu);

  std::string header(const RunInfo& run) const;
  std::string row(const Row& row) const;
  std::string footer(const Summary& summary) const;

 private:
  size_t name_width_, algorithm_width_;
  bool tiles_, statistics_, cpu_;
};

std::string to_csv(const RunInfo& run, const std::vector<Row>& rows);
std::string to_json(const RunInfo& run, const std::vector<Row>& rows);

// Throws std::invalid_argument where write_file could not write, so that a long run does not end in vain.
void check_writable(const std::filesystem::path& file);

// Through a temporary file in the same folder, so that a reader never sees half of it. Throws std::runtime_error.
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace vktconv::bench

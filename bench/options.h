// The command line.
#pragma once

#include <vktconv/vktconv.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "measurement.h"

namespace vktconv::bench {

// What main returns.
enum ExitCode : int {
  exit_success = 0,
  exit_failed = 1,         // a result was wrong, the device failed, or the validation layer had something to say
  exit_bad_arguments = 2,  // an option, a descriptor or a suite is not as it should be
  exit_no_device = 3       // there is no usable device, or none that --device names
};

enum class Format { table, csv, json };

struct Options {
  std::vector<std::string> problems;     // descriptors
  std::vector<std::string> suites;       // files or names
  std::string match;                     // a regular expression on names; empty: all
  std::vector<VktcDataType> data_types;  // empty: as the problem says
  // In all problems; empty: as the problem says.
  std::optional<VktcLayout> input_layout, output_layout;
  std::optional<VktcOutputType> output_type;
  std::optional<std::vector<VktcPostOp>> post_ops;
  std::vector<std::string> algorithms;  // "" is the planner's choice; at least one
  std::vector<std::string> choices;     // VktcPlanOptions::choice; not empty: these instead of algorithms
  unsigned candidates = 1;              // of the planner's, for each row, by predicted time
  std::string device;
  Format format = Format::table;
  std::filesystem::path out;  // empty: stdout
  bool list = false;
  bool validation = false;
  bool registers = false;
  MeasurementOptions measurement;  // its algorithm or choice is set for each row
};

// Returns false when there is nothing to run: exit_code says how to leave, and what was wrong is on stderr.
bool parse_options(int argc, const char* const* argv, Options& options, int& exit_code);

}  // namespace vktconv::bench

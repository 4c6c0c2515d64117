// Between the element types of files and those of problems.
#pragma once

#include <vktconv/vktconv.h>

#include <optional>
#include <string>

#include "support/npy.h"

namespace vktconv::cli {

VktcDataType data_type_of(support::NpyType type);  // uint16 holds bf16
support::NpyType npy_type_of(VktcDataType type);

// What to compute in: the type that --dtype names or, without it, that of the input. Failure where a file would need a
// conversion that was not asked for, or one between integers and floating point.
class DataTypeChoice {
 public:
  explicit DataTypeChoice(const std::string& option);  // the text of --dtype; empty: not given

  // Call it for the input first.
  void add_file(const std::string& name, support::NpyType type);
  // The same for the bias, whose type may be another than that of the run.
  void add_bias(const std::string& name, support::NpyType type);
  bool has_type() const { return type_.has_value(); }
  VktcDataType type() const { return *type_; }

 private:
  bool asked_for_;
  std::optional<VktcDataType> type_;
  std::string first_file_;
};

// Rounds to nearest even where the new type is narrower. Both types are floating point, or the same.
void convert_elements(support::NpyArray& array, VktcDataType type);

}  // namespace vktconv::cli

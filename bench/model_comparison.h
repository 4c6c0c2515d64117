// How good the planner's choice is: against the best candidate that was measured, problem by problem.
#pragma once

#include <string>
#include <vector>

namespace vktconv::bench {

struct Row;  // report.h

struct ModelComparison {
  std::string name, dtype;
  std::string model_choice, best_choice;  // VktcPlanInfo::choice
  double model_ms = 0, best_ms = 0;       // medians

  double ratio() const { return model_ms / best_ms; }  // at least 1
};

// Of every problem with several verified rows, in the order of the rows. The model's choice is the row that the planner
// predicted to be the fastest.
std::vector<ModelComparison> compare_model(const std::vector<Row>& rows);

// What the model is held to: at most 15 % over the best.
constexpr double close_to_best = 1.15;
size_t count_close(const std::vector<ModelComparison>& comparisons);

// A table, and the share of problems that are close. Empty for no comparisons.
std::string comparison_text(const std::vector<ModelComparison>& comparisons);

}  // namespace vktconv::bench

#include "model_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report.h"

namespace vktconv::bench {

namespace {

bool is_same_problem(const Row& a, const Row& b) { return a.descriptor == b.descriptor && a.dtype == b.dtype; }

}  // namespace

std::vector<ModelComparison> compare_model(const std::vector<Row>& rows) {
  std::vector<ModelComparison> comparisons;
  std::vector<std::vector<const Row*>> problems;
  for (const Row& row : rows) {
    if (row.measurement.status != Status::passed) continue;
    const auto same =
        std::find_if(problems.begin(), problems.end(), [&](const auto& p) { return is_same_problem(*p.front(), row); });
    if (same == problems.end()) {
      problems.push_back({&row});
    } else {
      same->push_back(&row);
    }
  }
  for (const std::vector<const Row*>& measured : problems) {
    if (measured.size() < 2) continue;
    const auto least = [&](auto value) {
      return *std::min_element(measured.begin(), measured.end(), [&](const Row* a, const Row* b) {
        return value(a->measurement) < value(b->measurement);
      });
    };
    const Row& model = *least([](const Measurement& m) { return m.predicted_ms; });
    const Row& best = *least([](const Measurement& m) { return m.ms.median; });
    comparisons.push_back({model.name, model.dtype, model.measurement.choice, best.measurement.choice,
                           model.measurement.ms.median, best.measurement.ms.median});
  }
  return comparisons;
}

size_t count_close(const std::vector<ModelComparison>& comparisons) {
  return static_cast<size_t>(std::count_if(comparisons.begin(), comparisons.end(),
                                           [](const auto& comparison) { return comparison.ratio() <= close_to_best; }));
}

std::string comparison_text(const std::vector<ModelComparison>& comparisons) {
  if (comparisons.empty()) return "";
  size_t name_width = 7, choice_width = 14;
  for (const ModelComparison& comparison : comparisons) {
    name_width = std::max(name_width, comparison.name.size());
    choice_width = std::max(choice_width, comparison.model_choice.size());
  }
  std::string text = fmt::format("\n{:<{}}  {:<5} {:>10} {:>10} {:>10}  {:<{}}  {}\n", "problem", name_width, "type",
                                 "model ms", "best ms", "model/best", "model's choice", choice_width, "best choice");
  double logarithms = 0;
  for (const ModelComparison& comparison : comparisons) {
    logarithms += std::log(comparison.ratio());
    text += fmt::format("{:<{}}  {:<5} {:>10.4g} {:>10.4g} {:>10.2f}  {:<{}}  {}\n", comparison.name, name_width,
                        comparison.dtype, comparison.model_ms, comparison.best_ms, comparison.ratio(),
                        comparison.model_choice, choice_width, comparison.best_choice);
  }
  const size_t close = count_close(comparisons);
  const auto count = static_cast<double>(comparisons.size());
  text += fmt::format(
      "the model's choice is within 15 % of the best measured candidate on {} of {} problems ({:.0f} %); geometric "
      "mean "
      "{:.2f} times its time\n",
      close, comparisons.size(), 100 * static_cast<double>(close) / count, std::exp(logarithms / count));
  return text;
}

}  // namespace vktconv::bench

#include "planner.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "algorithms/algorithm.h"

namespace vktconv {
namespace {

// Every algorithm. Tests and the benchmark find them here by name.
constexpr const Algorithm* algorithms[] = {
    &gather_algorithm,   &tiled_algorithm,           &matrix_algorithm, &matrix_window_algorithm,
    &winograd_algorithm, &matrix_winograd_algorithm, &patch_algorithm,  &split_algorithm,
};

int looseness(VktcPrecision precision) {
  switch (precision) {
    case VKTC_PRECISION_F32_FMA:
      return 0;
    case VKTC_PRECISION_F32:
      return 1;
    case VKTC_PRECISION_RELAXED:
      return 2;
  }
  return 0;
}

struct Candidate {
  const Algorithm* algorithm;
  Tile tile;
};

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", seconds * 1e3);
  return text;
}

// Whether the device can have a buffer for each tensor as a whole.
bool check_buffer_sizes(const Problem& problem, const DeviceCaps& caps, const Plan& plan, VktcError& error) {
  const auto bytes = [](int64_t elements, int64_t element_size) {
    return static_cast<uint64_t>(elements) * static_cast<uint64_t>(element_size);
  };
  const auto check = [&](Tensor tensor, uint64_t size) {
    return size <= caps.max_buffer_size || fail(error, VKTC_ERROR_LIMIT_EXCEEDED, tensor_name(tensor),
                                                "%s needs a buffer of %" PRIu64 " bytes, but maxBufferSize is %" PRIu64,
                                                tensor_name(tensor), size, caps.max_buffer_size);
  };
  return check(Tensor::input, bytes(problem.input_elements(), problem.element_size())) &&
         check(Tensor::weights, bytes(problem.weight_elements(), problem.element_size())) &&
         check(Tensor::packed_weights, plan.packed_weights_bytes) &&
         check(Tensor::output, bytes(problem.output_elements(), problem.output_element_size())) &&
         check(Tensor::workspace, plan.workspace_bytes);
}

// What make_plan chooses from, and why an algorithm is or is not among it: a line for each, for people.
struct Candidates {
  std::vector<Candidate> ranked;  // by predicted time
  std::string reason;
};

bool collect_candidates(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                        Candidates& candidates, VktcError& error) {
  bool known = options.algorithm.empty();
  for (const Algorithm* algorithm : algorithms) {
    if (!options.algorithm.empty() && options.algorithm != algorithm->name) continue;
    known = true;
    std::string why_not;
    std::vector<Tile> tiles;
    tiles = algorithm->tiles(problem, caps, why_not);
    const size_t offered = tiles.size();
    std::erase_if(tiles, [&](const Tile& tile) { return looseness(tile.precision) > looseness(options.precision); });
    if (tiles.empty() && offered > 0) why_not = "options.precision allows none of its tiles";
    for (const Tile& tile : tiles) candidates.ranked.push_back({algorithm, tile});
    if (tiles.empty()) {
      candidates.reason += std::string(algorithm->name) + " does not apply: " + why_not + "\n";
    } else {
      const auto best = std::min_element(tiles.begin(), tiles.end(),
                                         [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
      candidates.reason += std::string(algorithm->name) + ": predicted " + milliseconds(best->seconds) + "\n";
    }
  }
  if (!known) {
    std::string names;
    for (const Algorithm* algorithm : algorithms) names += (names.empty() ? "" : ", ") + std::string(algorithm->name);
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.algorithm",
                "options.algorithm is \"%s\": it must be one of %s, or empty", options.algorithm.c_str(),
                names.c_str());
  }
  if (candidates.ranked.empty()) {
    std::string reason = candidates.reason;
    if (!reason.empty()) reason.pop_back();
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "options.algorithm", "%s", reason.c_str());
  }
  std::stable_sort(candidates.ranked.begin(), candidates.ranked.end(),
                   [](const Candidate& a, const Candidate& b) { return a.tile.seconds < b.tile.seconds; });
  return true;
}

// The candidates to try, the first that can be built to be taken: [first, last) of the ranking.
struct Range {
  size_t first = 0, last = 0;
};

bool find_choice(const PlanOptions& options, const std::vector<Candidate>& ranked, Range& range, VktcError& error) {
  if (options.candidate != 0) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.candidate",
                "options.candidate is %u: it must be 0 where options.choice names the candidate", options.candidate);
  }
  for (size_t rank = 0; rank < ranked.size(); ++rank) {
    if (choice_text(*ranked[rank].algorithm, ranked[rank].tile) != options.choice) continue;
    range = {rank, rank + 1};
    return true;
  }
  const std::string of_algorithm = options.algorithm.empty() ? "" : " of the algorithm " + options.algorithm;
  return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.choice",
              "options.choice is \"%.100s\": it must be one of the %zu candidates%s for this problem on this device, "
              "such as \"%s\"",
              options.choice.c_str(), ranked.size(), of_algorithm.c_str(),
              choice_text(*ranked.front().algorithm, ranked.front().tile).c_str());
}

bool find_candidate(const PlanOptions& options, const std::vector<Candidate>& ranked, Range& range, VktcError& error) {
  if (!options.choice.empty()) return find_choice(options, ranked, range, error);
  if (options.candidate >= ranked.size()) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.candidate",
                "options.candidate is %u: it must be less than the number of candidates, which is %zu",
                options.candidate, ranked.size());
  }
  // A faster one may exceed a limit that a slower one keeps.
  range = {options.candidate, ranked.size()};
  return true;
}

std::string explain_choice(const PlanOptions& options, const std::string& candidates) {
  if (!options.choice.empty()) return candidates + "asked for by its choice\n";
  return options.algorithm.empty() ? candidates : candidates + "asked for by name\n";
}

}  // namespace

const char* tensor_name(Tensor tensor) {
  constexpr const char* names[tensor_count] = {"input",     "weights", "packedWeights", "bias",    "output",
                                               "workspace", "scale",   "shift",         "residual"};
  return names[static_cast<size_t>(tensor)];
}

const char* algorithm_name(uint32_t index) { return index < std::size(algorithms) ? algorithms[index]->name : nullptr; }

const char* algorithm_summary(uint32_t index) {
  return index < std::size(algorithms) ? algorithms[index]->summary : nullptr;
}

bool make_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, Plan& plan,
               VktcError& error) {
  if (options.memory_access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS && !caps.buffer_device_address) {
    return fail(error, VKTC_ERROR_FEATURE_NOT_ENABLED, "options.memoryAccess",
                "options.memoryAccess is VKTC_MEMORY_ACCESS_DEVICE_ADDRESS, but the application did not enable the "
                "feature bufferDeviceAddress");
  }
  Candidates candidates;
  Range range;
  if (!collect_candidates(problem, caps, options, candidates, error) ||
      !find_candidate(options, candidates.ranked, range, error)) {
    return false;
  }
  std::optional<VktcError> first_error;
  for (size_t rank = range.first; rank < range.last; ++rank) {
    const Candidate& candidate = candidates.ranked[rank];
    Plan made;
    VktcError refused = no_error();
    if (candidate.algorithm->build(problem, caps, options, candidate.tile, made, refused) &&
        check_buffer_sizes(problem, caps, made, refused)) {
      made.algorithm = candidate.algorithm->name;
      made.choice = choice_text(*candidate.algorithm, candidate.tile);
      made.candidate_count = static_cast<uint32_t>(candidates.ranked.size());
      made.predicted_seconds = candidate.tile.seconds;
      made.reason = explain_choice(options, candidates.reason);
      plan = std::move(made);
      return true;
    }
    if (!first_error) first_error = refused;
  }
  error = *first_error;
  return false;
}

}  // namespace vktconv

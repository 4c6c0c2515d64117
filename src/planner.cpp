#include "planner.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string_view>

#include "algorithms/algorithm.h"

namespace vktconv {
namespace {

// Every algorithm, one line each. Tests and the benchmark find them here by name.
constexpr const Algorithm* algorithms[] = {
    &gather_algorithm,
    &tiled_algorithm,
    &matrix_algorithm,
};

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
  const auto bytes = [&](int64_t elements) {
    return static_cast<uint64_t>(elements) * static_cast<uint64_t>(problem.element_size());
  };
  const auto check = [&](Tensor tensor, uint64_t size) {
    return size <= caps.max_buffer_size || fail(error, VKTC_ERROR_LIMIT_EXCEEDED, tensor_name(tensor),
                                                "%s needs a buffer of %" PRIu64 " bytes, but maxBufferSize is %" PRIu64,
                                                tensor_name(tensor), size, caps.max_buffer_size);
  };
  return check(Tensor::input, bytes(problem.input_elements())) &&
         check(Tensor::weights, bytes(problem.weight_elements())) &&
         check(Tensor::packed_weights, plan.packed_weights_bytes) &&
         check(Tensor::output, bytes(problem.output_elements())) && check(Tensor::workspace, plan.workspace_bytes);
}

}  // namespace

const char* tensor_name(Tensor tensor) {
  constexpr const char* names[tensor_count] = {"input", "weights", "packedWeights", "bias", "output", "workspace"};
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
  std::vector<Candidate> candidates;
  std::string reason;
  bool known = options.algorithm.empty();
  for (const Algorithm* algorithm : algorithms) {
    if (!options.algorithm.empty() && options.algorithm != algorithm->name) continue;
    known = true;
    std::string why_not;
    const std::vector<Tile> tiles = algorithm->tiles(problem, caps, why_not);
    for (const Tile& tile : tiles) candidates.push_back({algorithm, tile});
    if (tiles.empty()) {
      reason += std::string(algorithm->name) + " does not apply: " + why_not + "\n";
    } else {
      const auto best = std::min_element(tiles.begin(), tiles.end(),
                                         [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
      reason += std::string(algorithm->name) + ": predicted " + milliseconds(best->seconds) + "\n";
    }
  }
  if (!known) {
    std::string names;
    for (const Algorithm* algorithm : algorithms) names += (names.empty() ? "" : ", ") + std::string(algorithm->name);
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.algorithm",
                "options.algorithm is \"%s\": it must be one of %s, or empty", options.algorithm.c_str(),
                names.c_str());
  }
  if (candidates.empty()) {
    if (!reason.empty()) reason.pop_back();
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "options.algorithm", "%s", reason.c_str());
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.tile.seconds < b.tile.seconds; });
  const uint32_t count = static_cast<uint32_t>(candidates.size());
  if (options.candidate >= count) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.candidate",
                "options.candidate is %u: it must be less than the number of candidates, which is %u",
                options.candidate, count);
  }
  // The first that can be built: a faster one may exceed a limit that a slower one keeps.
  std::optional<VktcError> first_error;
  for (uint32_t rank = options.candidate; rank < count; ++rank) {
    const Candidate& candidate = candidates[rank];
    Plan made;
    VktcError refused = no_error();
    if (candidate.algorithm->build(problem, caps, options, candidate.tile, made, refused) &&
        check_buffer_sizes(problem, caps, made, refused)) {
      made.algorithm = candidate.algorithm->name;
      made.candidate_count = count;
      made.predicted_seconds = candidate.tile.seconds;
      made.reason = options.algorithm.empty() ? reason : reason + "asked for by name\n";
      plan = std::move(made);
      return true;
    }
    if (!first_error) first_error = refused;
  }
  error = *first_error;
  return false;
}

}  // namespace vktconv

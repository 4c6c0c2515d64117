#include "algorithms/merged_phases.h"

#include <algorithm>

#include "algorithms/algorithm.h"
#include "phases.h"

namespace vktconv {

uint32_t mergeable_phases(const Problem& problem) {
  const Axis& width = problem.axes[2];
  const int64_t with_taps = std::min(width.kernel, width.stride / phase_gcd(width));
  constexpr int64_t longest_stride = 64;  // rows of outputs are put in order in shared memory
  if (width.stride == 1 || width.stride > longest_stride || (with_taps - 1) * width.dilation >= width.stride) return 0;
  return static_cast<uint32_t>(with_taps);
}

WidthPositions width_positions(const Problem& problem, bool merged) {
  const Axis& width = problem.axes[2];
  if (!merged) return {0, (width.output - 1) / width.stride + 1};
  const int64_t first = floor_div(width.padding_begin, width.stride);
  return {first, floor_div(width.padding_begin + width.output - 1, width.stride) - first + 1};
}

int64_t first_row_output(const Problem& problem, bool merged) {
  const Axis& width = problem.axes[2];
  return merged ? width_positions(problem, true).first * width.stride - width.padding_begin : 0;
}

int64_t workgroup_phases(const Problem& problem, bool merged) {
  int64_t count = 1;
  for (size_t a = 0; a < (merged ? 2u : 3u); ++a) count *= std::min(problem.axes[a].stride, problem.axes[a].output);
  return count;
}

}  // namespace vktconv

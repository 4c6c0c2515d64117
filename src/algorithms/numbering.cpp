#include "algorithms/numbering.h"

#include <algorithm>
#include <limits>

#include "algorithms/algorithm.h"
#include "algorithms/merged_phases.h"
#include "algorithms/unit_sectors.h"
#include "phases.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Numbers from one row (or slice) to the next. A window reads up to `reach` numbers before a row. They may be the last
// ones of the row before where these are read as inputs that do not exist, whichever row they are counted from;
// otherwise the rows are kept apart.
int64_t make_pitch(const Problem& problem, size_t a, bool merged, int64_t window) {
  const Axis& axis = problem.axes[a];
  const AxisPhases split = split_phases(axis);
  const int64_t reach = (window - 1) * split.input_step;
  int64_t positions = (axis.output - 1) / axis.stride + 1;
  // The input that a window's first tap brings to position 0: of all phases, from the first window to the last.
  int64_t lowest = std::numeric_limits<int64_t>::max(), highest = std::numeric_limits<int64_t>::min();
  const auto add = [&](int64_t first_input, int64_t taps) {
    if (taps == 0) return;
    highest = std::max(highest, first_input);
    lowest = std::min(lowest, first_input - (taps - 1) / window * window * split.input_step);
  };
  if (merged) {
    const WidthPositions numbered = width_positions(problem, true);
    positions = numbered.count;
    add(numbered.first, most_taps(problem, a, true));
  } else {
    for (const Phase& phase : split.phases) add(phase.first_input, phase.taps);
  }
  if (highest < lowest) return positions;  // no phase has taps
  return std::min(positions + reach, std::max({positions, axis.input - lowest + reach, positions + highest}));
}

int64_t elements_of_vector(const Problem& problem) { return 16 / problem.output_element_size(); }

// Numbering::first_element.
int64_t find_first_element(const Problem& problem, const Numbering& numbering, bool merged) {
  const Axis& width = problem.axes[2];
  const int64_t vector = elements_of_vector(problem);
  const int64_t row_begin = first_row_output(problem, merged);
  // The shortest first: a phase of one row has as many numbers in a row as in an image, and the image more rows than
  // the phase.
  const int64_t run_step = numbering.run == numbering.pitch_w ? width.output
                           : numbering.run == numbering.pitch_h * numbering.pitch_w
                               ? problem.axes[1].output * width.output
                               : problem.output_plane();
  const int64_t strip_step = numbering.strips > 1 ? numbering.strip_step * (merged ? width.stride : 1) : 0;
  const bool same = problem.output_plane() % vector == 0 && run_step % vector == 0 && strip_step % vector == 0;
  return same ? (vector - row_begin % vector) % vector : Numbering::differs;
}

int64_t phase_size(const Axis& axis) { return (axis.output - 1) / axis.stride + 1; }

}  // namespace

int64_t most_taps(const Problem& problem, size_t axis, bool merged) {
  const AxisPhases split = split_phases(problem.axes[axis]);
  if (merged) return ceil_div(problem.axes[axis].kernel, split.tap_step);
  int64_t most = 1;
  for (const Phase& phase : split.phases) most = std::max(most, phase.taps);
  return most;
}

int64_t tile_overlap(const Problem& problem, bool merged) {
  const int64_t stride = problem.axes[2].stride;
  if (problem.output_channels_last()) return 0;  // vectors do not reach beyond a position
  if (!merged && stride > 1) return 0;           // outputs are no neighbours
  return ceil_div(elements_of_vector(problem) - 1, stride);
}

Numbering make_numbering(const Problem& problem, bool merged, int64_t strips, const TapWindow& window, int64_t unit) {
  const Axis& depth = problem.axes[0];
  const Axis& height = problem.axes[1];
  const Axis& width = problem.axes[2];
  const int64_t row = width_positions(problem, merged).count;
  Numbering result;
  const int64_t overlap = unit > 0 ? 0 : tile_overlap(problem, merged);
  result.strip_step = ceil_div(row, strips);
  result.strips = ceil_div(row, result.strip_step);
  result.strip_w = result.strips > 1 ? result.strip_step + overlap : row;
  // Strips are neighbours of each other: what lies before a row of one exists.
  const int64_t input_step = width.dilation / phase_gcd(width);
  result.pitch_w = result.strips > 1 ? result.strip_w + (window.width - 1) * input_step
                                     : make_pitch(problem, 2, merged, window.width);
  if (unit > 0) result.pitch_w = ceil_div(result.pitch_w, unit) * unit;
  result.pitch_h = make_pitch(problem, 1, false, window.height);
  result.image_numbers = result.strips * phase_size(depth) * result.pitch_h * result.pitch_w;

  result.run = result.pitch_w;
  result.run_positions = result.strip_w;
  const bool rows_follow = !merged && width.stride == 1 && height.stride == 1 && result.strips == 1 &&
                           result.pitch_w == width.output && height.output > 1;
  if (rows_follow) {
    result.run = result.pitch_h * result.pitch_w;
    result.run_positions = height.output * width.output;
  }
  const bool slices_follow = (rows_follow || (height.output == 1 && result.pitch_h == 1 && result.strips == 1 &&
                                              !merged && width.stride == 1 && result.pitch_w == width.output)) &&
                             depth.stride == 1 && result.pitch_h == height.output && depth.output > 1;
  if (slices_follow) {
    result.run = result.image_numbers;
    result.run_positions = problem.output_plane();
  }
  result.first_element = find_first_element(problem, result, merged);
  const int64_t run_outputs = result.run * (merged ? width.stride : 1);
  const bool tiles_are_aligned =
      result.first_element == 0 && result.strips == 1 && run_outputs % elements_of_vector(problem) == 0;
  result.overlap = tiles_are_aligned ? 0 : overlap;
  if (unit > 0) result.pieces = pieces_of_sector(problem, result, merged, unit);
  return result;
}

int64_t window_numbers(const Problem& problem, const Numbering& numbering, const TapWindow& window, int64_t positions) {
  const int64_t step_h = problem.axes[1].dilation / phase_gcd(problem.axes[1]) * numbering.pitch_w;
  const int64_t step_w = problem.axes[2].dilation / phase_gcd(problem.axes[2]);
  return positions + (window.height - 1) * step_h + (window.width - 1) * step_w;
}

int64_t tile_segments(const Problem& problem, const Numbering& numbering, int64_t positions) {
  const int64_t all = ceil_div(problem.batch * numbering.image_numbers, numbering.run);
  return std::min(all, (positions - 1) / numbering.run + 2);
}

void append_numbering_constants(const Problem& problem, const Numbering& numbering, int64_t positions,
                                std::vector<uint32_t>& constants) {
  constants.resize(NUMBERING_CONSTANTS);
  const auto set = [&](size_t id, int64_t value) { constants[id] = static_cast<uint32_t>(value); };
  set(NUMBERING_STRIPS, numbering.strips);
  set(NUMBERING_STRIP_STEP, numbering.strip_step);
  set(NUMBERING_STRIP_W, numbering.strip_w);
  set(NUMBERING_PITCH_W, numbering.pitch_w);
  set(NUMBERING_PITCH_H, numbering.pitch_h);
  set(NUMBERING_RUN, numbering.run);
  set(NUMBERING_RUN_POSITIONS, numbering.run_positions);
  set(NUMBERING_FIRST_ELEMENT, numbering.first_element);
  set(NUMBERING_SEGMENTS, tile_segments(problem, numbering, positions));
}

}  // namespace vktconv

// The numbers of positions: that the input under a tap is where shaders/numbering.glsl looks for it.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "algorithms/algorithm.h"
#include "algorithms/merged_phases.h"
#include "algorithms/numbering.h"
#include "algorithms/unit_sectors.h"
#include "phases.h"
#include "shape.h"
#include "support/problem_text.h"

using namespace vktconv;

TEST_SUITE_BEGIN("numbering");

namespace {

Problem make(const std::string& text) {
  Problem problem;
  VktcError error;
  REQUIRE(make_problem(support::parse_problem(text).desc, problem, error));
  return problem;
}

int64_t positions_of(const Axis& axis) { return (axis.output - 1) / axis.stride + 1; }

// An input along an axis, or none.
std::optional<int64_t> input_at(const Axis& axis, int64_t index) {
  if (index < 0 || index >= axis.input) return std::nullopt;
  return index;
}

// What a phase of an axis, or the merged phases of the width, have in common.
struct AxisTaps {
  int64_t first_input = 0, taps = 0, step = 1;
};

AxisTaps taps_of(const Axis& axis, const Phase& phase) {
  return {phase.first_input, phase.taps, axis.dilation / phase_gcd(axis)};
}

// Of every position of a slice, under every tap, through windows.
void check(const Problem& problem, const AxisTaps& height, const AxisTaps& width, bool merged, int64_t strips,
           const TapWindow& window, int64_t unit) {
  const Numbering numbering = make_numbering(problem, merged, strips, window, unit);
  if (unit > 0) CHECK(numbering.pitch_w % unit == 0);
  const int64_t rows = positions_of(problem.axes[1]), columns = width_positions(problem, merged).count;
  const int64_t gap_w = numbering.pitch_w - numbering.strip_w, gap_h = numbering.pitch_h - rows;
  int64_t wrong = 0;
  for (int64_t strip = 0; strip < numbering.strips; ++strip) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < numbering.strip_w; ++column) {
        if (strip * numbering.strip_step + column >= columns) continue;
        const int64_t number = (strip * numbering.pitch_h + row) * numbering.pitch_w + column;
        for (int64_t tap_h = 0; tap_h < height.taps; ++tap_h) {
          for (int64_t tap_w = 0; tap_w < width.taps; ++tap_w) {
            const int64_t in_window_h = tap_h % window.height, in_window_w = tap_w % window.width;
            const int64_t first_h = height.first_input - (tap_h - in_window_h) * height.step;
            const int64_t first_w = width.first_input - (tap_w - in_window_w) * width.step;
            const int64_t read = number - in_window_h * height.step * numbering.pitch_w - in_window_w * width.step;
            // shaders/numbering.glsl and matrix_window_input.glsl, in integers of any size.
            const int64_t shifted = read + gap_w;
            const int64_t read_row =
                shifted >= 0 ? shifted / numbering.pitch_w : -((numbering.pitch_w - 1 - shifted) / numbering.pitch_w);
            const int64_t read_column = shifted - read_row * numbering.pitch_w - gap_w;
            std::optional<int64_t> found_h, found_w;
            if (read_row + gap_h >= 0) {
              const int64_t of_strip = (read_row + gap_h) / numbering.pitch_h;
              found_h = input_at(problem.axes[1], (read_row + gap_h) % numbering.pitch_h - gap_h + first_h);
              found_w = input_at(problem.axes[2], of_strip * numbering.strip_step + read_column + first_w);
            }
            const auto expected_h = input_at(problem.axes[1], row + height.first_input - tap_h * height.step);
            const auto expected_w = input_at(
                problem.axes[2], strip * numbering.strip_step + column + width.first_input - tap_w * width.step);
            const bool exists = expected_h && expected_w;
            const bool right = exists ? found_h == expected_h && found_w == expected_w : !(found_h && found_w);
            if (!right) ++wrong;
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("A tap is a shift of numbers, in every window, whole and in strips") {
  for (const char* text :
       {"ic1ih7iw9_oc1kh3kw3", "ic1ih5iw6_oc1kh4kw5ph2pw3", "ic1ih6iw7_oc1kh3kw3ph-2pw-3",
        "ic1ih8iw8_oc1kh3kw5sh2sw2ph1pw2", "ic1ih6iw9_oc1kh5kw4sh2sw3dh3dw2ph2pw4",
        "ic1ih5iw11_oc1kh3kw7dh2dw1ph1pw3eh3ew0", "ic1iw23_oc1kw5dw3pw6", "ic1iw20_oc1kw3sw2pw1dw2",
        "ic1iw17_oc1kw16sw8pw4", "ic1ih3iw4_oc1kh9kw9sh4sw4ph4pw4oph3opw3", "ic1ih4iw5_oc1kh1kw1sh1sw1"}) {
    const Problem problem = make(text);
    const AxisPhases heights = split_phases(problem.axes[1]), widths = split_phases(problem.axes[2]);
    const int64_t most_h = most_taps(problem, 1, false), most_w = most_taps(problem, 2, false);
    for (int64_t window_h = 1; window_h <= most_h; ++window_h) {
      for (int64_t window_w = 1; window_w <= most_w; ++window_w) {
        for (const int64_t strips : {1, 2, 3}) {
          if (strips > width_positions(problem, false).count) continue;
          CAPTURE(text);
          CAPTURE(window_h);
          CAPTURE(window_w);
          CAPTURE(strips);
          for (const Phase& height : heights.phases) {
            for (const Phase& width : widths.phases) {
              for (const int64_t unit : {0, 2}) {
                check(problem, taps_of(problem.axes[1], height), taps_of(problem.axes[2], width), false, strips,
                      {window_h, window_w}, unit);
              }
            }
          }
        }
      }
    }
    if (mergeable_phases(problem) > 0) {
      const AxisTaps width = {width_positions(problem, true).first, most_taps(problem, 2, true), widths.input_step};
      for (const Phase& height : heights.phases) {
        for (int64_t window_w = 1; window_w <= width.taps; ++window_w) {
          for (const int64_t unit : {0, 2}) {
            check(problem, taps_of(problem.axes[1], height), width, true, 1, {most_h, window_w}, unit);
            check(problem, taps_of(problem.axes[1], height), width, true, 2, {1, window_w}, unit);
          }
        }
      }
    }
  }
}

TEST_CASE("Runs are as long as outputs follow each other in memory") {
  const auto run = [](const char* text, bool merged, int64_t strips) {
    const Problem problem = make(text);
    return make_numbering(problem, merged, strips, {1, 1});
  };
  const Numbering image = run("ic1id4ih5iw6_oc1kd1kh1kw1", false, 1);  // nothing between rows and slices
  CHECK(image.run == 4 * 5 * 6);
  CHECK(image.run_positions == 4 * 5 * 6);
  const Numbering slices =
      run("ic1id4ih5iw6_oc1kd2kh1kw1sd2sh1sw1", false, 1);  // every second slice is another phase's
  CHECK(slices.run == 5 * 6);
  const Numbering rows = run("ic1ih5iw6_oc1kh2kw1sh2sw1", false, 1);
  CHECK(rows.run == 6);
  const Numbering strips = run("ic1ih5iw60_oc1kh1kw1", false, 3);  // neighbours overlap by a vector less one
  CHECK(strips.strip_step == 20);
  CHECK(strips.strip_w == 23);
  CHECK(strips.run_positions == 23);
}

TEST_CASE("Tiles overlap where they begin within a vector of outputs") {
  const auto overlap = [](const char* text, bool merged, int64_t strips) {
    return make_numbering(make(text), merged, strips, {1, 1}).overlap;
  };
  CHECK(overlap("ic1ih5iw64_oc1kh1kw1", false, 1) == 0);
  CHECK(overlap("ic1ih5iw62_oc1kh1kw1", false, 1) == 3);        // 5 * 62 is no multiple of 4
  CHECK(overlap("ic1ih6iw62_oc1kh1kw1", false, 1) == 0);        // rows follow each other, planes are whole vectors
  CHECK(overlap("ic1ih6iw62_oc1kh1kw2", false, 1) == 3);        // 63 outputs a row
  CHECK(overlap("dtf16_ic1ih6iw62_oc1kh1kw1", false, 1) == 7);  // vectors of eight
  CHECK(overlap("ic1ih5iw64_oc1kh1kw1", false, 2) == 3);        // strips begin anywhere
  CHECK(overlap("ic1iw64_oc1kw2sw2", true, 1) == 0);
  CHECK(overlap("ic1iw64_oc1kw4sw2pw1", true, 1) == 2);  // rows begin in the midst of a position
  CHECK(overlap("ic1iw64_oc1kw3sw3", false, 1) == 0);    // no neighbours
  const Numbering units = make_numbering(make("ic1ih5iw61_oc1kh1kw1"), false, 2, {1, 1}, 2);
  CHECK(units.overlap == 0);  // nor do strips
  CHECK(units.strip_w == 31);
  CHECK(units.pitch_w == 32);
}

TEST_CASE("Stores in units: pieces of a sector") {
  const auto pieces = [](const char* text, bool merged) {
    const Problem problem = make(text);
    return pieces_of_sector(problem, make_numbering(problem, merged, 1, {1, 1}, 2), merged, 2);
  };
  // Four units of two fp32 outputs are a sector.
  CHECK(pieces("ic1ih8iw64_oc4kh1kw1", false) == 1);
  CHECK(pieces("ic1iw68_oc4kw1", false) == 1.5);  // begins in the middle of a sector in every second channel
  CHECK(pieces("ic1iw68_oc1kw1", false) == 1);    // there is one
  CHECK(pieces("ic1iw66_oc4kw1", false) == 1.75);
  CHECK(pieces("ic1iw65_oc4kw1", false) == 2.625);  // begins anywhere: half of the pairs are stored one by one
  // Two merged phases: two sectors, in vectors; beginning one output early, in three parts.
  CHECK(pieces("ic1iw64_oc4kw2sw2", true) == 1);
  CHECK(pieces("ic1iw64_oc4kw4sw2pw1", true) == 3.5);
  // Of 16 bits: half a sector; with two phases a whole one.
  CHECK(pieces("dtf16_ic1iw64_oc4kw1", false) == 2);
  CHECK(pieces("dtf16_ic1iw64_oc4kw2sw2", true) == 1);
}

namespace {

// Of every run of every phase, as matrix_window_output.glsl finds it: whether a vector begins at its first_element, and
// at each tile where tiles are said not to overlap.
void check_vectors(const Problem& problem, bool merged, int64_t strips) {
  const Numbering numbering = make_numbering(problem, merged, strips, {1, 1});
  const Axis& depth = problem.axes[0];
  const Axis& height = problem.axes[1];
  const Axis& width = problem.axes[2];
  const int64_t vector = 16 / problem.output_element_size(), outputs_of_position = merged ? width.stride : 1;
  const WidthPositions columns = width_positions(problem, merged);
  if (numbering.first_element == Numbering::differs) {
    CHECK(numbering.overlap > 0);
    return;
  }
  CHECK(problem.output_plane() % vector == 0);
  int64_t wrong = 0;
  for (int64_t first_d = 0; first_d < std::min(depth.stride, depth.output); ++first_d) {
    for (int64_t first_h = 0; first_h < std::min(height.stride, height.output); ++first_h) {
      for (int64_t begin = 0; begin < numbering.image_numbers; begin += numbering.run) {
        const int64_t row = begin / numbering.pitch_w, slice = row / numbering.pitch_h;
        const int64_t strip = slice / positions_of(depth);
        const int64_t d = first_d + slice % positions_of(depth) * depth.stride;
        const int64_t h = first_h + row % numbering.pitch_h * height.stride;
        if (d >= depth.output || h >= height.output || row % numbering.pitch_h >= positions_of(height)) continue;
        int64_t w = strip * numbering.strip_step;
        if (merged) w = (w + columns.first) * width.stride - width.padding_begin;
        const int64_t index = (d * height.output + h) * width.output + w;
        if ((index + numbering.first_element) % vector != 0) ++wrong;
        if (numbering.overlap == 0 && (numbering.first_element != 0 || begin * outputs_of_position % vector != 0))
          ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("Vectors begin where runs are said to have them, in every phase") {
  for (const char* text :
       {"ic1ih1iw7_oc1kh4kw4sh2sw2ph1pw1", "ic1ih1iw5_oc1kh8kw3sh8sw2ph0pw0", "ic1id1ih5iw11_oc1kd2kh2kw2sd2sh1sw1",
        "ic1id1ih1iw6_oc1kd2kh2kw1sd2sh2sw1", "ic1id1ih1iw4_oc1kd3kh3kw4sd3sh3sw2", "ic1ih5iw64_oc1kh1kw1",
        "ic1ih6iw62_oc1kh1kw1", "ic1id4ih6iw8_oc1kd1kh1kw1", "ic1iw64_oc1kw4sw2pw1", "ic1ih8iw16_oc1kh2kw2sh2sw2",
        "ic1ih7iw9_oc1kh3kw4sh2sw2", "ic1ih4iw12_oc1kh5kw5sh3sw3", "ic1id3ih4iw10_oc1kd2kh2kw3sd2sh2sw1"}) {
    for (const char* type : {"", "dtf16"}) {
      const Problem problem = make(std::string(type) + text);
      CAPTURE(text);
      CAPTURE(type);
      for (const bool merged : {false, true}) {
        if (merged && mergeable_phases(problem) == 0) continue;
        if (!merged && problem.axes[2].stride > 1) continue;  // outputs of a phase are no neighbours
        for (const int64_t strips : {1, 2, 3}) {
          if (strips > width_positions(problem, merged).count) continue;
          CAPTURE(strips);
          check_vectors(problem, merged, strips);
        }
      }
    }
  }
}

TEST_SUITE_END();

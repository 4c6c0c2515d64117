// The split into phases against brute force: the taps of each output, by trying all of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "phases.h"

using namespace vktconv;

TEST_SUITE_BEGIN("phases");

namespace {

using TapsOfOutput = std::vector<std::vector<std::pair<int64_t, int64_t>>>;  // (tap, input) for each output, sorted

TapsOfOutput by_brute_force(const Axis& axis) {
  TapsOfOutput taps(static_cast<size_t>(axis.output));
  for (int64_t k = 0; k < axis.kernel; ++k) {
    for (int64_t i = 0; i < axis.input; ++i) {
      const int64_t o = i * axis.stride - axis.padding_begin + k * axis.dilation;
      if (o >= 0 && o < axis.output) taps[static_cast<size_t>(o)].push_back({k, i});
    }
  }
  for (auto& list : taps) std::sort(list.begin(), list.end());
  return taps;
}

// False where an output is reached twice or not at all.
bool by_phases(const Axis& axis, TapsOfOutput& taps) {
  taps.assign(static_cast<size_t>(axis.output), {});
  std::vector<int> reached(static_cast<size_t>(axis.output));
  const AxisPhases split = split_phases(axis);
  for (const Phase& phase : split.phases) {
    for (int64_t q = 0; q < phase.outputs; ++q) {
      const int64_t o = phase.first_output + axis.stride * q;
      if (o < 0 || o >= axis.output) return false;
      ++reached[static_cast<size_t>(o)];
      for (int64_t j = 0; j < phase.taps; ++j) {
        const int64_t k = phase.first_tap + j * split.tap_step;
        const int64_t i = q + phase.first_input - j * split.input_step;
        if (k < 0 || k >= axis.kernel) return false;
        if (i >= 0 && i < axis.input) taps[static_cast<size_t>(o)].push_back({k, i});
      }
    }
  }
  for (auto& list : taps) std::sort(list.begin(), list.end());
  return std::all_of(reached.begin(), reached.end(), [](int count) { return count == 1; });
}

Axis make_axis(int64_t input, int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end,
               int64_t output_padding) {
  Axis axis;
  axis.input = input;
  axis.kernel = kernel;
  axis.stride = stride;
  axis.dilation = dilation;
  axis.padding_begin = begin;
  axis.output = (input - 1) * stride - begin - end + dilation * (kernel - 1) + output_padding + 1;
  return axis;
}

void check_axis(const Axis& axis) {
  if (axis.output < 1) return;
  CAPTURE(axis.input);
  CAPTURE(axis.kernel);
  CAPTURE(axis.stride);
  CAPTURE(axis.dilation);
  CAPTURE(axis.padding_begin);
  CAPTURE(axis.output);
  TapsOfOutput split;
  REQUIRE(by_phases(axis, split));
  REQUIRE(split == by_brute_force(axis));
}

}  // namespace

TEST_CASE("Every small axis: each output takes exactly its taps") {
  for (int64_t input : {1, 2, 5}) {
    for (int64_t kernel : {1, 2, 3, 4, 7}) {
      for (int64_t stride = 1; stride <= 8; ++stride) {
        for (int64_t dilation = 1; dilation <= 8; ++dilation) {
          for (int64_t begin : {-3, -1, 0, 1, 2, 5}) {
            for (int64_t end : {-2, 0, 3}) {
              for (int64_t output_padding : {int64_t{0}, std::max(stride, dilation) - 1}) {
                check_axis(make_axis(input, kernel, stride, dilation, begin, end, output_padding));
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("Larger axes with shared factors and primes") {
  const std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t> rows[] = {
      // input, kernel, stride, dilation, padding
      {17, 16, 8, 1, 4},  {31, 10, 5, 1, 0},   {13, 9, 12, 18, 7},    {9, 11, 30, 12, -4}, {101, 3, 2, 2, 1},
      {64, 5, 1, 3, 0},   {7, 3, 97, 89, 10},  {7, 100, 10, 25, 33},  {40, 4, 6, 9, 11},   {3, 257, 64, 48, 100},
      {1, 1, 1000, 1, 0}, {2, 2, 1, 1000, -5}, {5, 3, 1000, 999, 500}};
  for (const auto& [input, kernel, stride, dilation, padding] : rows) {
    check_axis(make_axis(input, kernel, stride, dilation, padding, padding / 2, 0));
  }
}

TEST_CASE("A phase without taps is known as such") {
  // stride 2, dilation 2, padding 1 (kb1.79): even outputs get no tap.
  const AxisPhases split = split_phases(make_axis(10, 3, 2, 2, 1, 1, 0));
  REQUIRE(split.phases.size() == 2);
  CHECK(split.tap_step == 1);
  CHECK(split.input_step == 1);
  CHECK(split.phases[0].first_output == 0);
  CHECK(split.phases[0].taps == 0);
  CHECK(split.phases[1].taps == 3);
}

TEST_CASE("Fewer outputs than the stride give fewer phases") {
  const AxisPhases split = split_phases(make_axis(1, 3, 7, 1, 0, 0, 0));
  CHECK(split.phases.size() == 3);
}

TEST_CASE("The rule for the first tap that shaders use agrees with the split") {
  for (int64_t stride = 1; stride <= 24; ++stride) {
    for (int64_t dilation = 1; dilation <= 24; ++dilation) {
      const Axis axis = make_axis(6, stride + 2, stride, dilation, 3, -1, 0);
      const AxisPhases split = split_phases(axis);
      const int64_t gcd = phase_gcd(axis);
      CHECK(gcd == std::gcd(stride, dilation));
      for (const Phase& phase : split.phases) {
        const int64_t r = (phase.first_output + axis.padding_begin) % stride;
        if (r % gcd != 0) {
          CHECK(phase.taps == 0);
          continue;
        }
        const int64_t first_tap = (r / gcd) * tap_inverse(axis) % split.tap_step;
        if (first_tap < axis.kernel) {
          CHECK(phase.taps > 0);
          CHECK(phase.first_tap == first_tap);
        } else {
          CHECK(phase.taps == 0);
        }
      }
    }
  }
}

TEST_SUITE_END();

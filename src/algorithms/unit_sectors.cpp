#include "algorithms/unit_sectors.h"

#include <numeric>
#include <vector>

#include "algorithms/merged_phases.h"

namespace vktconv {
namespace {

// How many invocations are neighbours along a row is known of NVIDIA's devices alone; so is what pieces cost.
constexpr int64_t sector_bytes = 32, neighbours = 4;

// A store instruction's part of a unit: outputs begin .. begin + count - 1.
struct Part {
  int64_t begin, count;
};

// As store_unit in the shader. index: of the unit's first output.
std::vector<Part> parts_of_unit(int64_t index, int64_t outputs, int64_t element_size) {
  std::vector<Part> parts;
  const auto add = [&](int64_t begin, int64_t count) {
    for (; begin + count <= outputs; begin += count) parts.push_back({begin, count});
    return begin;
  };
  const int64_t word = 4 / element_size;
  for (const int64_t count : {4 * word, int64_t{4}}) {
    if (outputs % count == 0 && index % count == 0) {
      add(0, count);
      return parts;
    }
  }
  if (index % 2 != 0) parts.push_back({0, 1});
  const int64_t rest = add(index % 2, 2);
  if (rest < outputs) parts.push_back({rest, 1});
  return parts;
}

// Of what neighbouring invocations store together, from an output with this index on.
int64_t count_pieces(int64_t index, int64_t outputs, int64_t element_size) {
  int64_t pieces = 0;
  for (const Part& part : parts_of_unit(index, outputs, element_size)) {
    int64_t last = -1;  // they follow each other
    for (int64_t i = 0; i < neighbours; ++i) {
      const int64_t begin = (index + i * outputs + part.begin) * element_size;
      for (const int64_t byte : {begin, begin + part.count * element_size - 1}) {
        if (byte / sector_bytes == last) continue;
        last = byte / sector_bytes;
        ++pieces;
      }
    }
  }
  return pieces;
}

}  // namespace

double pieces_of_sector(const Problem& problem, const Numbering& numbering, bool merged, int64_t positions) {
  const Axis& width = problem.axes[2];
  const int64_t of_position = merged ? width.stride : 1;
  const int64_t element_size = problem.output_element_size(), of_sector = sector_bytes / element_size;
  const int64_t outputs = positions * of_position;
  // Where neighbours begin in a sector: at the first position's place, and whole steps from there. From an out-channel,
  // image, phase, slice, row or strip to the next the place moves by what outputs advance more than numbers.
  int64_t step = std::gcd(of_sector, neighbours * outputs);
  const auto moves = [&](int64_t by_outputs, int64_t by_numbers) {
    step = std::gcd(step, by_outputs - by_numbers * of_position);
  };
  const Axis& height = problem.axes[1];
  const Axis& depth = problem.axes[0];
  const int64_t slice = height.output * width.output;
  if (problem.out_channels > 1 || problem.batch > 1) moves(problem.output_plane(), 0);
  if (problem.batch > 1) moves(0, numbering.image_numbers);
  if (height.stride > 1) moves(width.output, 0);
  if (depth.stride > 1) moves(slice, 0);
  if (height.output > height.stride) moves(width.output * height.stride, numbering.pitch_w);
  if (depth.output > depth.stride) moves(slice * depth.stride, numbering.pitch_h * numbering.pitch_w);
  if (numbering.strips > 1) moves(numbering.strip_step * of_position, numbering.image_numbers / numbering.strips);
  const int64_t first = first_row_output(problem, merged);
  int64_t pieces = 0, places = 0;
  for (int64_t place = 0; place < of_sector; place += step, ++places) {
    pieces += count_pieces((first % of_sector + of_sector + place) % of_sector, outputs, element_size);
  }
  return static_cast<double>(pieces) / static_cast<double>(places) * static_cast<double>(of_sector) /
         static_cast<double>(neighbours * outputs);
}

}  // namespace vktconv

// The header of an .npy file: magic, version, and a Python dictionary with the element type, the order and the shape.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vktconv::support {

enum class NpyType { f32, f16, i32, u16, i8 };

const char* npy_type_name(NpyType type);  // as NumPy calls it: "float32"
size_t npy_type_size(NpyType type);

struct NpyHeader {
  NpyType type = NpyType::f32;
  bool foreign_byte_order = false;  // elements have the other byte order than this machine
  bool fortran_order = false;
  std::vector<int64_t> shape;  // at least one dimension, each at least 1
  uint64_t data_offset = 0;    // of the first element in the file
  uint64_t data_bytes = 0;     // what the shape needs; at most 2^62
};

// How many bytes from the beginning of a file npy_header_size needs, and the most it may come out as.
constexpr size_t npy_prefix_bytes = 12;
constexpr size_t npy_longest_header = 64 * 1024 + npy_prefix_bytes;  // version 1.0 allows 65,535 bytes after its prefix

// Where the data begins, from the first npy_prefix_bytes of a file (or all of it, where it is shorter). Both functions
// throw std::invalid_argument with a sentence that says what is wrong, without the name of the file.
size_t npy_header_size(std::string_view beginning);

// The header, from exactly the first npy_header_size bytes of a file.
NpyHeader parse_npy_header(std::string_view header);

// A header of version 1.0 in this machine's byte order, its size a multiple of 64 as NumPy writes it.
std::string format_npy_header(NpyType type, const std::vector<int64_t>& shape);

std::string format_shape(const std::vector<int64_t>& shape);  // "(2, 3)", "(4,)"

}  // namespace vktconv::support

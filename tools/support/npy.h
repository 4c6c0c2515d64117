// .npy files: NumPy's format for one array. Read whole and checked, written in one piece or not at all.
//
// Read: versions 1.0, 2.0 and 3.0 of the format; float32, float16, int32, int8 and uint16 (which holds the bits of
// bfloat16), in either byte order, in C or Fortran order. Memory is taken only after the size of the file has been
// found to agree with its header, so that a small file can never ask for much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "npy_header.h"

namespace vktconv::support {

struct NpyArray {
  NpyType type = NpyType::f32;
  std::vector<int64_t> shape;
  std::unique_ptr<std::byte[]> data;  // in C order and this machine's byte order

  int64_t elements() const;
  size_t bytes() const;
};

// Called with done out of total bytes, from the calling thread.
using ByteProgress = std::function<void(uint64_t done, uint64_t total)>;

// Throws std::invalid_argument that names the file and says what is wrong with it, or std::runtime_error where the
// system refuses to read it or has not enough memory. An array in Fortran order is converted, which takes its memory
// twice.
NpyArray read_npy(const std::filesystem::path& file, const ByteProgress& progress = {});

// The header alone, checked against the size of the file: what a caller wants to know before it reads much.
NpyHeader read_npy_header(const std::filesystem::path& file);

// The same from the bytes of a whole file; source stands for the file in messages.
NpyArray parse_npy(std::string_view bytes, const std::string& source);

// Throws std::invalid_argument where write_npy could not write this file: no such directory, no permission, or
// something is there that is no regular file. For callers that do much work before they write.
void check_npy_output(const std::filesystem::path& file);

// Writes a temporary file next to the given one and renames it: the file is replaced as a whole or, on an error
// (std::runtime_error), left as it was. A symbolic link is followed.
void write_npy(const std::filesystem::path& file, NpyType type, const std::vector<int64_t>& shape, const void* data,
               const ByteProgress& progress = {});

}  // namespace vktconv::support

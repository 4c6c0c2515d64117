// Random tensors that are made on the device, however large, and known element by element on the host.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <cstdint>

#include "compute_shader.h"

namespace vktconv::bench {

// What the tensors of a problem are filled from; nothing but that they differ matters.
enum class Seed : uint32_t {
  input = 0x1f83d9abu,
  weights = 0x5be0cd19u,
  bias = 0x9b05688cu,
  scale = 0x510e527fu,
  shift = 0xa54ff53au,
  residual = 0x3c6ef372u
};

// Element index of a tensor, exact in the data type. Never all zero: uniform in [-1, 1), for i32 in [-1024, 1024), for
// i8 in [-128, 128).
double element_value(VktcDataType type, Seed seed, int64_t index);

// A number of the data type in a 4-byte word as it is read back: part 1 of a 16-bit type is the upper half, part 3 of
// an 8-bit type the uppermost byte.
double stored_value(VktcDataType type, uint32_t word, unsigned part);

// NaN in every floating type, in both halves; an improbable sum in i32.
constexpr uint32_t poison_word = 0x7fff7fffu;
// i8 has nothing that cannot be right: four different numbers, none at an end of the type, where outputs are cut off.
constexpr uint32_t poison_word_i8 = 0x5b25a9d3u;

class DataGenerator {
 public:
  DataGenerator(host::Device& device, const VulkanTable& vulkan);

  // Fills the whole buffer with the elements 0, 1, ... of a tensor.
  void fill(const host::Buffer& buffer, VktcDataType type, Seed seed);

 private:
  host::Device& device_;
  const VulkanTable& vulkan_;
  ComputeShader shader_;
};

}  // namespace vktconv::bench

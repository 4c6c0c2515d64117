// The compiled shaders, by name. The table itself is generated at build time from cmake/shaders.cmake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vktconv {

struct ShaderCode {
  std::string_view name;  // "gather.f32.descriptors": source file, then its variant
  const uint32_t* words;
  size_t word_count;
};

// Null where the build left this variant out.
const ShaderCode* find_shader(std::string_view name);

// For tests that walk through all of them.
const ShaderCode* shader_table(size_t& count);

// "name, name": the variants that the build left out, because its shader compiler does not know what they need.
std::string_view shaders_left_out();

}  // namespace vktconv

// What a SPIR-V compute module asks of a device, for given specialization constants: capabilities, workgroup size,
// shared memory. Reads just what our shaders use; anything else makes it throw rather than guess.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>

namespace vktconv::tests {

struct ShaderNeeds {
  std::set<uint32_t> capabilities;  // values of SpvCapability
  std::array<uint64_t, 3> workgroup_size = {1, 1, 1};
  uint64_t shared_bytes = 0;
  size_t bindings = 0;                  // storage buffers reached through descriptors
  size_t specialization_constants = 0;  // one more than the largest constant id
};

ShaderNeeds shader_needs(std::span<const uint32_t> words, std::span<const uint32_t> constants);

}  // namespace vktconv::tests

// Fills a window of a tensor with the values of element_hash.h. Words of 32 bits: one element of f32 or i32, two of a
// 16-bit type (the lower half first), four of i8. Needs no optional feature. Any grid: invocations step by the size of the
// grid.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "element_hash.h"

layout(local_size_x = 256) in;

layout(std430, binding = 0) writeonly buffer Words { uint words[]; };

layout(push_constant) uniform Parameters {
  uint word_count;  // of this window, below 2^30
  uint first_low;   // index of the window's first element
  uint first_high;
  uint seed;
  uint data_type;  // as VktcDataType
};

int element(uint offset) {
  const uint low = first_low + offset;
  const uint high = first_high + (low < first_low ? 1u : 0u);
  const uint bits = value_bits(data_type);
  return int(element_hash(low, high, seed) >> (32u - bits)) - (1 << (bits - 1u));
}

void main() {
  const uint step = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
  for (uint i = gl_GlobalInvocationID.x; i < word_count; i += step) {
    if (data_type == 0u) {
      words[i] = floatBitsToUint(float(element(i)) * (1.0 / 8388608.0));
    } else if (data_type == 1u) {
      words[i] = packHalf2x16(vec2(element(2u * i), element(2u * i + 1u)) * (1.0 / 1024.0));
    } else if (data_type == 2u) {
      const uvec2 pair = floatBitsToUint(vec2(element(2u * i), element(2u * i + 1u)) * (1.0 / 128.0));
      words[i] = pair.x >> 16 | (pair.y & 0xffff0000u);
    } else if (data_type == 4u) {
      uint word = 0u;
      for (uint byte = 0; byte < 4u; ++byte) word |= uint(element(4u * i + byte) & 0xff) << (8u * byte);
      words[i] = word;
    } else {
      words[i] = uint(element(i));
    }
  }
}

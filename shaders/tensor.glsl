// Tensors in memory: the element types, and how a buffer is reached.
//
// Macros, one of each line set per variant (shaders/CMakeLists.txt):
//   DATA_F32 | DATA_F16 | DATA_BF16 | DATA_I32   element type
//   PACKED_16BIT                                 16-bit elements as halves of 32-bit words, for devices that have no
//                                                storageBuffer16BitAccess
//   DEVICE_ADDRESS                               buffers are pushed addresses instead of descriptors
//
// Everything is computed in Accumulator: fp32, or 32-bit integers that wrap. 16-bit floats are rounded once, to nearest
// even, with integer arithmetic: the rounding of packHalf2x16 and of float16_t() is up to the device.
#ifndef VKTCONV_TENSOR_GLSL_
#define VKTCONV_TENSOR_GLSL_

#if defined(DEVICE_ADDRESS)
#extension GL_EXT_buffer_reference : require
#endif
#if (defined(DATA_F16) || defined(DATA_BF16)) && !defined(PACKED_16BIT)
#extension GL_EXT_shader_16bit_storage : require
#endif
#extension GL_EXT_control_flow_attributes : require

#if defined(DATA_I32)
#define Accumulator int
#define Accumulator4 ivec4
#define Word int
#elif defined(DATA_F32)
#define Accumulator float
#define Accumulator4 vec4
#define Word float
#else
#define Accumulator float
#define Accumulator4 vec4
#if defined(PACKED_16BIT)
#define Word uint
#else
#define Word uint16_t
#endif
#endif

// DECLARE_BUFFER declares a buffer of `type words[]`; DECLARE_VIEW one that others may overlap: several views, with words of
// different types, have the same slot, and one of them is the member. BUFFER_MEMBER goes into the push constant block,
// before the parameters, in the order of the bindings; BUFFER_REF and VIEW_REF are how the shader names them.
#if defined(DEVICE_ADDRESS)
#define DECLARE_BUFFER(slot, access, Block, type) \
  layout(buffer_reference, std430, buffer_reference_align = 16) access restrict buffer Block { type words[]; };
#define DECLARE_VIEW(slot, access, Block, type) \
  layout(buffer_reference, std430, buffer_reference_align = 16) access buffer Block { type words[]; };
#define BUFFER_MEMBER(Block, name) Block name;
#define BUFFER_REF(Block, name) push.name
#define VIEW_REF(Block, name) Block(push.name)
#else
#define DECLARE_BUFFER(slot, access, Block, type) \
  layout(set = 0, binding = slot, std430) access restrict buffer Block { type words[]; } Block##_binding;
#define DECLARE_VIEW(slot, access, Block, type) \
  layout(set = 0, binding = slot, std430) access buffer Block { type words[]; } Block##_binding;
#define BUFFER_MEMBER(Block, name)
#define BUFFER_REF(Block, name) Block##_binding
#define VIEW_REF(Block, name) Block##_binding
#endif

Accumulator multiply_add(Accumulator a, Accumulator b, Accumulator c) {
#if defined(DATA_I32)
  return a * b + c;
#else
  return fma(a, b, c);
#endif
}

Accumulator4 multiply_add(Accumulator a, Accumulator4 b, Accumulator4 c) {
#if defined(DATA_I32)
  return a * b + c;
#else
  return fma(vec4(a), b, c);
#endif
}

#if defined(DATA_F16)
float decode_half(uint bits) {
  return unpackHalf2x16(bits).x;
}

// Selects rather than branches: a kernel stores many values in unrolled loops, and with branches in them one driver (NVIDIA
// 580) gave up keeping the sums in registers.
uint encode_half(float value) {
  const uint bits = floatBitsToUint(value);
  const uint magnitude = bits & 0x7fffffffu;
  const uint rebiased = magnitude - 0x38000000u;
  const uint normal = (rebiased + 0xfffu + ((rebiased >> 13) & 1u)) >> 13;  // 65520 and more give infinity
  // Below 2^-14 in units of 2^-24; below 2^-25 nothing is left.
  const uint shift = min(126u - min(magnitude >> 23, 125u), 25u);
  const uint mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  const uint subnormal = (mantissa + (1u << (shift - 1u)) - 1u + ((mantissa >> shift) & 1u)) >> shift;
  uint result = magnitude >= 0x38800000u ? normal : subnormal;
  result = magnitude >= 0x47800000u ? 0x7c00u : result;
  result = magnitude > 0x7f800000u ? 0x7e00u : result;  // NaN
  return ((bits >> 16) & 0x8000u) | result;
}
#elif defined(DATA_BF16)
float decode_half(uint bits) {
  return uintBitsToFloat(bits << 16);
}

uint encode_half(float value) {
  const uint bits = floatBitsToUint(value);
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return nan ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
#endif

// LOAD(buffer, index) and STORE(buffer, index, value) of one element.
#if defined(DATA_F32) || defined(DATA_I32)
#define LOAD(buffer_ref, index) (buffer_ref.words[index])
#define STORE(buffer_ref, index, value) buffer_ref.words[index] = (value)
#elif defined(PACKED_16BIT)
#define LOAD(buffer_ref, index) decode_half((buffer_ref.words[(index) >> 1] >> (((index) & 1u) * 16u)) & 0xffffu)
// Neighbouring elements share a word and may belong to different invocations: each touches its own half, atomically.
#define STORE(buffer_ref, index, value)                                                        \
  {                                                                                            \
    const uint store_index = (index);                                                          \
    const uint store_shift = (store_index & 1u) * 16u;                                         \
    atomicAnd(buffer_ref.words[store_index >> 1], ~(0xffffu << store_shift));                  \
    atomicOr(buffer_ref.words[store_index >> 1], encode_half(value) << store_shift);           \
  }
#else
#define LOAD(buffer_ref, index) decode_half(uint(buffer_ref.words[index]))
#define STORE(buffer_ref, index, value) buffer_ref.words[index] = uint16_t(encode_half(value))
#endif

// Work is numbered linearly and spread over the three grid axes, so that no axis limit bounds it.
uint linear_workgroup() {
  return gl_WorkGroupID.x + gl_NumWorkGroups.x * (gl_WorkGroupID.y + gl_NumWorkGroups.y * gl_WorkGroupID.z);
}

#endif

// Tensors in memory: the element types, and how a buffer is reached.
//
// Macros, one of each line set per variant (shaders/CMakeLists.txt):
//   DATA_F32 | DATA_F16 | DATA_BF16 | DATA_I32 | DATA_I8   element type
//   PACKED_16BIT, PACKED_8BIT                    elements as parts of 32-bit words, for devices that have no storage of
//                                                16 or 8 bits; of 8-bit elements also for those that have no dot products
//   DEVICE_ADDRESS                               buffers are pushed addresses instead of descriptors
//
// Everything is computed in Accumulator: fp32, or 32-bit integers that wrap. 8-bit integers go into the sum by fours, as
// the bytes of an Accumulator: STEP_CHANNELS in-channels are one step along them. 16-bit floats are rounded once, to nearest
// even, with integer arithmetic: the rounding of packHalf2x16 and of float16_t() is up to the device.
#ifndef VKTCONV_TENSOR_GLSL_
#define VKTCONV_TENSOR_GLSL_

#if defined(DEVICE_ADDRESS)
#extension GL_EXT_buffer_reference : require
#endif
#if (defined(DATA_F16) || defined(DATA_BF16)) && !defined(PACKED_16BIT)
#extension GL_EXT_shader_16bit_storage : require
#endif
#if defined(DATA_I8) && !defined(PACKED_8BIT)
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_spirv_intrinsics : require
#endif
#extension GL_EXT_control_flow_attributes : require

#if defined(DATA_I32)
#define Accumulator int
#define Accumulator4 ivec4
#define Word int
#elif defined(DATA_I8)
#define Accumulator int
#define Accumulator4 ivec4
#if defined(PACKED_8BIT)
#define Word uint
#else
#define Word int8_t
#endif
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

#if defined(DATA_I8)
#define STEP_CHANNELS 4u
#define BiasWord int
#else
#define STEP_CHANNELS 1u
#define BiasWord Word
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

#if defined(DATA_I8) && !defined(PACKED_8BIT)
// OpSDot of two words with four signed bytes each: the format is PackedVectorFormat4x8Bit.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int dot_of_bytes(int a, int b, spirv_literal int format);
#elif defined(DATA_I8)
ivec4 bytes_of(int word) {
  return ivec4(word << 24, word << 16, word << 8, word) >> 24;
}
#endif

// c + a * b, or of bytes, c + the sum of the products of those of a with those of each of b.
Accumulator4 multiply_add(Accumulator a, Accumulator4 b, Accumulator4 c) {
#if defined(DATA_I32)
  return a * b + c;
#elif defined(DATA_I8) && !defined(PACKED_8BIT)
  return c + ivec4(dot_of_bytes(a, b.x, 0), dot_of_bytes(a, b.y, 0), dot_of_bytes(a, b.z, 0), dot_of_bytes(a, b.w, 0));
#elif defined(DATA_I8)
  const ivec4 bytes = bytes_of(a);
  [[unroll]] for (uint i = 0; i < 4u; ++i) {
    const ivec4 products = bytes * bytes_of(b[i]);
    c[i] += products.x + products.y + products.z + products.w;
  }
  return c;
#else
  return fma(vec4(a), b, c);
#endif
}

#if defined(DATA_F16) || defined(DATA_I8)
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

// Neighbouring elements share a word and may belong to different invocations: each touches its own bits, atomically.
#define STORE_PART(buffer_ref, word_index, shift, mask, bits)             \
  {                                                                       \
    atomicAnd(buffer_ref.words[word_index], ~((mask) << (shift)));        \
    atomicOr(buffer_ref.words[word_index], ((bits) & (mask)) << (shift)); \
  }
#define LOAD_HALF(buffer_ref, index) decode_half((buffer_ref.words[(index) >> 1] >> (((index) & 1u) * 16u)) & 0xffffu)
#define STORE_HALF(buffer_ref, index, value)                                                                  \
  {                                                                                                           \
    const uint store_index = (index);                                                                         \
    STORE_PART(buffer_ref, store_index >> 1, (store_index & 1u) * 16u, 0xffffu, encode_half(value))           \
  }
#define LOAD_BYTE(buffer_ref, index) bitfieldExtract(int(buffer_ref.words[(index) >> 2]), int((index) & 3u) * 8, 8)
#define STORE_BYTE(buffer_ref, index, value)                                                                  \
  {                                                                                                           \
    const uint store_index = (index);                                                                         \
    STORE_PART(buffer_ref, store_index >> 2, (store_index & 3u) * 8u, 0xffu, uint(value))                     \
  }

// LOAD(buffer, index) and STORE(buffer, index, value) of one element, LOAD_BIAS of one of the bias.
#if defined(DATA_F32) || defined(DATA_I32)
#define LOAD(buffer_ref, index) (buffer_ref.words[index])
#define STORE(buffer_ref, index, value) buffer_ref.words[index] = (value)
#elif defined(PACKED_16BIT)
#define LOAD(buffer_ref, index) LOAD_HALF(buffer_ref, index)
#define STORE(buffer_ref, index, value) STORE_HALF(buffer_ref, index, value)
#elif defined(PACKED_8BIT)
#define LOAD(buffer_ref, index) LOAD_BYTE(buffer_ref, index)
#elif defined(DATA_I8)
#define LOAD(buffer_ref, index) int(buffer_ref.words[index])
#else
#define LOAD(buffer_ref, index) decode_half(uint(buffer_ref.words[index]))
#define STORE(buffer_ref, index, value) buffer_ref.words[index] = uint16_t(encode_half(value))
#endif

#if defined(DATA_I8)
#define LOAD_BIAS(buffer_ref, index) (buffer_ref.words[index])
#else
#define LOAD_BIAS(buffer_ref, index) LOAD(buffer_ref, index)
#endif

// Work is numbered linearly and spread over the three grid axes, so that no axis limit bounds it.
uint linear_workgroup() {
  return gl_WorkGroupID.x + gl_NumWorkGroups.x * (gl_WorkGroupID.y + gl_NumWorkGroups.y * gl_WorkGroupID.z);
}

#endif

// How input and output lie in memory, and how an element of the output is stored. Goes before the push constants, which
// hold the output as output_tensor.
#ifndef VKTCONV_OUTPUT_GLSL_
#define VKTCONV_OUTPUT_GLSL_

#include "shared/params.h"
#include "tensor.glsl"

layout(constant_id = TENSOR_INPUT_CHANNELS_LAST) const bool INPUT_CHANNELS_LAST = false;
layout(constant_id = TENSOR_OUTPUT_CHANNELS_LAST) const bool OUTPUT_CHANNELS_LAST = false;
layout(constant_id = TENSOR_OUTPUT_TYPE) const uint OUTPUT_TYPE = TYPE_F32;

// DECLARE_OUTPUT(slot) declares the buffer OutputTensor, and STORE_OUTPUT(index, value) stores one element of any output
// type, given as the Accumulator or, where that is an integer and the output is not, as fp32. DECLARE_OUTPUT_LIKE and
// LOAD_OUTPUT_LIKE are for a tensor that is read and has the type of the output. Elements of less than 32 bits may give
// others: then the same memory is seen as these, too, as buffers of other names, and only in one of them touched.
#if defined(DATA_F32) || defined(DATA_I32)
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) DECLARE_BUFFER(slot, access, Block, Word)
#define LOAD_OUTPUT_LIKE(Block, Words, name, index) LOAD(BUFFER_REF(Block, name), index)
#define STORE_OUTPUT(index, value) STORE(BUFFER_REF(OutputTensor, output_tensor), index, value)
#else

#if defined(PACKED_16BIT) || defined(PACKED_8BIT)
#define TYPED_REF(Block, View, name) BUFFER_REF(Block, name)
#elif defined(DEVICE_ADDRESS)
#define TYPED_REF(Block, View, name) View(push.name)
#else
#define TYPED_REF(Block, View, name) View##_binding
#endif

#if defined(PACKED_16BIT) || defined(PACKED_8BIT)
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) DECLARE_BUFFER(slot, access, Block, Word)
#elif defined(DATA_I8)
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words)   \
  DECLARE_BUFFER(slot, access, Block, Word)                \
  DECLARE_BUFFER(slot, access, Words##Of16Bits, uint16_t) \
  DECLARE_BUFFER(slot, access, Words, uint)
#else
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) \
  DECLARE_BUFFER(slot, access, Block, Word)              \
  DECLARE_BUFFER(slot, access, Words, uint)
#endif

#define LOAD_F32_LIKE(Block, Words, name, index) uintBitsToFloat(TYPED_REF(Block, Words, name).words[index])
#define OUTPUT_WORDS TYPED_REF(OutputTensor, OutputWords, output_tensor)

#if !defined(DATA_I8)
#define LOAD_OUTPUT_LIKE(Block, Words, name, index) \
  (OUTPUT_TYPE == TYPE_F32 ? LOAD_F32_LIKE(Block, Words, name, index) : LOAD(BUFFER_REF(Block, name), index))
#define STORE_OUTPUT(index, value)                                                   \
  {                                                                                  \
    const uint output_index = (index);                                               \
    const float output_value = (value);                                              \
    if (OUTPUT_TYPE == TYPE_F32) {                                                   \
      OUTPUT_WORDS.words[output_index] = floatBitsToUint(output_value);              \
    } else {                                                                         \
      STORE(BUFFER_REF(OutputTensor, output_tensor), output_index, output_value);    \
    }                                                                                \
  }
#else

// To the nearest integer, ties to even; what lies outside of the type to its ends, NaN to 0.
int nearest_i8(float value) {
  const bool nan = (floatBitsToUint(value) & 0x7fffffffu) > 0x7f800000u;
  return nan ? 0 : int(roundEven(clamp(value, -128.0, 127.0)));
}

#if defined(PACKED_8BIT)
#define LOAD_F16_LIKE(Block, Words, name, index) LOAD_HALF(BUFFER_REF(Block, name), index)
#define STORE_OUTPUT_F16(index, value) STORE_HALF(BUFFER_REF(OutputTensor, output_tensor), index, value)
#define STORE_OUTPUT_I8(index, value) STORE_BYTE(BUFFER_REF(OutputTensor, output_tensor), index, value)
#else
#define LOAD_F16_LIKE(Block, Words, name, index) \
  decode_half(uint(TYPED_REF(Block, Words##Of16Bits, name).words[index]))
#define STORE_OUTPUT_F16(index, value) \
  TYPED_REF(OutputTensor, OutputWordsOf16Bits, output_tensor).words[index] = uint16_t(encode_half(value))
#define STORE_OUTPUT_I8(index, value) BUFFER_REF(OutputTensor, output_tensor).words[index] = int8_t(value)
#endif

#define LOAD_OUTPUT_LIKE(Block, Words, name, index)                              \
  (OUTPUT_TYPE == TYPE_F32   ? LOAD_F32_LIKE(Block, Words, name, index)          \
   : OUTPUT_TYPE == TYPE_F16 ? LOAD_F16_LIKE(Block, Words, name, index)          \
                             : float(LOAD(BUFFER_REF(Block, name), index)))
#define STORE_OUTPUT(index, value)                                      \
  {                                                                     \
    const uint output_index = (index);                                  \
    const float output_value = (value);                                 \
    if (OUTPUT_TYPE == TYPE_F32) {                                      \
      OUTPUT_WORDS.words[output_index] = floatBitsToUint(output_value); \
    } else if (OUTPUT_TYPE == TYPE_F16) {                               \
      STORE_OUTPUT_F16(output_index, output_value);                     \
    } else {                                                            \
      STORE_OUTPUT_I8(output_index, nearest_i8(output_value));          \
    }                                                                   \
  }
#endif
#endif

#if defined(PACKED_16BIT) || defined(PACKED_8BIT)
#define DECLARE_OUTPUT(slot) DECLARE_TYPED_BUFFER(slot, coherent, OutputTensor, OutputWords)  // read and written by atomics
#else
#define DECLARE_OUTPUT(slot) DECLARE_TYPED_BUFFER(slot, writeonly, OutputTensor, OutputWords)
#endif
#define DECLARE_OUTPUT_LIKE(slot, Block, Words) DECLARE_TYPED_BUFFER(slot, readonly, Block, Words)

#endif

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
// type. 16-bit elements may give fp32: then the same memory is seen in words, too, and only there written.
#if defined(DATA_F32) || defined(DATA_I32)
#define DECLARE_OUTPUT(slot) DECLARE_BUFFER(slot, writeonly, OutputTensor, Word)
#define STORE_OUTPUT(index, value) STORE(BUFFER_REF(OutputTensor, output_tensor), index, value)
#else
#if defined(PACKED_16BIT)
#define DECLARE_OUTPUT(slot) DECLARE_BUFFER(slot, coherent, OutputTensor, Word)  // read and written by atomics
#define OUTPUT_WORDS BUFFER_REF(OutputTensor, output_tensor)
#else
#define DECLARE_OUTPUT(slot)                               \
  DECLARE_BUFFER(slot, writeonly, OutputTensor, Word) \
  DECLARE_BUFFER(slot, writeonly, OutputWords, uint)
#if defined(DEVICE_ADDRESS)
#define OUTPUT_WORDS OutputWords(push.output_tensor)
#else
#define OUTPUT_WORDS OutputWords_binding
#endif
#endif
#define STORE_OUTPUT(index, value)                                              \
  {                                                                             \
    const uint output_index = (index);                                          \
    const float output_value = (value);                                         \
    if (OUTPUT_TYPE == TYPE_F32) {                                              \
      OUTPUT_WORDS.words[output_index] = floatBitsToUint(output_value);         \
    } else {                                                                    \
      STORE(BUFFER_REF(OutputTensor, output_tensor), output_index, output_value); \
    }                                                                           \
  }
#endif

#endif

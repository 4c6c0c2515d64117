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
// type. DECLARE_OUTPUT_LIKE and LOAD_OUTPUT_LIKE are for a tensor that is read and has the type of the output. 16-bit elements
// may give fp32: then the same memory is seen in words, too, as a buffer of a second name, and only there touched.
#if defined(DATA_F32) || defined(DATA_I32)
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) DECLARE_BUFFER(slot, access, Block, Word)
#define LOAD_OUTPUT_LIKE(Block, Words, name, index) LOAD(BUFFER_REF(Block, name), index)
#define STORE_OUTPUT(index, value) STORE(BUFFER_REF(OutputTensor, output_tensor), index, value)
#else

#if defined(PACKED_16BIT)
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) DECLARE_BUFFER(slot, access, Block, Word)
#define WORDS_REF(Block, Words, name) BUFFER_REF(Block, name)
#else
#define DECLARE_TYPED_BUFFER(slot, access, Block, Words) \
  DECLARE_BUFFER(slot, access, Block, Word)              \
  DECLARE_BUFFER(slot, access, Words, uint)
#if defined(DEVICE_ADDRESS)
#define WORDS_REF(Block, Words, name) Words(push.name)
#else
#define WORDS_REF(Block, Words, name) Words##_binding
#endif
#endif

#define LOAD_OUTPUT_LIKE(Block, Words, name, index)                                                 \
  (OUTPUT_TYPE == TYPE_F32 ? uintBitsToFloat(WORDS_REF(Block, Words, name).words[index]) \
                           : LOAD(BUFFER_REF(Block, name), index))
#define STORE_OUTPUT(index, value)                                                                                  \
  {                                                                                                                 \
    const uint output_index = (index);                                                                              \
    const float output_value = (value);                                                                             \
    if (OUTPUT_TYPE == TYPE_F32) {                                                                                  \
      WORDS_REF(OutputTensor, OutputWords, output_tensor).words[output_index] = floatBitsToUint(output_value);      \
    } else {                                                                                                        \
      STORE(BUFFER_REF(OutputTensor, output_tensor), output_index, output_value);                                   \
    }                                                                                                               \
  }
#endif

#if defined(PACKED_16BIT)
#define DECLARE_OUTPUT(slot) DECLARE_TYPED_BUFFER(slot, coherent, OutputTensor, OutputWords)  // read and written by atomics
#else
#define DECLARE_OUTPUT(slot) DECLARE_TYPED_BUFFER(slot, writeonly, OutputTensor, OutputWords)
#endif
#define DECLARE_OUTPUT_LIKE(slot, Block, Words) DECLARE_TYPED_BUFFER(slot, readonly, Block, Words)

#endif

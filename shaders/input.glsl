// How input elements reach the sums: a step along the in-channels at a time, STEP_CHANNELS of them. Of 8-bit integers these
// are the bytes of a word, the first the lowest, and what is missing of the last four is 0. Goes before the push constants,
// which hold the input as input_tensor.
#ifndef VKTCONV_INPUT_GLSL_
#define VKTCONV_INPUT_GLSL_

#include "tensor.glsl"

#define INPUT BUFFER_REF(InputTensor, input_tensor)

// DECLARE_INPUT(slot) declares the buffer InputTensor.
//
// LOAD_STEP(step, index, channel_stride, channels, in_words) sets step to the in-channels that begin at index, channel_stride
// apart; no more than channels of them are there. in_words: they lie in a word of memory, as they do in a channels-last tensor
// whose groups have a multiple of four.
#if defined(DATA_I8)
#if defined(PACKED_8BIT)
#define DECLARE_INPUT(slot) DECLARE_BUFFER(slot, readonly, InputTensor, Word)
#define INPUT_WORDS INPUT
#else
#define DECLARE_INPUT(slot)                          \
  DECLARE_BUFFER(slot, readonly, InputTensor, Word) \
  DECLARE_BUFFER(slot, readonly, InputWords, uint)
#if defined(DEVICE_ADDRESS)
#define INPUT_WORDS InputWords(push.input_tensor)
#else
#define INPUT_WORDS InputWords_binding
#endif
#endif
// Selects rather than branches: of channels that are not there the last one is read, and nothing is taken of it.
#define LOAD_STEP(step, index, channel_stride, channels, in_words)                                                  \
  {                                                                                                                 \
    const uint step_index = (index);                                                                                \
    if (in_words) {                                                                                                 \
      step = int(INPUT_WORDS.words[step_index >> 2]);                                                               \
    } else {                                                                                                        \
      const uint step_last = (channels) - 1u;                                                                       \
      step = 0;                                                                                                     \
      [[unroll]] for (uint byte = 0; byte < 4u; ++byte) {                                                           \
        const int loaded = LOAD(INPUT, step_index + min(byte, step_last) * (channel_stride));                       \
        step |= byte <= step_last ? (loaded & 0xff) << (8u * byte) : 0;                                             \
      }                                                                                                             \
    }                                                                                                               \
  }
#else
#define DECLARE_INPUT(slot) DECLARE_BUFFER(slot, readonly, InputTensor, Word)
#define LOAD_STEP(step, index, channel_stride, channels, in_words) step = LOAD(INPUT, index)
#endif

#endif

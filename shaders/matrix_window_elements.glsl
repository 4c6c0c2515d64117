// How matrix_window.comp makes outputs of sums, and stores one. Needs OUTPUT, OUTPUT_WORDS and block_scale.
#ifndef VKTCONV_MATRIX_WINDOW_ELEMENTS_GLSL_
#define VKTCONV_MATRIX_WINDOW_ELEMENTS_GLSL_

// Elements of 16 bits.
#if defined(DATA_F16)
#define ENCODE(value) uint(float16BitsToUint16(float16_t(value)))
#define ENCODE_PAIR(first, second) packFloat2x16(f16vec2(vec2(first, second)))
#elif defined(DATA_BF16)
#define ENCODE(value) encode_half(value)
#define ENCODE_PAIR(first, second) (encode_half(first) | (encode_half(second) << 16))
#else  // outputs are fp32
#define ENCODE_PAIR(first, second) 0u
#endif

// channel: of the block.
#if defined(DATA_F32)
#define SCALED(sum, channel) ((sum) * block_scale[channel])
#else
#define SCALED(sum, channel) (sum)
#endif

#if defined(DATA_F32)
#define STORE_ELEMENT(index, value) OUTPUT.words[index] = (value)
#else
#define STORE_ELEMENT(index, value)                               \
  {                                                               \
    if (OUTPUT_TYPE == TYPE_F32) {                                \
      OUTPUT_WORDS.words[index] = floatBitsToUint(value);         \
    } else {                                                      \
      OUTPUT.words[index] = uint16_t(ENCODE(value));              \
    }                                                             \
  }
#endif

#endif

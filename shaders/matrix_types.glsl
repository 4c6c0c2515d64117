// The element that matrix units multiply: bf16 and int8 as they are, everything else in fp16.
#ifndef VKTCONV_MATRIX_TYPES_GLSL_
#define VKTCONV_MATRIX_TYPES_GLSL_

#if defined(DATA_BF16)
#extension GL_EXT_bfloat16 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#define Element bfloat16_t
#define ELEMENT_BYTES 2u  // in memory
#elif defined(DATA_I8)
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#define Element int8_t
#define ELEMENT_BYTES 1u
#else
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#define Element float16_t
#if defined(DATA_F32)
#define ELEMENT_BYTES 4u
#else
#define ELEMENT_BYTES 2u
#endif
#endif

#endif

// Conversions to fp16 round to nearest even: else that would be up to the device, which has to support the mode
// (shaderRoundingModeRTEFloat16: DeviceCaps::rounding_rte_float16). Before split.glsl, for shaders that convert.
#ifndef VKTCONV_ROUND_TO_HALF_GLSL_
#define VKTCONV_ROUND_TO_HALF_GLSL_

#if defined(DATA_F16) || defined(DATA_F32)
#define ROUNDS_TO_HALF
#extension GL_EXT_spirv_intrinsics : require
spirv_execution_mode(extensions = ["SPV_KHR_float_controls"], capabilities = [4467], 4462 /* RoundingModeRTE */, 16);
#endif

#endif

// fp32 as two fp16 parts, for matrix units: x = high + low / SPLIT_SCALE, good to 2^-21 of x for 2^-14 <= |x| <= SPLIT_LIMIT
// and to 2^-35 below, where the device has fp16's subnormals. Larger and non-finite values get a NaN high part: who uses it sees
// that from the result.
#ifndef VKTCONV_SPLIT_GLSL_
#define VKTCONV_SPLIT_GLSL_

#define SPLIT_SCALE 2048.0
#define SPLIT_LIMIT 65472.0
// Weights are small in practice: scaled up, those below 2^-14 keep their precision, too.
#define SPLIT_WEIGHT_SCALE 256.0

// To the nearest that fp16 holds, by integer arithmetic: one driver (NVIDIA 580) takes a value that is packed to fp16 and
// unpacked again for the value itself, and no remainder is left.
float nearest_half(float value) {
  const uint bits = floatBitsToUint(value);
  // 13 bits more than fp16 has, and of subnormals one more for each power of two below 2^-14.
  const uint exponent = (bits >> 23) & 0xffu;
  const uint dropped = 13u + min(113u - min(exponent, 113u), 10u);
  const uint rounded = (bits + (1u << (dropped - 1u))) & ~((1u << dropped) - 1u);
  return exponent < 103u ? 0.0 : uintBitsToFloat(rounded);
}

void split_pair(float a, float b, out uint high, out uint low) {
  const vec2 nearest = vec2(nearest_half(a), nearest_half(b));
  high = packHalf2x16(nearest);
  low = packHalf2x16((vec2(a, b) - nearest) * SPLIT_SCALE);
  const bool a_fits = abs(a) <= SPLIT_LIMIT;  // false for NaN
  const bool b_fits = abs(b) <= SPLIT_LIMIT;
  high = (a_fits ? high & 0xffffu : 0x7e00u) | (b_fits ? high & 0xffff0000u : 0x7e000000u);
  low = (a_fits ? low & 0xffffu : 0u) | (b_fits ? low & 0xffff0000u : 0u);
}

void split_octet(float values[8], out uvec4 high, out uvec4 low) {
  [[unroll]] for (uint i = 0; i < 4u; ++i) split_pair(values[2u * i], values[2u * i + 1u], high[i], low[i]);
}

#if defined(ROUNDS_TO_HALF)
// A third of the instructions, for shaders whose conversions to fp16 round to nearest even: what is too large for it becomes
// infinite, and what is computed of that is infinite or NaN. zero: one that compilers do not know, so that they cannot take
// what is converted there and back for the value itself.
void split_octet_by_conversion(float values[8], uint zero, out uvec4 high, out uvec4 low) {
  [[unroll]] for (uint i = 0; i < 4u; ++i) {
    const vec2 pair = vec2(values[2u * i], values[2u * i + 1u]);
    high[i] = packFloat2x16(f16vec2(pair));
    low[i] = packFloat2x16(f16vec2((pair - vec2(unpackFloat2x16(high[i] ^ zero))) * SPLIT_SCALE));
  }
}
#endif

#endif

// The arithmetic ceiling without matrix units: 16 independent chains of multiply-adds an invocation, in registers.
// VECTOR is vec4 (fp32, fused) or ivec4 (int32). Each iteration does 64 multiply-adds an invocation.
#version 450

layout(local_size_x = 256) in;

layout(std430, binding = 0) writeonly buffer Result { uint result[256]; };

layout(push_constant) uniform Parameters {
  uint iterations;
  uint never;  // a value that no sum has: keeps the compiler from dropping the work
  float scale;
  float offset;
};

#ifdef INTEGER
#define VECTOR ivec4
#define MULTIPLY_ADD(x) x = x * scale_vector + offset_vector
#else
#define VECTOR vec4
#define MULTIPLY_ADD(x) x = fma(x, scale_vector, offset_vector)
#endif

void main() {
  const VECTOR scale_vector = VECTOR(scale);
  const VECTOR offset_vector = VECTOR(offset);
  VECTOR a = VECTOR(gl_LocalInvocationID.x) + VECTOR(0, 1, 2, 3);
  VECTOR b = a + VECTOR(4);
  VECTOR c = a + VECTOR(8);
  VECTOR d = a + VECTOR(12);
  for (uint i = 0; i < iterations; ++i) {
    MULTIPLY_ADD(a); MULTIPLY_ADD(b); MULTIPLY_ADD(c); MULTIPLY_ADD(d);
    MULTIPLY_ADD(a); MULTIPLY_ADD(b); MULTIPLY_ADD(c); MULTIPLY_ADD(d);
    MULTIPLY_ADD(a); MULTIPLY_ADD(b); MULTIPLY_ADD(c); MULTIPLY_ADD(d);
    MULTIPLY_ADD(a); MULTIPLY_ADD(b); MULTIPLY_ADD(c); MULTIPLY_ADD(d);
  }
  const VECTOR sum = a + b + c + d;
#ifdef INTEGER
  const uint word = uint(sum.x + sum.y + sum.z + sum.w);
#else
  const uint word = floatBitsToUint(sum.x + sum.y + sum.z + sum.w);
#endif
  if (word == never) result[gl_LocalInvocationID.x] = word;
}

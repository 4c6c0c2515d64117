// The arithmetic ceiling of matrix units: eight independent chains of fp16 x fp16 -> fp32 cooperative matrix products a
// subgroup, in registers. M, N and K are one of the shapes that the device reports; the workgroup is made of whole
// subgroups. Each iteration does 8 products a subgroup. result[0] receives the number of subgroups of a workgroup.
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint M = 16;
layout(constant_id = 2) const uint N = 16;
layout(constant_id = 3) const uint K = 16;

layout(std430, binding = 0) buffer Result { uint result[256]; };

layout(push_constant) uniform Parameters {
  uint iterations;
  uint never;
  float scale;
  float offset;
};

#define LEFT coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA>
#define RIGHT coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB>
#define SUM coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>

void main() {
  // One declaration each: glslang 14 forgets the type after a comma.
  const LEFT a0 = LEFT(float16_t(scale));
  const LEFT a1 = LEFT(float16_t(offset));
  const RIGHT b0 = RIGHT(float16_t(scale));
  const RIGHT b1 = RIGHT(float16_t(offset));
  const RIGHT b2 = RIGHT(float16_t(scale + offset));
  const RIGHT b3 = RIGHT(float16_t(scale - offset));
  SUM c00 = SUM(0.0);
  SUM c01 = SUM(0.0);
  SUM c02 = SUM(0.0);
  SUM c03 = SUM(0.0);
  SUM c10 = SUM(0.0);
  SUM c11 = SUM(0.0);
  SUM c12 = SUM(0.0);
  SUM c13 = SUM(0.0);
  for (uint i = 0; i < iterations; ++i) {
    c00 = coopMatMulAdd(a0, b0, c00);
    c01 = coopMatMulAdd(a0, b1, c01);
    c02 = coopMatMulAdd(a0, b2, c02);
    c03 = coopMatMulAdd(a0, b3, c03);
    c10 = coopMatMulAdd(a1, b0, c10);
    c11 = coopMatMulAdd(a1, b1, c11);
    c12 = coopMatMulAdd(a1, b2, c12);
    c13 = coopMatMulAdd(a1, b3, c13);
  }
  const SUM total = c00 + c01 + c02 + c03 + c10 + c11 + c12 + c13;
  float sum = 0.0;
  for (int i = 0; i < total.length(); ++i) sum += total[i];
  if (floatBitsToUint(sum) == never) result[gl_LocalInvocationIndex % 128 + 128] = 1;
  if (gl_GlobalInvocationID.x == 0) result[0] = gl_NumSubgroups;
}

#version 460
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
layout(local_size_x = 32) in;
layout(constant_id = 0) const uint M = 16;
layout(set = 0, binding = 0) buffer Data { float data[]; };
#define LEFT coopmat<float16_t, gl_ScopeSubgroup, M, 16, gl_MatrixUseA>
#define RIGHT coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define SUM coopmat<float, gl_ScopeSubgroup, M, 16, gl_MatrixUseAccumulator>
void main() {
  const LEFT a = LEFT(float16_t(1.0));
  const RIGHT b = RIGHT(float16_t(1.0));
  SUM c = SUM(0.0);
  c = coopMatMulAdd(a, b, c);
  coopMatStore(c, data, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
}

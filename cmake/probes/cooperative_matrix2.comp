#version 460
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require
layout(local_size_x = 128) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };
void main() {
  coopmat<float, gl_ScopeWorkgroup, 64, 64, gl_MatrixUseAccumulator> c =
      coopmat<float, gl_ScopeWorkgroup, 64, 64, gl_MatrixUseAccumulator>(0.0);
  tensorLayoutNV<2> layout_2d = createTensorLayoutNV(2);
  layout_2d = setTensorLayoutDimensionNV(layout_2d, 64, 64);
  coopMatStoreTensorNV(c, data, 0, layout_2d);
}

#version 460
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Data { uint64_t data[]; };
void main() { data[1] = data[0] * 3ul; }

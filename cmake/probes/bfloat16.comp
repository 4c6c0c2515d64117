#version 460
#extension GL_EXT_bfloat16 : require
layout(local_size_x = 1) in;
layout(set = 0, binding = 0) buffer Data { bfloat16_t data[]; };
void main() { data[1] = bfloat16_t(float(data[0]) + 1.0); }

// The copy ceiling: every byte read once and written once, 16 bytes an invocation and step, neighbours side by side.
// Each workgroup copies 1,024 vectors.
#version 450

layout(local_size_x = 256) in;

layout(std430, binding = 0) readonly buffer Source { uvec4 source[]; };
layout(std430, binding = 1) writeonly buffer Destination { uvec4 destination[]; };

void main() {
  const uint first = gl_WorkGroupID.x * 1024u + gl_LocalInvocationID.x;
  const uvec4 a = source[first];
  const uvec4 b = source[first + 256u];
  const uvec4 c = source[first + 512u];
  const uvec4 d = source[first + 768u];
  destination[first] = a;
  destination[first + 256u] = b;
  destination[first + 512u] = c;
  destination[first + 768u] = d;
}

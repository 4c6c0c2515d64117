// What matrix units are fed with lies in vectors of 16 bytes: "octets" of eight 16-bit elements (of fp32, of one of its parts),
// or of sixteen int8.
#ifndef VKTCONV_OCTETS_GLSL_
#define VKTCONV_OCTETS_GLSL_

#if defined(DATA_I8)
#define OCTET_ELEMENTS 16u

// What is loaded of an element: its bits, whatever the sign.
#define RAW_OF(element) (uint(int(element)) & 0xffu)

uvec4 octet_of_bytes(uint raw[16]) {
  uvec4 octet;
  [[unroll]] for (uint i = 0; i < 4u; ++i) {
    octet[i] = raw[4u * i] | (raw[4u * i + 1u] << 8) | (raw[4u * i + 2u] << 16) | (raw[4u * i + 3u] << 24);
  }
  return octet;
}
#else
#define OCTET_ELEMENTS 8u
#define RAW_OF(element) uint(element)
#endif

#endif

// The benchmark's input data, as a function of an element's index: read by fill.comp and by the C++ that verifies, so that
// tensors of many gigabytes are made on the device and any element of them is known on the host.
#ifndef VKTCONV_BENCH_ELEMENT_HASH_H_
#define VKTCONV_BENCH_ELEMENT_HASH_H_

#ifdef __cplusplus
#include <cstdint>
namespace vktconv::bench {
using uint = uint32_t;
#define BENCH_FUNCTION constexpr
#else
#define BENCH_FUNCTION
#endif

// A bijection in which every input bit reaches every output bit (Wellons' lowbias32).
BENCH_FUNCTION uint mix_bits(uint x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}

// index = high * 2^32 + low.
BENCH_FUNCTION uint element_hash(uint low, uint high, uint seed) { return mix_bits(low ^ mix_bits(high ^ seed)); }

// The values are integers divided by a power of two: uniform in [-1, 1), with as many bits as each type holds exactly, so
// that no conversion rounds. The numbers are those of VktcDataType; i32 is in [-1024, 1024), i8 in [-128, 128).
BENCH_FUNCTION uint value_bits(uint data_type) {
  return data_type == 0u ? 24u : data_type == 2u || data_type == 4u ? 8u : 11u;
}

#ifdef __cplusplus
#undef BENCH_FUNCTION
}  // namespace vktconv::bench
#endif
#endif

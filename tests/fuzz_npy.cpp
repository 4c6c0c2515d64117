// libFuzzer on the reader of .npy files. Build with clang and -DVKTCONV_FUZZERS=ON, then bin/fuzz_npy [FOLDER].
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "support/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const vktconv::support::NpyArray array =
        vktconv::support::parse_npy({reinterpret_cast<const char*>(data), size}, "input");
    if (array.bytes() == 0 || array.bytes() >= size) std::abort();  // larger than what it was read from
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

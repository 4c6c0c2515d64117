// What an algorithm is to the planner: when it applies, which tiles it offers at which predicted time, and how it turns
// one of them into dispatches. One file per algorithm; the table is at the end of planner.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "device_caps.h"
#include "error.h"
#include "plan.h"
#include "planner.h"
#include "shape.h"

namespace vktconv {

// A choice of an algorithm's free parameters; what each number means is the algorithm's own business.
struct Tile {
  std::array<uint32_t, 16> values = {};
  double seconds = 0;  // predicted
  // How it takes products: the caller must allow as much.
  VktcPrecision precision = VKTC_PRECISION_F32_FMA;
};

// For an algorithm that leaves some of its work to another: a tile whose values from `begin` on, as many as fit, and
// whose precision are those of the other's tile; and that tile back.
void nest_tile(const Tile& inner, size_t begin, Tile& outer);
Tile nested_tile(const Tile& outer, size_t begin);

struct Algorithm {
  const char* name;
  const char* summary;  // half a sentence for `vktconv info`
  // The legal tiles for this problem on this device, or none and the reason.
  std::vector<Tile> (*tiles)(const Problem& problem, const DeviceCaps& caps, std::string& why_not);
  // Fills in everything of the plan but algorithm, choice and reason. Fails where a limit of the device is exceeded.
  bool (*build)(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile,
                Plan& plan, VktcError& error);
};

// The name of a candidate, whatever its rank: the algorithm and the tile's values, less the zeros at the end;
// "tiled:64,128,16,8,8,1".
std::string choice_text(const Algorithm& algorithm, const Tile& tile);

extern const Algorithm gather_algorithm;
extern const Algorithm tiled_algorithm;
extern const Algorithm matrix_algorithm;
extern const Algorithm matrix_window_algorithm;
extern const Algorithm winograd_algorithm;
extern const Algorithm matrix_winograd_algorithm;
extern const Algorithm patch_algorithm;
extern const Algorithm split_algorithm;

// ---- helpers for build --------------------------------------------------------------------------------------------

// Whether kernels see 8-bit integers as such and multiply them by dot products; else as parts of words.
bool has_8bit_kernels(const DeviceCaps& caps);

// "gather" -> "gather.f16_packed.address": the variant of a shader for a data type, a device and a memory access.
// post_op_buffers: with descriptors for those, "gather.f16_packed.post_op_descriptors".
std::string variant_name(std::string_view shader, VktcDataType data_type, const DeviceCaps& caps, bool device_address,
                         bool post_op_buffers = false);

// The words of a struct of shaders/shared/params.h.
template <typename Params>
std::vector<uint32_t> to_words(const Params& params) {
  static_assert(std::is_trivially_copyable_v<Params> && sizeof(Params) % sizeof(uint32_t) == 0);
  std::vector<uint32_t> words(sizeof(Params) / sizeof(uint32_t));
  std::memcpy(words.data(), &params, sizeof(Params));
  return words;
}

// Spreads a number of workgroups over the three grid axes; false where the device's grid cannot hold it or it reaches
// 2^32. May round up: shaders return early past the last.
bool make_grid(uint64_t workgroups, const DeviceCaps& caps, std::array<uint32_t, 3>& group_count);

// Where a tensor's bytes [begin, end) begin in the aligned window that covers them.
struct AlignedWindow {
  Window window;
  uint64_t skipped_elements = 0;
};
AlignedWindow align_window(Tensor tensor, uint64_t begin, uint64_t end, uint64_t element_size, const DeviceCaps& caps);

// The most bytes one window may have through descriptors or addresses: shaders index its elements with 32 bits.
uint64_t max_window_bytes(const DeviceCaps& caps, bool device_address, uint64_t element_size);

int64_t ceil_div(int64_t value, int64_t divisor);   // of numbers that are not negative
int64_t floor_div(int64_t value, int64_t divisor);  // of any number

}  // namespace vktconv

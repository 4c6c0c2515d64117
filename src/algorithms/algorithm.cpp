#include "algorithms/algorithm.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace vktconv {

std::string choice_text(const Algorithm& algorithm, const Tile& tile) {
  size_t count = tile.values.size();
  while (count > 0 && tile.values[count - 1] == 0) --count;
  std::string text = algorithm.name;
  for (size_t i = 0; i < count; ++i) {
    text += i == 0 ? ":" : ",";
    text += std::to_string(tile.values[i]);
  }
  return text;
}

void nest_tile(const Tile& inner, size_t begin, Tile& outer) {
  std::copy_n(inner.values.begin(), outer.values.size() - begin,
              outer.values.begin() + static_cast<std::ptrdiff_t>(begin));
  outer.precision = inner.precision;
}

Tile nested_tile(const Tile& outer, size_t begin) {
  Tile inner;
  std::copy(outer.values.begin() + static_cast<std::ptrdiff_t>(begin), outer.values.end(), inner.values.begin());
  inner.precision = outer.precision;
  return inner;
}

bool has_8bit_kernels(const DeviceCaps& caps) {
  // fp16 outputs are stored in 16 bits. Bytes are only loaded, stored and converted: that needs no shaderInt8.
  return caps.storage_8bit && caps.storage_16bit && caps.integer_dot_product;
}

std::string variant_name(std::string_view shader, VktcDataType data_type, const DeviceCaps& caps, bool device_address,
                         bool post_op_buffers) {
  std::string name(shader);
  switch (data_type) {
    case VKTC_DATA_TYPE_F32:
      name += ".f32";
      break;
    case VKTC_DATA_TYPE_F16:
      name += caps.storage_16bit ? ".f16" : ".f16_packed";
      break;
    case VKTC_DATA_TYPE_BF16:
      name += caps.storage_16bit ? ".bf16" : ".bf16_packed";
      break;
    case VKTC_DATA_TYPE_I32:
      name += ".i32";
      break;
    case VKTC_DATA_TYPE_I8:
      name += has_8bit_kernels(caps) ? ".i8" : ".i8_packed";
      break;
  }
  return name + (device_address ? ".address" : post_op_buffers ? ".post_op_descriptors" : ".descriptors");
}

bool make_grid(uint64_t workgroups, const DeviceCaps& caps, std::array<uint32_t, 3>& group_count) {
  if (workgroups > std::numeric_limits<uint32_t>::max()) return false;
  const auto* limit = caps.max_compute_work_group_count;
  const uint64_t x = std::min<uint64_t>(workgroups, limit[0]);
  const uint64_t rows = (workgroups + x - 1) / x;
  const uint64_t y = std::min<uint64_t>(rows, limit[1]);
  const uint64_t z = (rows + y - 1) / y;
  // The shader numbers workgroups in 32 bits, the ones past the last included.
  if (z > limit[2] || x * y * z > std::numeric_limits<uint32_t>::max()) return false;
  group_count = {static_cast<uint32_t>(x), static_cast<uint32_t>(y), static_cast<uint32_t>(z)};
  return true;
}

AlignedWindow align_window(Tensor tensor, uint64_t begin, uint64_t end, uint64_t element_size, const DeviceCaps& caps) {
  const uint64_t alignment = std::max<uint64_t>(caps.min_storage_buffer_offset_alignment, 16);
  const uint64_t offset = begin / alignment * alignment;
  // Elements of 8 and 16 bits may be read as parts of 32-bit words.
  const uint64_t range = (end - offset + 3) / 4 * 4;
  return {{tensor, offset, range}, (begin - offset) / element_size};
}

uint64_t max_window_bytes(const DeviceCaps& caps, bool device_address, uint64_t element_size) {
  const uint64_t alignment = std::max<uint64_t>(caps.min_storage_buffer_offset_alignment, 16);
  const uint64_t indexable = (uint64_t{1} << 32) * element_size;
  const uint64_t range = device_address ? indexable : std::min(indexable, caps.max_storage_buffer_range);
  return range > alignment ? range - alignment : 0;  // room for aligning the beginning
}

int64_t ceil_div(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

int64_t floor_div(int64_t value, int64_t divisor) {
  return value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor);
}

}  // namespace vktconv

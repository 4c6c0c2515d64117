#include "generated_data.h"

#include <algorithm>
#include <array>
#include <bit>

#include "shaders/element_hash.h"
#include "support/half.h"

namespace vktconv::bench {

namespace {

struct Parameters {
  uint32_t word_count, first_low, first_high, seed, data_type;
};

}  // namespace

double element_value(VktcDataType type, Seed seed, int64_t index) {
  const auto position = static_cast<uint64_t>(index);
  const uint32_t hash =
      element_hash(static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), static_cast<uint32_t>(seed));
  const uint32_t bits = value_bits(static_cast<uint32_t>(type));
  const double range = static_cast<double>(uint32_t{1} << (bits - 1));
  const double integer = static_cast<double>(hash >> (32 - bits)) - range;
  return type == VKTC_DATA_TYPE_I32 || type == VKTC_DATA_TYPE_I8 ? integer : integer / range;
}

double stored_value(VktcDataType type, uint32_t word, unsigned part) {
  const auto bits = static_cast<uint16_t>(word >> (16 * (part & 1)));
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return static_cast<double>(std::bit_cast<float>(word));
    case VKTC_DATA_TYPE_F16:
      return static_cast<double>(support::f16_to_float(bits));
    case VKTC_DATA_TYPE_BF16:
      return static_cast<double>(support::bf16_to_float(bits));
    case VKTC_DATA_TYPE_I32:
      return static_cast<double>(std::bit_cast<int32_t>(word));
    case VKTC_DATA_TYPE_I8:
      return static_cast<double>(static_cast<int8_t>(word >> (8 * part)));
  }
  return 0;
}

DataGenerator::DataGenerator(host::Device& device, const VulkanTable& vulkan)
    : device_(device), vulkan_(vulkan), shader_(device, vulkan, "fill.any", 1, sizeof(Parameters)) {}

void DataGenerator::fill(const host::Buffer& buffer, VktcDataType type, Seed seed) {
  // A window is what one descriptor can see; its first byte must lie on the device's offset alignment, at most 256.
  const VkPhysicalDeviceLimits& limits = device_.properties().limits;
  const VkDeviceSize window = std::min<VkDeviceSize>(limits.maxStorageBufferRange, VkDeviceSize{1} << 31) / 256 * 256;
  const uint64_t elements_per_word = 4 / vktcDataTypeSize(type);
  device_.submit([&](VkCommandBuffer commands) {
    full_barrier(vulkan_, commands);
    for (VkDeviceSize offset = 0; offset < buffer.size(); offset += window) {
      const VkDeviceSize bytes = std::min(window, buffer.size() - offset) / 4 * 4;
      const uint64_t first = offset / 4 * elements_per_word;
      const auto words = static_cast<uint32_t>(bytes / 4);
      const std::array<uint32_t, 5> parameters = {words, static_cast<uint32_t>(first),
                                                  static_cast<uint32_t>(first >> 32), static_cast<uint32_t>(seed),
                                                  static_cast<uint32_t>(type)};
      const VkDescriptorBufferInfo binding = {buffer.handle(), offset, bytes};
      const uint32_t groups = std::min<uint32_t>((words + 1023) / 1024, limits.maxComputeWorkGroupCount[0]);
      shader_.record(commands, {&binding, 1}, parameters, groups);
    }
  });
  shader_.recycle();
}

}  // namespace vktconv::bench

#include "ceilings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <optional>
#include <vector>

#include "compute_shader.h"
#include "generated_data.h"
#include "timing.h"

namespace vktconv::bench {

namespace {

constexpr unsigned repetitions = 10;
constexpr uint32_t invocations = 256;         // of multiply_add.comp and copy.comp
constexpr uint32_t copy_group_bytes = 16384;  // of copy.comp

bool is_cpu(const host::Device& device) { return device.summary().type == VK_PHYSICAL_DEVICE_TYPE_CPU; }

// The best of several repetitions, in seconds, after warming up.
double best_seconds(host::Device& device, const VulkanTable& vulkan,
                    const std::function<void(VkCommandBuffer)>& record) {
  time_repetitions(device, vulkan, 3, record);
  return spread_of(time_repetitions(device, vulkan, repetitions, record)).min * 1e-3;
}

double copy_rate(host::Device& device, const VulkanTable& vulkan) {
  const VkPhysicalDeviceLimits& limits = device.properties().limits;
  // Far beyond any cache, within every limit.
  const VkDeviceSize wanted = is_cpu(device) ? VkDeviceSize{64} << 20 : VkDeviceSize{1} << 30;
  const VkDeviceSize bytes = std::min({wanted, VkDeviceSize{limits.maxStorageBufferRange}, device.max_allocation_size(),
                                       device.device_local_memory() / 8,
                                       VkDeviceSize{limits.maxComputeWorkGroupCount[0]} * copy_group_bytes}) /
                             copy_group_bytes * copy_group_bytes;
  if (bytes == 0) return 0;
  host::Buffer source(device, bytes), destination(device, bytes);
  DataGenerator(device, vulkan).fill(source, VKTC_DATA_TYPE_F32, Seed::input);
  ComputeShader shader(device, vulkan, "copy.any", 2, 0);
  const std::array<VkDescriptorBufferInfo, 2> buffers = {VkDescriptorBufferInfo{source.handle(), 0, bytes},
                                                         VkDescriptorBufferInfo{destination.handle(), 0, bytes}};
  const double seconds = best_seconds(device, vulkan, [&](VkCommandBuffer commands) {
    shader.record(commands, buffers, {}, static_cast<uint32_t>(bytes / copy_group_bytes));
  });
  return 2 * static_cast<double>(bytes) / seconds;
}

struct ArithmeticParameters {
  uint32_t iterations;
  uint32_t never = poison_word;
  float scale, offset;
};

// Runs shader with ever more work until a repetition is long enough to be timed, and returns FLOP per second.
// flop_per_group: of one iteration.
double arithmetic_rate(host::Device& device, const VulkanTable& vulkan, ComputeShader& shader, float scale,
                       float offset, const std::function<double()>& flop_per_group) {
  const host::Buffer result(device, invocations * 4);
  const VkDescriptorBufferInfo binding = {result.handle(), 0, result.size()};
  const double enough_ms = is_cpu(device) ? 15 : 2;
  uint32_t groups = is_cpu(device) ? 16 : 4096;
  uint32_t iterations = 256;
  const uint32_t most_groups = std::min<uint32_t>(device.properties().limits.maxComputeWorkGroupCount[0], 32768);
  const auto record = [&](VkCommandBuffer commands) {
    const std::array<uint32_t, 4> parameters = {iterations, poison_word, std::bit_cast<uint32_t>(scale),
                                                std::bit_cast<uint32_t>(offset)};
    shader.record(commands, {&binding, 1}, parameters, groups);
  };
  while (true) {
    const double ms = spread_of(time_repetitions(device, vulkan, 1, record)).min;
    shader.recycle();
    if (ms >= enough_ms) break;
    if (iterations < 4096) {
      iterations *= 2;
    } else if (groups * 2 <= most_groups) {
      groups *= 2;
    } else {
      break;
    }
  }
  const double seconds = best_seconds(device, vulkan, record);
  shader.recycle();
  return flop_per_group() * iterations * groups / seconds;
}

double multiply_add_rate(host::Device& device, const VulkanTable& vulkan, bool integer) {
  ComputeShader shader(device, vulkan, integer ? "multiply_add.i32" : "multiply_add.f32", 1,
                       sizeof(ArithmeticParameters));
  // fp32 chains settle at 1; integer ones wrap.
  return arithmetic_rate(device, vulkan, shader, integer ? 3.0f : 0.75f, integer ? 7.0f : 0.25f,
                         [] { return 2.0 * 64 * invocations; });
}

#ifdef VK_KHR_cooperative_matrix

std::vector<VkCooperativeMatrixPropertiesKHR> matrix_shapes(const host::Device& device, const VulkanTable& vulkan) {
  uint32_t count = 0;
  check(vulkan.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device.physical_device(), &count, nullptr),
        "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  VkCooperativeMatrixPropertiesKHR empty = {};
  empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  std::vector<VkCooperativeMatrixPropertiesKHR> shapes(count, empty);
  check(vulkan.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device.physical_device(), &count, shapes.data()),
        "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  std::erase_if(shapes, [](const VkCooperativeMatrixPropertiesKHR& shape) {
    return shape.scope != VK_SCOPE_SUBGROUP_KHR || shape.AType != VK_COMPONENT_TYPE_FLOAT16_KHR ||
           shape.BType != VK_COMPONENT_TYPE_FLOAT16_KHR || shape.CType != VK_COMPONENT_TYPE_FLOAT32_KHR ||
           shape.ResultType != VK_COMPONENT_TYPE_FLOAT32_KHR || shape.saturatingAccumulation != VK_FALSE;
  });
  return shapes;
}

void measure_matrix_rate(host::Device& device, const VulkanTable& vulkan, Ceilings& ceilings) {
  if (!has_shader("matrix_multiply_add.f16")) {
    ceilings.matrix_left_out = "this build's glslang does not know cooperative matrices";
    return;
  }
  for (const char* feature : {"cooperativeMatrix", "vulkanMemoryModel", "shaderFloat16"}) {
    if (!device.has_feature(feature)) {
      ceilings.matrix_left_out = std::string("the device was created without the feature ") + feature;
      return;
    }
  }
  ceilings.matrix_left_out = "the device reports no fp16 shape with fp32 accumulation";
  VkPhysicalDeviceSubgroupProperties subgroup = {};
  subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &subgroup;
  vulkan.vkGetPhysicalDeviceProperties2(device.physical_device(), &properties);
  const VkPhysicalDeviceLimits& limits = device.properties().limits;
  const uint32_t local_size =
      subgroup.subgroupSize * 4 <= std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0])
          ? subgroup.subgroupSize * 4
          : subgroup.subgroupSize;
  for (const VkCooperativeMatrixPropertiesKHR& shape : matrix_shapes(device, vulkan)) {
    const std::array<uint32_t, 4> constants = {local_size, shape.MSize, shape.NSize, shape.KSize};
    ComputeShader shader(device, vulkan, "matrix_multiply_add.f16", 1, sizeof(ArithmeticParameters), constants);
    const double products = 8.0 * local_size / subgroup.subgroupSize;
    const double rate = arithmetic_rate(device, vulkan, shader, 0.75f, 0.25f,
                                        [&] { return products * 2.0 * shape.MSize * shape.NSize * shape.KSize; });
    if (rate > ceilings.matrix_flop) {
      ceilings.matrix_flop = rate;
      ceilings.matrix_shape =
          std::to_string(shape.MSize) + "x" + std::to_string(shape.NSize) + "x" + std::to_string(shape.KSize);
      ceilings.matrix_left_out.clear();
    }
  }
}

#else

void measure_matrix_rate(host::Device& /*device*/, const VulkanTable& /*vulkan*/, Ceilings& ceilings) {
  ceilings.matrix_left_out = "the Vulkan headers of this build do not know cooperative matrices";
}

#endif

}  // namespace

Ceilings measure_ceilings(host::Device& device, const VulkanTable& vulkan) {
  Ceilings ceilings;
  ceilings.copy_bytes = copy_rate(device, vulkan);
  ceilings.f32_flop = multiply_add_rate(device, vulkan, false);
  ceilings.i32_flop = multiply_add_rate(device, vulkan, true);
  measure_matrix_rate(device, vulkan, ceilings);
  return ceilings;
}

Floor floor_of(const Ceilings& ceilings, VktcDataType type, const Workload& work) {
  double rate = ceilings.f32_flop;
  const char* unit = "fp32";
  if (type == VKTC_DATA_TYPE_I8) {
    rate = 0;  // not measured
  } else if (type == VKTC_DATA_TYPE_I32) {
    rate = ceilings.i32_flop;
    unit = "int32";
  } else if (type != VKTC_DATA_TYPE_F32 && ceilings.matrix_flop > rate) {
    rate = ceilings.matrix_flop;
    unit = "matrix";
  }
  const double copy_ms = ceilings.copy_bytes > 0 ? work.bytes / ceilings.copy_bytes * 1e3 : 0;
  const double flop_ms = rate > 0 ? work.flop / rate * 1e3 : 0;
  return copy_ms >= flop_ms ? Floor{copy_ms, "copy"} : Floor{flop_ms, unit};
}

}  // namespace vktconv::bench

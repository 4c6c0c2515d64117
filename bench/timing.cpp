#include "timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace vktconv::bench {

Spread spread_of(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const size_t count = times.size();
  Spread spread;
  spread.min = times.front();
  spread.median = (times[(count - 1) / 2] + times[count / 2]) / 2;
  spread.p95 = times[static_cast<size_t>(std::ceil(0.95 * static_cast<double>(count))) - 1];
  const double mean = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(count);
  double squares = 0;
  for (double time : times) squares += (time - mean) * (time - mean);
  spread.stddev = count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : 0;
  return spread;
}

double host_milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<double> time_repetitions(host::Device& device, const VulkanTable& vulkan, unsigned count,
                                     const std::function<void(VkCommandBuffer)>& record) {
  std::vector<double> times;
  if (!device.has_timestamps()) {
    for (unsigned i = 0; i < count; ++i) {
      const double begin = host_milliseconds();
      device.submit([&](VkCommandBuffer commands) {
        full_barrier(vulkan, commands);
        record(commands);
      });
      times.push_back(host_milliseconds() - begin);
    }
    return times;
  }
  const std::vector<double> stamps = device.submit_timed(2 * count, [&](VkCommandBuffer commands, VkQueryPool pool) {
    for (uint32_t i = 0; i < count; ++i) {
      full_barrier(vulkan, commands);
      vulkan.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, 2 * i);
      record(commands);
      vulkan.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, 2 * i + 1);
    }
  });
  for (unsigned i = 0; i < count; ++i) times.push_back((stamps[2 * i + 1] - stamps[2 * i]) * 1e-6);
  return times;
}

}  // namespace vktconv::bench

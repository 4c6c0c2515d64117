// Times of repeated work on the device, and what they say.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <functional>
#include <vector>

#include "vulkan_table.h"

namespace vktconv::bench {

// Milliseconds.
struct Spread {
  double median = 0, min = 0, p95 = 0, stddev = 0;
};

// Of at least one time, in any unit.
Spread spread_of(std::vector<double> times);

// Milliseconds of each of count repetitions in one submission, by timestamps, or, on a queue without those, by the
// host's clock around one submission each. Barriers separate the repetitions.
std::vector<double> time_repetitions(host::Device& device, const VulkanTable& vulkan, unsigned count,
                                     const std::function<void(VkCommandBuffer)>& record);

// The host's clock, in milliseconds.
double host_milliseconds();

}  // namespace vktconv::bench

// What the driver's compiler says of a pipeline (VK_KHR_pipeline_executable_properties): registers, spills, shared
// memory.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <string>
#include <utility>
#include <vector>

#include "vulkan_table.h"

namespace vktconv::bench {

struct PipelineStatistics {
  std::string dispatch;                                // its name in the plan
  std::vector<std::pair<std::string, double>> values;  // as the driver names them
};

// One entry for each distinct pipeline among the plan's dispatches. Empty unless the device was created with
// pipelineExecutableInfo.
std::vector<PipelineStatistics> pipeline_statistics(const host::Device& device, const VulkanTable& vulkan,
                                                    VktcPlan plan);

// The value of the first statistic that counts registers of an invocation ("Register Count", "VGPRs"); -1 without one.
double register_count(const PipelineStatistics& statistics);

}  // namespace vktconv::bench

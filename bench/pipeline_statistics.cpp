#include "pipeline_statistics.h"

#include <algorithm>
#include <cctype>

namespace vktconv::bench {

namespace {

double number(const VkPipelineExecutableStatisticKHR& statistic) {
  switch (statistic.format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
      return statistic.value.b32 != VK_FALSE ? 1 : 0;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
      return static_cast<double>(statistic.value.i64);
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
      return static_cast<double>(statistic.value.u64);
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR:
      return statistic.value.f64;
    default:
      return 0;
  }
}

std::vector<std::pair<std::string, double>> statistics_of(const host::Device& device, const VulkanTable& vulkan,
                                                          VkPipeline pipeline) {
  std::vector<std::pair<std::string, double>> values;
  VkPipelineInfoKHR pipeline_info = {};
  pipeline_info.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR;
  pipeline_info.pipeline = pipeline;
  uint32_t executables = 0;
  check(vulkan.vkGetPipelineExecutablePropertiesKHR(device.device(), &pipeline_info, &executables, nullptr),
        "vkGetPipelineExecutablePropertiesKHR");
  for (uint32_t i = 0; i < executables; ++i) {
    VkPipelineExecutableInfoKHR info = {};
    info.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR;
    info.pipeline = pipeline;
    info.executableIndex = i;
    uint32_t count = 0;
    check(vulkan.vkGetPipelineExecutableStatisticsKHR(device.device(), &info, &count, nullptr),
          "vkGetPipelineExecutableStatisticsKHR");
    VkPipelineExecutableStatisticKHR empty = {};
    empty.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    std::vector<VkPipelineExecutableStatisticKHR> statistics(count, empty);
    check(vulkan.vkGetPipelineExecutableStatisticsKHR(device.device(), &info, &count, statistics.data()),
          "vkGetPipelineExecutableStatisticsKHR");
    for (const VkPipelineExecutableStatisticKHR& statistic : statistics) {
      values.emplace_back(statistic.name, number(statistic));
    }
  }
  return values;
}

}  // namespace

std::vector<PipelineStatistics> pipeline_statistics(const host::Device& device, const VulkanTable& vulkan,
                                                    VktcPlan plan) {
  std::vector<PipelineStatistics> result;
  if (!device.has_feature("pipelineExecutableInfo") || vulkan.vkGetPipelineExecutableStatisticsKHR == nullptr) {
    return result;
  }
  VktcPlanRequirements requirements = {};
  vktcGetPlanRequirements(plan, &requirements);
  std::vector<VkPipeline> seen;
  for (uint32_t i = 0; i < requirements.dispatchCount; ++i) {
    VktcDispatchInfo info = {};
    vktcGetDispatchInfo(plan, i, &info);
    if (std::find(seen.begin(), seen.end(), info.pipeline) != seen.end()) continue;
    seen.push_back(info.pipeline);
    result.push_back({info.name, statistics_of(device, vulkan, info.pipeline)});
  }
  return result;
}

double register_count(const PipelineStatistics& statistics) {
  for (const auto& [name, value] : statistics.values) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    if (lower.find("spill") != std::string::npos) continue;
    if (lower.find("register") != std::string::npos || lower == "vgprs") return value;
  }
  return -1;
}

}  // namespace vktconv::bench

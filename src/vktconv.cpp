// The C functions of the public header: argument checks, and the border that no exception crosses.
#include <vktconv/vktconv.h>

#include <algorithm>
#include <memory>
#include <new>

#include "bindings.h"
#include "built_plan.h"
#include "context.h"
#include "device_features.h"
#include "padding.h"
#include "record.h"

namespace {

using vktconv::fail;
using vktconv::fail_vulkan;
using vktconv::Work;

// Runs function(error), which returns false where it fails. Everything it may throw comes from host memory that cannot
// be had.
template <typename Function>
VktcStatus guarded(VktcError* error_out, Function&& function) noexcept {
  VktcError error = vktconv::no_error();
  try {
    function(error);
  } catch (...) {
    fail(error, VKTC_ERROR_OUT_OF_HOST_MEMORY, "", "out of host memory");
  }
  if (error_out != nullptr) *error_out = error;
  return error.status;
}

bool not_null(const void* pointer, const char* parameter, VktcError& error) {
  if (pointer == nullptr) fail(error, VKTC_ERROR_INVALID_PARAMETER, parameter, "%s must not be NULL", parameter);
  return pointer != nullptr;
}

// Handles that Vulkan makes pointers on some platforms and integers on others.
template <typename Handle>
bool not_null_handle(Handle handle, const char* parameter, VktcError& error) {
  return handle != VK_NULL_HANDLE ||
         fail(error, VKTC_ERROR_INVALID_PARAMETER, parameter, "%s must not be VK_NULL_HANDLE", parameter);
}

bool check_timestamps(const VktcTimestamps* timestamps, VktcError& error) {
  return timestamps == nullptr || not_null_handle(timestamps->queryPool, "timestamps.queryPool", error);
}

bool read_options(const VktcPlanOptions* options, vktconv::PlanOptions& read, VktcError& error) {
  if (options == nullptr) return true;
  if (options->pNext != nullptr) {
    return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.pNext", "options.pNext must be NULL");
  }
  switch (options->memoryAccess) {
    case VKTC_MEMORY_ACCESS_AUTO:
    case VKTC_MEMORY_ACCESS_DESCRIPTORS:
    case VKTC_MEMORY_ACCESS_DEVICE_ADDRESS:
      break;
    default:
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.memoryAccess",
                  "options.memoryAccess is %d: it must be a VktcMemoryAccess", static_cast<int>(options->memoryAccess));
  }
  switch (options->precision) {
    case VKTC_PRECISION_F32:
    case VKTC_PRECISION_F32_FMA:
    case VKTC_PRECISION_RELAXED:
      break;
    default:
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, "options.precision",
                  "options.precision is %d: it must be a VktcPrecision", static_cast<int>(options->precision));
  }
  if (options->algorithm != nullptr) read.algorithm = options->algorithm;
  if (options->choice != nullptr) read.choice = options->choice;
  read.candidate = options->candidate;
  read.memory_access = options->memoryAccess;
  read.precision = options->precision;
  return true;
}

VktcStatus record_buffers(VkCommandBuffer command_buffer, VktcPlan plan, Work work, const VktcBuffers* buffers,
                          const VktcTimestamps* timestamps, VktcError* error_out) noexcept {
  return guarded(error_out, [&](VktcError& error) {
    if (!not_null_handle(command_buffer, "commandBuffer", error) || !not_null(plan, "plan", error) ||
        !not_null(buffers, "buffers", error) || !check_timestamps(timestamps, error)) {
      return false;
    }
    if (!plan->plan.device_address && !plan->context->device.caps.push_descriptor) {
      return fail(error, VKTC_ERROR_FEATURE_NOT_ENABLED, "plan",
                  "recording this plan needs push descriptors, but the application did not enable "
                  "VK_KHR_push_descriptor: make its descriptor sets with vktcCreateBindings");
    }
    vktconv::CallBuffers checked;
    if (!vktconv::check_call_buffers(*plan, work, *buffers, checked, error)) return false;
    vktconv::record(command_buffer, *plan, work, checked, nullptr, timestamps);
    return true;
  });
}

VktcStatus record_bindings(VkCommandBuffer command_buffer, VktcBindings bindings, Work work,
                           const VktcTimestamps* timestamps, VktcError* error_out) noexcept {
  return guarded(error_out, [&](VktcError& error) {
    if (!not_null_handle(command_buffer, "commandBuffer", error) || !not_null(bindings, "bindings", error) ||
        !check_timestamps(timestamps, error)) {
      return false;
    }
    const auto& bound = work == Work::pack ? bindings->pack : bindings->run;
    if (!bound) {
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, "bindings",
                  "the bindings were made from buffers that name no %s",
                  work == Work::pack ? "weights" : "input and output");
    }
    const VkDescriptorSet* sets = bound->sets.empty() ? nullptr : bound->sets.data();
    vktconv::record(command_buffer, bindings->plan, work, bound->buffers, sets, timestamps);
    return true;
  });
}

}  // namespace

extern "C" {

uint32_t vktcGetVersion(void) {
  return (uint32_t{VKTC_VERSION_MAJOR} << 22) | (uint32_t{VKTC_VERSION_MINOR} << 12) | uint32_t{VKTC_VERSION_PATCH};
}

const char* vktcStatusName(VktcStatus status) {
  switch (status) {
    case VKTC_SUCCESS:
      return "VKTC_SUCCESS";
    case VKTC_ERROR_INVALID_PARAMETER:
      return "VKTC_ERROR_INVALID_PARAMETER";
    case VKTC_ERROR_LIMIT_EXCEEDED:
      return "VKTC_ERROR_LIMIT_EXCEEDED";
    case VKTC_ERROR_FEATURE_NOT_ENABLED:
      return "VKTC_ERROR_FEATURE_NOT_ENABLED";
    case VKTC_ERROR_OUT_OF_HOST_MEMORY:
      return "VKTC_ERROR_OUT_OF_HOST_MEMORY";
    case VKTC_ERROR_VULKAN:
      return "VKTC_ERROR_VULKAN";
    default:
      return "unknown VktcStatus";
  }
}

// ---- the problem ----------------------------------------------------------------------------------------------------

uint32_t vktcDataTypeSize(VktcDataType type) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
    case VKTC_DATA_TYPE_I32:
      return 4;
    case VKTC_DATA_TYPE_F16:
    case VKTC_DATA_TYPE_BF16:
      return 2;
    case VKTC_DATA_TYPE_I8:
      return 1;
    default:
      return 0;
  }
}

VktcConvTransposeDesc vktcDefaultDesc(uint32_t spatialRank) {
  VktcConvTransposeDesc desc{};
  desc.spatialRank = spatialRank;
  desc.batch = 1;
  desc.inChannels = 1;
  desc.outChannels = 1;
  desc.groups = 1;
  for (uint32_t axis = 0; axis < VKTC_MAX_SPATIAL_RANK; ++axis) {
    desc.inputSize[axis] = 1;
    desc.kernelSize[axis] = 1;
    desc.stride[axis] = 1;
    desc.dilation[axis] = 1;
  }
  return desc;
}

VktcStatus vktcGetOutputSize(const VktcConvTransposeDesc* desc, int64_t outputSize[VKTC_MAX_SPATIAL_RANK],
                             VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    vktconv::Problem problem;
    if (!not_null(desc, "desc", error) || !not_null(outputSize, "outputSize", error) ||
        !vktconv::make_problem(*desc, problem, error)) {
      return false;
    }
    const uint32_t rank = problem.spatial_rank;
    for (uint32_t axis = 0; axis < rank; ++axis) outputSize[axis] = problem.axes[3 - rank + axis].output;
    return true;
  });
}

VktcStatus vktcResolveOnnxPadding(const VktcOnnxPadding* padding, VktcConvTransposeDesc* desc, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    return not_null(padding, "padding", error) && not_null(desc, "desc", error) &&
           vktconv::resolve_onnx_padding(*padding, *desc, error);
  });
}

VktcStatus vktcResolvePytorchPadding(const int64_t padding[], VktcConvTransposeDesc* desc, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    return not_null(padding, "padding", error) && not_null(desc, "desc", error) &&
           vktconv::resolve_pytorch_padding(padding, *desc, error);
  });
}

// ---- the device -----------------------------------------------------------------------------------------------------

VktcStatus vktcRequestDeviceFeatures(VkInstance instance, VkPhysicalDevice physicalDevice,
                                     PFN_vkGetInstanceProcAddr getInstanceProcAddr, VkPhysicalDeviceFeatures2* features,
                                     VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    vktconv::PhysicalDeviceAccess access;
    vktconv::ExtensionList extensions;
    if (!not_null(features, "features", error)) return false;
    if (features->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2) {
      return fail(error, VKTC_ERROR_INVALID_PARAMETER, "features.sType",
                  "features.sType is %d: it must be VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2",
                  static_cast<int>(features->sType));
    }
    if (!vktconv::access_physical_device(instance, physicalDevice, getInstanceProcAddr, access, error) ||
        !vktconv::supported_extensions(access.functions, physicalDevice, extensions, error)) {
      return false;
    }
    vktconv::request_features(
        vktconv::supported_features(access.functions, physicalDevice, access.api_version, extensions), features);
    return true;
  });
}

VktcStatus vktcGetDeviceExtensions(VkInstance instance, VkPhysicalDevice physicalDevice,
                                   PFN_vkGetInstanceProcAddr getInstanceProcAddr, uint32_t* count, const char** names,
                                   VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    vktconv::PhysicalDeviceAccess access;
    vktconv::ExtensionList extensions;
    if (!not_null(count, "count", error) ||
        !vktconv::access_physical_device(instance, physicalDevice, getInstanceProcAddr, access, error) ||
        !vktconv::supported_extensions(access.functions, physicalDevice, extensions, error)) {
      return false;
    }
    const vktconv::FeatureSet features =
        vktconv::supported_features(access.functions, physicalDevice, access.api_version, extensions);
    const std::vector<const char*> wanted = vktconv::wanted_extensions(extensions, features);
    uint32_t available = static_cast<uint32_t>(wanted.size());
    if (names != nullptr) {
      available = std::min(available, *count);
      std::copy_n(wanted.begin(), available, names);
    }
    *count = available;
    return true;
  });
}

VktcStatus vktcCreateContext(const VktcContextCreateInfo* createInfo, VktcContext* context, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    std::unique_ptr<VktcContext_T> made;
    if (!not_null(createInfo, "createInfo", error) || !not_null(context, "context", error) ||
        !vktconv::create_context(*createInfo, made, error)) {
      return false;
    }
    *context = made.release();
    return true;
  });
}

void vktcDestroyContext(VktcContext context) { delete context; }

VkPipelineCache vktcGetPipelineCache(VktcContext context) {
  return context == nullptr ? VK_NULL_HANDLE : context->pipelines.handle();
}

VktcStatus vktcGetPipelineCacheData(VktcContext context, size_t* size, void* data, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    if (!not_null(context, "context", error) || !not_null(size, "size", error)) return false;
    const vktconv::DeviceAccess& device = context->device;
    const VkResult result =
        device.functions.GetPipelineCacheData(device.handle, context->pipelines.handle(), size, data);
    return result == VK_SUCCESS || fail_vulkan(error, result, "vkGetPipelineCacheData");
  });
}

// ---- the plan -------------------------------------------------------------------------------------------------------

const char* vktcGetAlgorithmName(uint32_t index) { return vktconv::algorithm_name(index); }

VktcStatus vktcCreatePlan(VktcContext context, const VktcConvTransposeDesc* desc, const VktcPlanOptions* options,
                          VktcPlan* plan, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    vktconv::PlanOptions read;
    std::unique_ptr<VktcPlan_T> built;
    if (!not_null(context, "context", error) || !not_null(desc, "desc", error) || !not_null(plan, "plan", error) ||
        !read_options(options, read, error) || !vktconv::build_plan(context, *desc, read, built, error)) {
      return false;
    }
    *plan = built.release();
    return true;
  });
}

void vktcDestroyPlan(VktcPlan plan) { delete plan; }

void vktcGetPlanRequirements(VktcPlan plan, VktcPlanRequirements* requirements) {
  if (requirements == nullptr) return;
  *requirements = plan == nullptr ? VktcPlanRequirements{} : plan->requirements;
}

void vktcGetPlanInfo(VktcPlan plan, VktcPlanInfo* info) {
  if (info == nullptr) return;
  *info = VktcPlanInfo{"", "", "", "", 0, 0, 0, 0};
  if (plan == nullptr) return;
  info->algorithm = plan->plan.algorithm.c_str();
  info->tile = plan->plan.tile.c_str();
  info->choice = plan->plan.choice.c_str();
  info->explanation = plan->explanation.c_str();
  info->candidateCount = plan->plan.candidate_count;
  info->predictedSeconds = plan->plan.predicted_seconds;
  info->flop = plan->flop;
  info->bytes = plan->bytes;
}

void vktcGetDispatchInfo(VktcPlan plan, uint32_t index, VktcDispatchInfo* info) {
  if (info == nullptr) return;
  *info = VktcDispatchInfo{"", {0, 0, 0}, VK_NULL_HANDLE};
  if (plan == nullptr || index >= plan->plan.run.size()) return;
  const vktconv::Dispatch& dispatch = plan->plan.run[index];
  info->name = dispatch.name.c_str();
  std::copy(dispatch.group_count.begin(), dispatch.group_count.end(), info->groupCount);
  info->pipeline = plan->run_pipelines[index]->handle;
}

// ---- recording ------------------------------------------------------------------------------------------------------

VktcStatus vktcCmdPackWeights(VkCommandBuffer commandBuffer, VktcPlan plan, const VktcBuffers* buffers,
                              const VktcTimestamps* timestamps, VktcError* error) {
  return record_buffers(commandBuffer, plan, Work::pack, buffers, timestamps, error);
}

VktcStatus vktcCmdConvTranspose(VkCommandBuffer commandBuffer, VktcPlan plan, const VktcBuffers* buffers,
                                const VktcTimestamps* timestamps, VktcError* error) {
  return record_buffers(commandBuffer, plan, Work::run, buffers, timestamps, error);
}

VktcStatus vktcCreateBindings(VktcPlan plan, const VktcBuffers* buffers, VktcBindings* bindings, VktcError* errorOut) {
  return guarded(errorOut, [&](VktcError& error) {
    std::unique_ptr<VktcBindings_T> made;
    if (!not_null(plan, "plan", error) || !not_null(buffers, "buffers", error) ||
        !not_null(bindings, "bindings", error) || !vktconv::create_bindings(*plan, *buffers, made, error)) {
      return false;
    }
    *bindings = made.release();
    return true;
  });
}

void vktcDestroyBindings(VktcBindings bindings) { delete bindings; }

VktcStatus vktcCmdPackWeightsBound(VkCommandBuffer commandBuffer, VktcBindings bindings,
                                   const VktcTimestamps* timestamps, VktcError* error) {
  return record_bindings(commandBuffer, bindings, Work::pack, timestamps, error);
}

VktcStatus vktcCmdConvTransposeBound(VkCommandBuffer commandBuffer, VktcBindings bindings,
                                     const VktcTimestamps* timestamps, VktcError* error) {
  return record_bindings(commandBuffer, bindings, Work::run, timestamps, error);
}

}  // extern "C"

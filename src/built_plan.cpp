#include "built_plan.h"

#include <algorithm>
#include <cinttypes>

namespace vktconv {
namespace {

uint64_t round_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

uint32_t push_bytes(const Plan& plan, const Dispatch& dispatch) {
  const size_t addresses = plan.device_address ? dispatch.windows.size() * sizeof(uint64_t) : 0;
  return static_cast<uint32_t>(addresses + dispatch.params.size() * sizeof(uint32_t));
}

void set_requirements(VktcPlan_T& built) {
  const Problem& problem = built.problem;
  const auto tensor_bytes = [](int64_t elements, int64_t element_size) {
    return round_up(static_cast<uint64_t>(elements) * static_cast<uint64_t>(element_size), 4);
  };
  const int64_t size = problem.element_size();
  VktcPlanRequirements& requirements = built.requirements;
  const uint32_t rank = problem.spatial_rank;
  for (uint32_t axis = 0; axis < rank; ++axis) requirements.outputSize[axis] = problem.axes[3 - rank + axis].output;
  requirements.inputBytes = tensor_bytes(problem.input_elements(), size);
  requirements.weightsBytes = tensor_bytes(problem.weight_elements(), size);
  requirements.biasBytes = problem.has_bias ? tensor_bytes(problem.out_channels, problem.bias_element_size()) : 0;
  if (problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT)) {
    requirements.scaleBytes = requirements.shiftBytes = tensor_bytes(problem.out_channels, sizeof(float));
  }
  requirements.outputBytes = tensor_bytes(problem.output_elements(), problem.output_element_size());
  if (problem.has_post_op(VKTC_POST_OP_RESIDUAL)) requirements.residualBytes = requirements.outputBytes;
  requirements.packedWeightsBytes = round_up(built.plan.packed_weights_bytes, 4);
  requirements.workspaceBytes = round_up(built.plan.workspace_bytes, 4);
  requirements.offsetAlignment = std::max<uint64_t>(built.context->device.caps.min_storage_buffer_offset_alignment, 16);
  requirements.bufferUsage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  if (built.plan.device_address) requirements.bufferUsage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
  requirements.packDispatchCount = static_cast<uint32_t>(built.plan.pack.size());
  requirements.dispatchCount = static_cast<uint32_t>(built.plan.run.size());

  built.tensor_bytes[static_cast<size_t>(Tensor::input)] = requirements.inputBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::weights)] = requirements.weightsBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::packed_weights)] = requirements.packedWeightsBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::bias)] = requirements.biasBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::scale)] = requirements.scaleBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::shift)] = requirements.shiftBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::residual)] = requirements.residualBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::output)] = requirements.outputBytes;
  built.tensor_bytes[static_cast<size_t>(Tensor::workspace)] = requirements.workspaceBytes;
}

bool over_limit(const VktcPlan_T& built, const Dispatch& dispatch, const char* what, uint64_t value, const char* limit,
                uint64_t allowed, VktcError& error) {
  return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "",
              "algorithm %s, dispatch \"%s\": %s is %" PRIu64 ", but %s is %" PRIu64, built.plan.algorithm.c_str(),
              dispatch.name.c_str(), what, value, limit, allowed);
}

bool check_window(const VktcPlan_T& built, Work work, const Dispatch& dispatch, const Window& window,
                  VktcError& error) {
  const DeviceCaps& caps = built.context->device.caps;
  const std::string name = tensor_name(window.tensor);
  const uint64_t size = built.tensor_bytes[static_cast<size_t>(window.tensor)];
  if (!takes_part(work, window.tensor)) {
    return over_limit(built, dispatch, ("the use of " + name).c_str(), 1, "the number allowed in this call", 0, error);
  }
  if (window.range == 0 || window.range > size || window.offset > size - window.range) {
    return over_limit(built, dispatch, ("the end of its window of " + name).c_str(), window.offset + window.range,
                      "the size of the tensor", size, error);
  }
  if (built.plan.device_address) return true;
  if (window.range > caps.max_storage_buffer_range) {
    return over_limit(built, dispatch, ("its window of " + name).c_str(), window.range, "maxStorageBufferRange",
                      caps.max_storage_buffer_range, error);
  }
  if (window.offset % caps.min_storage_buffer_offset_alignment != 0) {
    return over_limit(built, dispatch, ("the offset of its window of " + name).c_str(), window.offset,
                      "minStorageBufferOffsetAlignment", caps.min_storage_buffer_offset_alignment, error);
  }
  return true;
}

bool check_subgroup_size(const VktcPlan_T& built, const Dispatch& dispatch, VktcError& error) {
  const DeviceCaps& caps = built.context->device.caps;
  const uint32_t size = dispatch.subgroup_size;
  if (size == 0 || (!caps.subgroup_size_control && size == caps.subgroup_size)) return true;
  if (!caps.subgroup_size_control) {
    return fail(
        error, VKTC_ERROR_FEATURE_NOT_ENABLED, "",
        "algorithm %s, dispatch \"%s\" needs subgroups of %u: without the feature subgroupSizeControl they have %u",
        built.plan.algorithm.c_str(), dispatch.name.c_str(), size, caps.subgroup_size);
  }
  if (size < caps.min_subgroup_size) {
    return over_limit(built, dispatch, "its subgroup size", size, "minSubgroupSize", caps.min_subgroup_size, error);
  }
  if (size > caps.max_subgroup_size) {
    return over_limit(built, dispatch, "its subgroup size", size, "maxSubgroupSize", caps.max_subgroup_size, error);
  }
  return true;
}

bool make_pipelines(VktcPlan_T& built, Work work, std::vector<std::shared_ptr<const Pipeline>>& pipelines,
                    VktcError& error) {
  const std::vector<Dispatch>& dispatches = built.dispatches(work);
  pipelines.reserve(dispatches.size());
  for (const Dispatch& dispatch : dispatches) {
    if (!check_dispatch(built, work, dispatch, error)) return false;
    PipelineKey key;
    key.shader = dispatch.shader;
    key.constants = dispatch.constants;
    key.subgroup_size = built.context->device.caps.subgroup_size_control ? dispatch.subgroup_size : 0;
    key.binding_count = built.plan.device_address ? 0 : static_cast<uint32_t>(dispatch.windows.size());
    key.push_bytes = push_bytes(built.plan, dispatch);
    std::shared_ptr<const Pipeline> pipeline;
    if (!built.context->pipelines.get(key, pipeline, error)) return false;
    pipelines.push_back(std::move(pipeline));
  }
  return true;
}

}  // namespace

bool takes_part(Work work, Tensor tensor) {
  switch (tensor) {
    case Tensor::weights:
      return work == Work::pack;
    case Tensor::packed_weights:
      return true;
    default:
      return work == Work::run;
  }
}

// The algorithms keep these rules by themselves: what fails here is a mistake of ours, caught before the device sees
// it.
bool check_dispatch(const VktcPlan_T& built, Work work, const Dispatch& dispatch, VktcError& error) {
  const DeviceCaps& caps = built.context->device.caps;
  static constexpr const char* group_names[] = {"group_count[0]", "group_count[1]", "group_count[2]"};
  for (size_t i = 0; i < 3; ++i) {
    if (dispatch.group_count[i] == 0 || dispatch.group_count[i] > caps.max_compute_work_group_count[i]) {
      return over_limit(built, dispatch, group_names[i], dispatch.group_count[i], "maxComputeWorkGroupCount",
                        caps.max_compute_work_group_count[i], error);
    }
  }
  const uint64_t window_limit =
      built.plan.device_address ? max_windows : std::min(max_windows, caps.max_storage_buffers_per_stage);
  if (dispatch.windows.size() > window_limit) {
    return over_limit(built, dispatch, "its number of windows", dispatch.windows.size(),
                      "maxPerStageDescriptorStorageBuffers (at most 16)", window_limit, error);
  }
  if (push_bytes(built.plan, dispatch) > max_push_bytes) {
    return over_limit(built, dispatch, "its number of push constant bytes", push_bytes(built.plan, dispatch),
                      "the limit that every device has", max_push_bytes, error);
  }
  if (built.plan.device_address && !caps.buffer_device_address) {
    return fail(error, VKTC_ERROR_FEATURE_NOT_ENABLED, "",
                "algorithm %s works on device addresses, which need the feature bufferDeviceAddress",
                built.plan.algorithm.c_str());
  }
  for (const Window& window : dispatch.windows) {
    if (!check_window(built, work, dispatch, window, error)) return false;
  }
  return check_subgroup_size(built, dispatch, error);
}

bool build_plan(VktcContext context, const VktcConvTransposeDesc& desc, const PlanOptions& options,
                std::unique_ptr<VktcPlan_T>& plan, VktcError& error) {
  auto built = std::make_unique<VktcPlan_T>();
  built->context = context;
  const DeviceCaps& caps = context->device.caps;
  if (!make_problem(desc, built->problem, error) || !make_plan(built->problem, caps, options, built->plan, error)) {
    return false;
  }
  set_requirements(*built);
  if (!make_pipelines(*built, Work::pack, built->pack_pipelines, error) ||
      !make_pipelines(*built, Work::run, built->run_pipelines, error)) {
    return false;
  }
  built->explanation = explain_plan(built->problem, caps, built->plan);
  built->flop = useful_flop(built->problem);
  built->bytes = least_bytes(built->problem);
  plan = std::move(built);
  return true;
}

}  // namespace vktconv

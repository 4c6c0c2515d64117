#include "plan_rules.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "shader_table.h"
#include "spirv_module.h"

namespace vktconv::tests {

namespace {

std::string number(uint64_t value) { return std::to_string(value); }

// The feature behind each SpvCapability, as the caps tell it; every other capability is one that no plan may need.
bool capability_enabled(uint32_t capability, const DeviceCaps& caps) {
  switch (capability) {
    case 1:  // Shader
      return true;
    case 9:  // Float16
      return caps.shader_float16;
    case 22:    // Int16
    case 4433:  // StorageBuffer16BitAccess
      return caps.storage_16bit;
    case 39:  // Int8
      return caps.shader_int8;
    case 61:  // GroupNonUniform
      return caps.subgroup_basic;
    case 63:  // GroupNonUniformArithmetic
      return caps.subgroup_arithmetic;
    case 64:  // GroupNonUniformBallot
      return caps.subgroup_ballot;
    case 65:  // GroupNonUniformShuffle
      return caps.subgroup_shuffle;
    case 4467:  // RoundingModeRTE
      return caps.rounding_rte_float16;
    case 5116:  // BFloat16TypeKHR
    case 5118:  // BFloat16CooperativeMatrixKHR
      return caps.shader_bfloat16;
    case 4448:  // StorageBuffer8BitAccess
      return caps.storage_8bit;
    case 6018:  // DotProductInput4x8BitPacked
    case 6019:  // DotProduct
      return caps.integer_dot_product;
    case 5345:  // VulkanMemoryModel
      return caps.vulkan_memory_model;
    case 5347:  // PhysicalStorageBufferAddresses
      return caps.buffer_device_address;
    case 6022:  // CooperativeMatrixKHR
      return caps.cooperative_matrix;
    default:
      return false;
  }
}

uint64_t rounded_to_words(int64_t elements, int64_t element_size) {
  return (static_cast<uint64_t>(elements * element_size) + 3) / 4 * 4;
}

class Checker {
 public:
  Checker(const Problem& problem, const DeviceCaps& caps, const Plan& plan)
      : problem_(problem), caps_(caps), plan_(plan) {}

  std::string check() {
    if (plan_.algorithm.empty()) return "the plan does not name its algorithm";
    if (plan_.tile.empty()) return "the plan does not name its tile";
    if (plan_.run.empty()) return "nothing is dispatched";
    if (plan_.device_address && !caps_.buffer_device_address) return "device addresses without the feature";
    for (const Tensor tensor : {Tensor::input, Tensor::weights, Tensor::packed_weights, Tensor::output}) {
      if (tensor_bytes(problem_, plan_, tensor) == 0) return std::string(tensor_name(tensor)) + " has no bytes";
    }
    for (const bool packing : {true, false}) {
      const std::vector<Dispatch>& list = packing ? plan_.pack : plan_.run;
      for (size_t i = 0; i < list.size(); ++i) {
        const std::string reason = check_dispatch(list[i], packing);
        if (!reason.empty()) return (packing ? "pack[" : "run[") + number(i) + "] (" + list[i].shader + "): " + reason;
      }
      const std::string race = find_race(list, packing);
      if (!race.empty()) return (packing ? "pack" : "run") + (": " + race);
    }
    return check_cover();
  }

 private:
  std::string check_dispatch(const Dispatch& dispatch, bool packing) {
    if (dispatch.name.empty()) return "has no name";
    const ShaderCode* code = find_shader(dispatch.shader);
    if (!code) return "its shader is not in the table";
    for (size_t i = 0; i < 3; ++i) {
      const uint32_t groups = dispatch.group_count[i];
      if (groups < 1 || groups > caps_.max_compute_work_group_count[i]) {
        return "group count " + number(groups) + " along axis " + number(i);
      }
    }
    if (dispatch.subgroup_size != 0) {
      if (!caps_.subgroup_size_control) return "requires a subgroup size without the feature";
      if (dispatch.subgroup_size < caps_.min_subgroup_size || dispatch.subgroup_size > caps_.max_subgroup_size) {
        return "requires subgroup size " + number(dispatch.subgroup_size);
      }
    }
    const uint64_t pushed = dispatch.params.size() * 4 + (plan_.device_address ? dispatch.windows.size() * 8 : 0);
    if (pushed > caps_.max_push_constants_size) return "pushes " + number(pushed) + " bytes";
    for (const Window& window : dispatch.windows) {
      const std::string reason = check_window(window, packing);
      if (!reason.empty()) return std::string(tensor_name(window.tensor)) + " window: " + reason;
    }
    return check_shader(*code, dispatch);
  }

  std::string check_window(const Window& window, bool packing) const {
    const bool of_packing = window.tensor == Tensor::weights || window.tensor == Tensor::packed_weights;
    if (packing && !of_packing) return "has no part in packing";
    if (!packing && window.tensor == Tensor::weights) return "weights are read by packing only";
    const uint64_t bytes = tensor_bytes(problem_, plan_, window.tensor);
    if (window.offset % caps_.min_storage_buffer_offset_alignment != 0) return "offset " + number(window.offset);
    if (window.range == 0 || window.range % 4 != 0) return "range " + number(window.range);
    if (window.offset > bytes || window.range > bytes - window.offset) {
      return "bytes " + number(window.offset) + " + " + number(window.range) + " of " + number(bytes);
    }
    // Unlike minimum alignment, the range limit is one of descriptors alone.
    if (!plan_.device_address && window.range > caps_.max_storage_buffer_range) {
      return "range " + number(window.range) + " over maxStorageBufferRange";
    }
    return "";
  }

  std::string check_shader(const ShaderCode& code, const Dispatch& dispatch) {
    // The dispatches of one plan mostly share their pipeline.
    const auto [found, inserted] = needs_.try_emplace({dispatch.shader, dispatch.constants});
    if (inserted) found->second = shader_needs({code.words, code.word_count}, dispatch.constants);
    const ShaderNeeds& needs = found->second;
    for (const uint32_t capability : needs.capabilities) {
      if (!capability_enabled(capability, caps_)) return "needs capability " + number(capability);
    }
    if (dispatch.constants.size() < needs.specialization_constants) {
      return "sets " + number(dispatch.constants.size()) + " of " + number(needs.specialization_constants) +
             " specialization constants";
    }
    uint64_t invocations = 1;
    for (size_t i = 0; i < 3; ++i) {
      invocations *= needs.workgroup_size[i];
      if (needs.workgroup_size[i] < 1 || needs.workgroup_size[i] > caps_.max_compute_work_group_size[i]) {
        return "workgroup size " + number(needs.workgroup_size[i]) + " along axis " + number(i);
      }
    }
    if (invocations > caps_.max_compute_work_group_invocations) return number(invocations) + " invocations";
    if (needs.shared_bytes > caps_.max_compute_shared_memory_size) return number(needs.shared_bytes) + " shared bytes";
    if (needs.bindings > caps_.max_storage_buffers_per_stage) return "declares " + number(needs.bindings) + " bindings";
    if (needs.bindings != (plan_.device_address ? 0 : dispatch.windows.size())) {
      return "declares " + number(needs.bindings) + " bindings for " + number(dispatch.windows.size()) + " windows";
    }
    return "";
  }

  // The windows of two dispatches with no barrier between them may not overlap where one of them is written.
  static std::string find_race(const std::vector<Dispatch>& list, bool packing) {
    size_t first = 0;  // after the last barrier
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].barrier_before) first = i;
      for (size_t j = std::max(first, i < 64 ? 0 : i - 64); j < i; ++j) {
        for (const Window& a : list[i].windows) {
          for (const Window& b : list[j].windows) {
            const bool written = a.tensor == Tensor::output || a.tensor == Tensor::workspace ||
                                 (a.tensor == Tensor::packed_weights && packing);
            if (written && a.tensor == b.tensor && a.offset < b.offset + b.range && b.offset < a.offset + a.range) {
              return "dispatches " + number(j) + " and " + number(i) + " share bytes of " + tensor_name(a.tensor) +
                     " without a barrier";
            }
          }
        }
      }
    }
    return "";
  }

  // Some window reaches every byte of the tensors that must be read or written as a whole.
  std::string check_cover() const {
    const auto covered = [&](const std::vector<Dispatch>& list, Tensor tensor) {
      std::map<uint64_t, uint64_t> ranges;  // end by begin
      for (const Dispatch& dispatch : list) {
        for (const Window& window : dispatch.windows) {
          if (window.tensor == tensor) {
            uint64_t& end = ranges[window.offset];
            end = std::max(end, window.offset + window.range);
          }
        }
      }
      uint64_t reached = 0;
      for (const auto& [begin, end] : ranges) {
        if (begin > reached) return false;
        reached = std::max(reached, end);
      }
      return reached >= tensor_bytes(problem_, plan_, tensor);
    };
    if (!covered(plan_.run, Tensor::output)) return "some of the output lies in no window";
    if (!covered(plan_.pack, Tensor::packed_weights)) return "some of the packed weights lie in no window";
    for (const Tensor tensor : {Tensor::bias, Tensor::scale, Tensor::shift, Tensor::residual}) {
      if (!covered(plan_.run, tensor)) return std::string("some of the ") + tensor_name(tensor) + " lies in no window";
    }
    return "";
  }

  const Problem& problem_;
  const DeviceCaps& caps_;
  const Plan& plan_;
  std::map<std::pair<std::string, std::vector<uint32_t>>, ShaderNeeds> needs_;
};

}  // namespace

uint64_t tensor_bytes(const Problem& problem, const Plan& plan, Tensor tensor) {
  switch (tensor) {
    case Tensor::input:
      return rounded_to_words(problem.input_elements(), problem.element_size());
    case Tensor::weights:
      return rounded_to_words(problem.weight_elements(), problem.element_size());
    case Tensor::packed_weights:
      return plan.packed_weights_bytes;
    case Tensor::bias:
      return problem.has_bias ? rounded_to_words(problem.out_channels, problem.bias_element_size()) : 0;
    case Tensor::output:
      return rounded_to_words(problem.output_elements(), problem.output_element_size());
    case Tensor::workspace:
      return plan.workspace_bytes;
    case Tensor::scale:
    case Tensor::shift:
      return problem.has_post_op(VKTC_POST_OP_SCALE_SHIFT) ? static_cast<uint64_t>(problem.out_channels) * 4 : 0;
    case Tensor::residual:
      return problem.has_post_op(VKTC_POST_OP_RESIDUAL) ? tensor_bytes(problem, plan, Tensor::output) : 0;
  }
  return 0;
}

std::string broken_rule(const Problem& problem, const DeviceCaps& caps, const Plan& plan) {
  return Checker(problem, caps, plan).check();
}

DeviceCaps phone_caps() {
  DeviceCaps caps;
  caps.name = "phone";
  caps.api_version = VK_API_VERSION_1_2;
  caps.max_memory_allocation_size = caps.max_buffer_size = uint64_t{4} << 30;  // its narrow limit is the binding's
  return caps;
}

DeviceCaps ada_caps() {
  DeviceCaps caps;
  caps.name = "Ada";
  caps.api_version = VK_API_VERSION_1_3;
  caps.vendor_id = 0x10de;
  caps.max_compute_work_group_count[0] = 0x7fffffff;
  caps.max_compute_work_group_size[0] = caps.max_compute_work_group_size[1] = 1024;
  caps.max_compute_work_group_invocations = 1024;
  caps.max_compute_shared_memory_size = 49152;
  caps.max_push_constants_size = 256;
  caps.max_storage_buffers_per_stage = 1 << 20;
  caps.max_storage_buffer_range = 0xffffffff;
  caps.max_memory_allocation_size = caps.max_buffer_size = uint64_t{24} << 30;
  caps.min_storage_buffer_offset_alignment = 16;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 32;
  caps.subgroup_basic = caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.subgroup_size_control = caps.compute_full_subgroups = true;
  caps.storage_16bit = caps.shader_float16 = true;
  caps.buffer_device_address = caps.push_descriptor = caps.vulkan_memory_model = true;
  caps.shader_int8 = caps.storage_8bit = caps.integer_dot_product = true;
  caps.cooperative_matrix = true;
  caps.matrix_row_lanes = 8;
  caps.shader_bfloat16 = caps.rounding_rte_float16 = true;
  constexpr uint32_t bfloat16 = 1000141000;  // VK_COMPONENT_TYPE_BFLOAT16_KHR
  caps.cooperative_matrix_shapes = {{16, 16, 16, 0, 0, 0, 0, false}, {16, 8, 16, 0, 0, 1, 1, false},
                                    {16, 16, 16, 0, 0, 1, 1, false}, {16, 16, 16, bfloat16, bfloat16, 1, 1, false},
                                    {16, 8, 32, 3, 3, 5, 5, false},  {16, 16, 32, 3, 3, 5, 5, false},
                                    {16, 16, 32, 3, 3, 5, 5, true}};
  caps.multiprocessors = 128;
  caps.fp32_flops = 82.6e12;
  caps.matrix_flops = 165e12;
  caps.memory_bandwidth = 1008e9;
  return caps;
}

DeviceCaps lavapipe_caps() {
  DeviceCaps caps;
  caps.name = "lavapipe";
  caps.api_version = VK_API_VERSION_1_3;
  caps.is_cpu = true;
  for (uint32_t& size : caps.max_compute_work_group_size) size = 1024;
  caps.max_compute_work_group_invocations = 1024;
  caps.max_compute_shared_memory_size = 32768;
  caps.max_storage_buffers_per_stage = 1000000;
  caps.max_memory_allocation_size = uint64_t{2} << 30;
  caps.max_buffer_size = 0xffffffff;
  caps.min_storage_buffer_offset_alignment = 16;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = 8;
  caps.subgroup_basic = caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  caps.storage_16bit = caps.shader_float16 = caps.buffer_device_address = caps.push_descriptor = true;
  return caps;
}

DeviceCaps tiny_grid_caps() {
  DeviceCaps caps = lavapipe_caps();
  caps.name = "tiny grid";
  for (uint32_t& count : caps.max_compute_work_group_count) count = 7;
  return caps;
}

DeviceCaps tiny_binding_caps() {
  DeviceCaps caps = phone_caps();
  caps.name = "tiny bindings";
  caps.max_storage_buffer_range = 65536;
  return caps;
}

}  // namespace vktconv::tests

#include "algorithms/blocks.h"

#include <algorithm>
#include <cinttypes>
#include <limits>

#include "algorithms/merged_phases.h"
#include "algorithms/packing.h"
#include "algorithms/post_op_windows.h"
#include "algorithms/weight_scales.h"
#include "phases.h"

namespace vktconv {
namespace {

// Positions are computed in 32-bit signed integers.
bool check_index_range(const Problem& problem, VktcError& error) {
  for (const Axis& axis : problem.axes) {
    const int64_t reach = (axis.input - 1) * axis.stride + axis.dilation * (axis.kernel - 1);
    constexpr int64_t limit = std::numeric_limits<int32_t>::max();
    if (reach > limit || axis.padding_begin + axis.output > limit || axis.padding_begin < -limit) {
      return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "inputSize",
                  "(inputSize - 1) * stride + dilation * (kernelSize - 1) is %" PRId64 " and paddingBegin %" PRId64
                  ": shaders reach positions up to 2^31 - 1 only",
                  reach, axis.padding_begin);
    }
  }
  return true;
}

SlabWindows slab_windows(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, const Slab& slab) {
  const int64_t blocks_per_group = blocking.blocks_per_group(problem);
  const int64_t first_channel = slab.first_block * blocking.channels;
  const int64_t out_channels = std::min(slab.blocks * blocking.channels, problem.group_out_channels() - first_channel);
  const auto window = [&](Tensor tensor, const Strides& strides, int64_t channel, int64_t pixels, int64_t channels,
                          int64_t element_size) {
    const int64_t begin = slab.first_image * strides.image + channel * strides.channel;
    const int64_t end = begin + strides.extent(slab.images, pixels, channels);
    return align_window(tensor, static_cast<uint64_t>(begin * element_size), static_cast<uint64_t>(end * element_size),
                        static_cast<uint64_t>(element_size), caps);
  };

  SlabWindows windows;
  windows.input = window(Tensor::input, problem.input_strides(), slab.first_group * problem.group_in_channels(),
                         problem.input_plane(), slab.groups * problem.group_in_channels(), problem.element_size());
  windows.output =
      window(Tensor::output, problem.output_strides(), slab.first_group * problem.group_out_channels() + first_channel,
             problem.output_plane(), (slab.groups - 1) * problem.group_out_channels() + out_channels,
             problem.output_element_size());
  const int64_t first_block = slab.first_group * blocks_per_group + slab.first_block;
  const int64_t blocks = slab.groups * slab.blocks;
  const auto begin = static_cast<uint64_t>((blocking.scaled ? scales_bytes(problem) : 0));
  windows.packed = packed_window(problem, caps, blocking, begin, first_block, blocks);
  windows.scales = blocking.scaled ? scales_window(problem, caps, blocking.scales_begin) : windows.packed;
  // Without bias the binding must still hold something valid: the packed weights do.
  const auto size = static_cast<uint64_t>(problem.bias_element_size());
  windows.bias = problem.has_bias
                     ? align_window(Tensor::bias, 0, static_cast<uint64_t>(problem.out_channels) * size, size, caps)
                     : windows.packed;
  windows.also_packed = windows.packed;
  if (blocking.also) {
    const uint64_t behind = begin + static_cast<uint64_t>(packed_bytes(problem, blocking));
    windows.also_packed = packed_window(problem, caps, *blocking.also, behind, first_block, blocks);
  }

  shared::SlabParams& params = windows.params;
  params.batch = u32(slab.images);
  params.groups = u32(slab.groups);
  params.blocks = u32(slab.blocks);
  params.first_block = u32(slab.first_block);
  params.first_group = u32(slab.first_group);
  params.input_offset = static_cast<uint32_t>(windows.input.skipped_elements);
  params.output_offset = static_cast<uint32_t>(windows.output.skipped_elements);
  constexpr int64_t vector_bytes = 16;
  params.weights_offset = static_cast<uint32_t>(windows.packed.skipped_elements *
                                                static_cast<uint64_t>(blocking.packed_unit) / vector_bytes);
  return windows;
}

std::string name_slab(const std::string& shader, const Slab& slab) {
  const auto range = [](int64_t first, int64_t count) {
    return std::to_string(first) + (count > 1 ? ".." + std::to_string(first + count - 1) : "");
  };
  return shader.substr(0, shader.find('.')) + ", batch " + range(slab.first_image, slab.images) + ", group " +
         range(slab.first_group, slab.groups) + ", channel block " + range(slab.first_block, slab.blocks);
}

SlabLimits make_limits(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, bool device_address) {
  const auto clamp = [](double value) { return value < 1e18 ? static_cast<uint64_t>(value) : uint64_t{1} << 60; };
  SlabLimits limits;
  limits.input_window_bytes = max_window_bytes(caps, device_address, static_cast<uint64_t>(problem.element_size()));
  limits.output_window_bytes =
      max_window_bytes(caps, device_address, static_cast<uint64_t>(problem.output_element_size()));
  limits.packed_window_bytes = packed_window_bytes(caps, blocking, device_address);
  limits.block_channels = blocking.channels;
  limits.packed_block_bytes = packed_block_bytes(problem, blocking);
  if (blocking.also) {
    limits.packed_block_bytes = std::max(limits.packed_block_bytes, packed_block_bytes(problem, *blocking.also));
  }
  // Rounding up to whole rows of the grid may add one row, and shaders number workgroups in 32 bits.
  const auto* grid = caps.max_compute_work_group_count;
  const double room = static_cast<double>(grid[0]) * grid[1] * grid[2];
  const double numbered = static_cast<double>(std::numeric_limits<uint32_t>::max()) - 2.0 * std::min(grid[0], 1u << 30);
  limits.max_workgroups = clamp(std::min(room, numbered));
  limits.workgroups = [clamp, workgroups = blocking.workgroups](const Slab& slab) { return clamp(workgroups(slab)); };
  return limits;
}

}  // namespace

void Blocking::pack_steps(const Problem& problem, int64_t multiple) {
  pack_step = pack_chunk = step_channels(problem);
  packed_in_channels = round_up(problem.group_in_channels(), pack_step * multiple);
  packed_element_size = packed_unit / pack_step;
}

int64_t step_channels(const Problem& problem) { return problem.data_type == VKTC_DATA_TYPE_I8 ? 4 : 1; }

int64_t channel_steps(const Problem& problem) { return ceil_div(problem.group_in_channels(), step_channels(problem)); }

double step_cost(const Problem& problem, const DeviceCaps& caps) {
  return problem.data_type == VKTC_DATA_TYPE_I8 && !has_8bit_kernels(caps) ? 6.0 : 1.0;
}

uint32_t u32(int64_t value) { return static_cast<uint32_t>(value); }

int64_t round_up(int64_t value, int64_t multiple) { return ceil_div(value, multiple) * multiple; }

int64_t phase_positions(const Problem& problem, int64_t images) {
  int64_t count = images;
  for (const Axis& axis : problem.axes) count *= ceil_div(axis.output, axis.stride);
  return count;
}

int64_t phase_count(const Problem& problem) {
  int64_t count = 1;
  for (const Axis& axis : problem.axes) count *= std::min(axis.stride, axis.output);
  return count;
}

std::vector<uint32_t> common_constants(const Problem& problem) {
  std::vector<uint32_t> constants(POST_OP_CONSTANTS);
  for (size_t a = 0; a < 3; ++a) {
    const Axis& axis = problem.axes[a];
    const int64_t gcd = phase_gcd(axis);
    constants[GEOMETRY_KERNEL + a] = u32(axis.kernel);
    constants[GEOMETRY_TAP_STEP + a] = u32(axis.stride / gcd);
    constants[GEOMETRY_INPUT_STEP + a] = u32(axis.dilation / gcd);
    constants[GEOMETRY_GCD + a] = u32(gcd);
    constants[GEOMETRY_TAP_INVERSE + a] = u32(tap_inverse(axis));
  }
  constants[TENSOR_INPUT_CHANNELS_LAST] = problem.input_channels_last() ? 1 : 0;
  constants[TENSOR_OUTPUT_CHANNELS_LAST] = problem.output_channels_last() ? 1 : 0;
  static_assert(TYPE_F32 == VKTC_DATA_TYPE_F32 && TYPE_F16 == VKTC_DATA_TYPE_F16 && TYPE_BF16 == VKTC_DATA_TYPE_BF16 &&
                TYPE_I32 == VKTC_DATA_TYPE_I32 && TYPE_I8 == VKTC_DATA_TYPE_I8);
  constants[TENSOR_OUTPUT_TYPE] = static_cast<uint32_t>(problem.output_type);
  set_post_op_constants(problem, constants);
  return constants;
}

std::vector<uint32_t> problem_constants(const Problem& problem, uint32_t merged) {
  std::vector<uint32_t> constants = common_constants(problem);
  constants.resize(PROBLEM_CONSTANTS);
  constants[PROBLEM_HAS_BIAS] = problem.has_bias ? 1 : 0;
  for (size_t a = 0; a < 3; ++a) {
    constants[PROBLEM_INPUT_SIZE + a] = u32(problem.axes[a].input);
    constants[PROBLEM_OUTPUT_SIZE + a] = u32(problem.axes[a].output);
    constants[PROBLEM_PADDING_BEGIN + a] = u32(problem.axes[a].padding_begin);
  }
  constants[PROBLEM_IN_CHANNELS] = u32(problem.group_in_channels());
  constants[PROBLEM_OUT_CHANNELS] = u32(problem.group_out_channels());
  constants[PROBLEM_GROUPS] = u32(problem.groups);
  constants[PROBLEM_MERGED] = merged;
  const WidthPositions positions = width_positions(problem, merged > 0);
  constants[PROBLEM_FIRST_POSITION_W] = u32(positions.first);
  constants[PROBLEM_POSITIONS_W] = u32(positions.count);
  return constants;
}

bool make_blocked_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                       const Blocking& blocking,
                       const std::function<std::vector<Run>(const Slab& slab, const SlabWindows& windows)>& make_runs,
                       Plan& plan, VktcError& error) {
  if (!check_index_range(problem, error)) return false;
  std::vector<Slab> slabs;
  SlabLimits limits;
  const auto cut = [&](bool device_address) {
    plan.device_address = device_address;
    limits = make_limits(problem, caps, blocking, device_address);
    return check_post_op_buffers(problem, caps, device_address, blocking.buffers, error) &&
           cut_slabs(problem, limits, slabs, error);
  };
  const bool may_change = options.memory_access == VKTC_MEMORY_ACCESS_AUTO && caps.buffer_device_address;
  // NVIDIA's driver checks the bounds of descriptors in the shader (docs/performance-log.md); others have not been
  // measured.
  const bool quicker_addresses = caps.vendor_id == vendor_nvidia;
  const bool addresses =
      options.memory_access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS || (may_change && quicker_addresses);
  if (!cut(addresses) && !(may_change && cut(!addresses))) return false;

  const int64_t size = problem.bias_element_size();
  const auto window_bytes =
      static_cast<int64_t>(max_window_bytes(caps, plan.device_address, static_cast<uint64_t>(size)));
  if (problem.has_bias && problem.out_channels * size > window_bytes) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "bias",
                "the bias has %" PRId64 " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRId64
                " in one binding",
                problem.out_channels * size, window_bytes);
  }
  plan.packed_weights_bytes = 0;
  if (blocking.scaled && !add_scales(problem, caps, blocking.weights, plan, error)) return false;
  for (const Blocking* packing : {&blocking, blocking.also}) {
    if (packing && !add_packing(problem, caps, *packing, plan, error)) return false;
  }
  if (blocking.pack_more && !blocking.pack_more(plan, error)) return false;
  for (const Slab& slab : slabs) {
    const SlabWindows windows = slab_windows(problem, caps, blocking, slab);
    for (Run& run : make_runs(slab, windows)) {
      Dispatch& dispatch = run.dispatch;
      dispatch.name = name_slab(dispatch.shader, slab);
      if (dispatch.windows.empty()) {
        dispatch.windows = {windows.input.window, windows.packed.window, windows.bias.window, windows.output.window};
        append_post_op_windows(problem, caps, plan.device_address, windows.output.window, windows.packed.window,
                               dispatch.windows);
      }
      if (!make_grid(static_cast<uint64_t>(run.workgroups), caps, dispatch.group_count)) {
        return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outputSize",
                    "a slab needs %.0f workgroups, more than maxComputeWorkGroupCount allows", run.workgroups);
      }
      plan.run.push_back(std::move(dispatch));
    }
  }
  // Windows are widened to the alignment, so those of neighbouring dispatches may overlap.
  for (std::vector<Dispatch>* list : {&plan.pack, &plan.run}) {
    for (size_t i = 1; i < list->size(); ++i) (*list)[i].barrier_before = true;
  }
  return true;
}

bool make_blocked_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                       const Blocking& blocking,
                       const std::function<Dispatch(const SlabWindows& windows)>& make_dispatch, Plan& plan,
                       VktcError& error) {
  return make_blocked_plan(
      problem, caps, options, blocking,
      [&](const Slab& slab, const SlabWindows& windows) {
        return std::vector<Run>{{make_dispatch(windows), blocking.workgroups(slab)}};
      },
      plan, error);
}

}  // namespace vktconv

// conv_transpose: one problem of any size on host arrays, slab by slab.
#include <vktconv/vktconv_host.hpp>

#include <algorithm>
#include <cinttypes>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "../shape.h"
#include "plan_call.h"
#include "raise.h"
#include "slabs.h"
#include "window_copy.h"

namespace vktconv::host {
namespace {

// What the device allows, and the finer limits by which a problem is cut.
struct RunLimits {
  uint64_t buffer_bytes = 0;
  uint64_t memory_bytes = 0;
  SlabLimits cut;
};

// What must become smaller for the slabs to work on the device.
enum class Excess { tensor, weights, slab };

struct TooLarge {
  Excess excess;
  Error error;  // for the user, where nothing can become smaller
};

[[noreturn]] void raise_too_large(Excess excess, const char* parameter, uint64_t bytes, const std::string& limit_name,
                                  uint64_t limit) {
  try {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, parameter,
          "the problem needs %" PRIu64 " bytes of %s: over %s, which is %" PRIu64 " bytes", bytes, parameter,
          limit_name.c_str(), limit);
  } catch (const Error& error) {
    throw TooLarge{excess, error};
  }
}

bool is_out_of_memory(const Error& error) {
  const VkResult result = error.error().vkResult;
  return error.error().status == VKTC_ERROR_LIMIT_EXCEEDED || result == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
         result == VK_ERROR_OUT_OF_HOST_MEMORY;
}

struct SlabPlan {
  PlanHandle plan;
  VktcPlanRequirements requirements = {};
  BindingsHandle bindings;  // destroyed before the plan
};

// Slabs with all that they need on the device.
class Executor {
 public:
  // Throws TooLarge where the slabs do not fit after all.
  Executor(Device& device, std::vector<Slab> slabs, const RunLimits& limits, const VktcPlanOptions& options);

  void run(const Arrays& arrays, const std::function<void(uint64_t, uint64_t)>& progress);

 private:
  void create_plans(const VktcPlanOptions& options);
  void allocate_buffers(const RunLimits& limits);
  void upload(const Slab& slab, const SlabPlan& plan, const Arrays& arrays);
  VktcBuffers buffers() const;

  Device& device_;
  std::vector<Slab> slabs_;
  int64_t element_size_, bias_element_size_, output_element_size_;
  Buffer input_, weights_, packed_weights_, bias_, output_, workspace_, scale_, shift_, residual_;
  std::map<ProblemKey, SlabPlan> plans_;  // after the buffers, which their bindings name

  // What the buffers hold.
  std::optional<Window> input_held_, weights_held_, bias_held_, scale_held_, shift_held_, residual_held_;
  const SlabPlan* packed_for_ = nullptr;
};

Executor::Executor(Device& device, std::vector<Slab> slabs, const RunLimits& limits, const VktcPlanOptions& options)
    : device_(device),
      slabs_(std::move(slabs)),
      element_size_(vktcDataTypeSize(slabs_.front().desc.dataType)),
      bias_element_size_(vktcDataTypeSize(bias_data_type(slabs_.front().desc.dataType))),
      output_element_size_(vktcDataTypeSize(output_data_type(slabs_.front().desc))) {
  create_plans(options);
  allocate_buffers(limits);
  for (auto& [key, plan] : plans_) plan.bindings = create_bindings(plan.plan.get(), buffers());
}

void Executor::create_plans(const VktcPlanOptions& options) {
  for (const Slab& slab : slabs_) {
    const auto [entry, is_first] = plans_.try_emplace(problem_key(slab.desc));
    if (!is_first) continue;
    SlabPlan& plan = entry->second;
    try {
      plan.plan = create_plan(device_, slab.desc, options);
    } catch (const Error& error) {
      if (error.error().status == VKTC_ERROR_LIMIT_EXCEEDED) throw TooLarge{Excess::tensor, error};
      throw;
    }
    vktcGetPlanRequirements(plan.plan.get(), &plan.requirements);
  }
}

void Executor::allocate_buffers(const RunLimits& limits) {
  VktcPlanRequirements most = {};
  for (const auto& [key, plan] : plans_) {
    const VktcPlanRequirements& needs = plan.requirements;
    most.inputBytes = std::max(most.inputBytes, needs.inputBytes);
    most.weightsBytes = std::max(most.weightsBytes, needs.weightsBytes);
    most.biasBytes = std::max(most.biasBytes, needs.biasBytes);
    most.scaleBytes = std::max(most.scaleBytes, needs.scaleBytes);
    most.shiftBytes = std::max(most.shiftBytes, needs.shiftBytes);
    most.residualBytes = std::max(most.residualBytes, needs.residualBytes);
    most.outputBytes = std::max(most.outputBytes, needs.outputBytes);
    most.packedWeightsBytes = std::max(most.packedWeightsBytes, needs.packedWeightsBytes);
    most.workspaceBytes = std::max(most.workspaceBytes, needs.workspaceBytes);
  }
  if (most.packedWeightsBytes > limits.buffer_bytes) {
    raise_too_large(Excess::weights, "packedWeights", most.packedWeightsBytes, limits.cut.tensor_limit,
                    limits.buffer_bytes);
  }
  if (most.workspaceBytes > limits.buffer_bytes) {
    raise_too_large(Excess::tensor, "workspace", most.workspaceBytes, limits.cut.tensor_limit, limits.buffer_bytes);
  }
  const uint64_t together = most.inputBytes + most.weightsBytes + most.biasBytes + most.scaleBytes + most.shiftBytes +
                            most.residualBytes + most.outputBytes + most.packedWeightsBytes + most.workspaceBytes;
  if (together > limits.memory_bytes) {
    raise_too_large(Excess::slab, "device memory", together, limits.cut.slab_limit, limits.memory_bytes);
  }
  try {
    input_ = Buffer(device_, most.inputBytes);
    weights_ = Buffer(device_, most.weightsBytes);
    packed_weights_ = Buffer(device_, most.packedWeightsBytes);
    bias_ = Buffer(device_, most.biasBytes);
    output_ = Buffer(device_, most.outputBytes);
    workspace_ = Buffer(device_, most.workspaceBytes);
    scale_ = Buffer(device_, most.scaleBytes);
    shift_ = Buffer(device_, most.shiftBytes);
    residual_ = Buffer(device_, most.residualBytes);
  } catch (const Error& error) {
    // Devices fail well below the limits that they advertise.
    if (is_out_of_memory(error)) throw TooLarge{Excess::slab, error};
    throw;
  }
}

VktcBuffers Executor::buffers() const {
  VktcBuffers all{};
  all.input = input_.view();
  all.weights = weights_.view();
  all.packedWeights = packed_weights_.view();
  all.bias = bias_.view();
  all.output = output_.view();
  all.workspace = workspace_.view();
  all.scale = scale_.view();
  all.shift = shift_.view();
  all.residual = residual_.view();
  return all;
}

// Only what the buffers do not hold from the slab before.
void Executor::upload(const Slab& slab, const SlabPlan& plan, const Arrays& arrays) {
  const auto keep = [](Buffer& buffer, std::optional<Window>& held, const Window& window, int64_t element_size,
                       const void* array) {
    if (held == window) return false;
    held.reset();
    upload_window(buffer, window, element_size, array);
    held = window;
    return true;
  };
  if (keep(weights_, weights_held_, slab.weights, element_size_, arrays.weights)) packed_for_ = nullptr;
  if (packed_for_ != &plan) {
    packed_for_ = nullptr;
    submit_pack_weights(device_, plan.plan.get(), buffers());
    packed_for_ = &plan;
  }
  if (slab.desc.hasBias) keep(bias_, bias_held_, slab.bias, bias_element_size_, arrays.bias);
  if (plan.requirements.scaleBytes > 0) {
    keep(scale_, scale_held_, slab.bias, sizeof(float), arrays.scale);
    keep(shift_, shift_held_, slab.bias, sizeof(float), arrays.shift);
  }
  if (plan.requirements.residualBytes > 0) {
    keep(residual_, residual_held_, slab.output, output_element_size_, arrays.residual);
  }
  keep(input_, input_held_, slab.input, element_size_, arrays.input);
}

void Executor::run(const Arrays& arrays, const std::function<void(uint64_t, uint64_t)>& progress) {
  uint64_t done = 0, total = 0;
  for (const Slab& slab : slabs_) total += static_cast<uint64_t>(slab.output.elements() * output_element_size_);
  if (progress) progress(done, total);
  for (const Slab& slab : slabs_) {
    const SlabPlan& plan = plans_.at(problem_key(slab.desc));
    upload(slab, plan, arrays);
    // A submission for each slab, so that no work takes as long as a driver's patience.
    submit_conv_transpose(device_, plan.bindings.get());
    download_window(output_, slab.output, output_element_size_, arrays.output, [&](uint64_t bytes) {
      done += bytes;
      if (progress) progress(done, total);
    });
  }
}

RunLimits limits_of(const Device& device, const RunOptions& options) {
  RunLimits limits;
  limits.buffer_bytes = device.max_allocation_size();
  limits.cut.tensor_limit = "the largest buffer of the device";
  if (options.max_buffer_size != 0 && options.max_buffer_size < limits.buffer_bytes) {
    limits.buffer_bytes = options.max_buffer_size;
    limits.cut.tensor_limit = "RunOptions::max_buffer_size";
  }
  // Others use the device, too; where its memory is the host's, the host's arrays are in it already.
  const VkDeviceSize memory = device.device_local_memory();
  const VkPhysicalDeviceType type = device.summary().type;
  const bool is_unified = type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU || type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  limits.memory_bytes = is_unified ? memory / 2 : memory / 10 * 9;
  limits.cut.slab_limit = is_unified ? "half of the device's memory" : "nine tenths of the device's memory";
  if (options.max_device_memory != 0 && options.max_device_memory < limits.memory_bytes) {
    limits.memory_bytes = options.max_device_memory;
    limits.cut.slab_limit = "RunOptions::max_device_memory";
  }
  limits.cut.tensor_bytes = limits.buffer_bytes;
  limits.cut.slab_bytes = limits.memory_bytes;
  // A second or less on a device that is slow for its kind. Watchdogs bite after two; a CPU has none.
  if (type != VK_PHYSICAL_DEVICE_TYPE_CPU) limits.cut.products = is_unified ? 5e10 : 5e11;
  return limits;
}

// Limits under which the next slabs are smaller than these.
SlabLimits tightened(SlabLimits limits, Excess excess, const std::vector<Slab>& slabs, uint64_t binding_range) {
  uint64_t tensor = 0, weights = 0, together = 0;
  for (const Slab& slab : slabs) {
    const SlabBytes bytes = bytes_of(slab);
    tensor = std::max(tensor, bytes.largest());
    weights = std::max(weights, bytes.weights);
    together = std::max(together, bytes.together());
  }
  switch (excess) {
    case Excess::tensor:
      limits.tensor_bytes = tensor > binding_range ? binding_range : tensor / 2;
      break;
    case Excess::weights:
      limits.weights_bytes = weights / 2;
      break;
    case Excess::slab:
      limits.slab_bytes = together / 2;
      break;
  }
  return limits;
}

void check_arrays(const VktcConvTransposeDesc& desc, const Arrays& arrays) {
  const TensorSizes sizes = tensor_sizes(desc);
  check_array("input", arrays.input);
  check_array("weights", arrays.weights);
  if (sizes.bias_elements > 0) check_array("bias", arrays.bias);
  if (sizes.scale_elements > 0) check_array("scale", arrays.scale);
  if (sizes.scale_elements > 0) check_array("shift", arrays.shift);
  if (sizes.residual_elements > 0) check_array("residual", arrays.residual);
  check_array("output", arrays.output);
}

}  // namespace

void conv_transpose(Device& device, const VktcConvTransposeDesc& desc, const Arrays& arrays,
                    const RunOptions& options) {
  RunLimits limits = limits_of(device, options);
  std::optional<Error> refusal;  // of the first attempt, which tells the user most
  while (true) {
    std::vector<Slab> slabs;
    try {
      slabs = cut_slabs(desc, limits.cut);
    } catch (const Error&) {
      if (refusal) throw *refusal;
      throw;
    }
    check_arrays(desc, arrays);
    std::optional<Executor> executor;
    try {
      executor.emplace(device, slabs, limits, options.plan);
    } catch (const TooLarge& too_large) {
      if (!refusal) refusal = too_large.error;
      limits.cut = tightened(limits.cut, too_large.excess, slabs, device.properties().limits.maxStorageBufferRange);
      continue;
    }
    executor->run(arrays, options.progress);
    return;
  }
}

void conv_transpose(Device& device, const VktcConvTransposeDesc& desc, const void* input, const void* weights,
                    const void* bias, void* output, const RunOptions& options) {
  Arrays arrays;
  arrays.input = input;
  arrays.weights = weights;
  arrays.bias = bias;
  arrays.output = output;
  conv_transpose(device, desc, arrays, options);
}

}  // namespace vktconv::host

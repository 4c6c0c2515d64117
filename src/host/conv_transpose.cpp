// class ConvTranspose: one problem that stays on the device.
#include <vktconv/vktconv_host.hpp>

#include "plan_call.h"
#include "raise.h"

namespace vktconv::host {

struct ConvTranspose::Impl {
  Device& device;
  bool has_bias;
  TensorSizes sizes;
  PlanHandle plan;
  VktcPlanRequirements requirements = {};
  Buffer input, packed_weights, bias, output, workspace, scale, shift, residual;
  BindingsHandle bindings;  // of the convolution; after the plan and the buffers that they name
  bool has_weights = false, has_scale_shift = false;

  Impl(Device& on_device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options)
      : device(on_device),
        has_bias(desc.hasBias != VK_FALSE),
        sizes(tensor_sizes(desc)),
        plan(create_plan(on_device, desc, options)) {
    vktcGetPlanRequirements(plan.get(), &requirements);
    input = allocate(requirements.inputBytes);
    packed_weights = allocate(requirements.packedWeightsBytes);
    bias = allocate(requirements.biasBytes);
    output = allocate(requirements.outputBytes);
    workspace = allocate(requirements.workspaceBytes);
    scale = allocate(requirements.scaleBytes);
    shift = allocate(requirements.shiftBytes);
    residual = allocate(requirements.residualBytes);
    bindings = create_bindings(plan.get(), buffers());
  }

  Buffer allocate(VkDeviceSize bytes) const { return bytes == 0 ? Buffer() : Buffer(device, bytes); }

  VkDeviceSize bytes(int64_t elements) const { return static_cast<VkDeviceSize>(elements * sizes.element_size); }
  VkDeviceSize output_bytes() const {
    return static_cast<VkDeviceSize>(sizes.output_elements * sizes.output_element_size);
  }

  VktcBuffers buffers() const {
    VktcBuffers all{};
    all.input = input.view();
    all.packedWeights = packed_weights.view();
    all.bias = bias.view();
    all.output = output.view();
    all.workspace = workspace.view();
    all.scale = scale.view();
    all.shift = shift.view();
    all.residual = residual.view();
    return all;
  }
};

ConvTranspose::ConvTranspose(Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options)
    : impl_(std::make_unique<Impl>(device, desc, options)) {}
ConvTranspose::~ConvTranspose() = default;
ConvTranspose::ConvTranspose(ConvTranspose&&) noexcept = default;
ConvTranspose& ConvTranspose::operator=(ConvTranspose&&) noexcept = default;

VktcPlan ConvTranspose::plan() const { return impl_->plan.get(); }
const VktcPlanRequirements& ConvTranspose::requirements() const { return impl_->requirements; }
VktcBuffers ConvTranspose::buffers() const { return impl_->buffers(); }
Buffer& ConvTranspose::input() { return impl_->input; }
Buffer& ConvTranspose::output() { return impl_->output; }
Buffer& ConvTranspose::residual() { return impl_->residual; }

void ConvTranspose::set_weights(const void* weights, const void* bias) {
  check_array("weights", weights);
  if (impl_->has_bias) check_array("bias", bias);
  // Needed no longer than the packing takes.
  Buffer unpacked(impl_->device, impl_->requirements.weightsBytes);
  unpacked.upload(weights, impl_->bytes(impl_->sizes.weight_elements));
  VktcBuffers buffers = impl_->buffers();
  buffers.weights = unpacked.view();
  impl_->has_weights = false;
  submit_pack_weights(impl_->device, plan(), buffers);
  if (impl_->has_bias) {
    const TensorSizes& sizes = impl_->sizes;
    impl_->bias.upload(bias, static_cast<VkDeviceSize>(sizes.bias_elements * sizes.bias_element_size));
  }
  impl_->has_weights = true;
}

void ConvTranspose::set_scale_shift(const float* scale, const float* shift) {
  if (impl_->sizes.scale_elements == 0) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "scale", "the problem has no post-op scale_shift that scale would be for");
  }
  check_array("scale", scale);
  check_array("shift", shift);
  impl_->scale.upload(scale, impl_->requirements.scaleBytes);
  impl_->shift.upload(shift, impl_->requirements.shiftBytes);
  impl_->has_scale_shift = true;
}

void ConvTranspose::run(const void* input, void* output, const void* residual) {
  check_array("input", input);
  check_array("output", output);
  const bool has_residual = impl_->sizes.residual_elements > 0;
  if (has_residual) check_array("residual", residual);
  if (!impl_->has_weights) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "weights", "the weights are not set: set_weights() comes before run()");
  }
  if (impl_->sizes.scale_elements > 0 && !impl_->has_scale_shift) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "scale", "scale and shift are not set: set_scale_shift() comes before run()");
  }
  if (has_residual) impl_->residual.upload(residual, impl_->output_bytes());
  impl_->input.upload(input, impl_->bytes(impl_->sizes.input_elements));
  submit_conv_transpose(impl_->device, impl_->bindings.get());
  impl_->output.download(output, impl_->output_bytes());
}

}  // namespace vktconv::host

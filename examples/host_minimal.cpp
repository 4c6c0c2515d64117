// The host layer: no Vulkan code at all. Doubles the height and width of 8 images of 16 channels, 32 x 32 each.
#include <vktconv/vktconv_host.hpp>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <vector>

int main() try {
  vktconv::host::Device device;  // the best one; VKTCONV_DEVICE=1 or VKTCONV_DEVICE=name chooses another

  VktcConvTransposeDesc desc = vktcDefaultDesc(2);
  desc.batch = 8;
  desc.inChannels = 16;
  desc.outChannels = 4;
  for (int axis = 0; axis < 2; ++axis) {
    desc.inputSize[axis] = 32;
    desc.kernelSize[axis] = 4;
    desc.stride[axis] = 2;
    desc.paddingBegin[axis] = desc.paddingEnd[axis] = 1;
  }
  const vktconv::host::TensorSizes sizes = vktconv::host::tensor_sizes(desc);
  const std::vector<float> input(static_cast<size_t>(sizes.input_elements), 1.0f);
  const std::vector<float> weights(static_cast<size_t>(sizes.weight_elements), 0.5f);
  std::vector<float> output(static_cast<size_t>(sizes.output_elements));

  vktconv::host::conv_transpose(device, desc, input.data(), weights.data(), nullptr, output.data());

  // Inside, 2 x 2 taps of each of 16 channels reach an output.
  const float inside = output[5 * 64 + 5];
  std::printf("%s: 8 x 16 x 32 x 32 -> 8 x 4 x %lld x %lld, inside: %g\n", device.summary().name.c_str(),
              static_cast<long long>(sizes.output_size[0]), static_cast<long long>(sizes.output_size[1]),
              static_cast<double>(inside));
  return inside == 32.0f ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

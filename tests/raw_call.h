// One problem on a RawDevice: its buffers, and its result by each of the ways to record a plan.
#pragma once

#include "raw_device.h"
#include "tensors.h"

namespace vktconv::tests {

// Filled with the tensors; output, packed weights and workspace with poison (0xff: NaN, or -1).
class RawCall {
 public:
  RawCall(const RawDevice& device, const vktc::Plan& plan, const Tensors& tensors);

  VktcBuffers buffers() const;
  std::vector<std::byte> output() const;  // the elements, without the rounding up of their size

  // Packs and runs in one submission, with the barriers that the header asks of the application.
  void run() const;
  void run_bound() const;

 private:
  void submit(const std::function<void(VkCommandBuffer)>& pack, const std::function<void(VkCommandBuffer)>& run) const;

  const RawDevice& device_;
  const vktc::Plan& plan_;
  size_t output_bytes_;
  RawBuffer input_, weights_, packed_weights_, bias_, output_, workspace_, scale_, shift_, residual_;
};

// Makes what shaders wrote so far visible to later shaders and to the host.
void record_barrier(const RawDevice& device, VkCommandBuffer commands);

// True where every element is within the reference's bound; false also says which in doctest's output.
bool agrees(const Tensors& tensors, const std::vector<std::byte>& output);

}  // namespace vktconv::tests

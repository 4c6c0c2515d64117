// What a slab takes in buffers, and what tells its problem from others.
#include <algorithm>
#include <cstring>

#include "../post_ops.h"
#include "../shape.h"
#include "slabs.h"

namespace vktconv::host {
namespace {

// The library reads and writes elements of less than 32 bits in words of 32 bits.
uint64_t in_words(int64_t elements, uint32_t element_size) {
  return (static_cast<uint64_t>(elements) * element_size + 3) / 4 * 4;
}

bool has_post_op(const VktcConvTransposeDesc& desc, VktcPostOpKind kind) {
  const std::span<const VktcPostOp> chain = post_ops_of(desc);
  return std::any_of(chain.begin(), chain.end(), [kind](const VktcPostOp& op) { return op.kind == kind; });
}

int64_t bits_of(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

uint64_t tensor_bytes(const VktcConvTransposeDesc& desc, int64_t elements) {
  return in_words(elements, vktcDataTypeSize(desc.dataType));
}

uint64_t output_bytes(const VktcConvTransposeDesc& desc, int64_t elements) {
  return in_words(elements, vktcDataTypeSize(output_data_type(desc)));
}

SlabBytes slab_bytes(const VktcConvTransposeDesc& desc, int64_t input_elements, int64_t weight_elements,
                     int64_t out_channels, int64_t output_elements) {
  SlabBytes bytes;
  bytes.input = tensor_bytes(desc, input_elements);
  bytes.weights = tensor_bytes(desc, weight_elements);
  bytes.output = output_bytes(desc, output_elements);
  if (desc.hasBias) bytes.bias = in_words(out_channels, vktcDataTypeSize(bias_data_type(desc.dataType)));
  if (has_post_op(desc, VKTC_POST_OP_RESIDUAL)) bytes.residual = bytes.output;
  if (has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT)) bytes.scale = in_words(out_channels, sizeof(float));
  return bytes;
}

SlabBytes bytes_of(const Slab& slab) {
  return slab_bytes(slab.desc, slab.input.elements(), slab.weights.elements(), slab.bias.elements(),
                    slab.output.elements());
}

uint64_t SlabBytes::largest() const { return std::max({input, weights, bias, output, residual, scale}); }

uint64_t SlabBytes::together() const {
  uint64_t sum = 0;
  for (const uint64_t bytes : {input, weights, weights, bias, output, residual, scale, scale}) {
    sum = bytes > UINT64_MAX - sum ? UINT64_MAX : sum + bytes;
  }
  return sum;
}

ProblemKey problem_key(const VktcConvTransposeDesc& desc) {
  ProblemKey key = {};
  size_t next = 0;
  const auto add = [&](int64_t value) { key[next++] = value; };
  for (const int64_t value :
       {int64_t{desc.spatialRank}, int64_t{desc.dataType}, desc.batch, desc.inChannels, desc.outChannels, desc.groups,
        int64_t{desc.hasBias != VK_FALSE}, int64_t{desc.inputLayout}, int64_t{desc.outputLayout},
        int64_t{output_data_type(desc)}, int64_t{desc.postOpCount}}) {
    add(value);
  }
  for (uint32_t i = 0; i < desc.spatialRank; ++i) {
    for (const int64_t value : {desc.inputSize[i], desc.kernelSize[i], desc.stride[i], desc.paddingBegin[i],
                                desc.paddingEnd[i], desc.outputPadding[i], desc.dilation[i]}) {
      add(value);
    }
  }
  for (const VktcPostOp& op : post_ops_of(desc)) {
    const int parameters = post_op_parameters(op.kind);
    add(op.kind);
    add(parameters > 0 ? bits_of(op.alpha) : 0);
    add(parameters > 1 ? bits_of(op.beta) : 0);
  }
  return key;
}

}  // namespace vktconv::host

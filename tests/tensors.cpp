#include "tensors.h"

#include <support/post_ops_text.h>

#include <iterator>

namespace vktconv::tests {

VktcConvTransposeDesc with_type(VktcConvTransposeDesc desc, VktcDataType type) {
  desc.dataType = type;
  return desc;
}

VktcConvTransposeDesc in_turn(VktcConvTransposeDesc desc, uint64_t turn) {
  if (turn % 2 == 0) return desc;
  constexpr VktcLayout first = VKTC_LAYOUT_CHANNELS_FIRST, last = VKTC_LAYOUT_CHANNELS_LAST;
  constexpr struct {
    VktcLayout input, output;
    bool to_f32;
  } variations[] = {
      {last, last, false}, {first, first, true}, {last, first, false}, {last, last, true}, {first, last, false}};
  const auto& variation = variations[turn / 2 % std::size(variations)];
  desc.inputLayout = variation.input;
  desc.outputLayout = variation.output;
  const bool is_16_bit = desc.dataType == VKTC_DATA_TYPE_F16 || desc.dataType == VKTC_DATA_TYPE_BF16;
  if (variation.to_f32 && is_16_bit) desc.outputType = VKTC_OUTPUT_TYPE_F32;
  constexpr VktcOutputType of_i8[] = {VKTC_OUTPUT_TYPE_I8, VKTC_OUTPUT_TYPE_F32, VKTC_OUTPUT_TYPE_I8,
                                      VKTC_OUTPUT_TYPE_F16, VKTC_OUTPUT_TYPE_I32};
  if (desc.dataType == VKTC_DATA_TYPE_I8) desc.outputType = of_i8[turn / 2 % std::size(of_i8)];
  constexpr const char* chains[] = {
      nullptr,
      "relu",
      "scale_shift,leaky_relu:0.25",
      "residual,clamp:-6:6.5",
      "linear:0.5:1,silu",
      nullptr,
      "residual,scale_shift,gelu_erf",
      "linear:0.5:0,relu,residual,scale_shift,leaky_relu:0.5,clamp:-100:100,linear:2:1,mish",
  };
  const char* chain = chains[turn / 2 % std::size(chains)];
  if (chain != nullptr && reference::output_type(desc) != VKTC_DATA_TYPE_I32) {
    support::set_post_ops(support::parse_post_ops(chain), desc);
  }
  return desc;
}

size_t element_size(VktcDataType type) {
  return type == VKTC_DATA_TYPE_I8 ? 1 : type == VKTC_DATA_TYPE_F16 || type == VKTC_DATA_TYPE_BF16 ? 2 : 4;
}

int64_t input_elements(const VktcConvTransposeDesc& desc) {
  int64_t elements = desc.batch * desc.inChannels;
  for (uint32_t i = 0; i < desc.spatialRank; ++i) elements *= desc.inputSize[i];
  return elements;
}

int64_t weight_elements(const VktcConvTransposeDesc& desc) {
  int64_t elements = desc.inChannels * (desc.outChannels / desc.groups);
  for (uint32_t i = 0; i < desc.spatialRank; ++i) elements *= desc.kernelSize[i];
  return elements;
}

int64_t output_elements(const VktcConvTransposeDesc& desc) {
  int64_t elements = desc.batch * desc.outChannels;
  for (const int64_t size : reference::output_size(desc)) elements *= size;
  return elements;
}

size_t output_bytes(const VktcConvTransposeDesc& desc) {
  return static_cast<size_t>(output_elements(desc)) * element_size(reference::output_type(desc));
}

bool is_right(const VktcConvTransposeDesc& desc, reference::Fill fill, const reference::Value& expected,
              const void* output, int64_t index) {
  const bool exact = reference::output_type(desc) == VKTC_DATA_TYPE_I32 ||
                     (fill == reference::Fill::exact && reference::has_exact_chain(desc));
  return exact ? reference::equals(desc, expected, output, index) : reference::matches(desc, expected, output, index);
}

Tensors::Tensors(const VktcConvTransposeDesc& problem, reference::Fill kind, uint64_t seed)
    : desc(problem), output_elements(tests::output_elements(problem)) {
  const auto make = [&](std::vector<std::byte>& bytes, VktcDataType type, int64_t elements, uint64_t stream) {
    bytes.resize(static_cast<size_t>(elements) * element_size(type));
    reference::fill(type, kind, seed * 3 + stream, bytes.data(), elements);
  };
  make(input, desc.dataType, input_elements(desc), 0);
  make(weights, desc.dataType, weight_elements(desc), 1);
  if (desc.hasBias) make(bias, reference::bias_type(desc), desc.outChannels, 2);
  constexpr uint64_t of_post_ops = 0x706f;
  if (reference::has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT)) {
    for (std::vector<float>* vector : {&scale, &shift}) {
      vector->resize(static_cast<size_t>(desc.outChannels));
      reference::fill(VKTC_DATA_TYPE_F32, kind, seed * 3 + of_post_ops + (vector == &shift), vector->data(),
                      desc.outChannels);
    }
  }
  if (reference::has_post_op(desc, VKTC_POST_OP_RESIDUAL)) {
    residual.resize(output_bytes(desc));
    reference::fill(reference::output_type(desc), kind, seed * 3 + of_post_ops + 2, residual.data(), output_elements);
  }
}

reference::Arrays Tensors::arrays() const {
  return {input.data(), weights.data(), bias.data(), scale.data(), shift.data(), residual.data()};
}

host::Arrays Tensors::host_arrays(void* output) const {
  return {input.data(), weights.data(), bias.data(), output, scale.data(), shift.data(), residual.data()};
}

std::vector<reference::Value> Tensors::expected() const {
  // One by one where there are few outputs, which may have very many products.
  if (output_elements <= 16) {
    std::vector<reference::Value> values;
    for (int64_t i = 0; i < output_elements; ++i) {
      values.push_back(reference::conv_transpose_at(desc, arrays(), i));
    }
    return values;
  }
  return reference::conv_transpose(desc, arrays());
}

}  // namespace vktconv::tests

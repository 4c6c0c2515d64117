// A second opinion on the reference: oneDNN's deconvolution, where it is installed. Exact on small integers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <dnnl.hpp>

#include "cases.h"
#include "random_problem.h"
#include "tensors.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("onednn");

namespace {

using Dims = dnnl::memory::dims;

Dims dense_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// Of images, channels and spatial axes.
Dims layout_strides(const Dims& dims, VktcLayout layout) {
  if (layout == VKTC_LAYOUT_CHANNELS_FIRST) return dense_strides(dims);
  Dims in_memory = dims;
  std::rotate(in_memory.begin() + 1, in_memory.begin() + 2, in_memory.end());
  Dims strides = dense_strides(in_memory);
  std::rotate(strides.begin() + 1, strides.end() - 1, strides.end());
  return strides;
}

dnnl::memory::desc f32_desc(const Dims& dims, const Dims& strides) {
  return {dims, dnnl::memory::data_type::f32, strides};
}

dnnl::deconvolution_forward::primitive_desc describe(const VktcConvTransposeDesc& desc, const dnnl::engine& engine,
                                                     const dnnl::memory::desc& input, const dnnl::memory::desc& weights,
                                                     const dnnl::memory::desc& bias, const dnnl::memory::desc& output) {
  Dims strides, dilations, begin, end;
  for (uint32_t i = 0; i < desc.spatialRank; ++i) {
    strides.push_back(desc.stride[i]);
    dilations.push_back(desc.dilation[i] - 1);  // 0: neighbouring taps
    begin.push_back(desc.paddingBegin[i]);
    end.push_back(desc.paddingEnd[i] - desc.outputPadding[i]);
  }
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto direct = dnnl::algorithm::deconvolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, direct, input, weights, bias, output, strides, dilations, begin, end};
#else
  return {{kind, direct, input, weights, bias, output, strides, dilations, begin, end}, engine};
#endif
}

// Nothing where oneDNN does not implement the problem.
std::optional<std::vector<float>> by_onednn(const VktcConvTransposeDesc& desc, Tensors& tensors) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const int64_t group_in = desc.inChannels / desc.groups, group_out = desc.outChannels / desc.groups;
  Dims input = {desc.batch, desc.inChannels}, output = {desc.batch, desc.outChannels};
  Dims weights = {desc.groups, group_out, group_in};         // oneDNN's order: out-channels before in-channels
  Dims stored_weights = {desc.groups, group_in, group_out};  // ours
  const std::vector<int64_t> output_size = reference::output_size(desc);
  for (uint32_t i = 0; i < desc.spatialRank; ++i) {
    input.push_back(desc.inputSize[i]);
    output.push_back(output_size[i]);
    weights.push_back(desc.kernelSize[i]);
    stored_weights.push_back(desc.kernelSize[i]);
  }
  Dims weight_strides = dense_strides(stored_weights);
  std::swap(weight_strides[1], weight_strides[2]);

  const auto input_desc = f32_desc(input, layout_strides(input, desc.inputLayout));
  const auto output_desc = f32_desc(output, layout_strides(output, desc.outputLayout));
  const auto bias_desc = desc.hasBias ? f32_desc({desc.outChannels}, {1}) : dnnl::memory::desc();
  const auto any_weights = dnnl::memory::desc(weights, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
  std::optional<dnnl::deconvolution_forward::primitive_desc> primitive;
  try {
    primitive = describe(desc, engine, input_desc, any_weights, bias_desc, output_desc);
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
    return std::nullopt;
  }
  std::vector<float> result(static_cast<size_t>(tensors.output_elements), std::nanf(""));
  dnnl::memory plain_weights(f32_desc(weights, weight_strides), engine, tensors.weights.data());
  dnnl::memory reordered_weights(primitive->weights_desc(), engine);
  dnnl::reorder(plain_weights, reordered_weights).execute(stream, plain_weights, reordered_weights);
  std::unordered_map<int, dnnl::memory> arguments = {
      {DNNL_ARG_SRC, dnnl::memory(input_desc, engine, tensors.input.data())},
      {DNNL_ARG_WEIGHTS, reordered_weights},
      {DNNL_ARG_DST, dnnl::memory(output_desc, engine, result.data())}};
  if (desc.hasBias) arguments.insert({DNNL_ARG_BIAS, dnnl::memory(bias_desc, engine, tensors.bias.data())});
  dnnl::deconvolution_forward(*primitive).execute(stream, arguments);
  stream.wait();
  return result;
}

// 1: agrees, 0: not implemented there; fails the test where the two disagree.
int compare(const VktcConvTransposeDesc& problem) {
  VktcConvTransposeDesc plain = with_type(problem, VKTC_DATA_TYPE_F32);
  plain.postOpCount = 0;
  Tensors tensors(plain, reference::Fill::exact, 5);
  const auto theirs = by_onednn(tensors.desc, tensors);
  if (!theirs) return 0;
  const std::vector<reference::Value> ours = tensors.expected();
  size_t wrong = 0;
  for (size_t i = 0; i < ours.size(); ++i) wrong += !(static_cast<double>((*theirs)[i]) == ours[i].value);
  REQUIRE(wrong == 0);
  return 1;
}

}  // namespace

TEST_CASE("oneDNN agrees on every case that it implements") {
  int agreed = 0;
  uint64_t turn = 0;
  for (const Case& each : cases()) {
    INFO(each.name);
    agreed += compare(in_turn(each.desc, turn++));
  }
  MESSAGE(agreed << " of " << cases().size() << " cases");
  CHECK(agreed * 10 > static_cast<int>(cases().size()) * 8);
}

TEST_CASE("oneDNN agrees on random problems") {
  int agreed = 0;
  for (uint64_t i = 0; i < 600; ++i) {
    INFO(i);
    agreed += compare(random_problem(i));
  }
  MESSAGE(agreed << " of 600 problems");
  CHECK(agreed > 200);
}

TEST_SUITE_END();

#include "reference.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <thread>

#include "half_bits.h"

namespace vktconv::reference {

namespace {

constexpr double fp32_unit_roundoff = 0x1p-24;

struct Axis {
  int64_t input = 1, kernel = 1, stride = 1, padding_begin = 0, dilation = 1, output = 1;

  // Where input position i lands through tap k; may be outside [0, output).
  int64_t land(int64_t i, int64_t k) const { return i * stride - padding_begin + k * dilation; }
};

// Where an element of the input or output is in memory.
struct Place {
  int64_t image = 0, channel = 0, pixel = 0;
};

// The problem with its missing outer axes set to size 1.
struct Geometry {
  int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  std::array<Axis, 3> axes;  // depth, height, width
  bool input_channels_last = false, output_channels_last = false;

  explicit Geometry(const VktcConvTransposeDesc& desc)
      : batch(desc.batch),
        in_channels(desc.inChannels),
        out_channels(desc.outChannels),
        groups(desc.groups),
        input_channels_last(desc.inputLayout == VKTC_LAYOUT_CHANNELS_LAST),
        output_channels_last(desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST) {
    for (uint32_t i = 0; i < desc.spatialRank; ++i) {
      Axis& axis = axes[3 - desc.spatialRank + i];
      axis.input = desc.inputSize[i];
      axis.kernel = desc.kernelSize[i];
      axis.stride = desc.stride[i];
      axis.padding_begin = desc.paddingBegin[i];
      axis.dilation = desc.dilation[i];
      axis.output = (axis.input - 1) * axis.stride - desc.paddingBegin[i] - desc.paddingEnd[i] +
                    axis.dilation * (axis.kernel - 1) + desc.outputPadding[i] + 1;
    }
  }

  int64_t input_plane() const { return axes[0].input * axes[1].input * axes[2].input; }
  int64_t output_plane() const { return axes[0].output * axes[1].output * axes[2].output; }
  int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  int64_t group_in_channels() const { return in_channels / groups; }
  int64_t group_out_channels() const { return out_channels / groups; }

  int64_t input_index(const Place& at) const {
    return input_channels_last ? (at.image * input_plane() + at.pixel) * in_channels + at.channel
                               : (at.image * in_channels + at.channel) * input_plane() + at.pixel;
  }
  int64_t output_index(const Place& at) const {
    return output_channels_last ? (at.image * output_plane() + at.pixel) * out_channels + at.channel
                                : (at.image * out_channels + at.channel) * output_plane() + at.pixel;
  }
  Place output_place(int64_t index) const {
    const int64_t plane = output_plane();
    if (output_channels_last) {
      return {index / (plane * out_channels), index % out_channels, index / out_channels % plane};
    }
    return {index / (plane * out_channels), index / plane % out_channels, index % plane};
  }
};

// Element types: how they are stored and read as a number.
struct F32 {
  using Stored = float;
  static double read(float x) { return static_cast<double>(x); }
};
struct F16 {
  using Stored = uint16_t;
  static double read(uint16_t x) { return half_bits::f16_to_double(x); }
};
struct BF16 {
  using Stored = uint16_t;
  static double read(uint16_t x) { return half_bits::bf16_to_double(x); }
};
// Already read, whatever it was stored as.
struct Number {
  using Stored = double;
  static double read(double x) { return x; }
};
struct I32 {
  using Stored = int32_t;
  static double read(int32_t x) { return static_cast<double>(x); }
};
struct I8 {
  using Stored = int8_t;
  static double read(int8_t x) { return static_cast<double>(x); }
};

// How the bias is stored: as the other tensors, but for int8.
template <typename Type>
struct BiasOf {
  using Stored = typename Type::Stored;
};
template <>
struct BiasOf<I8> {
  using Stored = int32_t;
};

// The running sum of one output.
template <typename Type>
struct Sum {
  Value total;

  void add_bias(typename Type::Stored bias) {
    total.value += Type::read(bias);
    total.magnitude += std::abs(Type::read(bias));
  }
  void add_product(typename Type::Stored x, typename Type::Stored w) {
    const double product = Type::read(x) * Type::read(w);
    total.value += product;
    total.magnitude += std::abs(product);
    ++total.terms;
  }
  Value value() const { return total; }
};

// Integers wrap, so the sum is kept modulo 2^32.
struct IntegerSum {
  uint32_t wrapped = 0;
  int64_t terms = 0;

  void add_bias(int32_t bias) { wrapped += static_cast<uint32_t>(bias); }
  void add_product(int32_t x, int32_t w) {
    wrapped += static_cast<uint32_t>(x) * static_cast<uint32_t>(w);
    ++terms;
  }
  Value value() const { return {static_cast<double>(static_cast<int32_t>(wrapped)), 0, terms}; }
};
template <>
struct Sum<I32> : IntegerSum {};
template <>
struct Sum<I8> : IntegerSum {};

// All contributions to one plane of the output, that of one batch element and one output channel.
template <typename Type>
void scatter_plane(const Geometry& g, const typename Type::Stored* input, const typename Type::Stored* weights,
                   const typename BiasOf<Type>::Stored* bias, int64_t batch, int64_t out_channel,
                   std::vector<Value>& output) {
  std::vector<Sum<Type>> plane(static_cast<size_t>(g.output_plane()));
  if (bias) {
    for (Sum<Type>& sum : plane) sum.add_bias(bias[out_channel]);
  }
  const auto& [depth, height, width] = g.axes;
  const int64_t group = out_channel / g.group_out_channels();
  const int64_t channel_in_group = out_channel % g.group_out_channels();
  for (int64_t c = group * g.group_in_channels(); c < (group + 1) * g.group_in_channels(); ++c) {
    const auto x = [&](int64_t pixel) { return input[g.input_index({batch, c, pixel})]; };
    const auto* w = weights + (c * g.group_out_channels() + channel_in_group) * g.taps();
    for (int64_t id = 0; id < depth.input; ++id) {
      for (int64_t kd = 0; kd < depth.kernel; ++kd) {
        const int64_t od = depth.land(id, kd);
        if (od < 0 || od >= depth.output) continue;
        for (int64_t ih = 0; ih < height.input; ++ih) {
          for (int64_t kh = 0; kh < height.kernel; ++kh) {
            const int64_t oh = height.land(ih, kh);
            if (oh < 0 || oh >= height.output) continue;
            for (int64_t iw = 0; iw < width.input; ++iw) {
              for (int64_t kw = 0; kw < width.kernel; ++kw) {
                const int64_t ow = width.land(iw, kw);
                if (ow < 0 || ow >= width.output) continue;
                plane[static_cast<size_t>((od * height.output + oh) * width.output + ow)].add_product(
                    x((id * height.input + ih) * width.input + iw), w[(kd * height.kernel + kh) * width.kernel + kw]);
              }
            }
          }
        }
      }
    }
  }
  for (size_t pixel = 0; pixel < plane.size(); ++pixel) {
    const int64_t index = g.output_index({batch, out_channel, static_cast<int64_t>(pixel)});
    output[static_cast<size_t>(index)] = plane[pixel].value();
  }
}

template <typename Type>
std::vector<Value> scatter(const Geometry& g, const void* input, const void* weights, const void* bias,
                           unsigned threads) {
  using Stored = typename Type::Stored;
  const int64_t planes = g.batch * g.out_channels;
  std::vector<Value> output(static_cast<size_t>(planes * g.output_plane()));
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    for (int64_t plane = next++; plane < planes; plane = next++) {
      scatter_plane<Type>(g, static_cast<const Stored*>(input), static_cast<const Stored*>(weights),
                          static_cast<const typename BiasOf<Type>::Stored*>(bias), plane / g.out_channels,
                          plane % g.out_channels, output);
    }
  };
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  // Below this much work a thread costs more than it saves.
  constexpr int64_t products_per_thread = 1 << 18;
  const int64_t products = planes * g.group_in_channels() * g.input_plane() * g.taps();
  const auto useful = static_cast<unsigned>(
      std::clamp<int64_t>(std::min(products / products_per_thread, planes), 1, static_cast<int64_t>(threads)));
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < useful; ++i) helpers.emplace_back(work);
  work();
  return output;
}

// The (input position, tap) pairs of one axis that land on output position o.
struct Source {
  int64_t input, tap;
};

std::vector<Source> sources(const Axis& axis, int64_t o) {
  std::vector<Source> found;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    const int64_t distance = o + axis.padding_begin - k * axis.dilation;
    if (distance < 0 || distance % axis.stride != 0) continue;
    if (distance / axis.stride < axis.input) found.push_back({distance / axis.stride, k});
  }
  return found;
}

// One output; x, w and bias give the element at an index as it is stored.
template <typename Type, typename Input, typename Weights, typename Bias>
Value gather_one(const Geometry& g, bool has_bias, const Input& x, const Weights& w, const Bias& bias,
                 int64_t output_index) {
  const auto& [depth, height, width] = g.axes;
  const Place place = g.output_place(output_index);
  const int64_t out_channel = place.channel;
  const int64_t ow = place.pixel % width.output;
  const int64_t oh = place.pixel / width.output % height.output;
  const int64_t od = place.pixel / (width.output * height.output);
  const int64_t group = out_channel / g.group_out_channels();
  const std::vector<Source> from_depth = sources(depth, od);
  const std::vector<Source> from_height = sources(height, oh);
  const std::vector<Source> from_width = sources(width, ow);
  Sum<Type> sum;
  if (has_bias) sum.add_bias(bias(out_channel));
  for (int64_t c = group * g.group_in_channels(); c < (group + 1) * g.group_in_channels(); ++c) {
    const int64_t w_plane = (c * g.group_out_channels() + out_channel % g.group_out_channels()) * g.taps();
    for (const Source& d : from_depth) {
      for (const Source& h : from_height) {
        for (const Source& i : from_width) {
          const int64_t pixel = (d.input * height.input + h.input) * width.input + i.input;
          sum.add_product(x(g.input_index({place.image, c, pixel})),
                          w(w_plane + (d.tap * height.kernel + h.tap) * width.kernel + i.tap));
        }
      }
    }
  }
  return sum.value();
}

double read_element(VktcDataType type, const void* data, int64_t index) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return F32::read(static_cast<const float*>(data)[index]);
    case VKTC_DATA_TYPE_F16:
      return F16::read(static_cast<const uint16_t*>(data)[index]);
    case VKTC_DATA_TYPE_BF16:
      return BF16::read(static_cast<const uint16_t*>(data)[index]);
    case VKTC_DATA_TYPE_I32:
      return I32::read(static_cast<const int32_t*>(data)[index]);
    case VKTC_DATA_TYPE_I8:
      return I8::read(static_cast<const int8_t*>(data)[index]);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double saturate_i8(double value) { return std::isnan(value) ? 0 : std::clamp(value, -128.0, 127.0); }

void write_element(VktcDataType type, void* data, int64_t index, double value) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      static_cast<float*>(data)[index] = static_cast<float>(value);
      return;
    case VKTC_DATA_TYPE_F16:
      static_cast<uint16_t*>(data)[index] = half_bits::double_to_f16(value);
      return;
    case VKTC_DATA_TYPE_BF16:
      static_cast<uint16_t*>(data)[index] = half_bits::double_to_bf16(value);
      return;
    case VKTC_DATA_TYPE_I32:
      static_cast<int32_t*>(data)[index] = static_cast<int32_t>(value);
      return;
    case VKTC_DATA_TYPE_I8:  // in the default mode, nearbyint rounds ties to even
      static_cast<int8_t*>(data)[index] = static_cast<int8_t>(std::nearbyint(saturate_i8(value)));
      return;
  }
}

Sources sources_of(const VktcConvTransposeDesc& desc, const Arrays& arrays) {
  auto source = [](VktcDataType type, const void* data) -> ElementSource {
    return [type, data](int64_t i) { return read_element(type, data, i); };
  };
  return {source(desc.dataType, arrays.input),      source(desc.dataType, arrays.weights),
          source(bias_type(desc), arrays.bias),     source(VKTC_DATA_TYPE_F32, arrays.scale),
          source(VKTC_DATA_TYPE_F32, arrays.shift), source(output_type(desc), arrays.residual)};
}

std::vector<Value> scatter(const VktcConvTransposeDesc& desc, const Geometry& g, const Arrays& arrays,
                           unsigned threads) {
  const void* bias = desc.hasBias ? arrays.bias : nullptr;
  switch (desc.dataType) {
    case VKTC_DATA_TYPE_F32:
      return scatter<F32>(g, arrays.input, arrays.weights, bias, threads);
    case VKTC_DATA_TYPE_F16:
      return scatter<F16>(g, arrays.input, arrays.weights, bias, threads);
    case VKTC_DATA_TYPE_BF16:
      return scatter<BF16>(g, arrays.input, arrays.weights, bias, threads);
    case VKTC_DATA_TYPE_I32:
      return scatter<I32>(g, arrays.input, arrays.weights, bias, threads);
    case VKTC_DATA_TYPE_I8:
      return scatter<I8>(g, arrays.input, arrays.weights, bias, threads);
  }
  return {};
}

// What an fp32 sum may be off by; or, of integers, an fp32 number made of the sum: it may be either neighbour.
double sum_error(const VktcConvTransposeDesc& desc, const Value& sum) {
  if (desc.dataType == VKTC_DATA_TYPE_I8) {
    return std::abs(sum.value) > 0x1p24 ? 2 * fp32_unit_roundoff * std::abs(sum.value) : 0;
  }
  return static_cast<double>(sum.terms + 2) * fp32_unit_roundoff * sum.magnitude;
}

// Whether something comes between the sum and the store: post-ops, or another type than the sum's.
bool has_chain(const VktcConvTransposeDesc& desc) {
  return desc.postOpCount > 0 || (desc.dataType == VKTC_DATA_TYPE_I8 && output_type(desc) != VKTC_DATA_TYPE_I32);
}

void apply_chain(const VktcConvTransposeDesc& desc, const Geometry& g, const Sources& sources, int64_t output_index,
                 Value& value) {
  const int64_t channel = g.output_place(output_index).channel;
  const bool scaled = has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT);
  const Approximate result =
      apply_post_ops(desc, {value.value, sum_error(desc, value)}, scaled ? sources.scale(channel) : 1,
                     scaled ? sources.shift(channel) : 0,
                     has_post_op(desc, VKTC_POST_OP_RESIDUAL) ? sources.residual(output_index) : 0);
  value.value = result.value;
  value.error = result.error;
  // Cut off here, so that what is far outside of the type is held to its ends.
  if (output_type(desc) == VKTC_DATA_TYPE_I8) {
    value.value = saturate_i8(result.value);
    value.error = std::max(saturate_i8(result.value + result.error) - value.value,
                           value.value - saturate_i8(result.value - result.error));
  }
}

// A number that depends on seed and index alone, so that data can be made in any order (splitmix64).
uint64_t noise(uint64_t seed, uint64_t index) {
  uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

VktcDataType output_type(const VktcConvTransposeDesc& desc) {
  switch (desc.outputType) {
    case VKTC_OUTPUT_TYPE_DEFAULT:
      break;
    case VKTC_OUTPUT_TYPE_F32:
      return VKTC_DATA_TYPE_F32;
    case VKTC_OUTPUT_TYPE_F16:
      return VKTC_DATA_TYPE_F16;
    case VKTC_OUTPUT_TYPE_BF16:
      return VKTC_DATA_TYPE_BF16;
    case VKTC_OUTPUT_TYPE_I32:
      return VKTC_DATA_TYPE_I32;
    case VKTC_OUTPUT_TYPE_I8:
      return VKTC_DATA_TYPE_I8;
  }
  return desc.dataType == VKTC_DATA_TYPE_I8 ? VKTC_DATA_TYPE_I32 : desc.dataType;
}

VktcDataType bias_type(const VktcConvTransposeDesc& desc) {
  return desc.dataType == VKTC_DATA_TYPE_I8 ? VKTC_DATA_TYPE_I32 : desc.dataType;
}

std::vector<int64_t> output_size(const VktcConvTransposeDesc& desc) {
  const Geometry g(desc);
  std::vector<int64_t> sizes;
  for (uint32_t i = 0; i < desc.spatialRank; ++i) sizes.push_back(g.axes[3 - desc.spatialRank + i].output);
  return sizes;
}

std::vector<Value> conv_transpose(const VktcConvTransposeDesc& desc, const Arrays& arrays, unsigned threads) {
  const Geometry g(desc);
  std::vector<Value> sums = scatter(desc, g, arrays, threads);
  if (has_chain(desc)) {
    const Sources sources = sources_of(desc, arrays);
    for (size_t i = 0; i < sums.size(); ++i) apply_chain(desc, g, sources, static_cast<int64_t>(i), sums[i]);
  }
  return sums;
}

Value conv_transpose_at(const VktcConvTransposeDesc& desc, const Arrays& arrays, int64_t output_index) {
  return conv_transpose_at(desc, sources_of(desc, arrays), output_index);
}

Value conv_transpose_at(const VktcConvTransposeDesc& desc, const Sources& sources, int64_t output_index) {
  const Geometry g(desc);
  const bool has_bias = desc.hasBias != VK_FALSE;
  Value value;
  if (desc.dataType == VKTC_DATA_TYPE_I32 || desc.dataType == VKTC_DATA_TYPE_I8) {
    auto integers = [](const ElementSource& source) {
      return [&source](int64_t i) { return static_cast<int32_t>(source(i)); };
    };
    value = gather_one<I32>(g, has_bias, integers(sources.input), integers(sources.weights), integers(sources.bias),
                            output_index);
  } else {
    value = gather_one<Number>(g, has_bias, sources.input, sources.weights, sources.bias, output_index);
  }
  if (has_chain(desc)) apply_chain(desc, g, sources, output_index, value);
  return value;
}

double error_bound(const VktcConvTransposeDesc& desc, const Value& expected) {
  const VktcDataType type = output_type(desc);
  if (type == VKTC_DATA_TYPE_I32) return 0;
  const double in_fp32 = has_chain(desc) ? expected.error : sum_error(desc, expected);
  if (type == VKTC_DATA_TYPE_F32) return in_fp32;
  if (type == VKTC_DATA_TYPE_I8) return in_fp32 + 0.5;
  // The device rounds its own result, which may lie in the next binade: take the unit there.
  const double rounded = std::abs(expected.value) + in_fp32;
  return in_fp32 + (type == VKTC_DATA_TYPE_F16 ? half_bits::f16_ulp(rounded) : half_bits::bf16_ulp(rounded)) / 2;
}

bool matches(const VktcConvTransposeDesc& desc, const Value& expected, const void* output, int64_t index) {
  const VktcDataType type = output_type(desc);
  const double actual = read_element(type, output, index);
  if (std::isnan(expected.value)) return std::isnan(actual);
  if (std::isinf(expected.value)) return actual == expected.value;
  if (std::isnan(actual)) return false;
  const double bound = error_bound(desc, expected);
  if (std::isinf(actual)) {  // honest only where the sum may round beyond the type's largest number
    const double largest = type == VKTC_DATA_TYPE_F16    ? 65504.0
                           : type == VKTC_DATA_TYPE_BF16 ? 0x1.fep127
                                                         : static_cast<double>(std::numeric_limits<float>::max());
    return std::signbit(actual) == std::signbit(expected.value) && std::abs(expected.value) + bound > largest;
  }
  return std::abs(actual - expected.value) <= bound;
}

bool equals(const VktcConvTransposeDesc& desc, const Value& expected, const void* output, int64_t index) {
  alignas(4) std::byte rounded[4];
  const VktcDataType type = output_type(desc);
  write_element(type, rounded, 0, expected.value);
  const double wanted = read_element(type, rounded, 0);
  const double actual = read_element(type, output, index);
  return std::isnan(wanted) ? std::isnan(actual) : actual == wanted;
}

double element(VktcDataType type, const void* data, int64_t index) { return read_element(type, data, index); }

void round_to_type(VktcDataType type, std::span<const Value> values, void* output) {
  for (size_t i = 0; i < values.size(); ++i) {
    write_element(type, output, static_cast<int64_t>(i), values[i].value);
  }
}

void fill(VktcDataType type, Fill kind, uint64_t seed, void* data, int64_t elements) {
  for (int64_t i = 0; i < elements; ++i) {
    const uint64_t bits = noise(seed, static_cast<uint64_t>(i));
    if (kind == Fill::exact) {
      write_element(type, data, i, static_cast<double>(static_cast<int64_t>((bits >> 32) % 9) - 4));
    } else if (type == VKTC_DATA_TYPE_I32) {
      static_cast<int32_t*>(data)[i] = static_cast<int32_t>(bits >> 32);
    } else if (type == VKTC_DATA_TYPE_I8) {
      static_cast<int8_t*>(data)[i] = static_cast<int8_t>(bits >> 56);
    } else {
      write_element(type, data, i, static_cast<double>(static_cast<int64_t>(bits >> 40) - (1 << 23)) * 0x1p-23);
    }
  }
}

}  // namespace vktconv::reference

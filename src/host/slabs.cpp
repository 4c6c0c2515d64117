#include "slabs.h"

#include <algorithm>
#include <cinttypes>
#include <limits>
#include <map>
#include <optional>

#include "raise.h"

namespace vktconv::host {
namespace {

constexpr int64_t max_size = std::numeric_limits<int32_t>::max();
constexpr double max_slabs = 65536;
// What another slab costs, expressed in bytes of input that the bus carries meanwhile: submissions, waits, half-filled
// last workgroups.
constexpr double slab_overhead_bytes = 4 << 20;
// The same for each stretch of memory that the host gathers or scatters: the pixels of a channels-last tensor, where
// channels are cut.
constexpr double run_overhead_bytes = 64;

struct SpatialAxis {
  int64_t input = 1, output = 1, kernel = 1, stride = 1, padding_begin = 0, dilation = 1;

  int64_t reach() const { return dilation * (kernel - 1); }
  // A slab's paddings are as large as this, and no descriptor may have larger ones than max_size.
  bool can_be_cut() const { return reach() < max_size; }
  // The most inputs that a range of so many outputs needs.
  int64_t inputs_for(int64_t outputs) const {
    if (outputs == output) return input;
    return std::min(input, (outputs - 1 + reach()) / stride + 1);
  }
};

struct Shape {
  VktcConvTransposeDesc desc;
  std::array<SpatialAxis, 3> axes;  // 1D and 2D problems have leading axes of size 1
  uint32_t first_axis;              // of desc within axes
  int64_t group_in_channels, group_out_channels;

  explicit Shape(const VktcConvTransposeDesc& whole) : desc(whole) {
    int64_t output_size[VKTC_MAX_SPATIAL_RANK] = {};
    VktcError error = {};
    check_status(vktcGetOutputSize(&desc, output_size, &error), error);
    first_axis = 3 - desc.spatialRank;
    for (uint32_t i = 0; i < desc.spatialRank; ++i) {
      axes[first_axis + i] = {desc.inputSize[i], output_size[i],       desc.kernelSize[i],
                              desc.stride[i],    desc.paddingBegin[i], desc.dilation[i]};
    }
    group_in_channels = desc.inChannels / desc.groups;
    group_out_channels = desc.outChannels / desc.groups;
  }
};

int64_t divide_up(int64_t a, int64_t b) { return a / b + (a % b > 0); }
int64_t divide_down(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// How far the largest slab reaches along each axis that can be cut.
struct Cut {
  int64_t images, groups, channels;  // channels: outputs of each group
  std::array<int64_t, 3> outputs;
};

// Of the largest slab.
struct CutPixels {
  int64_t input = 1, output = 1;
};

CutPixels pixels_of(const Shape& shape, const Cut& cut) {
  CutPixels pixels;
  for (size_t i = 0; i < 3; ++i) {
    pixels.input *= shape.axes[i].inputs_for(cut.outputs[i]);
    pixels.output *= cut.outputs[i];
  }
  return pixels;
}

SlabBytes bytes_of(const Shape& shape, const Cut& cut) {
  const CutPixels pixels = pixels_of(shape, cut);
  int64_t taps = 1;
  for (const SpatialAxis& axis : shape.axes) taps *= axis.kernel;
  const int64_t in_channels = cut.groups * shape.group_in_channels, out_channels = cut.groups * cut.channels;
  return slab_bytes(shape.desc, cut.images * in_channels * pixels.input, in_channels * cut.channels * taps,
                    out_channels, cut.images * out_channels * pixels.output);
}

// More where taps fall outside.
double products_of(const Shape& shape, const Cut& cut) {
  double products = static_cast<double>(cut.images) * static_cast<double>(cut.groups * shape.group_in_channels) *
                    static_cast<double>(cut.channels);
  for (size_t i = 0; i < 3; ++i) {
    const SpatialAxis& axis = shape.axes[i];
    products *= static_cast<double>(axis.inputs_for(cut.outputs[i])) * static_cast<double>(axis.kernel);
  }
  return products;
}

bool fits(const Shape& shape, const Cut& cut, const SlabLimits& limits) {
  if (products_of(shape, cut) > limits.products) return false;
  const SlabBytes bytes = bytes_of(shape, cut);
  return bytes.weights <= limits.weights_bytes && bytes.largest() <= limits.tensor_bytes &&
         bytes.together() <= limits.slab_bytes;
}

// The largest value from 1 to most for which it is true; 0 where it is not even for 1. True up to somewhere, then
// false.
template <typename Predicate>
int64_t largest(int64_t most, const Predicate& is_true) {
  int64_t low = 0, high = most;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (is_true(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// Parts of equal size rather than a small rest at the end.
int64_t balanced(int64_t size, int64_t most) { return divide_up(size, divide_up(size, most)); }

// Ranges that start at multiples of the stride have the same phases, and so share a plan.
int64_t balanced_range(const SpatialAxis& axis, int64_t most) {
  const int64_t range = balanced(axis.output, most);
  const int64_t up = divide_up(range, axis.stride) * axis.stride;
  if (range == axis.output || up <= most) return std::min(up, axis.output);
  return most < axis.stride ? range : most / axis.stride * axis.stride;
}

// Completes a cut with given groups and channels by the fewest spatial ranges, then the fewest batches.
std::optional<Cut> complete(const Shape& shape, int64_t groups, int64_t channels, const SlabLimits& limits) {
  Cut cut = {1, groups, channels, {}};
  for (size_t i = 0; i < 3; ++i) cut.outputs[i] = shape.axes[i].output;
  for (size_t i = 0; i < 3 && !fits(shape, cut, limits); ++i) {
    const SpatialAxis& axis = shape.axes[i];
    if (axis.output == 1 || !axis.can_be_cut()) continue;
    const int64_t most = largest(axis.output - 1, [&](int64_t outputs) {
      Cut narrower = cut;
      narrower.outputs[i] = outputs;
      return fits(shape, narrower, limits);
    });
    cut.outputs[i] = most == 0 ? 1 : balanced_range(axis, most);
  }
  if (!fits(shape, cut, limits)) return std::nullopt;
  cut.images = balanced(shape.desc.batch, largest(shape.desc.batch, [&](int64_t images) {
                          Cut longer = cut;
                          longer.images = images;
                          return fits(shape, longer, limits);
                        }));
  return cut;
}

double slab_count(const Shape& shape, const Cut& cut) {
  double count = static_cast<double>(divide_up(shape.desc.batch, cut.images)) *
                 static_cast<double>(divide_up(shape.desc.groups, cut.groups)) *
                 static_cast<double>(divide_up(shape.group_out_channels, cut.channels));
  for (size_t i = 0; i < 3; ++i) count *= static_cast<double>(divide_up(shape.axes[i].output, cut.outputs[i]));
  return count;
}

// Stretches that a slab's tensor is made of, where only channels are cut.
double runs_of(VktcLayout layout, int64_t images, int64_t pixels, bool channels_are_cut) {
  if (layout != VKTC_LAYOUT_CHANNELS_LAST || !channels_are_cut) return 1;
  return static_cast<double>(images) * static_cast<double>(pixels);
}

// Weights and outputs move once whatever the cut; inputs again for each range whose edge they are at, and for each
// block of out-channels, unless it is the only input there is for them.
double cost(const Shape& shape, const Cut& cut) {
  double ranges = 1;
  for (size_t i = 0; i < 3; ++i) ranges *= static_cast<double>(divide_up(shape.axes[i].output, cut.outputs[i]));
  const double batches = static_cast<double>(divide_up(shape.desc.batch, cut.images));
  const double blocks = static_cast<double>(divide_up(shape.group_out_channels, cut.channels));
  const double slabs = slab_count(shape, cut);
  const double uploads = ranges * batches == 1 ? slabs / blocks : slabs;
  const CutPixels pixels = pixels_of(shape, cut);
  const bool groups_are_cut = cut.groups < shape.desc.groups;
  const bool channels_are_cut = groups_are_cut || cut.channels < shape.group_out_channels;
  const double input_runs = runs_of(shape.desc.inputLayout, cut.images, pixels.input, groups_are_cut);
  const double output_runs = runs_of(shape.desc.outputLayout, cut.images, pixels.output, channels_are_cut);
  return uploads * (static_cast<double>(bytes_of(shape, cut).input) + input_runs * run_overhead_bytes) +
         slabs * (slab_overhead_bytes + output_runs * run_overhead_bytes);
}

// Part counts to try: all small ones, then coarser steps.
template <typename Try>
void for_part_sizes(int64_t size, const Try& attempt) {
  int64_t last = 0;
  for (int64_t parts = 1; parts <= size; parts += std::max<int64_t>(1, parts / 8)) {
    const int64_t part = divide_up(size, parts);
    if (part != last) attempt(part);
    last = part;
  }
  if (last != 1) attempt(1);
}

[[noreturn]] void refuse(const Shape& shape, const SlabLimits& limits) {
  Cut least = {1, 1, 1, {}};
  for (size_t i = 0; i < 3; ++i) least.outputs[i] = shape.axes[i].can_be_cut() ? 1 : shape.axes[i].output;
  const SlabBytes bytes = bytes_of(shape, least);
  const struct {
    const char* name;
    uint64_t bytes;
  } tensors[] = {{"input", bytes.input},   {"weights", bytes.weights},   {"bias", bytes.bias},
                 {"output", bytes.output}, {"residual", bytes.residual}, {"scale", bytes.scale}};
  for (const auto& tensor : tensors) {
    if (tensor.bytes <= limits.tensor_bytes) continue;
    raise(VKTC_ERROR_LIMIT_EXCEEDED, tensor.name,
          "the smallest slab of the problem takes %" PRIu64 " bytes of %s: over %s, which is %" PRIu64 " bytes",
          tensor.bytes, tensor.name, limits.tensor_limit.c_str(), limits.tensor_bytes);
  }
  if (bytes.weights > limits.weights_bytes) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, "weights",
          "the smallest slab of the problem takes %" PRIu64 " bytes of weights, which packed are over %s",
          bytes.weights, limits.tensor_limit.c_str());
  }
  if (!fits(shape, least, limits)) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, "",
          "the smallest slab of the problem takes %" PRIu64 " bytes of input, twice %" PRIu64 " of weights, %" PRIu64
          " of output and %" PRIu64 " of what the post-ops read: together over %s, which is %" PRIu64 " bytes",
          bytes.input, bytes.weights, bytes.output, bytes.residual + 2 * bytes.scale, limits.slab_limit.c_str(),
          limits.slab_bytes);
  }
  raise(VKTC_ERROR_LIMIT_EXCEEDED, "",
        "the problem takes more than %.0f slabs to stay within %s (%" PRIu64 " bytes) and %s (%" PRIu64 " bytes)",
        max_slabs, limits.tensor_limit.c_str(), limits.tensor_bytes, limits.slab_limit.c_str(), limits.slab_bytes);
}

Cut choose_cut(const Shape& shape, const SlabLimits& limits) {
  std::optional<Cut> best;
  double best_cost = 0;
  const auto consider = [&](int64_t groups, int64_t channels) {
    const std::optional<Cut> cut = complete(shape, groups, channels, limits);
    if (!cut || slab_count(shape, *cut) > max_slabs) return;
    const double cut_cost = cost(shape, *cut);
    if (best && cut_cost >= best_cost) return;
    best = cut;
    best_cost = cut_cost;
  };
  for_part_sizes(shape.desc.groups, [&](int64_t groups) { consider(groups, shape.group_out_channels); });
  for_part_sizes(shape.group_out_channels, [&](int64_t channels) { consider(1, channels); });
  if (best) return *best;
  if (limits.products < std::numeric_limits<double>::infinity()) {
    SlabLimits without = limits;
    without.products = std::numeric_limits<double>::infinity();
    return choose_cut(shape, without);
  }
  refuse(shape, limits);
}

// The sub-problem along one axis that computes outputs [begin, begin + count).
struct Range {
  int64_t output_begin, outputs;
  int64_t input_begin, inputs;
  int64_t padding_begin, padding_end, output_padding;
};

Range range_of(const SpatialAxis& axis, int64_t begin, int64_t count) {
  // Input i and tap k land on i * stride + k * dilation = output + padding_begin.
  const int64_t first_landing = begin + axis.padding_begin;
  const int64_t first_input = std::max<int64_t>(0, divide_up(first_landing - axis.reach(), axis.stride));
  const int64_t last_input = std::min(axis.input - 1, divide_down(first_landing + count - 1, axis.stride));
  if (first_input > last_input) {
    // No input reaches these outputs: one that lands behind them.
    return {begin, count, 0, 1, -count, axis.reach() + 1, 0};
  }
  const int64_t inputs = last_input - first_input + 1;
  const int64_t padding_begin = first_landing - first_input * axis.stride;
  const int64_t padding_end = (inputs - 1) * axis.stride - padding_begin + axis.reach() + 1 - count;
  return {begin, count, first_input, inputs, padding_begin, padding_end, 0};
}

std::vector<Range> ranges_of(const Shape& shape, size_t axis_index, int64_t longest) {
  const SpatialAxis& axis = shape.axes[axis_index];
  if (longest == axis.output) {  // as the user gave it
    if (axis_index < shape.first_axis) return {{0, 1, 0, 1, 0, 0, 0}};
    const size_t i = axis_index - shape.first_axis;
    return {{0, axis.output, 0, axis.input, shape.desc.paddingBegin[i], shape.desc.paddingEnd[i],
             shape.desc.outputPadding[i]}};
  }
  std::vector<Range> ranges;
  for (int64_t begin = 0; begin < axis.output; begin += longest) {
    ranges.push_back(range_of(axis, begin, std::min(longest, axis.output - begin)));
  }
  return ranges;
}

struct Part {
  int64_t begin, count;
};

std::vector<Part> parts_of(int64_t size, int64_t longest) {
  std::vector<Part> parts;
  for (int64_t begin = 0; begin < size; begin += longest) parts.push_back({begin, std::min(longest, size - begin)});
  return parts;
}

// The axes of a window of the input or output.
struct WindowAxes {
  size_t channels, first_spatial;

  explicit WindowAxes(VktcLayout layout)
      : channels(layout == VKTC_LAYOUT_CHANNELS_LAST ? 4 : 1),
        first_spatial(layout == VKTC_LAYOUT_CHANNELS_LAST ? 1 : 2) {}
};

void set_axis(Window& window, size_t axis, int64_t size, int64_t begin, int64_t count) {
  window.size[axis] = size;
  window.begin[axis] = begin;
  window.count[axis] = count;
}

Slab make_slab(const Shape& shape, const Part& groups, const Part& channels, const Part& images,
               const std::array<Range, 3>& ranges) {
  const VktcConvTransposeDesc& whole = shape.desc;
  Slab slab;
  slab.desc = whole;
  slab.desc.batch = images.count;
  slab.desc.groups = groups.count;
  slab.desc.inChannels = groups.count * shape.group_in_channels;
  slab.desc.outChannels = groups.count * channels.count;

  // Channels are cut only where the slab has one group, so they are contiguous.
  const int64_t first_in_channel = groups.begin * shape.group_in_channels;
  const int64_t first_out_channel = groups.begin * shape.group_out_channels + channels.begin;
  const WindowAxes input_axes(whole.inputLayout), output_axes(whole.outputLayout);
  set_axis(slab.input, 0, whole.batch, images.begin, images.count);
  set_axis(slab.input, input_axes.channels, whole.inChannels, first_in_channel, slab.desc.inChannels);
  set_axis(slab.output, 0, whole.batch, images.begin, images.count);
  set_axis(slab.output, output_axes.channels, whole.outChannels, first_out_channel, slab.desc.outChannels);
  set_axis(slab.weights, 0, whole.inChannels, first_in_channel, slab.desc.inChannels);
  set_axis(slab.weights, 1, shape.group_out_channels, channels.begin, channels.count);
  set_axis(slab.bias, 4, whole.outChannels, first_out_channel, slab.desc.outChannels);

  for (size_t i = 0; i < 3; ++i) {
    const SpatialAxis& axis = shape.axes[i];
    const Range& range = ranges[i];
    set_axis(slab.input, input_axes.first_spatial + i, axis.input, range.input_begin, range.inputs);
    set_axis(slab.output, output_axes.first_spatial + i, axis.output, range.output_begin, range.outputs);
    set_axis(slab.weights, 2 + i, axis.kernel, 0, axis.kernel);
    if (i < shape.first_axis) continue;
    const size_t desc_axis = i - shape.first_axis;
    slab.desc.inputSize[desc_axis] = range.inputs;
    slab.desc.paddingBegin[desc_axis] = range.padding_begin;
    slab.desc.paddingEnd[desc_axis] = range.padding_end;
    slab.desc.outputPadding[desc_axis] = range.output_padding;
  }
  // A problem at the edge of what descriptors can say may have slabs beyond it.
  int64_t output_size[VKTC_MAX_SPATIAL_RANK] = {};
  VktcError error = {};
  if (vktcGetOutputSize(&slab.desc, output_size, &error) != VKTC_SUCCESS) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, error.parameter,
          "the problem must be cut to fit on the device, but cannot be: of a slab, %s", error.message);
  }
  return slab;
}

}  // namespace

void for_each_run(const Window& window, const std::function<void(int64_t first, int64_t length)>& run) {
  // Inner axes of which the window holds everything join the run of the first one of which it does not.
  size_t run_axis = 4;
  int64_t inner = 1;
  while (run_axis > 0 && window.count[run_axis] == window.size[run_axis]) inner *= window.size[run_axis--];
  const int64_t length = window.count[run_axis] * inner;

  std::array<int64_t, 5> stride;
  stride[4] = 1;
  for (size_t i = 4; i-- > 0;) stride[i] = stride[i + 1] * window.size[i + 1];
  int64_t first = 0;
  for (size_t i = 0; i <= run_axis; ++i) first += window.begin[i] * stride[i];

  std::array<int64_t, 5> index = {};
  while (true) {
    run(first, length);
    size_t axis = run_axis;
    while (axis-- > 0) {
      first += stride[axis];
      if (++index[axis] < window.count[axis]) break;
      first -= window.count[axis] * stride[axis];
      index[axis] = 0;
    }
    if (axis == static_cast<size_t>(-1)) return;
  }
}

std::vector<Slab> cut_slabs(const VktcConvTransposeDesc& desc, const SlabLimits& limits) {
  const Shape shape(desc);
  const Cut cut = choose_cut(shape, limits);
  std::array<std::vector<Range>, 3> ranges;
  for (size_t i = 0; i < 3; ++i) ranges[i] = ranges_of(shape, i, cut.outputs[i]);

  std::vector<Slab> slabs;
  for (const Part& groups : parts_of(desc.groups, cut.groups)) {
    for (const Part& channels : parts_of(shape.group_out_channels, cut.channels)) {
      std::map<ProblemKey, std::vector<Slab>> by_problem;
      for (const Part& images : parts_of(desc.batch, cut.images)) {
        for (const Range& outer : ranges[0]) {
          for (const Range& middle : ranges[1]) {
            for (const Range& inner : ranges[2]) {
              const Slab slab = make_slab(shape, groups, channels, images, {outer, middle, inner});
              by_problem[problem_key(slab.desc)].push_back(slab);
            }
          }
        }
      }
      for (const auto& [key, same] : by_problem) slabs.insert(slabs.end(), same.begin(), same.end());
    }
  }
  return slabs;
}

}  // namespace vktconv::host

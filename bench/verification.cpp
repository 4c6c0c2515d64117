#include "verification.h"

#include <fmt/format.h>
#include <shape.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <thread>

#include "generated_data.h"

namespace vktconv::bench {

namespace {

// Batch, channel and up to three spatial coordinates of an output, in the order of its layout.
using Coordinates = std::array<int64_t, 5>;

struct OutputShape {
  Coordinates size = {1, 1, 1, 1, 1};
  Coordinates step = {1, 1, 1, 1, 1};  // where groups or phases begin
  size_t rank = 2;                     // 2 + spatial rank

  OutputShape(const VktcConvTransposeDesc& desc, const int64_t output_size[]) : rank(2 + desc.spatialRank) {
    const bool channels_last = desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST;
    const size_t channel_axis = channels_last ? rank - 1 : 1, first_spatial = channels_last ? 1 : 2;
    size[0] = desc.batch;
    size[channel_axis] = desc.outChannels;
    step[channel_axis] = desc.outChannels / desc.groups;
    for (size_t axis = 0; axis < desc.spatialRank; ++axis) {
      size[first_spatial + axis] = output_size[axis];
      step[first_spatial + axis] = desc.stride[axis];
    }
  }

  int64_t elements() const { return std::accumulate(size.begin(), size.end(), int64_t{1}, std::multiplies<>()); }

  int64_t index(const Coordinates& at) const {
    int64_t flat = 0;
    for (size_t axis = 0; axis < rank; ++axis) flat = flat * size[axis] + at[axis];
    return flat;
  }

  Coordinates at(int64_t flat) const {
    Coordinates result = {};
    for (size_t axis = rank; axis-- > 0; flat /= size[axis]) result[axis] = flat % size[axis];
    return result;
  }
};

// The same numbers on every platform, unlike the distributions of <random>.
int64_t below(std::mt19937_64& random, int64_t bound) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
}

// A coordinate where an implementation may go wrong: an end of the axis, or a neighbour of a multiple of step * 2^n, as
// tiles and phases begin there.
int64_t border_coordinate(std::mt19937_64& random, int64_t size, int64_t step) {
  int64_t coordinate = 0;
  switch (below(random, 4)) {
    case 0:
      coordinate = below(random, 2 * step + 1);
      break;
    case 1:
      coordinate = size - 1 - below(random, 2 * step + 1);
      break;
    default: {
      const int64_t tile = step << below(random, 10);
      coordinate = tile * below(random, size / tile + 1) + below(random, 3) - 1;
    }
  }
  return std::clamp<int64_t>(coordinate, 0, size - 1);
}

// The 4-byte words that hold the given elements, read back by one submission of small copies.
std::vector<uint32_t> read_words(host::Device& device, const VulkanTable& vulkan, const host::Buffer& buffer,
                                 const std::vector<int64_t>& indices, int64_t element_size) {
  std::vector<VkBufferCopy> regions;
  for (int64_t index : indices) {
    const auto word = static_cast<VkDeviceSize>(index * element_size / 4);
    regions.push_back({word * 4, regions.size() * 4, 4});
  }
  host::Buffer gathered(device, regions.size() * 4);
  device.submit([&](VkCommandBuffer commands) {
    full_barrier(vulkan, commands);
    vulkan.vkCmdCopyBuffer(commands, buffer.handle(), gathered.handle(), static_cast<uint32_t>(regions.size()),
                           regions.data());
    full_barrier(vulkan, commands);
  });
  std::vector<uint32_t> words(indices.size());
  gathered.download(words.data(), words.size() * 4);
  return words;
}

// Runs work(i) for i = 0 .. count - 1 on all cores.
template <typename Work>
void for_each_in_parallel(size_t count, const Work& work) {
  const size_t threads = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), count);
  std::vector<std::jthread> helpers;
  for (size_t t = 0; t < threads; ++t) {
    helpers.emplace_back([&, t] {
      for (size_t i = t; i < count; i += threads) work(i);
    });
  }
}

std::string describe_failure(const OutputShape& shape, int64_t index, double actual, double expected, double bound) {
  const Coordinates at = shape.at(index);
  return fmt::format("output [{}]: {} instead of {} (bound {:.3g})",
                     fmt::join(at.begin(), at.begin() + shape.rank, ", "), actual, expected, bound);
}

// What VKTC_PRECISION_RELAXED allows on top, for elements in [-1, 1) as DataGenerator makes them: 2^-10 of each
// product, and 2^-24 of the other element where one is very small.
double error_of_rounded_elements(const reference::Value& expected) {
  return expected.magnitude * 0x1p-10 + static_cast<double>(expected.terms) * 0x1p-24;
}

}  // namespace

std::vector<int64_t> sample_indices(const VktcConvTransposeDesc& desc, const int64_t output_size[], int64_t count) {
  const OutputShape shape(desc, output_size);
  const int64_t elements = shape.elements();
  std::vector<int64_t> indices;
  if (elements <= count) {
    indices.resize(static_cast<size_t>(elements));
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
  }
  const auto add = [&](int64_t index) {
    if (index >= 0 && index < elements) indices.push_back(index);
  };
  for (unsigned corner = 0; corner < 1u << shape.rank; ++corner) {
    Coordinates at = {};
    for (size_t axis = 0; axis < shape.rank; ++axis) at[axis] = corner >> axis & 1 ? shape.size[axis] - 1 : 0;
    add(shape.index(at));
  }
  for (int64_t i = 0; i < 16; ++i) {
    add(i);
    add(elements - 1 - i);
  }
  // Where 32-bit indices, byte offsets and their signed kin wrap.
  const VktcDataType type = output_data_type(desc);
  const int64_t element_size = vktcDataTypeSize(type);
  for (int64_t wrap = int64_t{1} << 31; wrap / element_size < elements && wrap < int64_t{1} << 36;
       wrap += int64_t{1} << 31) {
    for (int64_t near = -2; near < 2; ++near) {
      add(wrap / element_size + near);
      add(wrap + near);
    }
  }
  std::mt19937_64 random(0x76746b);
  const int64_t remaining = std::max<int64_t>(0, count - static_cast<int64_t>(indices.size()));
  for (int64_t i = 0; i < remaining; ++i) {
    Coordinates at = {};
    for (size_t axis = 0; axis < shape.rank; ++axis) {
      const int64_t step = shape.step[axis];
      // Half of the samples lie anywhere, the others near borders along most axes.
      const bool border = i % 2 == 0 && below(random, 4) != 0;
      at[axis] = border ? border_coordinate(random, shape.size[axis], below(random, 2) == 0 ? 1 : step)
                        : below(random, shape.size[axis]);
    }
    add(shape.index(at));
  }
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

reference::Sources generated_sources(const VktcConvTransposeDesc& desc) {
  const auto source = [](VktcDataType type, Seed seed) {
    return [type, seed](int64_t index) { return element_value(type, seed, index); };
  };
  return {source(desc.dataType, Seed::input),
          source(desc.dataType, Seed::weights),
          source(bias_data_type(desc.dataType), Seed::bias),
          source(VKTC_DATA_TYPE_F32, Seed::scale),
          source(VKTC_DATA_TYPE_F32, Seed::shift),
          source(output_data_type(desc), Seed::residual)};
}

Verification verify(host::Device& device, const VulkanTable& vulkan, const VktcConvTransposeDesc& desc,
                    const int64_t output_size[], const host::Buffer& output, int64_t count, VktcPrecision precision) {
  const std::vector<int64_t> indices = sample_indices(desc, output_size, count);
  const VktcDataType type = output_data_type(desc);
  const int64_t element_size = vktcDataTypeSize(type);
  const std::vector<uint32_t> words = read_words(device, vulkan, output, indices, element_size);
  const reference::Sources sources = generated_sources(desc);

  const bool relaxed = precision == VKTC_PRECISION_RELAXED && desc.dataType == VKTC_DATA_TYPE_F32;

  struct Sample {
    double actual, expected, bound, ratio;
  };
  std::vector<Sample> samples(indices.size());
  for_each_in_parallel(indices.size(), [&](size_t i) {
    const reference::Value expected = reference::conv_transpose_at(desc, sources, indices[i]);
    const double bound = reference::error_bound(desc, expected) + (relaxed ? error_of_rounded_elements(expected) : 0.0);
    const double actual = stored_value(type, words[i], static_cast<unsigned>(indices[i] % (4 / element_size)));
    const double error = std::abs(actual - expected.value);
    // Written so that NaN is a failure; an exact result is right whatever its bound.
    const double ratio = error == 0                   ? 0
                         : error < 1e300 && bound > 0 ? error / bound
                                                      : std::numeric_limits<double>::infinity();
    samples[i] = {actual, expected.value, bound, ratio};
  });

  Verification result;
  result.samples = static_cast<int64_t>(samples.size());
  const OutputShape shape(desc, output_size);
  for (size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    result.error_ratio = std::max(result.error_ratio, sample.ratio);
    if (sample.ratio <= 1) continue;
    if (result.failures++ == 0) {
      result.first_failure = describe_failure(shape, indices[i], sample.actual, sample.expected, sample.bound);
    }
  }
  return result;
}

}  // namespace vktconv::bench

#include "algorithms/slabs.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>

namespace vktconv {
namespace {

uint64_t as_unsigned(int64_t value) { return static_cast<uint64_t>(value); }

// Elements of input, output and packed weights that a slab reaches, as one contiguous window each.
struct Extent {
  uint64_t input_bytes, output_bytes, packed_bytes, workgroups;
};

class Cutter {
 public:
  Cutter(const Problem& problem, const SlabLimits& limits) : problem_(problem), limits_(limits) {}

  Extent extent(const Slab& slab) const {
    const int64_t out_channels = std::min(slab.blocks * limits_.block_channels, problem_.group_out_channels());
    const int64_t out_span = (slab.groups - 1) * problem_.group_out_channels() + out_channels;
    Extent e{};
    e.input_bytes = as_unsigned(problem_.input_strides().extent(slab.images, problem_.input_plane(),
                                                                slab.groups * problem_.group_in_channels()) *
                                problem_.element_size());
    e.output_bytes = as_unsigned(problem_.output_strides().extent(slab.images, problem_.output_plane(), out_span) *
                                 problem_.output_element_size());
    e.packed_bytes = as_unsigned(slab.groups * slab.blocks) * limits_.packed_block_bytes;
    e.workgroups = limits_.workgroups(slab);
    return e;
  }

  bool fits(const Slab& slab) const {
    const Extent e = extent(slab);
    return e.input_bytes <= limits_.input_window_bytes && e.output_bytes <= limits_.output_window_bytes &&
           e.packed_bytes <= limits_.packed_window_bytes && e.workgroups <= limits_.max_workgroups;
  }

  // The largest n in 1..whole for which slab with field = n fits; 0: none. Fitting is monotone.
  int64_t most(Slab slab, int64_t Slab::*field, int64_t whole) const {
    int64_t low = 0, high = whole;
    while (low < high) {
      const int64_t middle = low + (high - low + 1) / 2;
      slab.*field = middle;
      if (fits(slab)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

 private:
  const Problem& problem_;
  const SlabLimits& limits_;
};

bool refuse(const Problem& problem, const SlabLimits& limits, const Extent& e, VktcError& error) {
  const auto over = [&](const char* tensor, bool channels_last, uint64_t bytes, uint64_t limit) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, tensor,
                "%s needs %" PRIu64
                " bytes of %s%s in one binding, but maxStorageBufferRange and "
                "32-bit indices allow %" PRIu64 "; enabling bufferDeviceAddress lifts the former",
                channels_last ? "one image" : "one group of one image", bytes, channels_last ? "channels-last " : "",
                tensor, limit);
  };
  if (e.input_bytes > limits.input_window_bytes) {
    return over("input", problem.input_channels_last(), e.input_bytes, limits.input_window_bytes);
  }
  if (e.output_bytes > limits.output_window_bytes) {
    return over("output", problem.output_channels_last(), e.output_bytes, limits.output_window_bytes);
  }
  if (e.packed_bytes > limits.packed_window_bytes) {
    return over("packedWeights", false, e.packed_bytes, limits.packed_window_bytes);
  }
  return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outputSize",
              "one block of out-channels of one image needs %" PRIu64
              " workgroups, but maxComputeWorkGroupCount and 32-bit indices allow %" PRIu64 " (output plane of %" PRId64
              " elements)",
              e.workgroups, limits.max_workgroups, problem.output_plane());
}

}  // namespace

bool cut_slabs(const Problem& problem, const SlabLimits& limits, std::vector<Slab>& slabs, VktcError& error) {
  const Cutter cutter(problem, limits);
  const int64_t blocks = (problem.group_out_channels() + limits.block_channels - 1) / limits.block_channels;
  const Slab whole{0, problem.batch, 0, problem.groups, 0, blocks};

  Slab step = whole;
  step.images = cutter.most(step, &Slab::images, problem.batch);
  if (step.images == 0) {
    step.images = 1;
    step.groups = cutter.most(step, &Slab::groups, problem.groups);
  }
  if (step.groups == 0) {
    step.groups = 1;
    step.blocks = cutter.most(step, &Slab::blocks, blocks);
  }
  if (step.blocks == 0) {
    step.blocks = 1;
    return refuse(problem, limits, cutter.extent(step), error);
  }

  const double count = std::ceil(static_cast<double>(problem.batch) / static_cast<double>(step.images)) *
                       std::ceil(static_cast<double>(problem.groups) / static_cast<double>(step.groups)) *
                       std::ceil(static_cast<double>(blocks) / static_cast<double>(step.blocks));
  if (count > static_cast<double>(limits.max_slabs)) {
    return fail(
        error, VKTC_ERROR_LIMIT_EXCEEDED, "batch",
        "the problem needs %.0f dispatches within maxStorageBufferRange and maxComputeWorkGroupCount; a plan has "
        "at most %zu",
        count, limits.max_slabs);
  }

  slabs.clear();
  for (int64_t image = 0; image < problem.batch; image += step.images) {
    for (int64_t group = 0; group < problem.groups; group += step.groups) {
      for (int64_t block = 0; block < blocks; block += step.blocks) {
        slabs.push_back({image, std::min(step.images, problem.batch - image), group,
                         std::min(step.groups, problem.groups - group), block, std::min(step.blocks, blocks - block)});
      }
    }
  }
  return true;
}

}  // namespace vktconv

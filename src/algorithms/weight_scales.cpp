#include "algorithms/weight_scales.h"

#include <algorithm>
#include <cinttypes>
#include <utility>

#include "algorithms/blocks.h"
#include "shared/params.h"

namespace vktconv {

int64_t scales_bytes(const Problem& problem) { return round_up(problem.out_channels * 4, 256); }

AlignedWindow weights_window(const WeightsPlace& place, int64_t begin, int64_t end, int64_t element_size,
                             const DeviceCaps& caps) {
  return align_window(place.tensor, place.begin + static_cast<uint64_t>(begin),
                      place.begin + static_cast<uint64_t>(end), static_cast<uint64_t>(element_size), caps);
}

AlignedWindow scales_window(const Problem& problem, const DeviceCaps& caps, uint64_t begin) {
  return align_window(Tensor::packed_weights, begin, begin + static_cast<uint64_t>(scales_bytes(problem)), 4, caps);
}

bool add_scales(const Problem& problem, const DeviceCaps& caps, const WeightsPlace& weights, Plan& plan,
                VktcError& error) {
  const uint64_t begin = plan.packed_weights_bytes;
  const int64_t row_bytes = problem.group_out_channels() * problem.taps() * problem.element_size();
  const auto window_bytes =
      static_cast<int64_t>(max_window_bytes(caps, plan.device_address, static_cast<uint64_t>(problem.element_size())));
  if (scales_bytes(problem) > window_bytes) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outChannels",
                "the scales of the out-channels have %" PRId64
                " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRId64 " in one binding",
                scales_bytes(problem), window_bytes);
  }
  const int64_t rows = std::max<int64_t>(1, window_bytes / row_bytes);  // too little for one: add_packing refuses it
  if (problem.in_channels / rows > static_cast<int64_t>(max_pack_dispatches)) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "scaling the weights needs more than %zu dispatches within maxStorageBufferRange", max_pack_dispatches);
  }
  for (int64_t first = 0; first < problem.in_channels; first += rows) {
    const int64_t end = std::min(first + rows, problem.in_channels);
    const AlignedWindow source =
        weights_window(weights, first * row_bytes, end * row_bytes, problem.element_size(), caps);
    shared::WeightScalesParams params{};
    params.groups = u32((end - 1) / problem.group_in_channels() - first / problem.group_in_channels() + 1);
    params.first_in_channel = u32(first);
    params.end_in_channel = u32(end);
    params.in_channels = u32(problem.group_in_channels());
    params.out_channels = u32(problem.group_out_channels());
    params.taps = u32(problem.taps());
    params.source_offset = static_cast<uint32_t>(source.skipped_elements);

    Dispatch dispatch;
    dispatch.shader = variant_name("weight_scales", problem.data_type, caps, plan.device_address);
    dispatch.name = "weight_scales";
    constexpr uint32_t local = 64;
    dispatch.constants = {local, local};
    dispatch.windows = {source.window, scales_window(problem, caps, begin).window};
    dispatch.params = to_words(params);
    if (!make_grid(uint64_t{params.groups} * params.out_channels, caps, dispatch.group_count)) {
      return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outChannels",
                  "scaling the weights needs more workgroups in one dispatch than maxComputeWorkGroupCount allows");
    }
    plan.pack.push_back(std::move(dispatch));
  }
  plan.packed_weights_bytes = begin + static_cast<uint64_t>(scales_bytes(problem));
  return true;
}

}  // namespace vktconv

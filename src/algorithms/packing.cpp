#include "algorithms/packing.h"

#include <algorithm>
#include <cinttypes>
#include <vector>

#include "algorithms/weight_scales.h"
#include "phases.h"

namespace vktconv {
namespace {

// How the taps of the width are packed: as the kernel says, else all, or as many as the fullest of the merged phases
// has.
int64_t packed_taps_w(const Problem& problem, const Blocking& blocking) {
  if (blocking.packed_taps_w > 0) return blocking.packed_taps_w;
  if (blocking.row_taps > 0) return 1;
  const Axis& width = problem.axes[2];
  return blocking.merged > 0 ? ceil_div(width.kernel, width.stride / phase_gcd(width)) : width.kernel;
}

int64_t outer_taps(const Problem& problem, const Blocking& blocking) {
  return blocking.row_taps > 0 ? problem.taps() / blocking.row_taps : problem.axes[0].kernel * problem.axes[1].kernel;
}

int64_t block_elements(const Problem& problem, const Blocking& blocking) {
  return outer_taps(problem, blocking) * packed_taps_w(problem, blocking) * blocking.packed_in_channels * blocking.rows;
}

}  // namespace

int64_t packed_bytes(const Problem& problem, const Blocking& blocking) {
  return problem.groups * blocking.blocks_per_group(problem) * block_elements(problem, blocking) *
         blocking.packed_element_size;
}

AlignedWindow packed_window(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, uint64_t begin,
                            int64_t first_block, int64_t blocks) {
  const int64_t block_bytes = block_elements(problem, blocking) * blocking.packed_element_size;
  return align_window(Tensor::packed_weights, begin + static_cast<uint64_t>(first_block * block_bytes),
                      begin + static_cast<uint64_t>((first_block + blocks) * block_bytes),
                      static_cast<uint64_t>(blocking.packed_unit), caps);
}

namespace {

// One dispatch of the packing: some blocks, and of each group's in-channels some.
struct PackChunk {
  int64_t first_block, blocks, first_in_channel, in_channels;
};

// Whole groups together where their weights fit one window, else one group (and some of its in-channels) at a time.
std::vector<PackChunk> cut_packing(const Problem& problem, const Blocking& blocking, int64_t rows_per_window,
                                   int64_t packed_blocks_per_window) {
  const int64_t blocks_per_group = blocking.blocks_per_group(problem);
  const int64_t total_blocks = problem.groups * blocks_per_group;
  const bool whole_groups = rows_per_window >= problem.group_in_channels();
  const int64_t groups_per_window = whole_groups ? rows_per_window / problem.group_in_channels() : 1;
  const int64_t in_channels =
      whole_groups ? blocking.packed_in_channels : rows_per_window / blocking.pack_chunk * blocking.pack_chunk;
  std::vector<PackChunk> chunks;
  for (int64_t block = 0; block < total_blocks;) {
    const int64_t end_of_groups = (block / blocks_per_group + groups_per_window) * blocks_per_group;
    const int64_t count = std::min({packed_blocks_per_window, end_of_groups - block, total_blocks - block});
    for (int64_t channel = 0; channel < blocking.packed_in_channels; channel += in_channels) {
      if (chunks.size() > max_pack_dispatches) return chunks;  // refused: see add_packing
      chunks.push_back({block, count, channel, std::min(in_channels, blocking.packed_in_channels - channel)});
    }
    block += count;
  }
  return chunks;
}

bool add_pack_dispatch(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, uint64_t begin,
                       const PackChunk& chunk, Plan& plan, VktcError& error) {
  const int64_t size = problem.element_size();
  const int64_t blocks_per_group = blocking.blocks_per_group(problem);
  const int64_t row_bytes = problem.group_out_channels() * problem.taps() * size;
  const int64_t first_group = chunk.first_block / blocks_per_group;
  const int64_t last_group = (chunk.first_block + chunk.blocks - 1) / blocks_per_group;
  // Packed in-channels past the last real one have no source.
  const int64_t last_channel = std::min(chunk.first_in_channel + chunk.in_channels, problem.group_in_channels());
  const int64_t first_row =
      first_group * problem.group_in_channels() + std::min(chunk.first_in_channel, last_channel - 1);
  const int64_t end_row = last_group * problem.group_in_channels() + last_channel;
  const AlignedWindow source = weights_window(blocking.weights, first_row * row_bytes, end_row * row_bytes, size, caps);
  const AlignedWindow packed = packed_window(problem, caps, blocking, begin, chunk.first_block, chunk.blocks);

  shared::PackWeightsParams params{};
  params.packed_taps_w = u32(packed_taps_w(problem, blocking));
  params.outer_taps = u32(outer_taps(problem, blocking));
  params.total = u32(chunk.blocks * params.outer_taps * params.packed_taps_w * chunk.in_channels * blocking.rows /
                     blocking.pack_step);
  params.kernel_w = u32(blocking.row_taps > 0 ? blocking.row_taps : problem.axes[2].kernel);
  params.tap_step_w = blocking.merged > 0 ? u32(problem.axes[2].stride / phase_gcd(problem.axes[2])) : 1;
  params.in_channels = u32(problem.group_in_channels());
  params.packed_in_channels = u32(blocking.packed_in_channels);
  params.out_channels = u32(problem.group_out_channels());
  params.blocks_per_group = u32(blocks_per_group);
  params.block_channels = u32(blocking.channels);
  params.merged = u32(std::max<int64_t>({1, blocking.merged, blocking.row_taps}));
  params.first_block = u32(chunk.first_block);
  params.first_in_channel = u32(chunk.first_in_channel);
  params.chunk_in_channels = u32(chunk.in_channels);
  params.source_offset = static_cast<uint32_t>(source.skipped_elements);
  params.packed_offset = static_cast<uint32_t>(packed.skipped_elements);

  Dispatch dispatch;
  dispatch.shader = variant_name(blocking.pack_shader, problem.data_type, caps, plan.device_address);
  dispatch.name = blocking.pack_shader;
  dispatch.constants = {blocking.pack_local_size, u32(blocking.rows)};
  dispatch.constants.insert(dispatch.constants.end(), blocking.pack_constants.begin(), blocking.pack_constants.end());
  dispatch.windows = {source.window, packed.window};
  if (blocking.scaled) dispatch.windows.push_back(scales_window(problem, caps, blocking.scales_begin).window);
  dispatch.params = to_words(params);
  dispatch.subgroup_size = blocking.pack_subgroup_size;
  const int64_t group_steps = blocking.pack_group_steps > 0 ? blocking.pack_group_steps : blocking.pack_local_size;
  if (!make_grid(static_cast<uint64_t>(ceil_div(params.total, group_steps)), caps, dispatch.group_count)) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "packing the weights needs more workgroups in one dispatch than maxComputeWorkGroupCount allows");
  }
  plan.pack.push_back(std::move(dispatch));
  return true;
}

}  // namespace

uint64_t packed_window_bytes(const DeviceCaps& caps, const Blocking& blocking, bool device_address) {
  // Elements of one pack dispatch are numbered in 32 bits.
  return std::min(max_window_bytes(caps, device_address, static_cast<uint64_t>(blocking.packed_unit)),
                  uint64_t{1} << 32);
}

uint64_t packed_block_bytes(const Problem& problem, const Blocking& blocking) {
  const double bytes = static_cast<double>(blocking.packed_element_size) * static_cast<double>(blocking.rows) *
                       static_cast<double>(outer_taps(problem, blocking)) *
                       static_cast<double>(packed_taps_w(problem, blocking)) *
                       static_cast<double>(blocking.packed_in_channels);
  return bytes < 1e18 ? static_cast<uint64_t>(bytes) : uint64_t{1} << 60;
}

bool add_packing(const Problem& problem, const DeviceCaps& caps, const Blocking& blocking, Plan& plan,
                 VktcError& error) {
  const uint64_t begin = plan.packed_weights_bytes;
  const int64_t row_bytes = problem.group_out_channels() * problem.taps() * problem.element_size();
  const auto window_bytes =
      static_cast<int64_t>(max_window_bytes(caps, plan.device_address, static_cast<uint64_t>(problem.element_size())));
  if (row_bytes * blocking.pack_chunk > window_bytes) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "the weights of %" PRId64 " in-channel(s) have %" PRId64
                " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRId64 " in one binding",
                blocking.pack_chunk, row_bytes * blocking.pack_chunk, window_bytes);
  }
  const int64_t blocks_per_window = static_cast<int64_t>(packed_window_bytes(caps, blocking, plan.device_address) /
                                                         packed_block_bytes(problem, blocking));
  const std::vector<PackChunk> chunks = cut_packing(problem, blocking, window_bytes / row_bytes, blocks_per_window);
  if (chunks.size() > max_pack_dispatches) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "packing the weights needs more than %zu dispatches within maxStorageBufferRange", max_pack_dispatches);
  }
  for (const PackChunk& chunk : chunks) {
    if (!add_pack_dispatch(problem, caps, blocking, begin, chunk, plan, error)) return false;
  }
  plan.packed_weights_bytes = begin + static_cast<uint64_t>(packed_bytes(problem, blocking));
  return true;
}

}  // namespace vktconv

// The universal algorithm: every output gathers its inputs (shaders/gather.comp). Applies to every problem.

#include <algorithm>
#include <cinttypes>
#include <limits>

#include "algorithms/algorithm.h"
#include "algorithms/slabs.h"
#include "phases.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values.
enum : size_t { local_size, positions, channel_quads };

uint32_t u32(int64_t value) { return static_cast<uint32_t>(value); }

// The positions of one phase, over all images of a slab.
int64_t phase_positions(const Problem& problem, int64_t images) {
  int64_t count = images;
  for (const Axis& axis : problem.axes) count *= ceil_div(axis.output, axis.stride);
  return count;
}

int64_t phase_count(const Problem& problem) {
  int64_t count = 1;
  for (const Axis& axis : problem.axes) count *= std::min(axis.stride, axis.output);
  return count;
}

int64_t block_channels(const Tile& tile) { return int64_t{tile.values[channel_quads]} * 4; }

int64_t position_blocks(const Problem& problem, const Tile& tile, int64_t images) {
  return ceil_div(phase_positions(problem, images), int64_t{tile.values[local_size]} * tile.values[positions]);
}

std::string name_slab(const Slab& slab) {
  const auto range = [](int64_t first, int64_t count) {
    return std::to_string(first) + (count > 1 ? ".." + std::to_string(first + count - 1) : "");
  };
  return "gather, batch " + range(slab.first_image, slab.images) + ", group " + range(slab.first_group, slab.groups) +
         ", channel block " + range(slab.first_block, slab.blocks);
}

// Positions are computed in 32-bit signed integers.
bool check_index_range(const Problem& problem, VktcError& error) {
  for (const Axis& axis : problem.axes) {
    const int64_t reach = (axis.input - 1) * axis.stride + axis.dilation * (axis.kernel - 1);
    constexpr int64_t limit = std::numeric_limits<int32_t>::max();
    if (reach > limit || axis.padding_begin + axis.output > limit || axis.padding_begin < -limit) {
      return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "inputSize",
                  "(inputSize - 1) * stride + dilation * (kernelSize - 1) is %" PRId64 " and paddingBegin %" PRId64
                  ": shaders reach positions up to 2^31 - 1 only",
                  reach, axis.padding_begin);
    }
  }
  return true;
}

bool add_pack_dispatches(const Problem& problem, const DeviceCaps& caps, const Tile& tile, uint64_t window_bytes,
                         int64_t packed_blocks_per_window, Plan& plan, VktcError& error) {
  const int64_t channels = block_channels(tile);
  const int64_t blocks_per_group = ceil_div(problem.group_out_channels(), channels);
  const int64_t row_bytes = problem.group_out_channels() * problem.taps() * problem.element_size();
  const int64_t block_elements = problem.taps() * problem.group_in_channels() * channels;
  const int64_t rows_per_window = std::max<int64_t>(1, static_cast<int64_t>(window_bytes) / row_bytes);
  // Whole groups together where their weights fit one window, else one group (and some of its in-channels) at a time.
  const int64_t groups_per_window = std::max<int64_t>(1, rows_per_window / problem.group_in_channels());
  const int64_t chunk_limit = std::min(problem.group_in_channels(), rows_per_window);

  bool grid_holds = true;
  const auto add = [&](int64_t first_block, int64_t blocks, int64_t first_channel, int64_t chunk) {
    const int64_t first_group = first_block / blocks_per_group;
    const int64_t last_group = (first_block + blocks - 1) / blocks_per_group;
    const int64_t first_row = first_group * problem.group_in_channels() + first_channel;
    const int64_t end_row = last_group * problem.group_in_channels() + first_channel + chunk;
    const AlignedWindow source =
        align_window(Tensor::weights, static_cast<uint64_t>(first_row * row_bytes),
                     static_cast<uint64_t>(end_row * row_bytes), static_cast<uint64_t>(problem.element_size()), caps);
    const AlignedWindow packed =
        align_window(Tensor::packed_weights, static_cast<uint64_t>(first_block * block_elements * 4),
                     static_cast<uint64_t>((first_block + blocks) * block_elements * 4), 4, caps);
    shared::PackGatherParams params{};
    params.total = u32(blocks * problem.taps() * chunk * channels);
    params.taps = u32(problem.taps());
    params.in_channels = u32(problem.group_in_channels());
    params.out_channels = u32(problem.group_out_channels());
    params.blocks_per_group = u32(blocks_per_group);
    params.first_block = u32(first_block);
    params.first_in_channel = u32(first_channel);
    params.chunk_in_channels = u32(chunk);
    params.source_offset = static_cast<uint32_t>(source.skipped_elements);
    Dispatch dispatch;
    dispatch.shader = variant_name("pack_gather", problem.data_type, caps, plan.device_address);
    dispatch.name = "pack_gather";
    dispatch.constants = {tile.values[local_size], u32(channels)};
    params.packed_offset = static_cast<uint32_t>(packed.skipped_elements);
    dispatch.windows = {source.window, packed.window};
    grid_holds = grid_holds && make_grid(static_cast<uint64_t>(ceil_div(params.total, tile.values[local_size])), caps,
                                         dispatch.group_count);
    dispatch.params = to_words(params);
    plan.pack.push_back(std::move(dispatch));
  };

  const int64_t total_blocks = problem.groups * blocks_per_group;
  if (chunk_limit == problem.group_in_channels()) {
    for (int64_t block = 0; block < total_blocks;) {
      const int64_t end_of_groups = (block / blocks_per_group + groups_per_window) * blocks_per_group;
      const int64_t count = std::min({packed_blocks_per_window, end_of_groups - block, total_blocks - block});
      add(block, count, 0, problem.group_in_channels());
      block += count;
    }
  } else {
    for (int64_t block = 0; block < total_blocks;) {
      const int64_t end_of_group = (block / blocks_per_group + 1) * blocks_per_group;
      const int64_t count = std::min({packed_blocks_per_window, end_of_group - block, total_blocks - block});
      for (int64_t channel = 0; channel < problem.group_in_channels(); channel += chunk_limit) {
        add(block, count, channel, std::min(chunk_limit, problem.group_in_channels() - channel));
      }
      block += count;
    }
  }
  if (grid_holds) return true;
  return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
              "packing the weights needs more workgroups in one dispatch than maxComputeWorkGroupCount allows");
}

Dispatch make_run_dispatch(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const Slab& slab,
                           bool device_address) {
  const uint64_t size = static_cast<uint64_t>(problem.element_size());
  const int64_t channels = block_channels(tile);
  const int64_t blocks_per_group = ceil_div(problem.group_out_channels(), channels);
  const int64_t block_elements = problem.taps() * problem.group_in_channels() * channels;
  const bool whole_group = slab.blocks == blocks_per_group;
  const int64_t slab_out_channels =
      whole_group ? problem.group_out_channels()
                  : std::min(slab.blocks * channels, problem.group_out_channels() - slab.first_block * channels);

  // First and past-the-last channel planes, counted over all images.
  const int64_t input_begin = slab.first_image * problem.in_channels + slab.first_group * problem.group_in_channels();
  const int64_t input_end =
      input_begin + (slab.images - 1) * problem.in_channels + slab.groups * problem.group_in_channels();
  const int64_t output_begin = slab.first_image * problem.out_channels +
                               slab.first_group * problem.group_out_channels() + slab.first_block * channels;
  const int64_t output_end = output_begin + (slab.images - 1) * problem.out_channels +
                             (slab.groups - 1) * problem.group_out_channels() + slab_out_channels;
  const uint64_t input_plane = static_cast<uint64_t>(problem.input_plane()) * size;
  const uint64_t output_plane = static_cast<uint64_t>(problem.output_plane()) * size;
  const AlignedWindow input = align_window(Tensor::input, static_cast<uint64_t>(input_begin) * input_plane,
                                           static_cast<uint64_t>(input_end) * input_plane, size, caps);
  const AlignedWindow output = align_window(Tensor::output, static_cast<uint64_t>(output_begin) * output_plane,
                                            static_cast<uint64_t>(output_end) * output_plane, size, caps);
  const int64_t packed_begin = slab.first_group * blocks_per_group + slab.first_block;
  const AlignedWindow packed =
      align_window(Tensor::packed_weights, static_cast<uint64_t>(packed_begin * block_elements * 4),
                   static_cast<uint64_t>((packed_begin + slab.groups * slab.blocks) * block_elements * 4), 4, caps);
  // Without bias the binding must still hold something valid: the packed weights do.
  const Window bias =
      problem.has_bias
          ? align_window(Tensor::bias, 0, static_cast<uint64_t>(problem.out_channels) * size, size, caps).window
          : packed.window;

  shared::GatherParams params{};
  for (size_t a = 0; a < 3; ++a) {
    params.input_size[a] = u32(problem.axes[a].input);
    params.output_size[a] = u32(problem.axes[a].output);
    params.padding_begin[a] = static_cast<int32_t>(problem.axes[a].padding_begin);
  }
  params.in_channels = u32(problem.group_in_channels());
  params.out_channels = u32(problem.group_out_channels());
  params.input_batch_stride = u32(problem.in_channels * problem.input_plane());
  params.output_batch_stride = u32(problem.out_channels * problem.output_plane());
  params.batch = u32(slab.images);
  params.position_blocks = u32(position_blocks(problem, tile, slab.images));
  params.groups = u32(slab.groups);
  params.blocks = u32(slab.blocks);
  params.first_block = u32(slab.first_block);
  params.first_group = u32(slab.first_group);
  params.input_offset = static_cast<uint32_t>(input.skipped_elements);
  params.output_offset = static_cast<uint32_t>(output.skipped_elements);
  params.weights_offset = static_cast<uint32_t>(packed.skipped_elements / 4);

  Dispatch dispatch;
  dispatch.shader = variant_name("gather", problem.data_type, caps, device_address);
  dispatch.name = name_slab(slab);
  dispatch.constants.resize(GATHER_CONSTANTS);
  dispatch.constants[GATHER_LOCAL_SIZE] = tile.values[local_size];
  dispatch.constants[GATHER_POSITIONS] = tile.values[positions];
  dispatch.constants[GATHER_CHANNEL_QUADS] = tile.values[channel_quads];
  dispatch.constants[GATHER_HAS_BIAS] = problem.has_bias ? 1 : 0;
  for (size_t a = 0; a < 3; ++a) {
    const Axis& axis = problem.axes[a];
    const int64_t gcd = phase_gcd(axis);
    dispatch.constants[GATHER_KERNEL + a] = u32(axis.kernel);
    dispatch.constants[GATHER_TAP_STEP + a] = u32(axis.stride / gcd);
    dispatch.constants[GATHER_INPUT_STEP + a] = u32(axis.dilation / gcd);
    dispatch.constants[GATHER_GCD + a] = u32(gcd);
    dispatch.constants[GATHER_TAP_INVERSE + a] = u32(tap_inverse(axis));
  }
  dispatch.windows = {input.window, packed.window, bias, output.window};
  dispatch.params = to_words(params);
  make_grid(static_cast<uint64_t>(position_blocks(problem, tile, slab.images) * phase_count(problem) * slab.groups *
                                  slab.blocks),
            caps, dispatch.group_count);
  return dispatch;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const std::string shader = variant_name("gather", problem.data_type, caps, false);
  if (find_shader(shader) == nullptr) {
    why_not = "this build has no shader " + shader;
    return {};
  }
  const double flop = useful_flop(problem);
  const double all_positions =
      static_cast<double>(phase_positions(problem, problem.batch)) * static_cast<double>(phase_count(problem));
  std::vector<Tile> result;
  for (const uint32_t quads : {1u, 2u, 4u}) {
    if (quads > 1 && int64_t{quads} * 4 >= problem.group_out_channels() + 4) continue;
    for (const uint32_t count : {1u, 2u, 4u}) {
      Tile tile;
      tile.values[local_size] = std::min(128u, caps.max_compute_work_group_invocations);
      tile.values[positions] = count;
      tile.values[channel_quads] = quads;
      // A thread needs `quads` vector loads of weights and `count` loads of input for quads * 4 * count multiply-adds.
      const double channels = static_cast<double>(block_channels(tile));
      const double waste =
          static_cast<double>(ceil_div(problem.group_out_channels(), block_channels(tile))) * channels /
          static_cast<double>(problem.group_out_channels()) *
          (static_cast<double>(position_blocks(problem, tile, problem.batch)) * tile.values[local_size] * count) /
          static_cast<double>(phase_positions(problem, problem.batch));
      const double per_product = 1.0 + (2.0 * count + 4.0 * quads) / (channels * count);
      const double invocations = all_positions * static_cast<double>(problem.out_channels) * waste / (channels * count);
      const double wanted_invocations = 2048.0 * std::max(1u, caps.multiprocessors);
      const double rate =
          0.6 * (caps.fp32_flops > 0 ? caps.fp32_flops : 1e12) * std::min(1.0, invocations / wanted_invocations);
      const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
      // Registers past about 64 sums cost occupancy, and CPU devices spill far earlier.
      const double sums = channels * count;
      const double most_sums = caps.is_cpu ? 16 : 48;
      const double spill = sums > most_sums ? sums / most_sums : 1.0;
      tile.seconds = std::max(flop * waste * per_product * spill / rate, 1.5 * least_bytes(problem) / bandwidth);
      result.push_back(tile);
    }
  }
  return result;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  if (!check_index_range(problem, error)) return false;
  const uint64_t size = static_cast<uint64_t>(problem.element_size());
  const int64_t channels = block_channels(tile);
  const int64_t blocks_per_group = ceil_div(problem.group_out_channels(), channels);

  SlabLimits limits;
  limits.block_channels = channels;
  // Divided so that the product with 2^31 taps cannot overflow: what is too large is refused by the window limit.
  const double block_bytes = 4.0 * static_cast<double>(channels) * static_cast<double>(problem.taps()) *
                             static_cast<double>(problem.group_in_channels());
  limits.packed_block_bytes = block_bytes < 1e18 ? static_cast<uint64_t>(block_bytes) : uint64_t{1} << 60;
  const int64_t phases = phase_count(problem);
  limits.workgroups = [&](const Slab& slab) {
    if (phase_positions(problem, slab.images) > (int64_t{1} << 31)) return uint64_t{1} << 60;  // numbered in 32 bits
    const double count = static_cast<double>(position_blocks(problem, tile, slab.images)) *
                         static_cast<double>(phases) * static_cast<double>(slab.groups) *
                         static_cast<double>(slab.blocks);
    return count < 1e18 ? static_cast<uint64_t>(count) : uint64_t{1} << 60;
  };
  const auto* grid = caps.max_compute_work_group_count;
  const double grid_room = static_cast<double>(grid[0]) * grid[1] * grid[2];
  // Rounding up to whole rows of the grid may add one row, and shaders number workgroups in 32 bits.
  const uint64_t numbered = std::numeric_limits<uint32_t>::max() - uint64_t{grid[0]} * 2;
  limits.max_workgroups = grid_room < static_cast<double>(numbered) ? static_cast<uint64_t>(grid_room) : numbered;

  std::vector<Slab> slabs;
  const auto cut = [&](bool device_address) {
    limits.window_bytes = max_window_bytes(caps, device_address, size);
    // Elements of one pack dispatch are numbered in 32 bits.
    limits.packed_window_bytes = std::min(max_window_bytes(caps, device_address, 4), uint64_t{1} << 33);
    return cut_slabs(problem, limits, slabs, error);
  };
  plan.device_address = options.memory_access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS;
  if (!cut(plan.device_address)) {
    if (options.memory_access != VKTC_MEMORY_ACCESS_AUTO || !caps.buffer_device_address) return false;
    plan.device_address = true;
    if (!cut(true)) return false;
  }

  const uint64_t row_bytes = static_cast<uint64_t>(problem.group_out_channels() * problem.taps()) * size;
  if (static_cast<uint64_t>(problem.out_channels) * size > limits.window_bytes && problem.has_bias) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "bias",
                "the bias has more bytes than maxStorageBufferRange, %" PRIu64, limits.window_bytes);
  }
  if (row_bytes > limits.window_bytes) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "the weights of one in-channel have %" PRIu64
                " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRIu64 " in one binding",
                row_bytes, limits.window_bytes);
  }

  plan.tile = std::to_string(channels) + " channels x " + std::to_string(tile.values[positions]) +
              " positions per invocation, " + std::to_string(tile.values[local_size]) + " invocations";
  plan.packed_weights_bytes = static_cast<uint64_t>(problem.groups * blocks_per_group) * limits.packed_block_bytes;
  const int64_t packed_blocks_per_window = static_cast<int64_t>(limits.packed_window_bytes / limits.packed_block_bytes);
  if (!add_pack_dispatches(problem, caps, tile, limits.window_bytes, packed_blocks_per_window, plan, error))
    return false;
  for (const Slab& slab : slabs) plan.run.push_back(make_run_dispatch(problem, caps, tile, slab, plan.device_address));
  // Windows are widened to the alignment, so those of neighbouring dispatches may overlap.
  for (std::vector<Dispatch>* list : {&plan.pack, &plan.run}) {
    for (size_t i = 1; i < list->size(); ++i) (*list)[i].barrier_before = true;
  }
  return true;
}

}  // namespace

const Algorithm gather_algorithm = {"gather", "every problem on every device: each output gathers its inputs", tiles,
                                    build};

}  // namespace vktconv

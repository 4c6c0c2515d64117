// Small problems with many in-channels do not fill a GPU: each group's in-channels are split into parts that are
// convolved side by side, as groups of their own, by another algorithm, into the workspace; a last dispatch adds the
// partial sums up, always in the same order (shaders/sum_parts.comp). The weights need not be moved: in-channels are
// their outermost axis.

#include <algorithm>
#include <cinttypes>
#include <iterator>
#include <tuple>

#include "algorithms/blocks.h"
#include "algorithms/matrix_window_tile.h"
#include "algorithms/post_op_windows.h"
#include "shared/params.h"

namespace vktconv {
namespace {

// Tile::values: parts of a group's in-channels, who convolves them (an index of `inner`), and that one's tile.
enum : size_t { parts, algorithm, inner_values };
constexpr size_t most_inner_values = matrix_window::value_count;  // that tiles of the other algorithms have at most

constexpr const Algorithm* inner[] = {&tiled_algorithm, &matrix_algorithm, &matrix_window_algorithm};

// Partial sums are written and read once more, and are seen through one window.
constexpr int64_t most_bytes = int64_t{1} << 26;
constexpr int64_t least_in_channels = 16;  // of a part
constexpr uint64_t workspace_alignment = 256;
constexpr uint32_t own_buffers = 3;

Problem make_parts(const Problem& problem, uint32_t count) {
  Problem result = problem;
  result.groups *= count;
  result.out_channels *= count;
  result.output_type = VKTC_DATA_TYPE_F32;
  result.has_bias = false;
  result.post_ops.clear();
  return result;
}

int64_t partial_bytes(const Problem& problem, uint32_t count) { return problem.output_elements() * count * 4; }

bool can_be_split(const Problem& problem, uint32_t count) {
  return problem.group_in_channels() % count == 0 && problem.group_in_channels() / count >= least_in_channels &&
         problem.output_elements() <= most_bytes / 4 / count;
}

double predict_sum(const Problem& problem, const DeviceCaps& caps, uint32_t count) {
  const double bandwidth = caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11;
  const auto bytes =
      static_cast<double>(partial_bytes(problem, count) + problem.output_elements() * problem.output_element_size());
  return bytes / bandwidth + 7e-6;  // two dispatches more, and a barrier
}

static_assert(inner_values + most_inner_values <= std::tuple_size_v<decltype(Tile::values)>);

Tile wrap(uint32_t count, size_t index, const Tile& of_parts, double seconds) {
  Tile tile;
  tile.values[parts] = count;
  tile.values[algorithm] = static_cast<uint32_t>(index);
  nest_tile(of_parts, inner_values, tile);
  tile.seconds = seconds;
  return tile;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  if (problem.data_type == VKTC_DATA_TYPE_I32 || problem.data_type == VKTC_DATA_TYPE_I8) {
    why_not = "it adds floating-point sums only";
    return {};
  }
  std::vector<Tile> result;
  for (const uint32_t count : {2u, 4u, 8u, 16u}) {
    if (!can_be_split(problem, count) || (caps.is_cpu && count > 2)) continue;
    const Problem of_parts = make_parts(problem, count);
    for (size_t index = 0; index < std::size(inner); ++index) {
      std::string unused;
      std::vector<Tile> offered = inner[index]->tiles(of_parts, caps, unused);
      // Candidates far behind are not worth the planner's time.
      constexpr size_t most_tiles = 6;
      const auto end = offered.begin() + static_cast<std::ptrdiff_t>(std::min(most_tiles, offered.size()));
      std::partial_sort(offered.begin(), end, offered.end(),
                        [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
      for (auto tile = offered.begin(); tile != end; ++tile) {
        // On a CPU all cores are busy in any case.
        const double cpu = caps.is_cpu ? 4.0 : 1.0;
        result.push_back(wrap(count, index, *tile, cpu * (tile->seconds + predict_sum(problem, caps, count))));
      }
    }
  }
  if (result.empty()) {
    why_not = "a group's in-channels cannot be split into two or more parts of " + std::to_string(least_in_channels) +
              ", their sums have more than " + std::to_string(most_bytes >> 20) +
              " MiB, or no other algorithm takes the parts";
  }
  return result;
}

Dispatch sum_parts(const Problem& problem, const DeviceCaps& caps, uint32_t count, const Window& sums,
                   const Plan& of_parts) {
  const bool last = problem.output_channels_last();
  shared::SumPartsParams params{};
  params.total = u32(problem.output_elements());
  params.parts = count;
  params.block = u32(problem.group_out_channels() * (last ? 1 : problem.output_plane()));
  params.out_channels = u32(problem.out_channels);
  params.channel_stride = u32(last ? 1 : problem.output_plane());
  params.has_bias = problem.has_bias ? 1 : 0;

  Dispatch dispatch;
  dispatch.shader =
      variant_name("sum_parts", problem.data_type, caps, of_parts.device_address, has_post_op_buffers(problem));
  dispatch.name = "sum_parts";
  dispatch.constants = common_constants(problem);
  dispatch.constants.resize(SUM_PARTS_CONSTANTS);
  const uint32_t local = std::min(128u, caps.max_compute_work_group_invocations);
  dispatch.constants[SUM_PARTS_LOCAL_SIZE] = local;
  dispatch.params = to_words(params);
  const auto window = [&](Tensor tensor, int64_t elements, int64_t size) {
    return align_window(tensor, 0, static_cast<uint64_t>(elements * size), static_cast<uint64_t>(size), caps).window;
  };
  const Window output = window(Tensor::output, problem.output_elements(), problem.output_element_size());
  // Without bias the binding must still hold something valid.
  dispatch.windows = {
      sums, problem.has_bias ? window(Tensor::bias, problem.out_channels, problem.bias_element_size()) : sums, output};
  append_post_op_windows(problem, caps, of_parts.device_address, output, sums, dispatch.windows);
  dispatch.barrier_before = true;
  return dispatch;
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  const uint32_t count = tile.values[parts];
  const Problem of_parts = make_parts(problem, count);
  const Algorithm& by = *inner[tile.values[algorithm]];
  if (!by.build(of_parts, caps, options, nested_tile(tile, inner_values), plan, error)) return false;
  if (!check_post_op_buffers(problem, caps, plan.device_address, own_buffers, error)) return false;

  const uint64_t begin = (plan.workspace_bytes + workspace_alignment - 1) / workspace_alignment * workspace_alignment;
  const Window sums = {Tensor::workspace, begin, static_cast<uint64_t>(partial_bytes(problem, count))};
  const uint64_t most = max_window_bytes(caps, plan.device_address, sizeof(float));
  if (sums.range > most) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outputSize",
                "partial sums have %" PRIu64 " bytes, but maxStorageBufferRange allows %" PRIu64 " in one binding",
                sums.range, most);
  }
  for (Dispatch& dispatch : plan.run) {
    for (Window& window : dispatch.windows) {
      if (window.tensor == Tensor::output) window = {Tensor::workspace, begin + window.offset, window.range};
    }
  }
  Dispatch sum = sum_parts(problem, caps, count, sums, plan);
  const auto workgroups =
      static_cast<uint64_t>(ceil_div(problem.output_elements(), sum.constants[SUM_PARTS_LOCAL_SIZE]));
  if (!make_grid(workgroups, caps, sum.group_count)) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "outputSize",
                "adding up %" PRId64 " outputs needs more workgroups than maxComputeWorkGroupCount allows",
                problem.output_elements());
  }
  plan.run.push_back(std::move(sum));
  plan.workspace_bytes = begin + sums.range;
  plan.tile = "in-channels in " + std::to_string(count) + " parts, " + by.name + ": " + plan.tile;
  return true;
}

}  // namespace

const Algorithm split_algorithm = {
    "split", "in-channels in parts that another algorithm convolves side by side, for small problems", tiles, build};

}  // namespace vktconv

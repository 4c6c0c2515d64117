// Winograd's transforms along the width before and after products on matrix units: fewer products, for fp32 in two fp16
// parts. Three dispatches a slab: the transform of the input (shaders/transform_input.comp), which leaves it as
// matrix_window reads prepared inputs, with a group for each point of each group; matrix_window; the transform of its
// sums (shaders/transform_output.comp). Slabs take turns in the workspace.

#include <algorithm>
#include <cinttypes>
#include <limits>
#include <string>

#include "algorithms/blocks.h"
#include "algorithms/matrix_window_plan.h"
#include "algorithms/matrix_winograd_tile.h"
#include "algorithms/packing.h"
#include "algorithms/post_op_windows.h"
#include "shader_table.h"
#include "shared/params.h"

namespace vktconv {
namespace {

using namespace matrix_winograd;

constexpr uint32_t output_buffers = 5;  // of the last transform, without those of the post-ops

// What slabs of several images keep the workspace below.
constexpr int64_t enough_bytes = int64_t{1} << 30;

// Tiles may end behind the row of outputs; shaders count in 32 bits there, too.
bool reaches_too_far(const Problem& problem) {
  const Axis& width = problem.axes[2];
  constexpr int64_t most_inputs = 32;  // of a tile, all groups of taps together, and of its outputs
  return width.output + width.padding_begin + most_inputs * width.dilation > std::numeric_limits<int32_t>::max();
}

// Bytes of the tensors in between must be counted in 64 bits, whatever the dilation makes of short rows.
bool is_too_large(const Problem& problem) {
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const Axis& width = problem.axes[2];
  constexpr double most = 8 * 2 * 4;  // points, groups of taps, and in-channels where a group's are rounded up
  const double rows = std::max(d(problem.axes[0].input) * d(problem.axes[1].input) * d(problem.in_channels),
                               d(problem.axes[0].output) * d(problem.axes[1].output) * d(problem.out_channels));
  return most * rows * d(problem.batch) * d(width.output + width.dilation) > 0x1p60;
}

bool available(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  const Axis& width = problem.axes[2];
  const std::string kernel = std::to_string(width.kernel);
  if (problem.data_type != VKTC_DATA_TYPE_F32) {
    why_not = "it multiplies fp32 elements only";
  } else if (width.stride > 1) {
    why_not = "the stride of the width is " + std::to_string(width.stride) + ": it must be 1";
  } else if (width.kernel < 3 || width.kernel > 12) {
    why_not = "the width has " + kernel + " taps: it transforms 3 to 12";
  } else if (problem.group_in_channels() < least_f32_in_channels) {
    why_not = few_f32_in_channels();
  } else if (reaches_too_far(problem)) {
    why_not = "its tiles along the width would reach positions past 2^31 - 1";
  } else if (is_too_large(problem)) {
    why_not = "its tensors in between would be too large";
  } else {
    for (const char* shader : {"transform_weights", "transform_input", "transform_output"}) {
      const std::string name = variant_name(shader, problem.data_type, caps, false);
      if (find_shader(name) != nullptr) continue;
      why_not = "this build has no shader " + name;
      return false;
    }
    return true;
  }
  return false;
}

std::vector<Tile> tiles(const Problem& problem, const DeviceCaps& caps, std::string& why_not) {
  if (!available(problem, caps, why_not)) return {};
  std::vector<Tile> result;
  why_not = "no F(m, r) that is exact enough saves products: some outputs take " +
            std::to_string(inner_products(problem)) +
            ", and more than 6 taps of the width want a multiple of 8 in-channels";
  for (const Filter& filter : useful_filters(problem)) {
    const Problem transformed = transformed_problem(problem, filter, problem.batch, problem.groups);
    const double exact = exact_products(problem, filter);
    std::vector<Tile> offered = matrix_window_algorithm.tiles(transformed, caps, why_not);
    // Its sums lie in planes of any size: in units these tiles took up to 1.5 times as long (docs/performance-log.md).
    std::erase_if(offered, [](const Tile& tile) {
      return tile.precision != VKTC_PRECISION_F32 || tile.values[matrix_window::prepared] == 0 ||
             tile.values[matrix_window::in_units] != 0;
    });
    // Candidates far behind are not worth the planner's time.
    constexpr size_t most_tiles = 12;
    const auto end = offered.begin() + static_cast<std::ptrdiff_t>(std::min(most_tiles, offered.size()));
    std::partial_sort(offered.begin(), end, offered.end(),
                      [](const Tile& a, const Tile& b) { return a.seconds < b.seconds; });
    for (auto of_window = offered.begin(); of_window != end; ++of_window) {
      Tile tile = wrap(filter, *of_window);
      const double preparation = predict_preparation(transformed, matrix_window::prepared_of(transformed, *of_window),
                                                     caps.memory_bandwidth > 0 ? caps.memory_bandwidth : 1e11);
      // On a CPU matrices are not quick, and nor is what feeds them.
      const double slowness = caps.is_cpu ? matrix_window::cpu_slowness : 1.0;
      // Of one tap of the width at a time, products take less than the model of matrix_window says: timed on an H200.
      const double products = (caps.is_cpu ? 1.0 : 0.85) * (of_window->seconds - slowness * preparation);
      tile.seconds = products + slowness * predict_transforms(problem, caps, tile, exact);
      result.push_back(tile);
    }
  }
  return result;
}

// ---- weights --------------------------------------------------------------------------------------------------------

// Behind what is packed already, and up to where scales may begin: whole groups, as many in each dispatch as windows
// hold.
bool add_transform_of_weights(const Problem& problem, const Problem& transformed, const DeviceCaps& caps,
                              const Filter& filter, Plan& plan, VktcError& error) {
  constexpr int64_t alignment = 256;
  const auto begin = static_cast<int64_t>(plan.packed_weights_bytes);
  const int64_t all_bytes = round_up(begin + transformed.weight_elements() * 4, alignment) - begin;
  const Axis& width = problem.axes[2];
  const int64_t rows =
      problem.group_in_channels() * problem.group_out_channels() * problem.axes[0].kernel * problem.axes[1].kernel;
  const int64_t of_group = rows * tap_groups(problem, filter);
  const int64_t group_bytes = of_group * filter.points * 4;  // transformed: more than before
  const auto window_bytes =
      static_cast<int64_t>(max_window_bytes(caps, plan.device_address, sizeof(float))) - alignment;
  const int64_t groups = std::min(problem.groups, window_bytes / group_bytes);
  if (groups == 0) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "the transformed weights of one group have %" PRId64
                " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRId64 " in one binding",
                group_bytes, window_bytes);
  }
  if (problem.groups / groups > static_cast<int64_t>(max_pack_dispatches)) {
    return fail(error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
                "transforming the weights needs more than %zu dispatches within maxStorageBufferRange",
                max_pack_dispatches);
  }
  for (int64_t first = 0; first < problem.groups; first += groups) {
    const int64_t end = std::min(first + groups, problem.groups);
    const AlignedWindow source =
        weights_window({}, first * rows * width.kernel * 4, end * rows * width.kernel * 4, 4, caps);
    const AlignedWindow to = weights_window({Tensor::packed_weights, plan.packed_weights_bytes}, first * group_bytes,
                                            end < problem.groups ? end * group_bytes : all_bytes, 4, caps);
    shared::TransformWeightsParams params{};
    params.total = u32((end - first) * of_group);
    params.of_group = u32(of_group);
    params.source_offset = static_cast<uint32_t>(source.skipped_elements);
    params.transformed_offset = static_cast<uint32_t>(to.skipped_elements);

    Dispatch dispatch;
    dispatch.shader = variant_name("transform_weights", problem.data_type, caps, plan.device_address);
    dispatch.name = "transform_weights";
    constexpr uint32_t local = 64;
    dispatch.constants = {local, filter.points, filter.taps, u32(tap_groups(problem, filter)), u32(width.kernel)};
    dispatch.windows = {source.window, to.window};
    dispatch.params = to_words(params);
    if (!make_grid(static_cast<uint64_t>(ceil_div(params.total, local)), caps, dispatch.group_count)) {
      return fail(
          error, VKTC_ERROR_LIMIT_EXCEEDED, "weights",
          "transforming the weights needs more workgroups in one dispatch than maxComputeWorkGroupCount allows");
    }
    plan.pack.push_back(std::move(dispatch));
  }
  plan.packed_weights_bytes = static_cast<uint64_t>(begin + all_bytes);
  return true;
}

// ---- dispatches of a slab -------------------------------------------------------------------------------------------

uint32_t local_size(const DeviceCaps& caps) {
  return std::min({128u, caps.max_compute_work_group_invocations, caps.max_compute_work_group_size[0]});
}

// Invocations of either transform, for so many images and groups.
int64_t input_items(const Problem& problem, const Tile& tile, int64_t images, int64_t groups) {
  return workspace_of(problem, tile, images, groups).input_bytes / (filter_of(tile).points * int64_t{2} * 16);
}

int64_t output_workgroups(const Problem& problem, const DeviceCaps& caps, const Tile& tile, int64_t images,
                          int64_t groups) {
  const int64_t of_group = problem.group_out_channels() * problem.axes[0].output * problem.axes[1].output *
                           row_tiles(problem, filter_of(tile));
  // Channels-first, a workgroup stays within a group.
  return problem.output_channels_last() ? ceil_div(images * groups * of_group, local_size(caps))
                                        : images * groups * ceil_div(of_group, local_size(caps));
}

Run transform_input(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                    const Slab& slab, const SlabWindows& windows, const Window& to) {
  const Axis& width = problem.axes[2];
  const Filter& filter = filter_of(tile);
  shared::TransformInputParams params{};
  params.total = u32(input_items(problem, tile, slab.images, slab.groups));
  params.groups = windows.params.groups;
  params.in_channels = u32(problem.group_in_channels());
  params.all_channels = u32(problem.in_channels);
  params.rows = u32(problem.axes[0].input * problem.axes[1].input);
  params.width = u32(width.input);
  params.tiles = u32(row_tiles(problem, filter));
  params.first_input =
      static_cast<int32_t>(width.padding_begin - width.dilation * (tap_groups(problem, filter) * filter.taps - 1));
  params.input_offset = windows.params.input_offset;

  Run run;
  run.dispatch.shader = variant_name("transform_input", problem.data_type, caps, device_address);
  run.dispatch.constants.resize(TRANSFORM_INPUT_CONSTANTS);
  run.dispatch.constants[TRANSFORM_INPUT_LOCAL_SIZE] = local_size(caps);
  run.dispatch.constants[TRANSFORM_INPUT_POINTS] = filter.points;
  run.dispatch.constants[TRANSFORM_INPUT_TAPS] = filter.taps;
  run.dispatch.constants[TRANSFORM_INPUT_TAP_GROUPS] = u32(tap_groups(problem, filter));
  run.dispatch.constants[TRANSFORM_INPUT_DEPTH] = unwrap(tile).values[matrix_window::depth];
  run.dispatch.constants[TRANSFORM_INPUT_STEP_W] = u32(width.dilation);
  run.dispatch.constants[TRANSFORM_INPUT_CHANNELS_LAST] = problem.input_channels_last();
  run.dispatch.constants[TRANSFORM_INPUT_QUADS] =
      problem.input_channels_last() && problem.group_in_channels() % 4 == 0 && params.input_offset % 4 == 0;
  run.dispatch.constants[TRANSFORM_INPUT_WHOLE_OCTETS] = problem.group_in_channels() % 8 == 0;
  run.dispatch.params = to_words(params);
  run.dispatch.windows = {windows.input.window, to};
  run.workgroups = static_cast<double>(ceil_div(params.total, local_size(caps)));
  return run;
}

Run transform_output(const Problem& problem, const DeviceCaps& caps, const Tile& tile, bool device_address,
                     const Slab& slab, const SlabWindows& windows, const Window& sums) {
  const Filter& filter = filter_of(tile);
  Run run;
  run.dispatch.shader =
      variant_name("transform_output", problem.data_type, caps, device_address, has_post_op_buffers(problem));
  std::vector<uint32_t>& constants = run.dispatch.constants;
  constants = problem_constants(problem, 0);
  constants.resize(TRANSFORM_OUTPUT_CONSTANTS);
  constants[TRANSFORM_OUTPUT_LOCAL_SIZE] = constants[TRANSFORM_OUTPUT_LOCAL] = local_size(caps);
  constants[TRANSFORM_OUTPUT_POINTS] = filter.points;
  constants[TRANSFORM_OUTPUT_TAPS] = filter.taps;
  constants[TRANSFORM_OUTPUT_LEAST_PRODUCTS] = filter.least_border;
  constants[TRANSFORM_OUTPUT_WHOLE_VECTORS] = !problem.output_channels_last() && filter.outputs() == 4 &&
                                              problem.axes[2].dilation == 1 && problem.axes[2].output % 4 == 0 &&
                                              windows.params.output_offset % 4 == 0;
  run.dispatch.params = to_words(windows.params);
  run.dispatch.windows = {windows.input.window, windows.packed.window, windows.bias.window, windows.output.window,
                          sums};
  append_post_op_windows(problem, caps, device_address, windows.output.window, windows.packed.window,
                         run.dispatch.windows);
  run.workgroups = static_cast<double>(output_workgroups(problem, caps, tile, slab.images, slab.groups));
  return run;
}

// Where the weights for the products lie in the packed weights.
struct PackedPlaces {
  uint64_t scales = 0, fragments = 0;
};

Run multiply(const Problem& transformed, const DeviceCaps& caps, const Tile& of_window, bool device_address,
             const Blocking& blocking, const PackedPlaces& places, const Filter& filter, const Slab& slab,
             const Window& input, const Window& sums) {
  const int64_t blocks = blocking.blocks_per_group(transformed);
  const Slab of_points = {0, slab.images, slab.first_group * filter.points, slab.groups * filter.points, 0, blocks};
  SlabWindows windows;
  windows.packed = packed_window(transformed, caps, blocking, places.fragments, of_points.first_group * blocks,
                                 of_points.groups * blocks);
  windows.input = windows.bias = windows.also_packed = windows.packed;  // not looked at
  windows.scales = scales_window(transformed, caps, places.scales);
  windows.output.window = sums;
  windows.params.batch = u32(of_points.images);
  windows.params.groups = u32(of_points.groups);
  windows.params.blocks = u32(blocks);
  windows.params.first_group = u32(of_points.first_group);
  windows.params.weights_offset = static_cast<uint32_t>(windows.packed.skipped_elements);
  // In the workspace there are the slab's images and groups only.
  Problem of_slab = transformed;
  of_slab.batch = of_points.images;
  of_slab.groups = of_points.groups;
  of_slab.in_channels = of_slab.groups * transformed.group_in_channels();
  of_slab.out_channels = of_slab.groups * transformed.group_out_channels();
  return {matrix_window::multiply(of_slab, caps, of_window, device_address, false, input, windows),
          blocking.workgroups(of_points)};
}

// ---- the plan -------------------------------------------------------------------------------------------------------

// Whether the windows of so many images and groups fit bindings and 32-bit numbers; else which do not.
bool windows_fit(const Problem& problem, const DeviceCaps& caps, const Tile& tile, const Blocking& products,
                 bool device_address, int64_t images, int64_t groups, VktcError& error) {
  const auto fits = [&](const char* parameter, const char* what, uint64_t bytes, uint64_t most) {
    return bytes <= most ||
           fail(error, VKTC_ERROR_LIMIT_EXCEEDED, parameter,
                "%s needs %" PRIu64 " bytes, but maxStorageBufferRange and 32-bit indices allow %" PRIu64
                " in one binding",
                what, bytes, most);
  };
  const Workspace workspace = workspace_of(problem, tile, images, groups);
  const Problem transformed = transformed_problem(problem, filter_of(tile), images, groups);
  const auto blocks = static_cast<uint64_t>(transformed.groups * products.blocks_per_group(transformed));
  // Vectors of 16 bytes are counted in 32 bits, and so are sums.
  return fits("input", "the transformed input of one group of one image", static_cast<uint64_t>(workspace.input_bytes),
              device_address ? uint64_t{1} << 35 : caps.max_storage_buffer_range) &&
         fits("output", "the transformed output of one group of one image", static_cast<uint64_t>(workspace.sums_bytes),
              max_window_bytes(caps, device_address, sizeof(float))) &&
         fits("packedWeights", "one group of packed weights at all points",
              blocks * packed_block_bytes(transformed, products), packed_window_bytes(caps, products, device_address));
}

std::string describe(const Problem& problem, const Problem& transformed, const Tile& tile, const DeviceCaps& caps) {
  const Filter& filter = filter_of(tile);
  const int64_t groups = tap_groups(problem, filter);
  return "F(" + std::to_string(filter.outputs()) + ", " + std::to_string(filter.taps) + ") at " +
         std::to_string(filter.points) + " points" +
         (groups > 1 ? ", " + std::to_string(groups) + " groups of taps" : "") +
         ", matrix_window: " + matrix_window::describe_products(transformed, unwrap(tile), caps);
}

bool build(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options, const Tile& tile, Plan& plan,
           VktcError& error) {
  const Filter& filter = filter_of(tile);
  const Problem transformed = transformed_problem(problem, filter, problem.batch, problem.groups);
  const Tile of_window = unwrap(tile);
  Blocking products = matrix_window::make_blocking(transformed, caps, of_window);
  PackedPlaces places;

  // The weights as they are, for what is computed from the tensors themselves: whole groups.
  Blocking blocking;
  blocking.channels = problem.group_out_channels();
  blocking.rows = round_up(blocking.channels, 4);
  blocking.packed_in_channels = problem.group_in_channels();
  blocking.buffers = output_buffers;
  blocking.pack_more = [&](Plan& packing, VktcError& refused) {
    products.weights = {Tensor::packed_weights, packing.packed_weights_bytes};
    if (!add_transform_of_weights(problem, transformed, caps, filter, packing, refused)) return false;
    products.scales_begin = places.scales = packing.packed_weights_bytes;
    if (!add_scales(transformed, caps, products.weights, packing, refused)) return false;
    places.fragments = packing.packed_weights_bytes;
    return add_packing(transformed, caps, products, packing, refused);
  };
  blocking.workgroups = [&](const Slab& slab) {
    const Workspace workspace = workspace_of(problem, tile, slab.images, slab.groups);
    const Slab of_points = {0, slab.images, 0, slab.groups * filter.points, 0, products.blocks_per_group(transformed)};
    VktcError unused = no_error();
    if ((slab.images > 1 && workspace.bytes() > enough_bytes) ||
        !windows_fit(problem, caps, tile, products, plan.device_address, slab.images, slab.groups, unused)) {
      return std::numeric_limits<double>::infinity();
    }
    const auto input_workgroups =
        static_cast<double>(ceil_div(input_items(problem, tile, slab.images, slab.groups), local_size(caps)));
    const auto transforms = std::max(
        input_workgroups, static_cast<double>(output_workgroups(problem, caps, tile, slab.images, slab.groups)));
    return std::max(transforms, products.workgroups(of_points));
  };

  plan.tile = describe(problem, transformed, tile, caps);
  uint64_t workspace_bytes = 0;
  const bool made = make_blocked_plan(
      problem, caps, options, blocking,
      [&](const Slab& slab, const SlabWindows& windows) {
        const Workspace workspace = workspace_of(problem, tile, slab.images, slab.groups);
        workspace_bytes = std::max(workspace_bytes, static_cast<uint64_t>(workspace.bytes()));
        const Window input = {Tensor::workspace, 0, static_cast<uint64_t>(workspace.input_bytes)};
        const Window sums = {Tensor::workspace, static_cast<uint64_t>(workspace.sums_begin),
                             static_cast<uint64_t>(workspace.sums_bytes)};
        return std::vector<Run>{
            transform_input(problem, caps, tile, plan.device_address, slab, windows, input),
            multiply(transformed, caps, of_window, plan.device_address, products, places, filter, slab, input, sums),
            transform_output(problem, caps, tile, plan.device_address, slab, windows, sums)};
      },
      plan, error);
  plan.workspace_bytes = workspace_bytes;
  // What one image or group needs too much of is said better here.
  if (!made) windows_fit(problem, caps, tile, products, plan.device_address, 1, 1, error);
  return made;
}

}  // namespace

const Algorithm matrix_winograd_algorithm = {
    "matrix_winograd", "fewer products along the width, by Winograd, on matrix units: fp32 of stride 1", tiles, build};

}  // namespace vktconv

#include "algorithms/prepared_input.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "algorithms/matrix_units.h"

namespace vktconv {

int64_t prepared_bytes(const Problem& problem, const PreparedInput& prepared, int64_t images, int64_t groups) {
  return images * groups * problem.input_plane() * round_up(problem.group_in_channels(), prepared.depth) *
         prepared.parts * 16 / octet_elements(problem.data_type);
}

double predict_preparation(const Problem& problem, const PreparedInput& prepared, double bandwidth) {
  const auto bytes = static_cast<double>(problem.input_elements() * problem.element_size() +
                                         prepared_bytes(problem, prepared, problem.batch, problem.groups));
  // Timed on an H200 (docs/performance-log.md); int8 has not been: taken to be no quicker than 16 bits were.
  const double factor = problem.data_type == VKTC_DATA_TYPE_I8    ? 3.2
                        : problem.data_type == VKTC_DATA_TYPE_F32 ? 1.22
                                                                  : 1.35;
  return factor * bytes / bandwidth + 4e-6;
}

Window prepared_window(const Problem& problem, const PreparedInput& prepared, const Slab& slab) {
  return {Tensor::workspace, 0, static_cast<uint64_t>(prepared_bytes(problem, prepared, slab.images, slab.groups))};
}

namespace {

// Whether a slab's prepared input can be one window, counted in vectors of 16 bytes.
bool fits_prepared_window(const Problem& problem, const DeviceCaps& caps, const PreparedInput& prepared,
                          bool device_address, const Slab& slab) {
  const uint64_t most = device_address ? uint64_t{1} << 35 : caps.max_storage_buffer_range;
  return prepared_window(problem, prepared, slab).range <= most;
}

Run prepare_input(const Problem& problem, const DeviceCaps& caps, const PreparedInput& prepared, bool device_address,
                  const Slab& slab, const SlabWindows& windows) {
  shared::ChannelsLastParams params{};
  params.batch = windows.params.batch;
  params.groups = windows.params.groups;
  params.in_channels = u32(problem.group_in_channels());
  params.all_channels = u32(problem.in_channels);
  params.pixels = u32(problem.input_plane());
  params.input_offset = windows.params.input_offset;
  const uint32_t local = std::min({256u, caps.max_compute_work_group_invocations, caps.max_compute_work_group_size[0]});
  const int64_t pixels = local / (prepared.depth / octet_elements(problem.data_type));

  Run run;
  run.dispatch.shader = variant_name("channels_last", problem.data_type, caps, device_address);
  run.dispatch.constants = {local, local, u32(prepared.depth), u32(prepared.parts),
                            problem.input_channels_last() ? 1u : 0u};
  run.dispatch.params = to_words(params);
  run.dispatch.windows = {windows.input.window, prepared_window(problem, prepared, slab)};
  run.workgroups =
      static_cast<double>(slab.images * slab.groups * ceil_div(problem.group_in_channels(), prepared.depth)) *
      static_cast<double>(ceil_div(problem.input_plane(), pixels));
  return run;
}

}  // namespace

bool make_prepared_plan(const Problem& problem, const DeviceCaps& caps, const PlanOptions& options,
                        const Blocking& blocking, const PreparedInput* prepared,
                        const std::function<Dispatch(const Slab& slab, const SlabWindows& windows)>& make_dispatch,
                        Plan& plan, VktcError& error) {
  Blocking limited = blocking;
  limited.workgroups = [&](const Slab& slab) {
    const bool too_wide = prepared && !fits_prepared_window(problem, caps, *prepared, plan.device_address, slab);
    return too_wide ? std::numeric_limits<double>::infinity() : blocking.workgroups(slab);
  };
  uint64_t workspace_bytes = 0;
  const bool made = make_blocked_plan(
      problem, caps, options, limited,
      [&](const Slab& slab, const SlabWindows& windows) {
        std::vector<Run> runs;
        if (prepared) {
          runs.push_back(prepare_input(problem, caps, *prepared, plan.device_address, slab, windows));
          workspace_bytes = std::max(workspace_bytes, prepared_window(problem, *prepared, slab).range);
        }
        runs.push_back({make_dispatch(slab, windows), blocking.workgroups(slab)});
        return runs;
      },
      plan, error);
  plan.workspace_bytes = workspace_bytes;
  return made;
}

}  // namespace vktconv

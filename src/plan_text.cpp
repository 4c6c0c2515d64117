// explain_plan: a plan in words.

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>

#include "desc_text.h"
#include "phases.h"
#include "planner.h"
#include "post_ops.h"

namespace vktconv {
namespace {

constexpr const char* axis_names[3] = {"depth", "height", "width"};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void add_line(std::string& text, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
  text += '\n';
}

const char* type_name(VktcDataType type) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return "fp32";
    case VKTC_DATA_TYPE_F16:
      return "fp16 with fp32 accumulation";
    case VKTC_DATA_TYPE_BF16:
      return "bf16 with fp32 accumulation";
    case VKTC_DATA_TYPE_I32:
      return "int32, wrapping";
    case VKTC_DATA_TYPE_I8:
      return "int8 with int32 accumulation, wrapping";
  }
  return "?";
}

void describe_axis(std::string& text, const Problem& problem, size_t index) {
  const Axis& axis = problem.axes[index];
  add_line(text,
           "  %s: %" PRId64 " -> %" PRId64 ", kernel %" PRId64 ", stride %" PRId64 ", dilation %" PRId64
           ", padding begins with %" PRId64,
           axis_names[index], axis.input, axis.output, axis.kernel, axis.stride, axis.dilation, axis.padding_begin);
  constexpr int64_t most_phases_counted = 1 << 16;
  const int64_t count = std::min(axis.stride, axis.output);
  if (count > most_phases_counted) {
    add_line(text, "    %" PRId64 " phases", count);
    return;
  }
  const AxisPhases split = split_phases(axis);
  int64_t least = axis.kernel, most = 0, empty = 0;
  for (const Phase& phase : split.phases) {
    least = std::min(least, phase.taps);
    most = std::max(most, phase.taps);
    if (phase.taps == 0) ++empty;
  }
  add_line(text,
           "    %" PRId64 " phase%s of %" PRId64 "..%" PRId64 " taps, %" PRId64
           " of them empty (bias alone); taps %" PRId64 " apart read inputs %" PRId64 " apart",
           count, count == 1 ? "" : "s", least, most, empty, split.tap_step, split.input_step);
}

void describe_dispatches(std::string& text, const char* title, const std::vector<Dispatch>& dispatches) {
  add_line(text, "%s: %zu dispatch%s", title, dispatches.size(), dispatches.size() == 1 ? "" : "es");
  constexpr size_t most_lines = 12;
  for (size_t i = 0; i < std::min(dispatches.size(), most_lines); ++i) {
    const Dispatch& d = dispatches[i];
    add_line(text, "  %s (%s), grid %u x %u x %u%s", d.name.c_str(), d.shader.c_str(), d.group_count[0],
             d.group_count[1], d.group_count[2], d.barrier_before ? ", after a barrier" : "");
  }
  if (dispatches.size() > most_lines) add_line(text, "  ... and %zu more", dispatches.size() - most_lines);
}

}  // namespace

std::string explain_plan(const Problem& problem, const DeviceCaps& caps, const Plan& plan) {
  std::string text;
  add_line(text,
           "transposed convolution %uD, %s, batch %" PRId64 ", %" PRId64 " -> %" PRId64 " channels in %" PRId64
           " group%s, %s bias",
           problem.spatial_rank, type_name(problem.data_type), problem.batch, problem.in_channels, problem.out_channels,
           problem.groups, problem.groups == 1 ? "" : "s", problem.has_bias ? "with" : "without");
  const auto layout = [](bool channels_last) { return channels_last ? "channels-last" : "channels-first"; };
  add_line(text, "  input %s, output %s, %s", layout(problem.input_channels_last()),
           layout(problem.output_channels_last()), data_type_text(problem.output_type));
  if (!problem.post_ops.empty()) add_line(text, "  post-ops: %s", post_ops_text(problem.post_ops).c_str());
  for (size_t axis = 3 - problem.spatial_rank; axis < 3; ++axis) describe_axis(text, problem, axis);
  const double flop = useful_flop(problem), bytes = least_bytes(problem);
  add_line(text, "work: %.4g GFLOP useful, %.4g MB at least (%.3g FLOP per byte)", flop / 1e9, bytes / 1e6,
           flop / bytes);
  if (caps.fp32_flops > 0 && caps.memory_bandwidth > 0) {
    add_line(text, "floor on %s: %.3g ms by fp32 arithmetic, %.3g ms by memory", caps.name.c_str(),
             flop / caps.fp32_flops * 1e3, bytes / caps.memory_bandwidth * 1e3);
  }
  add_line(text, "algorithm: %s, tile %s, %s", plan.algorithm.c_str(), plan.tile.c_str(),
           plan.device_address ? "through device addresses" : "through descriptors");
  size_t begin = 0;
  while (begin < plan.reason.size()) {
    const size_t end = std::min(plan.reason.find('\n', begin), plan.reason.size());
    add_line(text, "  %s", plan.reason.substr(begin, end - begin).c_str());
    begin = end + 1;
  }
  add_line(text, "choice: %s", plan.choice.c_str());
  add_line(text, "packed weights: %" PRIu64 " bytes, workspace: %" PRIu64 " bytes", plan.packed_weights_bytes,
           plan.workspace_bytes);
  describe_dispatches(text, "packing, once per set of weights", plan.pack);
  describe_dispatches(text, "run", plan.run);
  return text;
}

}  // namespace vktconv

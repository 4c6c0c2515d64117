#include "measurement.h"

#include <fmt/format.h>
#include <shape.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <type_traits>

namespace vktconv::bench {

namespace {

constexpr unsigned least_repeats = 10;
constexpr unsigned most_repeats = 1000;
constexpr unsigned warm_ups = 3;
constexpr double submission_ms = 400;  // no submission is planned to take longer, so that no watchdog bites
// A GPU's clocks rise only under load, an H200's for some hundred milliseconds: it is warm when rounds of repetitions
// get no quicker.
constexpr double warm_up_round_ms = 60;
constexpr double longest_warm_up_ms = 1500;
constexpr double settled = 0.99;
constexpr double slow_problem_ms = 2000;  // what a CPU device may spend on the repetitions of one problem
constexpr unsigned slow_problem_repeats = 3;

std::string gigabytes(double bytes) { return fmt::format("{:.2f} GB", bytes * 1e-9); }

Measurement refused(Measurement result, Status status, std::string reason) {
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

struct PlanDeleter {
  void operator()(VktcPlan plan) const { vktcDestroyPlan(plan); }
};
using PlanHandle = std::unique_ptr<std::remove_pointer_t<VktcPlan>, PlanDeleter>;

struct BindingsDeleter {
  void operator()(VktcBindings bindings) const { vktcDestroyBindings(bindings); }
};
using BindingsHandle = std::unique_ptr<std::remove_pointer_t<VktcBindings>, BindingsDeleter>;

void check_status(VktcStatus status, const VktcError& error) {
  if (status != VKTC_SUCCESS) throw host::Error(error);
}

// The device buffers of one problem.
struct Buffers {
  host::Buffer input, weights, packed_weights, bias, output, workspace, scale, shift, residual;

  Buffers(host::Device& device, const VktcPlanRequirements& requirements)
      : input(device, requirements.inputBytes),
        weights(device, requirements.weightsBytes),
        output(device, requirements.outputBytes) {
    // Only what the plan needs: a buffer cannot be empty.
    const auto allocate = [&](host::Buffer& buffer, VkDeviceSize bytes) {
      if (bytes > 0) buffer = host::Buffer(device, bytes);
    };
    allocate(packed_weights, requirements.packedWeightsBytes);
    allocate(bias, requirements.biasBytes);
    allocate(workspace, requirements.workspaceBytes);
    allocate(scale, requirements.scaleBytes);
    allocate(shift, requirements.shiftBytes);
    allocate(residual, requirements.residualBytes);
  }

  VktcBuffers views() const {
    return {input.view(),     weights.view(), packed_weights.view(), bias.view(),    output.view(),
            workspace.view(), scale.view(),   shift.view(),          residual.view()};
  }
};

// Records a plan with push descriptors where the device has them, with descriptor sets otherwise.
class Recorder {
 public:
  Recorder(VktcPlan plan, const VktcBuffers& buffers) : plan_(plan), buffers_(buffers) {}

  void pack_weights(VkCommandBuffer commands) {
    record([&](VktcError& error) {
      return bindings_ ? vktcCmdPackWeightsBound(commands, bindings_.get(), nullptr, &error)
                       : vktcCmdPackWeights(commands, plan_, &buffers_, nullptr, &error);
    });
  }

  void conv_transpose(VkCommandBuffer commands, const VktcTimestamps* timestamps) {
    record([&](VktcError& error) {
      return bindings_ ? vktcCmdConvTransposeBound(commands, bindings_.get(), timestamps, &error)
                       : vktcCmdConvTranspose(commands, plan_, &buffers_, timestamps, &error);
    });
  }

 private:
  template <typename Attempt>
  void record(const Attempt& attempt) {
    VktcError error = {};
    VktcStatus status = attempt(error);
    if (status == VKTC_ERROR_FEATURE_NOT_ENABLED && !bindings_) {  // no push descriptors
      VktcBindings bindings = nullptr;
      check_status(vktcCreateBindings(plan_, &buffers_, &bindings, &error), error);
      bindings_.reset(bindings);
      status = attempt(error);
    }
    check_status(status, error);
  }

  VktcPlan plan_;
  VktcBuffers buffers_;
  BindingsHandle bindings_;
};

// Milliseconds of each repetition, and of each of its dispatches.
struct Times {
  std::vector<double> whole;
  std::vector<std::vector<double>> dispatches;  // by dispatch, then by repetition
};

// count repetitions in one submission, timed.
void run_timed(host::Device& device, const VulkanTable& vulkan, Recorder& recorder, uint32_t dispatch_count,
               unsigned count, Times& times) {
  times.dispatches.resize(dispatch_count);
  if (!device.has_timestamps()) {
    const std::vector<double> host_times = time_repetitions(
        device, vulkan, count, [&](VkCommandBuffer commands) { recorder.conv_transpose(commands, nullptr); });
    times.whole.insert(times.whole.end(), host_times.begin(), host_times.end());
    return;
  }
  const uint32_t stamps_each = dispatch_count + 1;
  const std::vector<double> stamps =
      device.submit_timed(count * stamps_each, [&](VkCommandBuffer commands, VkQueryPool pool) {
        for (uint32_t i = 0; i < count; ++i) {
          full_barrier(vulkan, commands);
          const VktcTimestamps timestamps = {pool, i * stamps_each};
          recorder.conv_transpose(commands, &timestamps);
        }
      });
  for (unsigned i = 0; i < count; ++i) {
    const double* first = stamps.data() + size_t{i} * stamps_each;
    times.whole.push_back((first[dispatch_count] - first[0]) * 1e-6);
    for (uint32_t d = 0; d < dispatch_count; ++d) times.dispatches[d].push_back((first[d + 1] - first[d]) * 1e-6);
  }
}

// Warms up and returns about how long a repetition takes. Also finds how long recording takes on the host.
double warm_up(host::Device& device, const VulkanTable& vulkan, Recorder& recorder, uint32_t dispatch_count,
               double& record_us_per_dispatch) {
  const bool cpu = device.summary().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  double best_record_ms = 1e300, total_ms = 0, last_ms = 0;
  for (unsigned i = 0; i < warm_ups; ++i) {
    device.submit([&](VkCommandBuffer commands) {
      full_barrier(vulkan, commands);
      const double begin = host_milliseconds();
      recorder.conv_transpose(commands, nullptr);
      best_record_ms = std::min(best_record_ms, host_milliseconds() - begin);
    });
    Times times;
    run_timed(device, vulkan, recorder, dispatch_count, 1, times);
    last_ms = times.whole.back();
    total_ms += last_ms;
    if (cpu && 2 * total_ms > slow_problem_ms) break;  // one warm-up of a slow problem must do
  }
  record_us_per_dispatch = best_record_ms * 1e3 / std::max(dispatch_count, 1u);
  for (double before_ms = 1e300; !cpu && total_ms < longest_warm_up_ms; before_ms = last_ms) {
    Times times;
    const double wanted = std::ceil(warm_up_round_ms / std::max(last_ms, 1e-6));
    run_timed(device, vulkan, recorder, dispatch_count, static_cast<unsigned>(std::min<double>(wanted, most_repeats)),
              times);
    last_ms = spread_of(times.whole).median;
    for (const double time : times.whole) total_ms += time;
    if (total_ms >= 2 * warm_up_round_ms && last_ms >= settled * before_ms) break;
  }
  return last_ms;
}

unsigned choose_repeats(const MeasurementOptions& options, bool cpu, double once_ms, std::string& note) {
  const double min_time_ms = (options.min_time_seconds >= 0 ? options.min_time_seconds : cpu ? 0 : 0.2) * 1e3;
  const double wanted = std::ceil(min_time_ms / std::max(once_ms, 1e-6));
  if (options.repeats > 0) {
    return std::max(options.repeats,
                    options.min_time_seconds > 0 ? static_cast<unsigned>(std::min<double>(wanted, most_repeats)) : 1u);
  }
  const auto repeats = static_cast<unsigned>(std::clamp<double>(wanted, least_repeats, most_repeats));
  if (cpu && repeats * once_ms > slow_problem_ms && min_time_ms < slow_problem_ms) {
    const auto affordable = static_cast<unsigned>(slow_problem_ms / once_ms);
    const unsigned fewer = std::clamp(affordable, slow_problem_repeats, least_repeats);
    if (fewer < least_repeats) note = fmt::format("only {} repetitions: a slow problem on a CPU device", fewer);
    return fewer;
  }
  return repeats;
}

// Why the problem cannot be run as a whole in this device's memory; empty: it can.
std::string memory_refusal(const host::Device& device, const VktcPlanRequirements& requirements) {
  const double total = static_cast<double>(requirements.inputBytes) + static_cast<double>(requirements.weightsBytes) +
                       static_cast<double>(requirements.packedWeightsBytes) +
                       static_cast<double>(requirements.biasBytes) + static_cast<double>(requirements.outputBytes) +
                       static_cast<double>(requirements.workspaceBytes) + static_cast<double>(requirements.scaleBytes) +
                       static_cast<double>(requirements.shiftBytes) + static_cast<double>(requirements.residualBytes);
  const double available = static_cast<double>(device.device_local_memory());
  if (total <= available) return "";
  return fmt::format("needs {} of device memory, of which there are {}", gigabytes(total), gigabytes(available));
}

// The same for one tensor in one buffer.
std::string buffer_refusal(const host::Device& device, const char* tensor, double bytes) {
  const double limit = static_cast<double>(device.max_allocation_size());
  if (bytes <= limit) return "";
  return fmt::format("{} takes {} in one buffer; the lower of maxBufferSize and maxMemoryAllocationSize is {}", tensor,
                     gigabytes(bytes), gigabytes(limit));
}

std::string buffer_refusal(const host::Device& device, const Workload& work) {
  for (const auto& [tensor, bytes] : {std::pair{"the input", work.input_bytes},
                                      {"the output", work.output_bytes},
                                      {"the weights", work.weights_bytes}}) {
    if (std::string refusal = buffer_refusal(device, tensor, bytes); !refusal.empty()) return refusal;
  }
  return "";
}

}  // namespace

const char* status_name(Status status) {
  switch (status) {
    case Status::passed:
      return "PASSED";
    case Status::failed:
      return "FAILED";
    case Status::skipped:
      return "SKIPPED";
    case Status::unsupported:
      return "UNSUPPORTED";
  }
  return "?";
}

Bench::Bench(host::Device& device, const Ceilings& ceilings)
    : device_(device), vulkan_(device), generator_(device, vulkan_), ceilings_(ceilings) {}

Measurement Bench::measure(const VktcConvTransposeDesc& desc, const MeasurementOptions& options) {
  Measurement result;
  result.work = workload(desc);
  result.algorithm = options.algorithm;
  result.floor = floor_of(ceilings_, desc.dataType, result.work);
  result.gpu_clock = device_.has_timestamps();
  if (options.max_gflop > 0 && result.work.flop > options.max_gflop * 1e9) {
    return refused(
        result, Status::skipped,
        fmt::format("{:.4g} GFLOP, more than --max-gflop {:.4g}", result.work.flop * 1e-9, options.max_gflop));
  }
  if (options.precision == VKTC_PRECISION_RELAXED && desc.dataType == VKTC_DATA_TYPE_F32 && desc.postOpCount > 0) {
    return refused(result, Status::skipped, "no error bound is known for post-ops with --precision relaxed");
  }
  if (std::string refusal = buffer_refusal(device_, result.work); !refusal.empty()) {
    return refused(result, Status::skipped, refusal);
  }

  VktcPlanOptions plan_options = {};
  plan_options.algorithm = options.algorithm.c_str();
  plan_options.memoryAccess = options.memory_access;
  plan_options.choice = options.choice.c_str();
  plan_options.candidate = options.candidate;
  plan_options.precision = options.precision;
  VktcError error = {};
  const auto create_plan = [&](PlanHandle& plan, double& ms) {
    VktcPlan created = nullptr;
    const double begin = host_milliseconds();
    const VktcStatus status = vktcCreatePlan(device_.context(), &desc, &plan_options, &created, &error);
    ms = host_milliseconds() - begin;
    plan.reset(created);
    return status;
  };
  PlanHandle plan, plan_again;
  switch (create_plan(plan, result.plan_ms)) {
    case VKTC_SUCCESS:
      break;
    case VKTC_ERROR_VULKAN:
    case VKTC_ERROR_OUT_OF_HOST_MEMORY:
      return refused(result, Status::failed, error.message);
    default:
      return refused(result, Status::unsupported, error.message);
  }
  check_status(create_plan(plan_again, result.plan_again_ms), error);
  plan_again.reset();

  VktcPlanInfo info = {};
  vktcGetPlanInfo(plan.get(), &info);
  VktcPlanRequirements requirements = {};
  vktcGetPlanRequirements(plan.get(), &requirements);
  result.algorithm = info.algorithm;
  result.choice = info.choice;
  result.tile = info.tile;
  result.candidate = options.candidate;
  result.candidate_count = info.candidateCount;
  result.predicted_ms = info.predictedSeconds * 1e3;
  result.dispatch_count = requirements.dispatchCount;
  result.packed_weights_bytes = requirements.packedWeightsBytes;
  result.workspace_bytes = requirements.workspaceBytes;
  result.statistics = pipeline_statistics(device_, vulkan_, plan.get());
  for (const auto& [tensor, bytes] : {std::pair{"the workspace", requirements.workspaceBytes},
                                      {"the packed weights", requirements.packedWeightsBytes}}) {
    if (std::string refusal = buffer_refusal(device_, tensor, static_cast<double>(bytes)); !refusal.empty()) {
      return refused(result, Status::skipped, refusal);
    }
  }
  if (std::string refusal = memory_refusal(device_, requirements); !refusal.empty()) {
    return refused(result, Status::skipped, refusal);
  }

  std::optional<Buffers> buffers;
  try {
    buffers.emplace(device_, requirements);
  } catch (const host::Error& allocation) {
    return refused(result, Status::skipped, std::string("its buffers cannot be allocated: ") + allocation.what());
  }
  const auto fill = [&](const host::Buffer& buffer, VktcDataType type, Seed seed) {
    if (buffer.size() > 0) generator_.fill(buffer, type, seed);
  };
  fill(buffers->input, desc.dataType, Seed::input);
  fill(buffers->weights, desc.dataType, Seed::weights);
  fill(buffers->bias, bias_data_type(desc.dataType), Seed::bias);
  fill(buffers->scale, VKTC_DATA_TYPE_F32, Seed::scale);
  fill(buffers->shift, VKTC_DATA_TYPE_F32, Seed::shift);
  fill(buffers->residual, output_data_type(desc), Seed::residual);
  if (requirements.packedWeightsBytes > 0) buffers->packed_weights.fill(poison_word);
  if (requirements.workspaceBytes > 0) buffers->workspace.fill(poison_word);
  const uint32_t poison = output_data_type(desc) == VKTC_DATA_TYPE_I8 ? poison_word_i8 : poison_word;
  buffers->output.fill(poison);

  Recorder recorder(plan.get(), buffers->views());
  device_.submit([&](VkCommandBuffer commands) {
    full_barrier(vulkan_, commands);
    recorder.pack_weights(commands);
  });

  const bool cpu = device_.summary().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  const double once_ms = warm_up(device_, vulkan_, recorder, requirements.dispatchCount, result.record_us_per_dispatch);
  result.repeats = choose_repeats(options, cpu, once_ms, result.note);
  const double most_together =
      std::min(submission_ms / std::max(once_ms, 1e-3), 4096.0 / (requirements.dispatchCount + 1));
  const auto together = static_cast<unsigned>(std::clamp(most_together, 1.0, 100.0));
  Times times;
  for (unsigned done = 0; done < result.repeats; done += together) {
    // Whatever is verified below was written by a timed repetition.
    buffers->output.fill(poison);
    run_timed(device_, vulkan_, recorder, requirements.dispatchCount, std::min(together, result.repeats - done), times);
  }
  result.ms = spread_of(times.whole);
  for (uint32_t i = 0; i < requirements.dispatchCount; ++i) {
    if (times.dispatches[i].empty()) continue;
    VktcDispatchInfo dispatch = {};
    vktcGetDispatchInfo(plan.get(), i, &dispatch);
    result.dispatches.push_back({dispatch.name, spread_of(times.dispatches[i]).median});
  }

  result.verification =
      verify(device_, vulkan_, desc, requirements.outputSize, buffers->output, options.samples, options.precision);
  if (result.verification.failures > 0) {
    return refused(result, Status::failed,
                   fmt::format("{} of {} samples are wrong, the first: {}", result.verification.failures,
                               result.verification.samples, result.verification.first_failure));
  }
  return result;
}

}  // namespace vktconv::bench

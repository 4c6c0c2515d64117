// tune: the best few candidates of the planner, measured on the device.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <random>

#include "../context.h"
#include "../planner.h"
#include "device_impl.h"
#include "plan_call.h"
#include "raise.h"

namespace vktconv::host {
namespace {

// A GPU's clocks rise only under load, an H200's for some hundred milliseconds: it is warm when rounds of repetitions
// get no quicker.
constexpr double warm_up_round_seconds = 0.06;
constexpr double longest_warm_up_seconds = 1.5;
constexpr double settled = 0.99;
constexpr double measured_seconds = 0.1;    // of each candidate, unless the caller says how often
constexpr double submission_seconds = 0.4;  // no submission is planned to take longer, so that no watchdog bites
constexpr double slow_seconds = 0.5;        // a run that takes so long is repeated less
constexpr uint32_t slow_repeats = 3;
constexpr uint32_t least_repeats = 7;
constexpr uint32_t most_repeats = 200;
constexpr uint32_t most_queries = 4096;  // of a submission
constexpr double hopeless = 2;           // a candidate this many times slower than the best so far is not repeated
constexpr double noise = 1.02;           // how much quicker than the model's choice a winner must be

// ---- what to measure ------------------------------------------------------------------------------------------------

// The best predicted first, then the best of each algorithm that is not among them. Throws where there is none.
std::vector<Plan> find_candidates(const Device& device, const VktcConvTransposeDesc& desc, const TuneOptions& options) {
  Problem problem;
  std::vector<Plan> plans;
  std::optional<VktcError> refusal;
  const auto add = [&](const PlanOptions& plan_options) {
    Plan plan;
    VktcError error = {};
    if (!make_plan(problem, device.context()->device.caps, plan_options, plan, error)) {
      if (!refusal) refusal = error;
      return false;
    }
    const auto is_same = [&](const Plan& other) { return other.choice == plan.choice; };
    // A candidate that cannot be built gives way to the next, which then comes twice.
    if (std::none_of(plans.begin(), plans.end(), is_same)) plans.push_back(std::move(plan));
    return true;
  };
  VktcError error = {};
  if (!make_problem(desc, problem, error)) throw Error(error);
  PlanOptions ranked;
  ranked.memory_access = options.memory_access;
  while (ranked.candidate < options.candidates && add(ranked)) ++ranked.candidate;
  for (uint32_t index = 0; algorithm_name(index) != nullptr; ++index) {
    PlanOptions named;
    named.memory_access = options.memory_access;
    named.algorithm = algorithm_name(index);
    add(named);
  }
  if (plans.empty()) throw Error(refusal.value());
  return plans;
}

// ---- on what --------------------------------------------------------------------------------------------------------

// Four 8-bit elements, two of 16 bits or one of 32, as random as the arithmetic will bear: zeros or a pattern would let
// a device run cooler, and so quicker, than it does at work. Floats have a magnitude in [1/2, 1).
uint32_t random_elements(VktcDataType type, uint32_t random) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return (random & 0x807fffff) | 0x3f000000;
    case VKTC_DATA_TYPE_F16:
      return (random & 0x83ff83ff) | 0x38003800;
    case VKTC_DATA_TYPE_BF16:
      return (random & 0x807f807f) | 0x3f003f00;
    case VKTC_DATA_TYPE_I8:
      return random;
    case VKTC_DATA_TYPE_I32:
      break;
  }
  return (random & 1023) - 512;
}

void fill_randomly(Buffer& buffer, VktcDataType type, uint32_t seed) {
  constexpr VkDeviceSize chunk_bytes = VkDeviceSize{4} << 20;  // which is then repeated
  std::mt19937 random(seed);
  std::vector<uint32_t> words(static_cast<size_t>(std::min(chunk_bytes, buffer.size()) + 3) / 4);
  for (uint32_t& word : words) word = random_elements(type, static_cast<uint32_t>(random()));
  for (VkDeviceSize offset = 0; offset < buffer.size(); offset += chunk_bytes) {
    buffer.upload(words.data(), std::min(chunk_bytes, buffer.size() - offset), offset);
  }
}

// ---- how ------------------------------------------------------------------------------------------------------------

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// A problem with its data on the device, on which one candidate after the other runs.
class Workbench {
 public:
  Workbench(Device& device, const VktcConvTransposeDesc& desc, const TuneOptions& options)
      : device_(device), desc_(desc), options_(options) {}

  // best: the median of the best candidate so far; 0: none.
  MeasuredCandidate measure(const Plan& candidate, double best);

 private:
  void prepare(const VktcPlanRequirements& requirements);
  std::vector<double> run(VktcBindings bindings, uint32_t dispatches, uint32_t count);
  double warm_up(VktcBindings bindings, uint32_t dispatches);
  static uint32_t runs_together(uint32_t dispatches, double wanted_seconds, double once);
  uint32_t choose_repeats(double once) const;

  Device& device_;
  const VktcConvTransposeDesc& desc_;
  const TuneOptions& options_;
  Buffer input_, weights_, bias_, output_, scale_, shift_, residual_;
};

// The same for all candidates.
void Workbench::prepare(const VktcPlanRequirements& requirements) {
  if (input_.size() > 0) return;
  weights_ = Buffer(device_, requirements.weightsBytes);
  bias_ = Buffer(device_, requirements.biasBytes);
  output_ = Buffer(device_, requirements.outputBytes);
  scale_ = Buffer(device_, requirements.scaleBytes);
  shift_ = Buffer(device_, requirements.shiftBytes);
  residual_ = Buffer(device_, requirements.residualBytes);
  Buffer input(device_, requirements.inputBytes);
  fill_randomly(input, desc_.dataType, 1);
  fill_randomly(weights_, desc_.dataType, 2);
  fill_randomly(bias_, bias_data_type(desc_.dataType), 3);
  fill_randomly(scale_, VKTC_DATA_TYPE_F32, 4);
  fill_randomly(shift_, VKTC_DATA_TYPE_F32, 5);
  fill_randomly(residual_, output_data_type(desc_), 6);
  input_ = std::move(input);
}

// Seconds of each of count runs in one submission, or, on a queue without timestamps, in one submission each.
std::vector<double> Workbench::run(VktcBindings bindings, uint32_t dispatches, uint32_t count) {
  std::vector<double> seconds;
  if (!device_.has_timestamps()) {
    for (uint32_t i = 0; i < count; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      submit_conv_transpose(device_, bindings);
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return seconds;
  }
  const uint32_t stamps_each = dispatches + 1;
  const std::vector<double> stamps =
      device_.submit_timed(count * stamps_each, [&](VkCommandBuffer commands, VkQueryPool pool) {
        for (uint32_t i = 0; i < count; ++i) {
          const VktcTimestamps timestamps = {pool, i * stamps_each};
          record_conv_transpose(device_, commands, bindings, &timestamps);
        }
      });
  for (uint32_t i = 0; i < count; ++i) {
    const size_t first = size_t{i} * stamps_each;
    seconds.push_back((stamps[first + dispatches] - stamps[first]) * 1e-9);
  }
  return seconds;
}

// About how long a run takes.
double Workbench::warm_up(VktcBindings bindings, uint32_t dispatches) {
  const bool cpu = device_.summary().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  // The first may compile; only one that takes very long is alone.
  const double first = run(bindings, dispatches, 1).front();
  if (first > 4 * slow_seconds) return first;
  double once = std::min(first, run(bindings, dispatches, 1).front());
  if (cpu) return once;
  double total = 0;
  for (double before = HUGE_VAL; total < longest_warm_up_seconds; before = once) {
    std::vector<double> round = run(bindings, dispatches, runs_together(dispatches, warm_up_round_seconds, once));
    for (const double seconds : round) total += seconds;
    once = median(std::move(round));
    if (total >= 2 * warm_up_round_seconds && once >= settled * before) break;
  }
  return once;
}

// Runs of one submission that take about so long.
uint32_t Workbench::runs_together(uint32_t dispatches, double wanted_seconds, double once) {
  const double affordable = std::min(wanted_seconds / std::max(once, 1e-9), most_queries / (dispatches + 1.0));
  return static_cast<uint32_t>(std::clamp<double>(affordable, 1, most_repeats));
}

uint32_t Workbench::choose_repeats(double once) const {
  if (options_.repeats > 0) return options_.repeats;
  if (once > slow_seconds) return slow_repeats;
  const double wanted = std::ceil(measured_seconds / std::max(once, 1e-9));
  return static_cast<uint32_t>(std::clamp<double>(wanted, least_repeats, most_repeats));
}

MeasuredCandidate Workbench::measure(const Plan& candidate, double best) {
  VktcPlanOptions plan_options = {};
  plan_options.memoryAccess = options_.memory_access;
  plan_options.choice = candidate.choice.c_str();
  const PlanHandle plan = create_plan(device_, desc_, plan_options);
  VktcPlanRequirements requirements = {};
  vktcGetPlanRequirements(plan.get(), &requirements);
  prepare(requirements);
  const Buffer packed_weights(device_, requirements.packedWeightsBytes),
      workspace(device_, requirements.workspaceBytes);
  const VktcBuffers buffers = {input_.view(), weights_.view(), packed_weights.view(),
                               bias_.view(),  output_.view(),  workspace.view(),
                               scale_.view(), shift_.view(),   residual_.view()};
  submit_pack_weights(device_, plan.get(), buffers);
  const BindingsHandle bindings = create_bindings(plan.get(), buffers);

  MeasuredCandidate measured = {candidate.choice, candidate.tile, candidate.predicted_seconds, 0, 1};
  const double once = warm_up(bindings.get(), requirements.dispatchCount);
  if (best > 0 && once > hopeless * best) {
    measured.seconds = once;
    return measured;
  }
  measured.repeats = choose_repeats(once);
  const uint32_t together = runs_together(requirements.dispatchCount, submission_seconds, once);
  std::vector<double> seconds;
  for (uint32_t done = 0; done < measured.repeats; done += together) {
    const auto more = run(bindings.get(), requirements.dispatchCount, std::min(together, measured.repeats - done));
    seconds.insert(seconds.end(), more.begin(), more.end());
  }
  measured.seconds = median(std::move(seconds));
  return measured;
}

// ---- the result -----------------------------------------------------------------------------------------------------

size_t find_winner(const std::vector<MeasuredCandidate>& candidates) {
  const auto best = std::min_element(candidates.begin(), candidates.end(),
                                     [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  if (candidates.front().seconds <= noise * best->seconds) return 0;
  return static_cast<size_t>(best - candidates.begin());
}

void check_tuning_file(const Device& device) {
  std::string why_not;
  if (device.tuning_file().empty() || read_tuning_file(device.tuning_file(), why_not)) return;
  raise(VKTC_ERROR_INVALID_PARAMETER, "tuning_file",
        "the tuning file %s is there and cannot be used: %s; remove it, or name another file",
        device.tuning_file().c_str(), why_not.c_str());
}

void keep(const Device& device, const TuningKey& key, const TunedChoice& choice) {
  Device::Impl& impl = device.impl();
  const std::lock_guard lock(impl.tuning_mutex);
  impl.user_tuning.put(key, choice);
  std::string why_not;
  if (!impl.tuning_file.empty() && !add_to_tuning_file(impl.tuning_file, key, choice, why_not)) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "tuning_file", "the tuning file was not saved: %s", why_not.c_str());
  }
}

bool is_too_large(const Error& error) {
  return error.error().status == VKTC_ERROR_LIMIT_EXCEEDED || error.error().vkResult == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
         error.error().vkResult == VK_ERROR_OUT_OF_HOST_MEMORY;
}

}  // namespace

TuneResult tune(Device& device, const VktcConvTransposeDesc& desc, const TuneOptions& options) {
  if (options.candidates == 0)
    raise(VKTC_ERROR_INVALID_PARAMETER, "candidates", "candidates is 0: it must be at least 1");
  check_tuning_file(device);
  const std::vector<Plan> plans = find_candidates(device, desc, options);
  const auto total = static_cast<uint32_t>(plans.size());
  Workbench workbench(device, desc, options);
  TuneResult result;
  std::optional<Error> refusal;
  double best = 0;
  for (uint32_t done = 0; done < total; ++done) {
    if (options.progress) options.progress(done, total);
    try {
      result.candidates.push_back(workbench.measure(plans[done], best));
    } catch (const Error& error) {
      // One that needs more memory than there is leaves the others.
      if (!is_too_large(error)) throw;
      if (!refusal) refusal = error;
      continue;
    }
    const double seconds = result.candidates.back().seconds;
    if (best == 0 || seconds < best) best = seconds;
  }
  if (options.progress) options.progress(total, total);
  if (result.candidates.empty()) throw *refusal;
  result.winner = find_winner(result.candidates);
  const MeasuredCandidate& winner = result.candidates[result.winner];
  const double milliseconds = std::round(winner.seconds * 1e9) * 1e-6;
  keep(device, tuning_key(device.summary(), desc, options.memory_access), {winner.choice, milliseconds});
  return result;
}

}  // namespace vktconv::host

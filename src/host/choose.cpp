// choose: the caller's choice, or else the user's table, or else the shipped one, or else the model.
#include <mutex>
#include <utility>
#include <vector>

#include "../context.h"
#include "../planner.h"
#include "device_impl.h"
#include "raise.h"

namespace vktconv::host {
namespace {

bool is_named(const char* text) { return text != nullptr && *text != '\0'; }

// What the tables say, in the order of their precedence.
std::vector<Choice> find_tuned(const Device& device, const TuningKey& key) {
  Device::Impl& impl = device.impl();
  std::vector<Choice> found;
  const auto add = [&](const TuningTable& table, ChoiceSource source) {
    if (const TunedChoice* tuned = table.find(key)) found.push_back({tuned->choice, source});
  };
  const std::lock_guard lock(impl.tuning_mutex);
  add(impl.user_tuning, ChoiceSource::user_table);
  add(impl.shipped_tuning, ChoiceSource::shipped_table);
  return found;
}

// Whether the planner takes it for this problem on this device: a driver's update, or features that are disabled, may
// have changed what there is to choose from.
bool is_candidate(const Device& device, const Problem& problem, const std::string& choice,
                  const VktcPlanOptions& asked) {
  PlanOptions options;
  options.memory_access = asked.memoryAccess;
  options.precision = asked.precision;
  options.choice = choice;
  Plan plan;
  VktcError refused = {};
  return make_plan(problem, device.context()->device.caps, options, plan, refused);
}

}  // namespace

Choice choose(const Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options) {
  Problem problem;
  VktcError error = {};
  if (!make_problem(desc, problem, error)) throw Error(error);
  if (is_named(options.algorithm) || is_named(options.choice) || options.candidate != 0) {
    return {"", ChoiceSource::caller};
  }
  for (Choice& tuned : find_tuned(device, tuning_key(device.summary(), desc, options.memoryAccess))) {
    if (is_candidate(device, problem, tuned.text, options)) return std::move(tuned);
  }
  return {"", ChoiceSource::model};
}

}  // namespace vktconv::host

// Measured choices on a device: tune() finds and keeps them, and plans follow them, in the right order of precedence.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <support/problem_text.h>

#include "check.h"
#include "gpu_fixture.h"
#include "host/device_impl.h"
#include "scratch_folder.h"

TEST_SUITE_BEGIN("tune");

namespace {

using namespace vktconv::tests;
namespace host = vktconv::host;
using host::ChoiceSource;

constexpr const char* problem_text = "mb2_ic6iw40_oc5kw4sw2pw1_bias";

VktcConvTransposeDesc parse(const std::string& text) { return vktconv::support::parse_problem(text).desc; }

host::DeviceOptions options_with(const std::filesystem::path& file) {
  host::DeviceOptions options;
  if (const char* name = std::getenv("VKTCONV_TEST_DEVICE")) options.device = name;
  options.tuning_file = file;
  return options;
}

host::TuneOptions quick() {
  host::TuneOptions options;
  options.candidates = 3;
  options.repeats = 2;
  return options;
}

std::string choice_of(VktcPlan plan) {
  VktcPlanInfo info = {};
  vktcGetPlanInfo(plan, &info);
  return info.choice;
}

std::string choice_of(host::Device& device, const VktcPlanOptions& options = {}) {
  return choice_of(host::ConvTranspose(device, parse(problem_text), options).plan());
}

// Candidate number rank of the model.
std::string ranked_choice(host::Device& device, uint32_t rank) {
  VktcPlanOptions options = {};
  options.candidate = rank;
  return choice_of(device, options);
}

host::TuningKey key_on(const host::Device& device) {
  return host::tuning_key(device.summary(), parse(problem_text), VKTC_MEMORY_ACCESS_AUTO);
}

template <typename Call>
VktcError error_of(Call&& call) {
  try {
    call();
  } catch (const host::Error& error) {
    return error.error();
  }
  return {};
}

}  // namespace

TEST_CASE("tune measures the best candidates and each algorithm's best, and keeps the winner") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "tuning.json";
  const VktcConvTransposeDesc desc = parse(problem_text);
  std::string winner;
  {
    host::Device device(options_with(file));
    const std::string by_model = choice_of(device);
    std::vector<uint32_t> steps;
    uint32_t steps_total = 0;
    host::TuneOptions options = quick();
    options.progress = [&](uint32_t done, uint32_t total) {
      steps.push_back(done);
      steps_total = total;
    };
    const host::TuneResult result = host::tune(device, desc, options);
    REQUIRE(result.candidates.size() >= 3);
    CHECK(steps.size() == steps_total + 1);
    CHECK(std::is_sorted(steps.begin(), steps.end()));
    CHECK(result.candidates.front().choice == by_model);
    std::set<std::string> choices;
    for (const host::MeasuredCandidate& candidate : result.candidates) {
      choices.insert(candidate.choice);
      CHECK(candidate.seconds > 0);
      CHECK(candidate.predicted_seconds > 0);
      CHECK(candidate.repeats >= 1);
      CHECK(candidate.repeats <= 2);
      CHECK(!candidate.tile.empty());
    }
    CHECK(choices.size() == result.candidates.size());
    for (const std::string& algorithm : algorithm_names()) {
      // Not every algorithm serves every problem.
      if (check_compilation(device.context(), desc, {.algorithm = algorithm}).kind == Outcome::refused) continue;
      VktcPlanOptions named = {};
      named.algorithm = algorithm.c_str();
      CHECK(choices.contains(choice_of(device, named)));
    }
    REQUIRE(result.winner < result.candidates.size());
    winner = result.candidates[result.winner].choice;
    // From now on, on this device and on later ones.
    CHECK(host::choose(device, desc).source == ChoiceSource::user_table);
    CHECK(choice_of(device) == winner);
  }
  host::Device later(options_with(file));
  CHECK(later.tuning_file() == file);
  CHECK(later.tuning_file_problem().empty());
  CHECK(host::choose(later, desc).text == winner);
  CHECK(choice_of(later) == winner);
  // Another problem, another memory access: not measured.
  CHECK(host::choose(later, parse("mb3_ic6iw40_oc5kw4sw2pw1_bias")).source == ChoiceSource::model);
  VktcPlanOptions descriptors = {};
  descriptors.memoryAccess = VKTC_MEMORY_ACCESS_DESCRIPTORS;
  CHECK(host::choose(later, desc, descriptors).source == ChoiceSource::model);
  host::Device without(options_with({}));
  CHECK(host::choose(without, desc).source == ChoiceSource::model);
}

TEST_CASE("The caller comes before the user's table, that before the shipped one, that before the model") {
  const ScratchFolder folder;
  host::Device device(options_with(folder.path() / "tuning.json"));
  const VktcConvTransposeDesc desc = parse(problem_text);
  const std::string model = ranked_choice(device, 0), shipped = ranked_choice(device, 1),
                    user = ranked_choice(device, 2);
  REQUIRE(std::set<std::string>{model, shipped, user}.size() == 3);
  CHECK(host::choose(device, desc).source == ChoiceSource::model);
  CHECK(choice_of(device) == model);

  host::TuningKey any_version = key_on(device);
  any_version.driver.clear();
  any_version.library.clear();
  device.impl().shipped_tuning.put(any_version, {shipped, 1});
  CHECK(host::choose(device, desc).source == ChoiceSource::shipped_table);
  CHECK(choice_of(device) == shipped);

  device.impl().user_tuning.put(key_on(device), {user, 1});
  CHECK(host::choose(device, desc).source == ChoiceSource::user_table);
  CHECK(choice_of(device) == user);

  VktcPlanOptions named = {};
  named.choice = model.c_str();
  CHECK(host::choose(device, desc, named).source == ChoiceSource::caller);
  CHECK(choice_of(device, named) == model);
  named = {};
  named.candidate = 1;
  CHECK(host::choose(device, desc, named).source == ChoiceSource::caller);
  CHECK(choice_of(device, named) == shipped);
  named = {};
  named.algorithm = "gather";
  CHECK(host::choose(device, desc, named).source == ChoiceSource::caller);

  // What is no candidate here is passed over, one table after the other.
  device.impl().user_tuning.put(key_on(device), {"magic:1,2,3", 1});
  CHECK(host::choose(device, desc).text == shipped);
  device.impl().shipped_tuning.put(any_version, {"gather:7", 1});
  CHECK(host::choose(device, desc).source == ChoiceSource::model);
  CHECK(choice_of(device) == model);

  VktcConvTransposeDesc wrong = desc;
  wrong.stride[0] = 0;
  CHECK(std::string(error_of([&] { host::choose(device, wrong); }).parameter) == "stride[0]");
}

TEST_CASE("conv_transpose follows the table, and stays right") {
  const ScratchFolder folder;
  host::Device device(options_with(folder.path() / "tuning.json"));
  const VktcConvTransposeDesc desc = parse("dti32_ic3iw20_oc4kw3sw2");
  const host::TensorSizes sizes = host::tensor_sizes(desc);
  const std::vector<int32_t> input(static_cast<size_t>(sizes.input_elements), 3);
  const std::vector<int32_t> weights(static_cast<size_t>(sizes.weight_elements), 5);
  const auto run = [&] {
    std::vector<int32_t> output(static_cast<size_t>(sizes.output_elements), -1);
    host::conv_transpose(device, desc, input.data(), weights.data(), nullptr, output.data());
    return output;
  };
  const std::vector<int32_t> expected = run();
  CHECK(expected[2] == 3 * 3 * 5 * 2);  // three channels, two taps
  const host::TuneResult result = host::tune(device, desc, quick());
  const auto key = host::tuning_key(device.summary(), desc, VKTC_MEMORY_ACCESS_AUTO);
  for (const host::MeasuredCandidate& candidate : result.candidates) {
    CAPTURE(candidate.choice);
    device.impl().user_tuning.put(key, {candidate.choice, 1});
    CHECK((run() == expected));
  }
}

TEST_CASE("tune measures every data type, and where the queue has no timestamps") {
  const ScratchFolder folder;
  host::Device device(options_with({}));
  for (const char* type : {"dtf32_", "dtf16_", "dtbf16_", "dti32_"}) {
    CHECK(host::tune(device, parse(type + std::string(problem_text)), quick()).candidates.size() >= 3);
  }
  device.impl().timestamp_bits = 0;
  CHECK(host::tune(device, parse("ic2iw9oc2kw3"), quick()).candidates.front().seconds > 0);
}

TEST_CASE("A tuning file that cannot be used is ignored with the reason, and refused by tune before it measures") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "tuning.json";
  std::ofstream(file) << "{ damaged";
  host::Device device(options_with(file));
  CHECK(device.tuning_file_problem().find(file.string()) != std::string::npos);
  CHECK(device.tuning_file_problem().find("it is no JSON") != std::string::npos);
  CHECK(choice_of(device) == ranked_choice(device, 0));
  host::TuneOptions options = quick();
  bool begun = false;
  options.progress = [&](uint32_t, uint32_t) { begun = true; };
  const VktcError error = error_of([&] { host::tune(device, parse(problem_text), options); });
  CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "tuning_file");
  CHECK_FALSE(begun);
}

TEST_CASE("tune refuses what it cannot measure") {
  host::Device device(options_with({}));
  host::TuneOptions options = quick();
  options.candidates = 0;
  CHECK(std::string(error_of([&] { host::tune(device, parse(problem_text), options); }).parameter) == "candidates");
  VktcConvTransposeDesc wrong = parse(problem_text);
  wrong.groups = 7;
  CHECK(error_of([&] { host::tune(device, wrong, quick()); }).status == VKTC_ERROR_INVALID_PARAMETER);
  // 32 GB in one image.
  const VktcConvTransposeDesc huge = parse("ic1iw2oc1000kw1sw2000000000");
  CHECK(error_of([&] { host::tune(device, huge, quick()); }).status == VKTC_ERROR_LIMIT_EXCEEDED);
}

TEST_SUITE_END();

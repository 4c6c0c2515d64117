// One problem on one device in one way, compared with the reference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu_fixture.h"
#include "reference.h"
#include "tensors.h"

namespace vktconv::tests {

// A problem with its data and the right answer: made once, checked in many ways.
struct Question {
  Tensors tensors;
  reference::Fill fill;
  uint64_t seed;
  std::vector<reference::Value> expected;

  Question(const VktcConvTransposeDesc& desc, reference::Fill fill, uint64_t seed);
  // With data of the caller's own in tensors: compared within the error bound, NaN and infinity exactly.
  explicit Question(Tensors tensors);
};

// How the buffers reach the shaders.
enum class Access { push_descriptors, bindings, device_address };
constexpr Access all_accesses[] = {Access::push_descriptors, Access::bindings, Access::device_address};
const char* access_name(Access access);  // as --access takes it

struct Way {
  std::string algorithm = "";  // empty: the planner's choice
  uint32_t candidate = 0;      // see VktcPlanOptions
  Access access = Access::push_descriptors;
  int runs = 1;  // all must give the same bits
  VktcPrecision precision = VKTC_PRECISION_F32;
  std::string choice = {};  // see VktcPlanOptions
};

struct Outcome {
  enum Kind { passed, refused, failed } kind = passed;
  std::string text;              // why it was refused or failed, with a line that repeats it
  uint32_t candidate_count = 0;  // of the plan, unless it was refused
  std::vector<std::byte> output;
};

// Poisons all memory, surrounds every tensor with guard bands, packs, runs, compares, and looks at the guard bands, at
// the tensors that must not change and at the validation layer.
Outcome check(TestDevice& device, const Question& question, const Way& way);

// Winograd's transforms divide by 3, 5 and so on: with them even sums of small integers round, and data of either kind
// is compared within the error bound.
bool computes_integers_exactly(const std::string& algorithm);

// The same plan, created and not run: works on a device that cannot compute.
Outcome check_compilation(VktcContext context, const VktcConvTransposeDesc& desc, const Way& way);

// The first candidate of an algorithm whose tile says so; planned only, for drivers take their time to compile. Empty:
// the algorithm is none for this device. Throws where none of its candidates says so.
std::string find_choice(VktcContext context, const VktcConvTransposeDesc& desc, const std::string& algorithm,
                        VktcPrecision precision, const std::string& says);

// The command line that repeats a check.
std::string repeat_line(const TestDevice& device, const Question& question, const Way& way);

}  // namespace vktconv::tests

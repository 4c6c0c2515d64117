#include "check.h"

#include <support/problem_text.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "context.h"
#include "planner.h"
#include "shape.h"

namespace vktconv::tests {

namespace {

// Each half is a NaN in both 16-bit types, the whole a NaN in fp32.
constexpr uint32_t guard_word = 0xfffdfffd;
constexpr uint32_t poison_word = 0xffffffff;
constexpr VkDeviceSize guard_bytes = 1024;

constexpr const char* section_names[] = {"input",    "weights",       "bias",      "scale", "shift",
                                         "residual", "packedWeights", "workspace", "output"};
enum SectionIndex : size_t {
  input,
  weights,
  bias,
  scale,
  shift,
  residual,
  packed_weights,  // from here on, written
  workspace,
  output,
  section_count
};

// All tensors of a call in one buffer, with guard bands between them, so that one download shows every stray write.
class Arena {
 public:
  Arena(const Tensors& tensors, const VktcPlanRequirements& needs) {
    const VkDeviceSize alignment = std::max<VkDeviceSize>(needs.offsetAlignment, 4);
    const VkDeviceSize sizes[] = {needs.inputBytes,         needs.weightsBytes,   needs.biasBytes,
                                  needs.scaleBytes,         needs.shiftBytes,     needs.residualBytes,
                                  needs.packedWeightsBytes, needs.workspaceBytes, needs.outputBytes};
    VkDeviceSize at = 0;
    for (size_t i = 0; i < section_count; ++i) {
      at = (at + guard_bytes + alignment - 1) / alignment * alignment;
      sections_[i] = {at, sizes[i]};
      at += sizes[i];
    }
    image_.resize((at + guard_bytes + 3) / 4, guard_word);
    for (const SectionIndex i : {packed_weights, workspace, output}) {
      std::fill_n(image_.begin() + static_cast<ptrdiff_t>(sections_[i].offset / 4), sections_[i].size / 4, poison_word);
    }
    // What follows the last element of a 16-bit tensor stays poisoned.
    const auto put = [&](SectionIndex i, const void* data, size_t size) {
      if (size > 0) std::memcpy(bytes() + sections_[i].offset, data, size);
    };
    put(input, tensors.input.data(), tensors.input.size());
    put(weights, tensors.weights.data(), tensors.weights.size());
    put(bias, tensors.bias.data(), tensors.bias.size());
    put(scale, tensors.scale.data(), tensors.scale.size() * sizeof(float));
    put(shift, tensors.shift.data(), tensors.shift.size() * sizeof(float));
    put(residual, tensors.residual.data(), tensors.residual.size());
  }

  std::byte* bytes() { return reinterpret_cast<std::byte*>(image_.data()); }
  VkDeviceSize size() const { return image_.size() * 4; }
  VkDeviceSize offset(SectionIndex i) const { return sections_[i].offset; }

  VktcBuffer view(VkBuffer buffer, SectionIndex i) const {
    if (sections_[i].size == 0) return {};
    return {buffer, sections_[i].offset, sections_[i].size};
  }

  // What in result differs from the image outside of the sections that may be written; empty: nothing.
  std::string stray_write(const std::vector<uint32_t>& result) const {
    for (size_t word = 0; word < image_.size(); ++word) {
      if (result[word] == image_[word]) continue;
      const VkDeviceSize at = word * 4;
      const auto inside = std::find_if(std::begin(sections_), std::end(sections_), [&](const Section& section) {
        return at >= section.offset && at < section.offset + section.size;
      });
      if (inside != std::end(sections_)) {
        const auto index = static_cast<size_t>(inside - std::begin(sections_));
        if (index >= packed_weights) continue;
        return std::string("wrote to the ") + section_names[index] + ", byte " + std::to_string(at - inside->offset);
      }
      const auto next = std::find_if(std::begin(sections_), std::end(sections_),
                                     [&](const Section& section) { return at < section.offset; });
      const auto before = static_cast<size_t>(next - std::begin(sections_));
      return "wrote to the guard band " +
             (before == 0 ? std::string("before the input")
                          : std::string("behind the ") + section_names[before - 1] + ", " +
                                std::to_string(at - sections_[before - 1].offset - sections_[before - 1].size) +
                                " bytes past its end");
    }
    return "";
  }

 private:
  struct Section {
    VkDeviceSize offset = 0, size = 0;
  };
  Section sections_[section_count];
  std::vector<uint32_t> image_;
};

// RAII over the two handles that a check makes.
struct Plan {
  VktcPlan handle = nullptr;
  TestDevice* device = nullptr;  // which takes the plan in the end; null: it is destroyed
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    if (handle && device) device->retire(handle);
    if (!device) vktcDestroyPlan(handle);
  }
};
struct Bindings {
  VktcBindings handle = nullptr;
  Bindings() = default;
  Bindings(const Bindings&) = delete;
  Bindings& operator=(const Bindings&) = delete;
  ~Bindings() { vktcDestroyBindings(handle); }
};

std::string describe(const VktcError& error) {
  return std::string(vktcStatusName(error.status)) + " [" + error.parameter + "] " + error.message;
}

VktcPlanOptions plan_options(const Way& way) {
  VktcPlanOptions options = {};
  options.algorithm = way.algorithm.c_str();
  options.candidate = way.candidate;
  options.precision = way.precision;
  options.choice = way.choice.c_str();
  options.memoryAccess =
      way.access == Access::device_address ? VKTC_MEMORY_ACCESS_DEVICE_ADDRESS : VKTC_MEMORY_ACCESS_DESCRIPTORS;
  return options;
}

// Nothing: created.
std::optional<Outcome> create_plan(VktcContext context, const VktcConvTransposeDesc& desc, const Way& way, Plan& plan) {
  const VktcPlanOptions options = plan_options(way);
  VktcError error = {};
  const VktcStatus status = vktcCreatePlan(context, &desc, &options, &plan.handle, &error);
  if (status == VKTC_SUCCESS) return std::nullopt;
  const bool honest = (status == VKTC_ERROR_LIMIT_EXCEEDED || status == VKTC_ERROR_FEATURE_NOT_ENABLED) &&
                      status == error.status && error.message[0] != 0;
  return Outcome{honest ? Outcome::refused : Outcome::failed, "no plan: " + describe(error), 0, {}};
}

std::string wrong_requirements(const Tensors& tensors, const VktcPlanRequirements& needs) {
  const auto words = [](size_t bytes) { return (bytes + 3) / 4 * 4; };
  const std::vector<int64_t> sizes = reference::output_size(tensors.desc);
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (needs.outputSize[i] != sizes[i]) return "outputSize[" + std::to_string(i) + "]";
  }
  if (needs.inputBytes != words(tensors.input.size())) return "inputBytes";
  if (needs.weightsBytes != words(tensors.weights.size())) return "weightsBytes";
  if (needs.biasBytes != words(tensors.bias.size())) return "biasBytes";
  if (needs.scaleBytes != tensors.scale.size() * sizeof(float)) return "scaleBytes";
  if (needs.shiftBytes != tensors.shift.size() * sizeof(float)) return "shiftBytes";
  if (needs.residualBytes != words(tensors.residual.size())) return "residualBytes";
  if (needs.outputBytes != words(output_bytes(tensors.desc))) return "outputBytes";
  if (needs.packedWeightsBytes % 4 != 0) return "packedWeightsBytes";
  if (needs.workspaceBytes % 4 != 0) return "workspaceBytes";
  if (needs.dispatchCount == 0) return "dispatchCount";
  return "";
}

void barrier(VkCommandBuffer commands, host::Device& device) {
  const auto function = reinterpret_cast<PFN_vkCmdPipelineBarrier>(
      device.get_instance_proc_addr()(device.instance(), "vkCmdPipelineBarrier"));
  const VkMemoryBarrier memory = {VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, VK_ACCESS_SHADER_WRITE_BIT,
                                  VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT};
  function(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &memory, 0,
           nullptr, 0, nullptr);
}

// Records packing (the first time) and the convolution; the error of a call that refused, or nothing.
std::optional<VktcError> record_and_wait(TestDevice& device, VktcPlan plan, VktcBindings bindings,
                                         const VktcBuffers& buffers, bool pack) {
  std::optional<VktcError> refused;
  device.device().submit([&](VkCommandBuffer commands) {
    VktcError error = {};
    const auto done = [&](VktcStatus status) {
      if (status != VKTC_SUCCESS) refused = error;
      return status == VKTC_SUCCESS;
    };
    if (pack) {
      if (!done(bindings ? vktcCmdPackWeightsBound(commands, bindings, nullptr, &error)
                         : vktcCmdPackWeights(commands, plan, &buffers, nullptr, &error))) {
        return;
      }
      barrier(commands, device.device());
    }
    done(bindings ? vktcCmdConvTransposeBound(commands, bindings, nullptr, &error)
                  : vktcCmdConvTranspose(commands, plan, &buffers, nullptr, &error));
  });
  return refused;
}

std::string compare(const Question& question, const std::string& algorithm, const void* actual) {
  const VktcConvTransposeDesc& desc = question.tensors.desc;
  const VktcDataType type = reference::output_type(desc);
  const reference::Fill fill = computes_integers_exactly(algorithm) ? question.fill : reference::Fill::random;
  size_t wrong = 0;
  std::string text;
  for (size_t i = 0; i < question.expected.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    const reference::Value& expected = question.expected[i];
    if (is_right(desc, fill, expected, actual, index)) continue;
    if (++wrong <= 4) {
      text += "output[" + std::to_string(i) + "] is " + std::to_string(reference::element(type, actual, index)) +
              " instead of " + std::to_string(expected.value) + " +- " +
              std::to_string(reference::error_bound(desc, expected)) + "\n";
    }
  }
  if (wrong == 0) return "";
  return std::to_string(wrong) + " of " + std::to_string(question.expected.size()) + " outputs are wrong\n" + text;
}

}  // namespace

Question::Question(const VktcConvTransposeDesc& desc, reference::Fill kind, uint64_t number)
    : tensors(desc, kind, number), fill(kind), seed(number), expected(tensors.expected()) {}

Question::Question(Tensors data)
    : tensors(std::move(data)), fill(reference::Fill::random), seed(0), expected(tensors.expected()) {}

bool computes_integers_exactly(const std::string& algorithm) {
  return algorithm != "winograd" && algorithm != "matrix_winograd";
}

const char* access_name(Access access) {
  switch (access) {
    case Access::push_descriptors:
      return "descriptors";
    case Access::bindings:
      return "bindings";
    case Access::device_address:
      return "address";
  }
  return "";
}

std::string find_choice(VktcContext context, const VktcConvTransposeDesc& desc, const std::string& algorithm,
                        VktcPrecision precision, const std::string& says) {
  Problem problem;
  VktcError error = {};
  if (!make_problem(desc, problem, error)) return "";
  PlanOptions options;
  options.algorithm = algorithm;
  options.precision = precision;
  for (;; ++options.candidate) {
    vktconv::Plan plan;
    if (!make_plan(problem, context->device.caps, options, plan, error)) return "";
    if (plan.tile.find(says) != std::string::npos) return plan.choice;
    if (options.candidate + 1 >= plan.candidate_count) {
      throw std::runtime_error(std::string("no candidate of ").append(algorithm).append(" says: ").append(says));
    }
  }
}

std::string repeat_line(const TestDevice& device, const Question& question, const Way& way) {
  const VktcConvTransposeDesc& desc = question.tensors.desc;
  std::string line = "vktconv-tests --problem '" + support::format_problem({"", desc}) + "' --fill " +
                     (question.fill == reference::Fill::exact ? "exact" : "random") + " --seed " +
                     std::to_string(question.seed) + " --access " + access_name(way.access);
  if (!way.algorithm.empty()) line += " --algorithm " + way.algorithm;
  if (way.candidate != 0) line += " --candidate " + std::to_string(way.candidate);
  if (way.runs != 1) line += " --runs " + std::to_string(way.runs);
  for (const std::string& name : device.disabled()) line += " --disable " + name;
  return line;
}

Outcome check(TestDevice& device, const Question& question, const Way& way) {
  device.require_sound_loops();
  Outcome outcome;
  const auto fail = [&](const std::string& reason) {
    outcome.kind = Outcome::failed;
    outcome.text = reason + "\n  " + repeat_line(device, question, way);
    return outcome;
  };
  const auto complaint = [&] {
    const std::string messages = device.take_validation_messages();
    return messages.empty() ? "" : "validation: " + messages;
  };

  Plan plan;
  plan.device = &device;
  if (auto no_plan = create_plan(device.device().context(), question.tensors.desc, way, plan)) {
    if (no_plan->kind == Outcome::failed) return fail(no_plan->text);
    const std::string messages = complaint();
    return messages.empty() ? *no_plan : fail(messages);
  }
  VktcPlanInfo info = {};
  vktcGetPlanInfo(plan.handle, &info);
  outcome.candidate_count = info.candidateCount;
  VktcPlanRequirements needs = {};
  vktcGetPlanRequirements(plan.handle, &needs);
  const std::string wrong = wrong_requirements(question.tensors, needs);
  if (!wrong.empty()) return fail("VktcPlanRequirements::" + wrong + " is wrong");

  Arena arena(question.tensors, needs);
  host::Buffer buffer(device.device(), arena.size());
  buffer.upload(arena.bytes(), arena.size());
  const VkBuffer handle = buffer.handle();
  const VktcBuffers buffers = {
      arena.view(handle, input), arena.view(handle, weights), arena.view(handle, packed_weights),
      arena.view(handle, bias),  arena.view(handle, output),  arena.view(handle, workspace),
      arena.view(handle, scale), arena.view(handle, shift),   arena.view(handle, residual)};
  Bindings bindings;
  if (way.access == Access::bindings) {
    VktcError error = {};
    if (vktcCreateBindings(plan.handle, &buffers, &bindings.handle, &error) != VKTC_SUCCESS) {
      return fail("no bindings: " + describe(error));
    }
  }
  for (int run = 0; run < way.runs; ++run) {
    if (const auto refused = record_and_wait(device, plan.handle, bindings.handle, buffers, run == 0)) {
      if (refused->status == VKTC_ERROR_FEATURE_NOT_ENABLED) {
        outcome.kind = Outcome::refused;
        outcome.text = describe(*refused);
        return outcome;
      }
      return fail("not recorded: " + describe(*refused));
    }
    std::vector<uint32_t> result(arena.size() / 4);
    buffer.download(result.data(), arena.size());
    if (const std::string messages = complaint(); !messages.empty()) return fail(messages);
    if (const std::string stray = arena.stray_write(result); !stray.empty()) return fail(stray);
    const auto* first = reinterpret_cast<const std::byte*>(result.data()) + arena.offset(output);
    const size_t bytes = output_bytes(question.tensors.desc);
    if (run > 0) {
      if (!std::equal(outcome.output.begin(), outcome.output.end(), first)) {
        return fail("run " + std::to_string(run + 1) + " gives other bits than the first");
      }
      continue;
    }
    outcome.output.assign(first, first + bytes);
    if (const std::string differences = compare(question, info.algorithm, outcome.output.data());
        !differences.empty()) {
      return fail(differences);
    }
  }
  return outcome;
}

Outcome check_compilation(VktcContext context, const VktcConvTransposeDesc& desc, const Way& way) {
  Plan plan;
  if (auto no_plan = create_plan(context, desc, way, plan)) return *no_plan;
  VktcPlanInfo info = {};
  vktcGetPlanInfo(plan.handle, &info);
  return {Outcome::passed, "", info.candidateCount, {}};
}

}  // namespace vktconv::tests

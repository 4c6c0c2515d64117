#include "modes.h"

#include <support/problem_text.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cases.h"
#include "check.h"
#include "random_problem.h"
#include "raw_device.h"

namespace vktconv::tests {

namespace {

// The arguments "--name value" and "--name=value" in order.
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view text = argv[i];
      const size_t equals = text.find('=');
      if (text.starts_with("--") && equals != std::string_view::npos) {
        pairs_.push_back({std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))});
      } else if (text == "--compile-only") {
        continue;
      } else if (text.starts_with("--") && i + 1 < argc) {
        pairs_.push_back({std::string(text), argv[++i]});
      } else {
        throw std::invalid_argument("unexpected argument \"" + std::string(text) + "\"");
      }
    }
  }

  struct Pair {
    std::string name, value;
  };
  const std::vector<Pair>& pairs() const { return pairs_; }

 private:
  std::vector<Pair> pairs_;
};

template <typename Number>
Number parse_number(const Arguments::Pair& pair) {
  Number number = 0;
  const char* end = pair.value.data() + pair.value.size();
  const auto [rest, error] = std::from_chars(pair.value.data(), end, number);
  if (error != std::errc() || rest != end) {
    throw std::invalid_argument(pair.name + " is \"" + pair.value + "\": it must be a number");
  }
  return number;
}

reference::Fill parse_fill(const std::string& text) {
  if (text == "exact") return reference::Fill::exact;
  if (text == "random") return reference::Fill::random;
  throw std::invalid_argument("--fill is \"" + text + "\": it must be exact or random");
}

Access parse_access(const std::string& text) {
  for (const Access access : all_accesses) {
    if (text == access_name(access)) return access;
  }
  throw std::invalid_argument("--access is \"" + text + "\": it must be descriptors, bindings or address");
}

}  // namespace

int repeat_check(int argc, char** argv) {
  VktcConvTransposeDesc desc = {};
  reference::Fill fill = reference::Fill::exact;
  uint64_t seed = 1;
  Way way;
  std::vector<std::string> disable;
  const Arguments arguments(argc, argv);
  for (const Arguments::Pair& pair : arguments.pairs()) {
    if (pair.name == "--problem") {
      desc = support::parse_problem(pair.value).desc;
    } else if (pair.name == "--dtype") {
      desc.dataType = support::parse_data_type(pair.value);
    } else if (pair.name == "--fill") {
      fill = parse_fill(pair.value);
    } else if (pair.name == "--seed") {
      seed = parse_number<uint64_t>(pair);
    } else if (pair.name == "--access") {
      way.access = parse_access(pair.value);
    } else if (pair.name == "--algorithm") {
      way.algorithm = pair.value;
    } else if (pair.name == "--candidate") {
      way.candidate = parse_number<uint32_t>(pair);
    } else if (pair.name == "--runs") {
      way.runs = parse_number<int>(pair);
    } else if (pair.name == "--disable") {
      disable.push_back(pair.value);
    } else {
      throw std::invalid_argument("unknown option " + pair.name);
    }
  }
  TestDevice& device = test_device(disable);
  const Outcome outcome = check(device, Question(desc, fill, seed), way);
  const char* kinds[] = {"passed", "refused", "FAILED"};
  std::printf("%s\n%s\n", kinds[outcome.kind], outcome.text.c_str());
  return outcome.kind == Outcome::failed ? 1 : 0;
}

int compile_every_plan(int argc, char** argv) {
  uint64_t count = sweep_size, every = 1;
  const Arguments arguments(argc, argv);
  for (const Arguments::Pair& pair : arguments.pairs()) {
    if (pair.name == "--count") {
      count = parse_number<uint64_t>(pair);
    } else if (pair.name == "--every") {
      every = parse_number<uint64_t>(pair);
    } else {
      throw std::invalid_argument("unknown option " + pair.name);
    }
  }
  // A null device has no memory, so the host layer cannot own it: a device made by hand does.
  std::unique_ptr<RawDevice> device;
  try {
    device = std::make_unique<RawDevice>(RawDeviceOptions{.all_features = true});
  } catch (const std::runtime_error& error) {
    std::printf("skipped: %s (the driver is not installed, or has no such null device)\n", error.what());
    return skipped;
  }
  std::printf("device: %s\n", device->properties().deviceName);
  const vktc::Context context(device->context_create_info());
  std::vector<Case> problems = cases();
  for (uint64_t i = 0; i < count; i += every) problems.push_back({"sweep " + std::to_string(i), random_problem(i)});
  size_t created = 0, refused = 0, failed = 0;
  // The planner's choice is the best plan of one of them.
  const std::vector<std::string> algorithms = algorithm_names();
  for (size_t i = 0; i < problems.size(); ++i) {
    VktcConvTransposeDesc desc = problems[i].desc;
    if (i < cases().size()) desc.dataType = data_types[i % type_count];
    const Access access = i % 2 ? Access::device_address : Access::push_descriptors;
    for (const std::string& algorithm : algorithms) {
      const Outcome outcome = check_compilation(context.get(), desc, {.algorithm = algorithm, .access = access});
      created += outcome.kind == Outcome::passed;
      refused += outcome.kind == Outcome::refused;
      if (outcome.kind != Outcome::failed) continue;
      ++failed;
      std::printf("%s, %s, %s, %s: %s\n", problems[i].name.c_str(), support::format_problem({"", desc}).c_str(),
                  algorithm.c_str(), access_name(access), outcome.text.c_str());
    }
  }
  std::printf("%zu problems: %zu plans compiled, %zu refused, %zu failed\n", problems.size(), created, refused, failed);
  return failed == 0 && created >= problems.size() ? 0 : 1;
}

int detect_planted_hazard() {
  TestDevice& device = test_device();
  if (!device.validated()) {
    std::printf("skipped: the Khronos validation layer is not there\n");
    return skipped;
  }
  // Two dispatches that write one output, with nothing between them.
  const Tensors tensors(cases().front().desc, reference::Fill::exact, 1);
  host::ConvTranspose convolution(device.device(), tensors.desc);
  convolution.set_weights(tensors.weights.data(), tensors.bias.data());
  convolution.input().upload(tensors.input.data(), tensors.input.size());
  const VktcBuffers buffers = convolution.buffers();
  VktcBindings bindings = nullptr;
  VktcError error = {};
  if (vktcCreateBindings(convolution.plan(), &buffers, &bindings, &error) != VKTC_SUCCESS) {
    throw std::runtime_error(error.message);
  }
  if (const std::string early = device.take_validation_messages(); !early.empty()) {
    throw std::runtime_error("messages before the hazard: " + early);
  }
  device.device().submit([&](VkCommandBuffer commands) {
    for (int i = 0; i < 2; ++i) vktcCmdConvTransposeBound(commands, bindings, nullptr, nullptr);
  });
  const std::string messages = device.take_validation_messages();
  vktcDestroyBindings(bindings);
  const bool seen = messages.find("SYNC-HAZARD-WRITE-AFTER-WRITE") != std::string::npos;
  std::printf("%s\n%s",
              seen ? "the layer is alive: it saw the planted hazard" : "the layer did NOT see the planted hazard",
              messages.c_str());
  return seen ? 0 : 1;
}

}  // namespace vktconv::tests

// fp32 on matrix units, in two fp16 parts: as exact as fp32 multiply-adds, whatever the elements. Winograd's way: as
// exact where the elements are of a size.
#include <doctest/doctest.h>

#include <support/post_ops_text.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "context.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("precision");

namespace {

// A sequence that is the same everywhere: uniform in [0, 1).
class Sequence {
 public:
  explicit Sequence(uint64_t seed) : state_(seed) {}
  double uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / static_cast<double>(uint64_t{1} << 24);
  }
  double normal() {  // Box and Muller
    constexpr double two_pi = 6.283185307179586;
    return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(two_pi * uniform());
  }

 private:
  uint64_t state_;
};

using Draw = std::function<double(Sequence&)>;

void fill(std::vector<std::byte>& data, uint64_t seed, const Draw& draw) {
  Sequence sequence(seed);
  for (size_t at = 0; at < data.size(); at += sizeof(float)) {
    const auto value = static_cast<float>(draw(sequence));
    std::memcpy(data.data() + at, &value, sizeof value);
  }
}

void plant(std::vector<std::byte>& data, size_t index, float value) {
  std::memcpy(data.data() + index * sizeof value, &value, sizeof value);
}

VktcConvTransposeDesc layer(int64_t in_channels, int64_t kernel, int64_t stride) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inChannels = in_channels;
  desc.outChannels = 20;
  desc.inputSize[0] = 45;
  desc.kernelSize[0] = kernel;
  desc.stride[0] = stride;
  return desc;
}

Tensors draw_tensors(const VktcConvTransposeDesc& desc, const Draw& input, const Draw& weights) {
  Tensors tensors(desc, reference::Fill::exact, 1);
  fill(tensors.input, 11, input);
  fill(tensors.weights, 22, weights);
  return tensors;
}

// The largest error of one multiply-add in fp32 after the other, over all outputs.
double largest_error_of_fp32_sums(const Tensors& tensors, const std::vector<reference::Value>& expected) {
  const VktcConvTransposeDesc& desc = tensors.desc;
  const auto at = [](const std::vector<std::byte>& data, int64_t index) {
    float value = 0;
    std::memcpy(&value, data.data() + static_cast<size_t>(index) * sizeof value, sizeof value);
    return value;
  };
  const int64_t length = desc.inputSize[0], kernel = desc.kernelSize[0];
  const int64_t out_length = static_cast<int64_t>(expected.size()) / desc.outChannels;
  double largest = 0;
  for (int64_t channel = 0; channel < desc.outChannels; ++channel) {
    for (int64_t out = 0; out < out_length; ++out) {
      float sum = 0;
      for (int64_t tap = 0; tap < kernel; ++tap) {
        const int64_t from = out - tap;
        if (from < 0 || from % desc.stride[0] != 0 || from / desc.stride[0] >= length) continue;
        for (int64_t in = 0; in < desc.inChannels; ++in) {
          sum = std::fma(at(tensors.input, in * length + from / desc.stride[0]),
                         at(tensors.weights, (in * desc.outChannels + channel) * kernel + tap), sum);
        }
      }
      const double error = std::abs(sum - expected[static_cast<size_t>(channel * out_length + out)].value);
      largest = std::max(largest, error);
    }
  }
  return largest;
}

double largest_error(const Question& question, const Outcome& outcome) {
  double largest = 0;
  for (size_t i = 0; i < question.expected.size(); ++i) {
    const double value = reference::element(VKTC_DATA_TYPE_F32, outcome.output.data(), static_cast<int64_t>(i));
    largest = std::max(largest, std::abs(value - question.expected[i].value));
  }
  return largest;
}

constexpr const char* on_matrix_units[] = {"matrix", "matrix_window"};

// Nothing: the device has no matrix units for it.
std::string check_matrix(const char* algorithm, const Question& question, Outcome& outcome) {
  CAPTURE(algorithm);
  outcome = check(test_device(), question, {.algorithm = algorithm, .access = Access::bindings});
  CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
  return outcome.kind == Outcome::refused ? outcome.text : "";
}

}  // namespace

TEST_CASE("The largest error is at most four times that of sums in fp32") {
  const Draw uniform = [](Sequence& s) { return s.uniform(); };
  const Draw normal = [](Sequence& s) { return s.normal(); };
  const struct { int64_t in_channels, kernel, stride; } rows[] = {{16, 1, 1}, {32, 3, 1}, {40, 5, 2}, {96, 7, 1}};
  for (const auto& row : rows) {
    for (const bool positive : {false, true}) {
      const Draw& draw = positive ? uniform : normal;
      const Question question(draw_tensors(layer(row.in_channels, row.kernel, row.stride), draw, draw));
      const double allowed = 4 * largest_error_of_fp32_sums(question.tensors, question.expected);
      for (const char* algorithm : on_matrix_units) {
        Outcome outcome;
        const std::string refused = check_matrix(algorithm, question, outcome);
        if (!refused.empty()) {
          MESSAGE(refused);
          return;
        }
        CAPTURE(algorithm);
        CAPTURE(row.in_channels);
        CAPTURE(row.kernel);
        CAPTURE(positive);
        CHECK(largest_error(question, outcome) <= allowed);
      }
    }
  }
}

TEST_CASE("Elements past what fp16 holds, infinities and NaN are computed in fp32") {
  const Draw normal = [](Sequence& s) { return s.normal(); };
  for (const int64_t stride : {2, 1}) {  // the latter for Winograd
    for (const bool in_weights : {false, true}) {
      Tensors tensors = draw_tensors(layer(24, 3, stride), normal, normal);
      std::vector<std::byte>& data = in_weights ? tensors.weights : tensors.input;
      const float planted[] = {65473.0f, -70000.0f, 3e38f, -1e20f, 300.0f};
      for (size_t i = 0; i < std::size(planted); ++i) plant(data, 5 + 77 * i, planted[i]);
      if (!in_weights) {
        plant(data, 200, std::numeric_limits<float>::quiet_NaN());
        plant(data, 500, std::numeric_limits<float>::infinity());
      }
      const Question question(std::move(tensors));
      for (const char* algorithm : {"matrix", "matrix_window", "matrix_winograd"}) {
        Outcome outcome;
        const bool of_the_other = stride == (std::strcmp(algorithm, "matrix_winograd") == 0 ? 2 : 1);
        if (!of_the_other) check_matrix(algorithm, question, outcome);
      }
    }
  }
}

TEST_CASE("Small elements keep the precision of fp32 down to 2^-14, and small weights to 2^-22") {
  const Draw small_input = [](Sequence& s) { return std::copysign(0x1p-13 * (1 + s.uniform()), s.normal()); };
  const Draw small_weight = [](Sequence& s) { return std::copysign(0x1p-21 * (1 + s.uniform()), s.normal()); };
  const Question question(draw_tensors(layer(32, 3, 1), small_input, small_weight));
  for (const char* algorithm : {"matrix", "matrix_window", "matrix_winograd"}) {
    Outcome outcome;
    check_matrix(algorithm, question, outcome);
  }
}

TEST_CASE("matrix_window: weights keep the precision of fp32 down to 2^-17 of the largest of their out-channel") {
  const Draw normal = [](Sequence& s) { return s.normal(); };
  Tensors tensors = draw_tensors(layer(32, 3, 1), normal, normal);
  const int64_t channels = tensors.desc.outChannels, taps = tensors.desc.kernelSize[0];
  for (int64_t at = 0; at < tensors.desc.inChannels * channels * taps; ++at) {
    const auto index = static_cast<size_t>(at);
    const auto channel = static_cast<int>(at / taps % channels);
    float value = 0;
    std::memcpy(&value, tensors.weights.data() + index * sizeof value, sizeof value);
    const auto exponent = static_cast<int>(7 - at % 3 * 8 - 4 * channel);  // of a channel 2^17 apart
    plant(tensors.weights, index, std::copysign(std::ldexp(1 + std::min(std::abs(value), 0.99f), exponent), value));
  }
  const Question question(std::move(tensors));
  Outcome outcome;
  check_matrix("matrix_window", question, outcome);
}

TEST_CASE("Still smaller inputs are off by 2^-35 at most, those that count as zero included") {
  // The bound of a sum does not hold for these alone: what is promised is the error of each element.
  const double scales[] = {0x1p-18, 0x1p-26, 0x1p-40, 0x1p-130};  // the last are subnormal
  for (const double scale : scales) {
    const Draw tiny = [&](Sequence& s) { return s.normal() * scale; };
    const Draw normal = [](Sequence& s) { return s.normal(); };
    const Question question(draw_tensors(layer(32, 3, 1), tiny, normal));
    for (const char* algorithm : {"matrix", "matrix_window", "matrix_winograd"}) {
      const Outcome outcome = check(test_device(), question, {.algorithm = algorithm, .access = Access::bindings});
      if (outcome.kind == Outcome::refused || outcome.output.empty()) continue;
      CAPTURE(algorithm);
      // 96 products with weights below 8, each input off by 2^-35 of its own, and the sum's rounding. Winograd's sums
      // are of transformed elements, which are off by no more.
      CHECK(largest_error(question, outcome) <= 96 * 8 * 0x1p-35);
    }
  }
}

// The first candidate that rounds fp32 elements to fp16; empty: the device has no matrix units for it.
std::string choice_that_rounds(const char* algorithm, const VktcConvTransposeDesc& desc) {
  return find_choice(test_device().device().context(), desc, algorithm, VKTC_PRECISION_RELAXED, "rounded to fp16");
}

TEST_CASE(
    "matrix_window: the same of inputs that are prepared or split as they are read, and of outputs stored from "
    "registers") {
  const Draw normal = [](Sequence& s) { return s.normal(); };
  const Draw tiny = [](Sequence& s) { return s.normal() * 0x1p-19; };
  struct {
    int64_t out_channels;
    std::vector<const char*> says;
    uint32_t row_lanes;  // that invocations are expected to be: rightly or wrongly
    VktcLayout output;
  } const rows[] = {{20, {"turned to channels-last before", "split as it is read"}, 1, VKTC_LAYOUT_CHANNELS_LAST},
                    {24, {"turned to channels-last before", "split as it is read"}, 4, VKTC_LAYOUT_CHANNELS_LAST},
                    {20, {"split as it is read, outputs stored from registers"}, 1, VKTC_LAYOUT_CHANNELS_FIRST},
                    {24, {"split as it is read, outputs stored from registers"}, 2, VKTC_LAYOUT_CHANNELS_FIRST}};
  for (const auto& row : rows) {
    TestDevice device;
    if (row.row_lanes != 1) device.device().context()->device.caps.matrix_row_lanes = row.row_lanes;
    VktcConvTransposeDesc desc = layer(24, 3, 1);
    desc.outputLayout = row.output;
    desc.outChannels = row.out_channels;
    if (row.output == VKTC_LAYOUT_CHANNELS_FIRST) desc.stride[0] = 2;  // merged phases
    Tensors tensors = draw_tensors(desc, normal, normal);
    const float planted[] = {65473.0f, 65510.0f, -65519.0f, 65520.0f, -65521.0f, 3e38f, 0x1p-140f};
    for (size_t i = 0; i < std::size(planted); ++i) plant(tensors.input, 5 + 77 * i, planted[i]);
    plant(tensors.input, 800, std::numeric_limits<float>::quiet_NaN());
    plant(tensors.input, 900, -std::numeric_limits<float>::infinity());
    const Question large(std::move(tensors)), small(draw_tensors(desc, tiny, normal));
    for (const char* says : row.says) {
      const std::string choice =
          find_choice(device.device().context(), desc, "matrix_window", VKTC_PRECISION_F32, says);
      if (choice.empty()) return;  // a device without matrix units
      const Way way = {.access = Access::bindings, .choice = choice};
      const Outcome outcome = check(device, large, way);
      CHECK_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
      const Outcome of_small = check(device, small, way);
      REQUIRE(!of_small.output.empty());
      CHECK(largest_error(small, of_small) <= 72 * 8 * 0x1p-35);
    }
  }
}

TEST_CASE("Who relaxes the precision may get elements rounded to fp16, and no worse") {
  const Draw normal = [](Sequence& s) { return s.normal(); };
  // Eleven bits: of the input in fp16 as they are, of the weights scaled by a power of two.
  const Draw rounded = [](Sequence& s) { return std::round(s.normal() * 256) / 256; };
  const struct {
    const char* algorithm;
    int64_t stride;
  } rows[] = {{"matrix", 1}, {"matrix", 2}, {"matrix_window", 1}, {"matrix_window", 2}};
  for (const auto& row : rows) {
    CAPTURE(row.algorithm);
    const VktcConvTransposeDesc desc = layer(48, 3, row.stride);
    const std::string choice = choice_that_rounds(row.algorithm, desc);
    if (choice.empty()) return;
    const Way way = {.access = Access::bindings, .precision = VKTC_PRECISION_RELAXED, .choice = choice};
    const Outcome exact = check(test_device(), Question(draw_tensors(desc, rounded, rounded)), way);
    CHECK_MESSAGE(exact.kind == Outcome::passed, exact.text);

    const Question question(draw_tensors(desc, normal, normal));
    const Outcome off = check(test_device(), question, way);
    REQUIRE(!off.output.empty());
    double largest = 0;
    for (size_t i = 0; i < question.expected.size(); ++i) {
      const double value = reference::element(VKTC_DATA_TYPE_F32, off.output.data(), static_cast<int64_t>(i));
      largest = std::max(largest, std::abs(value - question.expected[i].value) / question.expected[i].magnitude);
    }
    CHECK(largest < 0x1p-10);
    CHECK(largest > 0x1p-20);  // it was rounded

    // Without the permission there is no such choice.
    VktcPlanOptions options = {};
    options.choice = choice.c_str();
    VktcPlan plan = nullptr;
    VktcError error = {};
    CHECK(vktcCreatePlan(test_device().device().context(), &desc, &options, &plan, &error) ==
          VKTC_ERROR_INVALID_PARAMETER);
  }
}

TEST_CASE("Who asks for fp32 multiply-adds gets no fp16 parts, and no fewer multiplications than products") {
  VktcPlanOptions options = {};
  options.precision = VKTC_PRECISION_F32_FMA;
  const VktcConvTransposeDesc desc = layer(64, 3, 1);
  VktcPlan plan = nullptr;
  VktcError error = {};
  const VktcContext context = test_device().device().context();
  for (const char* algorithm : {"matrix", "matrix_window", "winograd", "matrix_winograd"}) {
    options.algorithm = algorithm;
    CHECK(vktcCreatePlan(context, &desc, &options, &plan, &error) == VKTC_ERROR_LIMIT_EXCEEDED);
    CHECK(std::string(error.message).find("options.precision") != std::string::npos);
  }
  options.algorithm = nullptr;
  REQUIRE(vktcCreatePlan(context, &desc, &options, &plan, &error) == VKTC_SUCCESS);
  VktcPlanInfo info = {};
  vktcGetPlanInfo(plan, &info);
  const std::string algorithm = info.algorithm;
  CHECK((algorithm == "gather" || algorithm == "tiled" || algorithm == "patch"));
  vktcDestroyPlan(plan);
}

namespace {

constexpr const char* by_winograd[] = {"winograd", "matrix_winograd"};

// The candidates of such an algorithm for a layer, by what they compute: "8,5" is F(4, 5) at eight points. None: the
// device has no matrix units for it.
std::map<std::string, uint32_t> winograd_candidates(const char* algorithm, const VktcConvTransposeDesc& desc) {
  std::map<std::string, uint32_t> candidates;
  VktcPlanOptions options = {};
  options.algorithm = algorithm;
  for (uint32_t count = 1; options.candidate < count; ++options.candidate) {
    VktcPlan plan = nullptr;
    VktcError error = {};
    const VktcStatus status = vktcCreatePlan(test_device().device().context(), &desc, &options, &plan, &error);
    if (std::string(error.message).find("cooperative matri") != std::string::npos) return {};
    REQUIRE_MESSAGE(status == VKTC_SUCCESS, error.message);
    VktcPlanInfo info = {};
    vktcGetPlanInfo(plan, &info);
    count = info.candidateCount;
    const std::string choice = info.choice;
    const size_t begin = choice.find(':') + 1;
    candidates.try_emplace(choice.substr(begin, choice.find(',', choice.find(',') + 1) - begin), options.candidate);
    vktcDestroyPlan(plan);
  }
  return candidates;
}

}  // namespace

TEST_CASE("Winograd: the largest error of each F is at most four times that of sums in fp32, and inside the bound") {
  const Draw uniform = [](Sequence& s) { return s.uniform(); };
  const Draw normal = [](Sequence& s) { return s.normal(); };
  // As few products as each filter takes, and more.
  struct Row {
    int64_t kernel, in_channels;
  };
  const struct {
    const char* algorithm;
    std::vector<Row> rows;
    std::set<std::string> filters;
  } all[] = {{"winograd",
              {{2, 8}, {3, 8}, {4, 64}, {5, 26}, {6, 24}, {7, 40}, {7, 160}},
              {"4,2", "4,3", "6,3", "6,4", "6,5", "8,4", "8,5", "8,6"}},
             {"matrix_winograd",
              {{3, 16}, {3, 64}, {4, 16}, {4, 32}, {5, 16}, {5, 26}, {5, 200}, {6, 16}, {7, 24}},
              {"4,3", "6,3", "6,4", "6,5", "8,3", "8,4", "8,5", "8,6"}}};
  for (const auto& each : all) {
    const char* algorithm = each.algorithm;
    CAPTURE(algorithm);
    std::set<std::string> seen;
    for (const Row& row : each.rows) {
      VktcConvTransposeDesc desc = layer(row.in_channels, row.kernel, 1);
      desc.inputSize[0] = 200;
      const std::map<std::string, uint32_t> candidates = winograd_candidates(algorithm, desc);
      for (const bool positive : {false, true}) {
        const Draw& draw = positive ? uniform : normal;
        const Question question(draw_tensors(desc, draw, draw));
        const double of_sums = largest_error_of_fp32_sums(question.tensors, question.expected);
        for (const auto& [name, candidate] : candidates) {
          const std::string& filter = name;  // what a lambda may capture
          CAPTURE(filter);
          CAPTURE(row.kernel);
          CAPTURE(row.in_channels);
          CAPTURE(positive);
          const Outcome outcome = check(test_device(), question, {algorithm, candidate, Access::bindings});
          REQUIRE_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
          CHECK(largest_error(question, outcome) <= 4 * of_sums);
          seen.insert(filter);
        }
      }
    }
    if (std::strcmp(algorithm, "winograd") == 0 || !seen.empty()) CHECK(seen == each.filters);
  }
}

TEST_CASE("Winograd: infinities, NaN and what overflows on the way reach no other outputs than by multiply-adds") {
  const Draw normal = [](Sequence& s) { return s.normal(); };
  const Draw large = [](Sequence& s) { return s.normal() * 6e37; };  // sums of some with factors of 5 do not fit
  const Draw small = [](Sequence& s) { return s.normal() * 0x1p-10; };
  // Chains, of which some make of infinities what is none.
  for (const char* chain :
       {"", "clamp:-3:3,linear:2:0.5", "linear:0.5:0,clamp:-3e37:3e37", "relu,scale_shift,residual"}) {
    const bool in_weights = chain[0] == 'r', overflows = chain[0] != 'c' && !in_weights;
    VktcConvTransposeDesc desc = layer(32, 5, 1);
    if (chain[0] != 0) support::set_post_ops(support::parse_post_ops(chain), desc);
    Tensors tensors = draw_tensors(desc, overflows ? large : normal, overflows ? small : normal);
    std::vector<std::byte>& data = in_weights ? tensors.weights : tensors.input;
    plant(data, 200, std::numeric_limits<float>::quiet_NaN());
    plant(data, 500, -std::numeric_limits<float>::infinity());
    CAPTURE(std::string(chain));
    const Question question(std::move(tensors));
    for (const char* algorithm : by_winograd) {
      for (const auto& [name, candidate] : winograd_candidates(algorithm, question.tensors.desc)) {
        const std::string& filter = name;
        CAPTURE(filter);
        const Outcome outcome = check(test_device(), question, {algorithm, candidate, Access::bindings});
        CHECK_MESSAGE(outcome.kind == Outcome::passed, outcome.text);
      }
    }
  }
}

TEST_CASE("Winograd: a large element adds to the errors of its tile, and of no other output") {
  constexpr int64_t place = 150, kernel = 5;
  const Draw normal = [](Sequence& s) { return s.normal(); };
  VktcConvTransposeDesc desc = layer(32, kernel, 1);
  desc.inputSize[0] = 300;
  for (const float large : {0x1p20f, 0x1p12f}) {  // more than two fp16 parts hold, and less
    Tensors tensors = draw_tensors(desc, normal, normal);
    plant(tensors.input, place, large);
    const Question question(std::move(tensors));
    const auto length = static_cast<int64_t>(question.expected.size()) / desc.outChannels;
    for (const char* algorithm : by_winograd) {
      for (const auto& [name, candidate] : winograd_candidates(algorithm, desc)) {
        const std::string& filter = name;
        const Outcome outcome = check(test_device(), question, {algorithm, candidate, Access::bindings});
        REQUIRE(!outcome.output.empty());
        double of_bound = 0, of_large = 0;  // the largest errors, as shares
        for (int64_t i = 0; i < desc.outChannels * length; ++i) {
          const reference::Value& expected = question.expected[static_cast<size_t>(i)];
          const double value = reference::element(VKTC_DATA_TYPE_F32, outcome.output.data(), i);
          const double error = std::abs(value - expected.value);
          constexpr int64_t tile = 8;  // inputs at most
          const bool near = i % length > place - tile && i % length < place + kernel + tile;
          double& share = near ? of_large : of_bound;
          share = std::max(share, error / (near ? large : reference::error_bound(desc, expected)));
        }
        CAPTURE(algorithm);
        CAPTURE(filter);
        CAPTURE(large);
        CHECK(of_bound <= 1);
        CHECK(of_large <= 5 * 0x1p-20);  // weights are below 5 in magnitude
      }
    }
  }
}

TEST_SUITE_END();

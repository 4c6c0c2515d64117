// Every case x every data type x every algorithm x every way to reach memory, against the reference.
#include <doctest/doctest.h>

#include <iterator>
#include <string>
#include <vector>

#include "cases.h"
#include "check.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("correctness");

namespace {

// Which of these the device of the tests has; the others are refused.
struct Tally {
  int passed = 0, refused = 0;
};

void check_and_count(TestDevice& device, const Question& question, const Way& way, Tally& tally) {
  const Outcome outcome = check(device, question, way);
  CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
  if (outcome.kind == Outcome::passed) ++tally.passed;
  // The universal algorithm has no excuse on any case; only what the device lacks.
  if (outcome.kind == Outcome::refused) {
    ++tally.refused;
    const bool missing_feature = outcome.text.find("bufferDeviceAddress") != std::string::npos ||
                                 outcome.text.find("push_descriptor") != std::string::npos;
    if (way.algorithm == "gather") CHECK_MESSAGE(missing_feature, outcome.text);
  }
}

enum class Ways { all, one_each };  // of reaching memory

void check_every_case(TestDevice& device, VktcDataType type, Ways ways = Ways::all) {
  Tally tally;
  for (size_t i = 0; i < cases().size(); ++i) {
    INFO(cases()[i].name);
    // A case that is plain in one type is not in the next.
    const VktcConvTransposeDesc desc =
        in_turn(with_type(cases()[i].desc, type), i + type + (ways == Ways::all ? 0 : 3));
    const Question exact(desc, reference::Fill::exact, i + 1), random(desc, reference::Fill::random, i + 1);
    for (const std::string& algorithm : algorithm_names()) {
      // lavapipe takes seconds to compile a pipeline of these: one for each case, with each kind of data in turn, and
      // of 16 bits one of both algorithms, with fp16 the one that bf16 does not have. Of four cases in a row each has
      // two, one that is plain and one that is not; of eight, either with each kind of data.
      if (algorithm.find("matrix") == 0) {
        const bool is_half = type == VKTC_DATA_TYPE_F16 || type == VKTC_DATA_TYPE_BF16;
        const size_t number = i / 2 + (type == VKTC_DATA_TYPE_BF16 ? 1 : 0);
        if (is_half && (algorithm == "matrix") != (number % 2 == 0)) continue;
        const Way way = {.algorithm = algorithm, .access = all_accesses[(i + 1) % std::size(all_accesses)]};
        const size_t of_data = is_half ? i / 4 : i + (algorithm == "matrix" ? 0 : 1);
        check_and_count(device, of_data % 2 == 0 ? exact : random, way, tally);
        continue;
      }
      for (size_t a = 0; a < std::size(all_accesses); ++a) {
        // Each algorithm meets each way in many cases; what they share is tried in all of them.
        const bool one_way = ways == Ways::one_each || algorithm != "gather";
        if (one_way && a != (i + 1) % std::size(all_accesses)) continue;
        if (!computes_integers_exactly(algorithm)) continue;
        check_and_count(device, exact, {.algorithm = algorithm, .access = all_accesses[a]}, tally);
      }
      // Half of the ways for the other kind of data, each in turn.
      check_and_count(device, random, {.algorithm = algorithm, .access = all_accesses[i % 3]}, tally);
    }
  }
  MESSAGE(tally.passed << " checks passed, " << tally.refused << " refused");
  CHECK(tally.passed > static_cast<int>(cases().size()) * 2);
}

}  // namespace

TEST_CASE("Every case, fp32") { check_every_case(test_device(), VKTC_DATA_TYPE_F32); }
TEST_CASE("Every case, fp16") { check_every_case(test_device(), VKTC_DATA_TYPE_F16); }
TEST_CASE("Every case, bf16") { check_every_case(test_device(), VKTC_DATA_TYPE_BF16); }
TEST_CASE("Every case, int32") { check_every_case(test_device(), VKTC_DATA_TYPE_I32); }
TEST_CASE("Every case, int8") { check_every_case(test_device(), VKTC_DATA_TYPE_I8); }

TEST_CASE("Every case, fp16 in packed words, without 16-bit storage") {
  check_every_case(test_device({"storageBuffer16BitAccess"}), VKTC_DATA_TYPE_F16, Ways::one_each);
}
TEST_CASE("Every case, bf16 in packed words, without 16-bit storage") {
  check_every_case(test_device({"storageBuffer16BitAccess"}), VKTC_DATA_TYPE_BF16, Ways::one_each);
}

TEST_CASE("Every case, int8 in packed words, without 8-bit storage") {
  check_every_case(test_device({"storageBuffer8BitAccess"}), VKTC_DATA_TYPE_I8, Ways::one_each);
}

TEST_CASE("Tiles: other candidates of the planner") {
  // All of them would take too long: those of each case in turn, so that every tile is met several times.
  for (size_t i = 0; i < cases().size(); ++i) {
    INFO(cases()[i].name);
    const VktcDataType type = data_types[i % type_count];
    const Question question(in_turn(with_type(cases()[i].desc, type), i / type_count), reference::Fill::exact, i);
    size_t turn = i;
    for (const std::string& algorithm : algorithm_names()) {
      const bool on_matrix_units = algorithm.find("matrix") == 0;
      if (++turn % 2 != 0 && on_matrix_units) continue;  // they take seconds to compile
      Way way = {.algorithm = algorithm, .access = Access::bindings};
      const Outcome planned = check_compilation(test_device().device().context(), question.tensors.desc, way);
      if (planned.kind != Outcome::passed) continue;
      const int samples = on_matrix_units ? 1 : 3;
      for (int sample = 0; sample < samples; ++sample) {
        way.candidate = static_cast<uint32_t>((i * 7 + static_cast<size_t>(sample) * 5 + 1) % planned.candidate_count);
        const Outcome outcome = check(test_device(), question, way);
        CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
      }
    }
  }
}

TEST_CASE("Repeated runs give the same bits, in one process and with a plan of its own") {
  for (size_t i = 0; i < cases().size(); ++i) {
    const Question question(in_turn(with_type(cases()[i].desc, data_types[i % 3]), i), reference::Fill::random, i);
    for (const std::string& algorithm : algorithm_names()) {
      if (algorithm.find("matrix") == 0 && i / 3 % 2 != 0) continue;  // they take seconds to compile
      const Way way = {.algorithm = algorithm, .access = Access::bindings, .runs = 5};
      const Outcome first = check(test_device(), question, way);
      CHECK_MESSAGE(first.kind != Outcome::failed, first.text);
      const Outcome second = check(test_device(), question, way);
      CHECK_MESSAGE(first.output == second.output,
                    "another plan gives other bits: ", repeat_line(test_device(), question, way));
    }
  }
}

TEST_CASE("A device without optional features still computes") {
  TestDevice& device = test_device({"bufferDeviceAddress", "VK_KHR_push_descriptor", "storageBuffer16BitAccess",
                                    "subgroupSizeControl", "vulkanMemoryModel", "shaderFloat16"});
  uint64_t turn = 0;
  for (const char* name : {"prime_everything", "small_kb1.68", "small_kb1.79", "depthwise"}) {
    for (const Case& one : cases()) {
      if (one.name != name) continue;
      ++turn;
      for (const VktcDataType type : data_types) {
        const Question question(in_turn(with_type(one.desc, type), turn + type), reference::Fill::exact, 3);
        const Outcome bound = check(device, question, {.access = Access::bindings});
        CHECK_MESSAGE(bound.kind == Outcome::passed, bound.text);
        const Outcome pushed = check(device, question, {.access = Access::push_descriptors});
        CHECK_MESSAGE(pushed.kind == Outcome::refused, pushed.text);
        const Outcome by_address = check(device, question, {.access = Access::device_address});
        CHECK_MESSAGE(by_address.kind == Outcome::refused, by_address.text);
      }
    }
  }
}

TEST_CASE("Rows of 16-bit types past 2048 elements keep every index") {
  // fp16 holds integers up to 2048 only: index arithmetic in that type would show here.
  for (const VktcDataType type : {VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16}) {
    for (const int64_t length : {2049, 4095, 4097, 8191, 16387, 32769, 65535, 65537, 70000}) {
      VktcConvTransposeDesc desc = vktcDefaultDesc(1);
      desc.dataType = type;
      desc.inChannels = 2;
      desc.outChannels = 3;
      desc.inputSize[0] = length;
      desc.kernelSize[0] = 4;
      desc.stride[0] = 2;
      desc.paddingBegin[0] = 1;
      desc.paddingEnd[0] = length % 2 ? 1 : 0;
      const Question question(desc, reference::Fill::exact, static_cast<uint64_t>(length));
      for (const bool packed : {false, true}) {
        TestDevice& device = packed ? test_device({"storageBuffer16BitAccess"}) : test_device();
        for (const std::string& algorithm : algorithm_names()) {
          const Outcome outcome = check(device, question, {.algorithm = algorithm, .access = Access::bindings});
          CHECK_MESSAGE(outcome.kind != Outcome::failed, outcome.text);
        }
      }
    }
  }
}

TEST_SUITE_END();

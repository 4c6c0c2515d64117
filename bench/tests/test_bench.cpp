// The parts of the benchmark that need no device.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "generated_data.h"
#include "model_comparison.h"
#include "reference.h"
#include "report.h"
#include "suites.h"
#include "support/half.h"
#include "support/post_ops_text.h"
#include "timing.h"
#include "verification.h"
#include "workload.h"

namespace vktconv::bench {
namespace {

constexpr VktcDataType all_types[] = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I32,
                                      VKTC_DATA_TYPE_I8};

VktcConvTransposeDesc problem(const char* text) { return support::parse_problem(text).desc; }

std::vector<int64_t> output_size(const VktcConvTransposeDesc& desc) {
  std::vector<int64_t> size = reference::output_size(desc);
  size.resize(VKTC_MAX_SPATIAL_RANK, 1);
  return size;
}

TEST_CASE("useful FLOP are the products that the reference counts") {
  for (const char* text : {"ic3iw7_oc2kw3", "mb2_g2ic4iw7_oc6kw3sw2pw1dw2_bias", "ic1iw1_oc1kw5pw2", "ic2iw3_oc1kw2sw5",
                           "ic2iw9_oc1kw3sw3pw4ew-2opw2", "ic2ih5iw4_oc3kh3kw4sh2sw1ph2pw-1dh1dw3",
                           "g2ic2id3ih2iw4_oc4kd2kh3kw1sd2sh3sw1pd1ph0pw0opd1oph0opw0"}) {
    CAPTURE(text);
    const VktcConvTransposeDesc desc = problem(text);
    const std::vector<int64_t> size = output_size(desc);
    const int64_t elements = desc.batch * desc.outChannels * size[0] * size[1] * size[2];
    int64_t terms = 0;
    const reference::ElementSource one = [](int64_t) { return 1.0; };
    for (int64_t i = 0; i < elements; ++i)
      terms += reference::conv_transpose_at(desc, reference::Sources{one, one, one}, i).terms;
    const Workload work = workload(desc);
    CHECK(work.flop == 2.0 * static_cast<double>(terms));
    CHECK(work.output_bytes == 4.0 * static_cast<double>(elements));
    VktcConvTransposeDesc wider = desc;
    wider.dataType = VKTC_DATA_TYPE_F16;
    wider.outputType = VKTC_OUTPUT_TYPE_F32;
    CHECK(workload(wider).output_bytes == work.output_bytes);
    CHECK(workload(wider).input_bytes * 2 == work.input_bytes);
    VktcConvTransposeDesc chained = desc;
    support::set_post_ops(support::parse_post_ops("scale_shift,relu,residual"), chained);
    CHECK(workload(chained).bytes == work.bytes + work.output_bytes + 8.0 * static_cast<double>(desc.outChannels));
    CHECK(work.bytes == work.input_bytes + work.weights_bytes + work.output_bytes +
                            (desc.hasBias ? 4.0 * static_cast<double>(desc.outChannels) : 0.0));
  }
}

TEST_CASE("the reference gives the same from generated elements as from arrays") {
  for (VktcDataType type : all_types) {
    VktcConvTransposeDesc desc = problem("mb2_g2ic4ih5iw4_oc6kh3kw4sh2ph1_bias");
    desc.dataType = type;
    const std::vector<int64_t> size = output_size(desc);
    const auto make = [](VktcDataType of, Seed seed, size_t elements) {
      std::vector<std::byte> bytes(elements * vktcDataTypeSize(of));
      for (size_t i = 0; i < elements; ++i) {
        const double value = element_value(of, seed, static_cast<int64_t>(i));
        const auto store = [&](auto stored) { std::memcpy(bytes.data() + i * sizeof stored, &stored, sizeof stored); };
        if (of == VKTC_DATA_TYPE_F32) store(static_cast<float>(value));
        if (of == VKTC_DATA_TYPE_F16) store(support::double_to_f16(value));
        if (of == VKTC_DATA_TYPE_BF16) store(support::double_to_bf16(value));
        if (of == VKTC_DATA_TYPE_I32) store(static_cast<int32_t>(value));
        if (of == VKTC_DATA_TYPE_I8) store(static_cast<int8_t>(value));
      }
      return bytes;
    };
    const std::vector<std::byte> input = make(type, Seed::input, 2 * 4 * 5 * 4),
                                 weights = make(type, Seed::weights, 4 * 3 * 12),
                                 bias = make(reference::bias_type(desc), Seed::bias, 6);
    for (int64_t i = 0; i < 2 * 6 * size[0] * size[1]; ++i) {
      const reference::Value a =
          reference::conv_transpose_at(desc, reference::Arrays{input.data(), weights.data(), bias.data()}, i);
      const reference::Value b = reference::conv_transpose_at(desc, generated_sources(desc), i);
      REQUIRE(a.value == b.value);
      REQUIRE(a.magnitude == b.magnitude);
      REQUIRE(a.terms == b.terms);
    }
  }
}

TEST_CASE("generated values are exact in their type, in range, spread out, and differ beyond 2^32 elements") {
  for (VktcDataType type : all_types) {
    const double range = type == VKTC_DATA_TYPE_I32 ? 1024 : type == VKTC_DATA_TYPE_I8 ? 128 : 1;
    double sum = 0, squares = 0;
    constexpr int count = 20000;
    for (int64_t i = 0; i < count; ++i) {
      const double value = element_value(type, Seed::input, (int64_t{1} << 32) - count / 2 + i);
      REQUIRE(value >= -range);
      REQUIRE(value < range);
      if (type == VKTC_DATA_TYPE_F32) REQUIRE(static_cast<double>(static_cast<float>(value)) == value);
      if (type == VKTC_DATA_TYPE_F16) REQUIRE(support::f16_to_float(support::double_to_f16(value)) == value);
      if (type == VKTC_DATA_TYPE_BF16) REQUIRE(support::bf16_to_float(support::double_to_bf16(value)) == value);
      sum += value / range;
      squares += value / range * value / range;
    }
    CHECK(std::abs(sum / count) < 0.03);
    CHECK(std::abs(squares / count - 1.0 / 3) < 0.03);
  }
  int same = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    same += element_value(VKTC_DATA_TYPE_F32, Seed::input, i) ==
            element_value(VKTC_DATA_TYPE_F32, Seed::input, i + (int64_t{1} << 32));
    same += element_value(VKTC_DATA_TYPE_F32, Seed::input, i) == element_value(VKTC_DATA_TYPE_F32, Seed::weights, i);
  }
  CHECK(same < 3);
}

TEST_CASE("poison is NaN in every floating type and half") {
  for (unsigned half : {0u, 1u}) {
    CHECK(std::isnan(stored_value(VKTC_DATA_TYPE_F32, poison_word, half)));
    CHECK(std::isnan(stored_value(VKTC_DATA_TYPE_F16, poison_word, half)));
    CHECK(std::isnan(stored_value(VKTC_DATA_TYPE_BF16, poison_word, half)));
  }
  CHECK(stored_value(VKTC_DATA_TYPE_F16, 0x3c00c000u, 0) == -2.0);
  CHECK(stored_value(VKTC_DATA_TYPE_F16, 0x3c00c000u, 1) == 1.0);
  CHECK(stored_value(VKTC_DATA_TYPE_BF16, 0x3f80c000u, 1) == 1.0);
  CHECK(stored_value(VKTC_DATA_TYPE_I32, 0xffffffffu, 0) == -1.0);
  CHECK(stored_value(VKTC_DATA_TYPE_I8, 0x807fff01u, 0) == 1.0);
  CHECK(stored_value(VKTC_DATA_TYPE_I8, 0x807fff01u, 1) == -1.0);
  CHECK(stored_value(VKTC_DATA_TYPE_I8, 0x807fff01u, 2) == 127.0);
  CHECK(stored_value(VKTC_DATA_TYPE_I8, 0x807fff01u, 3) == -128.0);
}

TEST_CASE("samples cover corners and ends, without repetition") {
  // 8.6e9 outputs: past every 32-bit boundary.
  const VktcConvTransposeDesc desc = problem("mb64_ic8ih2048iw2048_oc32kh2sh1");
  const std::vector<int64_t> size = output_size(desc);
  const int64_t plane = size[0] * size[1], elements = 64 * 32 * plane;
  const std::vector<int64_t> indices = sample_indices(desc, size.data(), 2000);
  CHECK(indices.size() > 1800);
  CHECK(indices.size() < 2200);
  CHECK(std::is_sorted(indices.begin(), indices.end()));
  const std::set<int64_t> set(indices.begin(), indices.end());
  CHECK(set.size() == indices.size());
  for (int64_t index : {int64_t{0}, elements - 1, size[1] - 1, plane - 1, plane - size[1], 31 * plane, 63 * 32 * plane,
                        int64_t{1} << 31, (int64_t{1} << 32) - 1, int64_t{1} << 32}) {
    CHECK(set.count(index) == 1);
  }
  CHECK(*set.rbegin() < elements);

  // The corners of the same in another order, the last channel of the first pixel among them.
  const std::vector<int64_t> turned =
      sample_indices(problem("olast_mb64_ic8ih2048iw2048_oc32kh2sh1"), size.data(), 2000);
  const std::set<int64_t> turned_set(turned.begin(), turned.end());
  for (int64_t index : {int64_t{0}, int64_t{31}, (size[1] - 1) * 32, plane * 32 - 1, elements - 32, elements - 1}) {
    CHECK(turned_set.count(index) == 1);
  }
  CHECK(*turned_set.rbegin() < elements);

  const VktcConvTransposeDesc small = problem("ic1iw5_oc3kw2");
  CHECK(sample_indices(small, output_size(small).data(), 2000).size() == 18);
}

TEST_CASE("spread of times") {
  const Spread spread = spread_of({4, 1, 3, 2});
  CHECK(spread.median == 2.5);
  CHECK(spread.min == 1);
  CHECK(spread.p95 == 4);
  CHECK(spread.stddev == doctest::Approx(1.290994));
  CHECK(spread_of({7}).median == 7);
  CHECK(spread_of({7}).stddev == 0);
}

TEST_CASE("the floor is the larger of arithmetic and copy") {
  Ceilings ceilings;
  ceilings.copy_bytes = 1e12;
  ceilings.f32_flop = 10e12;
  ceilings.i32_flop = 5e12;
  Workload work;
  work.flop = 1e9;
  work.bytes = 1e7;
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_F32, work).ms == doctest::Approx(0.1));
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_F32, work).bound == "fp32");
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_I32, work).ms == doctest::Approx(0.2));
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_F16, work).bound == "fp32");
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_I8, work).bound == "copy");
  ceilings.matrix_flop = 1000e12;
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_BF16, work).ms == doctest::Approx(0.01));
  CHECK(floor_of(ceilings, VKTC_DATA_TYPE_BF16, work).bound == "copy");
}

TEST_CASE("every built-in suite loads") {
  for (const std::string& name : suite_names()) {
    CAPTURE(name);
    CHECK(support::load_suite(find_suite(name)).size() >= 14);
  }
  Options options;
  options.match = "kb1\\.(68|79)";
  options.data_types = {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_BF16};
  const std::vector<support::NamedProblem> problems = select_problems(options, {"kb1", "decoders"});
  REQUIRE(problems.size() == 4);
  CHECK(problems[1].name == "kb1.79");
  CHECK(problems[2].desc.dataType == VKTC_DATA_TYPE_BF16);
  CHECK(problems[2].desc.inputLayout == VKTC_LAYOUT_CHANNELS_FIRST);

  options.data_types = {VKTC_DATA_TYPE_BF16};
  options.input_layout = options.output_layout = VKTC_LAYOUT_CHANNELS_LAST;
  options.output_type = VKTC_OUTPUT_TYPE_F32;
  const support::NamedProblem turned = select_problems(options, {"kb1"}).front();
  CHECK(turned.desc.inputLayout == VKTC_LAYOUT_CHANNELS_LAST);
  CHECK(turned.desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST);
  CHECK(turned.desc.outputType == VKTC_OUTPUT_TYPE_F32);
  options.post_ops = support::parse_post_ops("relu,residual");
  CHECK(select_problems(options, {"kb1"}).front().desc.postOpCount == 2);
  options.post_ops.reset();
  options.data_types = {VKTC_DATA_TYPE_I32};
  CHECK_THROWS_AS(select_problems(options, {"kb1"}), std::invalid_argument);
}

// Splits one line of CSV.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields = {""};
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[i++];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

TEST_CASE("reports carry what was measured, also what went wrong") {
  RunInfo run;
  run.device = "GPU, \"the\" best";
  Row good;
  good.name = "good";
  good.dtype = "f32";
  good.measurement.repeats = 10;
  good.measurement.ms = {2.0, 1.9, 2.2, 0.1};
  good.measurement.work.flop = 4e9;
  good.measurement.work.bytes = 1e6;
  good.measurement.floor = {1.0, "fp32"};
  Row wrong = good;
  wrong.name = "wrong";
  wrong.measurement.status = Status::failed;
  wrong.measurement.reason = "3 of 9 samples are wrong";
  wrong.measurement.verification.error_ratio = std::numeric_limits<double>::infinity();
  Row skipped;
  skipped.name = "skipped";
  skipped.measurement.status = Status::skipped;
  skipped.measurement.reason = "too large";
  Row slower = good;  // another algorithm: only the faster one counts in the mean
  slower.measurement.ms.median = 4.0;
  const std::vector<Row> rows = {good, wrong, skipped, slower};

  const nlohmann::json json = nlohmann::json::parse(to_json(run, rows));
  CHECK(json["rows"][0]["tflops"] == doctest::Approx(2.0));
  CHECK(json["rows"][0]["gbytes_per_second"] == doctest::Approx(0.5));
  CHECK(json["rows"][0]["floor_percent"] == doctest::Approx(50.0));
  CHECK(json["rows"][1]["error_ratio"] == "inf");
  CHECK(json["rows"][2]["reason"] == "too large");
  CHECK(json["summary"]["failed"] == 1);
  CHECK(json["summary"]["floor_percent_geometric_mean"] == doctest::Approx(50.0));

  const std::string csv = to_csv(run, rows);
  const std::vector<std::string> head = fields_of(csv.substr(0, csv.find('\n')));
  const size_t second = csv.find('\n') + 1;
  const std::vector<std::string> first = fields_of(csv.substr(second, csv.find('\n', second) - second));
  REQUIRE(first.size() == head.size());
  CHECK(first[static_cast<size_t>(std::find(head.begin(), head.end(), "device") - head.begin())] == run.device);
  CHECK(first[static_cast<size_t>(std::find(head.begin(), head.end(), "median_ms") - head.begin())] == "2");

  const Table table({"good", "wrong", "skipped"}, {""}, false, false, false);
  CHECK(table.row(wrong).find("FAILED") != std::string::npos);
  CHECK(table.row(wrong).find("3 of 9 samples are wrong") != std::string::npos);
  CHECK(table.row(skipped).find("SKIPPED: too large") != std::string::npos);
  CHECK(table.footer(summarize(rows)).find("2 verified, 1 FAILED, 1 skipped") != std::string::npos);
}

TEST_CASE("the model's choice is held against the best measured candidate") {
  const auto row = [](const char* descriptor, const char* choice, double predicted, double measured) {
    Row made;
    made.name = made.descriptor = descriptor;
    made.dtype = "f32";
    made.measurement.choice = choice;
    made.measurement.predicted_ms = predicted;
    made.measurement.ms.median = measured;
    return made;
  };
  std::vector<Row> rows = {row("a", "gather:1", 5, 3), row("b", "gather:1", 1, 1), row("a", "tiled:1", 2, 2.5),
                           row("a", "tiled:2", 4, 2),  row("c", "tiled:1", 1, 1),  row("b", "tiled:1", 3, 4)};
  rows.push_back(row("a", "wrong:1", 1, 1));  // a wrong result is no choice
  rows.back().measurement.status = Status::failed;
  const std::vector<ModelComparison> comparisons = compare_model(rows);
  REQUIRE(comparisons.size() == 2);  // c has nothing to be compared with
  CHECK(comparisons[0].name == "a");
  CHECK(comparisons[0].model_choice == "tiled:1");
  CHECK(comparisons[0].best_choice == "tiled:2");
  CHECK(comparisons[0].ratio() == doctest::Approx(1.25));
  CHECK(comparisons[1].ratio() == 1);
  CHECK(count_close(comparisons) == 1);
  const std::string text = comparison_text(comparisons);
  CHECK(text.find("1.25  tiled:1         tiled:2\n") != std::string::npos);
  CHECK(text.find("on 1 of 2 problems (50 %); geometric mean 1.12 times") != std::string::npos);
  CHECK(comparison_text({}).empty());
  const nlohmann::json json = nlohmann::json::parse(to_json(RunInfo(), rows))["model_against_best"];
  CHECK(json["within_15_percent"] == 1);
  CHECK(json["problems"][0]["best_choice"] == "tiled:2");
}

}  // namespace
}  // namespace vktconv::bench

// The parts of the benchmark that work on a device: data made there, and wrong results found out.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "generated_data.h"
#include "measurement.h"
#include "reference.h"
#include "support/half.h"
#include "support/post_ops_text.h"
#include "support/problem_text.h"
#include "verification.h"

namespace vktconv::bench {
namespace {

struct Fixture {
  host::Device device;
  VulkanTable vulkan{device};
  DataGenerator generator{device, vulkan};
};

TEST_SUITE("gpu") {
  TEST_CASE_FIXTURE(Fixture, "the device makes the elements that the host computes, in every window") {
    // One window more than a descriptor can see, where that is small enough to try.
    const VkDeviceSize range = device.properties().limits.maxStorageBufferRange;
    const VkDeviceSize bytes = range <= VkDeviceSize{1} << 28 ? range + 4096 : VkDeviceSize{1} << 20;
    host::Buffer buffer(device, bytes);
    for (VktcDataType type :
         {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I32, VKTC_DATA_TYPE_I8}) {
      CAPTURE(support::data_type_name(type));
      generator.fill(buffer, type, Seed::weights);
      const unsigned per_word = 4 / vktcDataTypeSize(type);
      for (const VkDeviceSize offset : {VkDeviceSize{0}, bytes / 2 / 4096 * 4096, bytes - 8192, bytes - 4096}) {
        std::vector<uint32_t> words(1024);
        buffer.download(words.data(), words.size() * 4, offset);
        for (size_t i = 0; i < words.size(); ++i) {
          for (unsigned half = 0; half < per_word; ++half) {
            const auto index = static_cast<int64_t>((offset / 4 + i) * per_word + half);
            REQUIRE(stored_value(type, words[i], half) == element_value(type, Seed::weights, index));
          }
        }
      }
    }
  }

  TEST_CASE_FIXTURE(Fixture, "verification passes the right output and finds one wrong element, poison and NaN") {
    for (VktcDataType type :
         {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I32, VKTC_DATA_TYPE_I8}) {
      CAPTURE(support::data_type_name(type));
      VktcConvTransposeDesc desc = support::parse_problem("mb2_g2ic4ih5iw4_oc6kh3kw4sh2ph1_bias").desc;
      desc.dataType = type;
      if (type == VKTC_DATA_TYPE_F16) support::set_post_ops(support::parse_post_ops("scale_shift,tanh,residual"), desc);
      if (type == VKTC_DATA_TYPE_I8) {
        desc.outputType = VKTC_OUTPUT_TYPE_I8;
        support::set_post_ops(support::parse_post_ops("linear:0.0005:0"), desc);
      }
      const VktcDataType output_type = reference::output_type(desc);
      if (type == VKTC_DATA_TYPE_BF16) desc.outputLayout = desc.inputLayout = VKTC_LAYOUT_CHANNELS_LAST;
      std::vector<int64_t> size = reference::output_size(desc);
      size.resize(VKTC_MAX_SPATIAL_RANK, 1);
      const int64_t elements = 2 * 6 * size[0] * size[1];
      std::vector<reference::Value> values;
      for (int64_t i = 0; i < elements; ++i) {
        values.push_back(reference::conv_transpose_at(desc, generated_sources(desc), i));
      }
      std::vector<uint32_t> words((static_cast<size_t>(elements) * vktcDataTypeSize(output_type) + 3) / 4);
      reference::round_to_type(output_type, values, words.data());

      host::Buffer output(device, words.size() * 4);
      const auto check_words = [&] {
        output.upload(words.data(), words.size() * 4);
        return verify(device, vulkan, desc, size.data(), output, elements);
      };
      const Verification right = check_words();
      CHECK(right.samples == elements);
      CHECK(right.failures == 0);
      CHECK(right.error_ratio <= 1);

      const uint32_t kept = words[5];
      words[5] ^= type == VKTC_DATA_TYPE_F32 ? 0x100u : type == VKTC_DATA_TYPE_I32 ? 1u : 0x2u;
      const Verification wrong = check_words();
      CHECK(wrong.failures == 1);
      CHECK(wrong.error_ratio > 1);
      CHECK(wrong.first_failure.find("instead of") != std::string::npos);
      words[5] = type == VKTC_DATA_TYPE_I8 ? poison_word_i8 : poison_word;
      const Verification poisoned = check_words();
      if (type == VKTC_DATA_TYPE_I8) {
        CHECK(poisoned.failures == 4);
      } else {
        CHECK(poisoned.failures == (vktcDataTypeSize(type) == 2 ? 2 : 1));
        CHECK(std::isinf(poisoned.error_ratio));
      }
      words[5] = kept;
      CHECK(check_words().failures == 0);
    }
  }

  TEST_CASE_FIXTURE(Fixture, "a measurement says what it did") {
    Ceilings ceilings;
    ceilings.copy_bytes = 1e9;
    ceilings.f32_flop = 1e9;
    Bench bench(device, ceilings);
    const VktcConvTransposeDesc desc = support::parse_problem("mb2_ic8iw100_oc6kw3sw2_bias").desc;
    MeasurementOptions options;
    options.repeats = 4;
    const Measurement result = bench.measure(desc, options);
    CHECK(result.status == Status::passed);
    CHECK(result.repeats == 4);
    CHECK(result.ms.min > 0);
    CHECK(result.ms.min <= result.ms.median);
    CHECK(result.ms.median <= result.ms.p95);
    CHECK(result.dispatches.size() == result.dispatch_count);
    CHECK(result.verification.samples > 1000);
    CHECK(result.floor_percent() == doctest::Approx(result.floor.ms / result.ms.median * 100));
    // The library counts the same work.
    CHECK(result.work.flop == 2.0 * 2 * 8 * 6 * 300);

    options.max_gflop = 1e-9;
    CHECK(bench.measure(desc, options).status == Status::skipped);
    options.max_gflop = 0;
    options.algorithm = "no such algorithm";
    const Measurement refused = bench.measure(desc, options);
    CHECK(refused.status == Status::unsupported);
    CHECK(refused.reason.find("no such algorithm") != std::string::npos);
  }
}

}  // namespace
}  // namespace vktconv::bench

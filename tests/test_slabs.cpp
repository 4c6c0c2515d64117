// Slabs of too large problems: ordinary problems whose windows, put together, are the whole.
#include <doctest/doctest.h>
#include <vktconv/vktconv_host.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/slabs.h"
#include "random_problem.h"
#include "reference.h"
#include "support/problem_text.h"
#include "tensors.h"

TEST_SUITE_BEGIN("slabs");

namespace {

using namespace vktconv;
using namespace vktconv::host;
using namespace vktconv::tests;

VktcConvTransposeDesc problem(const char* text) { return support::parse_problem(text).desc; }

int64_t size_of(const Window& window) {
  int64_t elements = 1;
  for (const int64_t size : window.size) elements *= size;
  return elements;
}

uint64_t bytes_of(const Slab& slab, const Window& window) { return tensor_bytes(slab.desc, window.elements()); }

// The elements of the window, densely.
std::vector<std::byte> gather(const Window& window, const std::vector<std::byte>& array, size_t element) {
  std::vector<std::byte> dense;
  for_each_run(window, [&](int64_t first, int64_t length) {
    const auto begin = array.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(first) * element);
    dense.insert(dense.end(), begin, begin + static_cast<std::ptrdiff_t>(static_cast<size_t>(length) * element));
  });
  return dense;
}

std::vector<float> gather_floats(const Window& window, const std::vector<float>& array) {
  std::vector<float> dense;
  for_each_run(window, [&](int64_t first, int64_t length) {
    dense.insert(dense.end(), array.begin() + first, array.begin() + first + length);
  });
  return dense;
}

// Every window is inside its tensor, and is as large as the slab's own problem says.
bool windows_are_right(const VktcConvTransposeDesc& whole, const Slab& slab) {
  const auto is_right = [](const Window& window, int64_t slab_elements, int64_t whole_elements) {
    bool inside = window.elements() == slab_elements && size_of(window) == whole_elements;
    for (size_t axis = 0; axis < 5; ++axis) {
      inside = inside && window.begin[axis] >= 0 && window.count[axis] >= 1 &&
               window.begin[axis] + window.count[axis] <= window.size[axis];
    }
    return inside;
  };
  return is_right(slab.input, input_elements(slab.desc), input_elements(whole)) &&
         is_right(slab.weights, weight_elements(slab.desc), weight_elements(whole)) &&
         is_right(slab.output, output_elements(slab.desc), output_elements(whole)) &&
         is_right(slab.bias, slab.desc.outChannels, whole.outChannels);
}

bool is_within(const Slab& slab, const SlabLimits& limits) {
  const uint64_t input = bytes_of(slab, slab.input), weights = bytes_of(slab, slab.weights),
                 bias = slab.desc.hasBias ? (static_cast<uint64_t>(slab.bias.elements()) *
                                                 element_size(reference::bias_type(slab.desc)) +
                                             3) /
                                                4 * 4
                                          : 0,
                 output = output_bytes(slab.desc, slab.output.elements()),
                 residual = reference::has_post_op(slab.desc, VKTC_POST_OP_RESIDUAL) ? output : 0,
                 scale = reference::has_post_op(slab.desc, VKTC_POST_OP_SCALE_SHIFT)
                             ? static_cast<uint64_t>(slab.bias.elements()) * 4
                             : 0;
  return std::max({input, weights, bias, output, scale}) <= limits.tensor_bytes && weights <= limits.weights_bytes &&
         input + 2 * weights + bias + output + residual + 2 * scale <= limits.slab_bytes;
}

// Whether even a single output of a single channel is over the limits.
bool is_hopeless(const VktcConvTransposeDesc& desc, const SlabLimits& limits) {
  const std::vector<int64_t> output_size = reference::output_size(desc);
  int64_t inputs = desc.inChannels / desc.groups, weights = inputs;
  for (uint32_t i = 0; i < desc.spatialRank; ++i) {
    const int64_t reach = desc.dilation[i] * (desc.kernelSize[i] - 1);
    inputs *= output_size[i] == 1 ? desc.inputSize[i] : std::min(desc.inputSize[i], reach / desc.stride[i] + 1);
    weights *= desc.kernelSize[i];
  }
  const uint64_t input_bytes = tensor_bytes(desc, inputs), weight_bytes = tensor_bytes(desc, weights);
  return std::max({input_bytes, weight_bytes, uint64_t{4}}) > limits.tensor_bytes ||
         weight_bytes > limits.weights_bytes ||
         input_bytes + 2 * weight_bytes + (desc.hasBias ? 8 : 4) +
                 (reference::has_post_op(desc, VKTC_POST_OP_RESIDUAL) ? 4 : 0) +
                 (reference::has_post_op(desc, VKTC_POST_OP_SCALE_SHIFT) ? 8 : 0) >
             limits.slab_bytes;
}

// Slabs of one window of weights follow each other; so do those of one problem within these.
void check_order(const std::vector<Slab>& slabs) {
  std::vector<std::pair<std::array<int64_t, 5>, ProblemKey>> seen;
  std::vector<std::array<int64_t, 5>> weights_seen;
  for (const Slab& slab : slabs) {
    const auto here = std::pair(slab.weights.begin, problem_key(slab.desc));
    if (!seen.empty() && seen.back() == here) continue;
    REQUIRE(std::find(seen.begin(), seen.end(), here) == seen.end());
    seen.push_back(here);
    if (!weights_seen.empty() && weights_seen.back() == slab.weights.begin) continue;
    REQUIRE(std::find(weights_seen.begin(), weights_seen.end(), slab.weights.begin) == weights_seen.end());
    weights_seen.push_back(slab.weights.begin);
  }
}

// Evaluates every slab by the reference and compares each output with that of the whole; every output must be written
// once. Returns the number of slabs.
size_t check_slabs(const VktcConvTransposeDesc& desc, const SlabLimits& limits) {
  const std::vector<Slab> slabs = cut_slabs(desc, limits);
  const Tensors whole(desc, reference::Fill::exact, 1);
  const std::vector<reference::Value> expected = whole.expected();
  std::vector<int> written(expected.size());
  const size_t element = element_size(desc.dataType);
  size_t wrong = 0;
  check_order(slabs);
  for (const Slab& slab : slabs) {
    REQUIRE(windows_are_right(desc, slab));
    REQUIRE(is_within(slab, limits));
    REQUIRE(slab.desc.inputLayout == desc.inputLayout);
    REQUIRE(slab.desc.outputLayout == desc.outputLayout);
    Tensors part(slab.desc, reference::Fill::exact, 2);
    part.input = gather(slab.input, whole.input, element);
    part.weights = gather(slab.weights, whole.weights, element);
    if (desc.hasBias) part.bias = gather(slab.bias, whole.bias, element_size(reference::bias_type(desc)));
    if (!whole.scale.empty()) {
      part.scale = gather_floats(slab.bias, whole.scale);
      part.shift = gather_floats(slab.bias, whole.shift);
    }
    if (!whole.residual.empty()) {
      part.residual = gather(slab.output, whole.residual, element_size(reference::output_type(desc)));
    }
    const std::vector<reference::Value> values = part.expected();
    size_t next = 0;
    for_each_run(slab.output, [&](int64_t first, int64_t length) {
      for (int64_t i = first; i < first + length; ++i) {
        const auto at = static_cast<size_t>(i);
        ++written[at];
        wrong += values[next].value != expected[at].value || values[next].terms != expected[at].terms;
        ++next;
      }
    });
    REQUIRE(next == values.size());
  }
  CHECK(wrong == 0);
  CHECK(std::all_of(written.begin(), written.end(), [](int times) { return times == 1; }));
  return slabs.size();
}

// The message of the refusal; empty where there is none.
std::string refusal(const VktcConvTransposeDesc& desc, const SlabLimits& limits, VktcStatus status) {
  try {
    cut_slabs(desc, limits);
  } catch (const Error& error) {
    CHECK(error.error().status == status);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("What fits is one slab: the problem itself") {
  const VktcConvTransposeDesc desc = problem("g2mb3_ic4id5ih6iw7_oc6kd3kh2kw4sd2sh1sw3pd1ph0pw2ed2eh1ew0dd2bias");
  const std::vector<Slab> slabs = cut_slabs(desc, {});
  REQUIRE(slabs.size() == 1);
  CHECK(problem_key(slabs[0].desc) == problem_key(desc));
  CHECK(check_slabs(desc, {}) == 1);
}

TEST_CASE("Random problems with every limit") {
  size_t cut = 0, refused = 0;
  for (uint64_t index = 0; index < 1500; ++index) {
    const VktcConvTransposeDesc desc = random_problem(index);
    CAPTURE(support::format_problem({"", desc}));
    Random random(index + 1);
    const int64_t largest = std::max(
        std::max(input_elements(desc), weight_elements(desc)) * static_cast<int64_t>(element_size(desc.dataType)),
        static_cast<int64_t>(output_bytes(desc)));
    SlabLimits limits;
    switch (random.between(0, 3)) {
      case 0:  // each tensor
        limits.tensor_bytes = static_cast<uint64_t>(random.between(1 + largest / 12, largest));
        break;
      case 1:  // all together
        limits.slab_bytes = static_cast<uint64_t>(random.between(1 + largest / 8, 3 * largest));
        break;
      case 2:  // weights by themselves
        limits.weights_bytes = tensor_bytes(desc, random.between(1, weight_elements(desc)));
        limits.tensor_bytes = static_cast<uint64_t>(largest + 3);
        break;
      default:  // work
        limits.products = static_cast<double>(random.between(1, 5000));
        limits.tensor_bytes = static_cast<uint64_t>(random.between(1 + largest / 4, largest + 4));
        break;
    }
    try {
      cut += check_slabs(desc, limits) > 1;
    } catch (const Error& error) {
      CHECK(error.error().status == VKTC_ERROR_LIMIT_EXCEEDED);
      CHECK(is_hopeless(desc, limits));
      ++refused;
    }
  }
  MESSAGE(cut << " of 1500 were cut, " << refused << " refused");
  CHECK(cut > 500);
  CHECK(refused < 500);
}

TEST_CASE("Every spatial cut of small problems, down to single outputs") {
  // Chosen for what goes wrong: empty phases, outputs that no input reaches, paddings of either sign.
  const char* texts[] = {
      "mb1_ic1iw5_oc1kw1sw4bias",                        // three phases of four are empty
      "mb1_ic1iw3_oc1kw3sw5dw2bias",                     // stride over the kernel
      "mb1_ic1iw2_oc1kw2sw2dw6pw0ew0bias",               // gaps inside the dilated kernel
      "mb1_ic1iw4_oc2kw3sw2pw-5ew-7bias",                // outputs before and behind all inputs
      "mb2_ic2iw6_oc2kw4sw3pw4ew3opw2",                  // outputs cropped at both sides
      "mb1_ic2ih3iw4_oc3kh3kw2sh2sw3ph1pw-1eh0ew2bias",  //
      "g3mb2_ic3id2ih3iw2_oc6kd2kh3kw1sd2sh1sw2dd3bias",
      "mb1_ic1iw3_oc1kw2sw1dw4opw3bias",
  };
  uint64_t turn = 0;
  for (const char* text : texts) {
    ++turn;
    for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_BF16}) {
      VktcConvTransposeDesc desc = in_turn(with_type(problem(text), type), turn++);
      CAPTURE(text);
      size_t most = 0;
      const int64_t largest =
          std::max(std::max(input_elements(desc), weight_elements(desc)) * static_cast<int64_t>(element_size(type)),
                   static_cast<int64_t>(output_bytes(desc)));
      for (int64_t limit = largest; limit >= 4; limit -= 4) {
        SlabLimits limits;
        limits.tensor_bytes = static_cast<uint64_t>(limit);
        try {
          most = std::max(most, check_slabs(desc, limits));
        } catch (const Error& error) {
          CHECK(error.error().status == VKTC_ERROR_LIMIT_EXCEEDED);
          break;
        }
      }
      CHECK(most > 2);
    }
  }
}

TEST_CASE("Large problems have few slabs") {
  const auto slabs_under = [](const VktcConvTransposeDesc& desc, uint64_t tensor, uint64_t together) {
    SlabLimits limits;
    limits.tensor_bytes = tensor;
    limits.slab_bytes = together;
    const std::vector<Slab> slabs = cut_slabs(desc, limits);
    for (const Slab& slab : slabs) {
      REQUIRE(windows_are_right(desc, slab));
      REQUIRE(is_within(slab, limits));
    }
    check_order(slabs);
    return slabs.size();
  };
  constexpr uint64_t gib = uint64_t{1} << 30, mib = uint64_t{1} << 20;
  // 4.5 GiB of output in buffers of 4 GiB.
  CHECK(slabs_under(problem("mb1_ic1iw603979776_oc1kw2sw2"), 4 * gib - 1, 100 * gib) == 2);
  CHECK(slabs_under(problem("mb9_ic64ih512iw512_oc32kh4kw4sh2sw2ph1pw1"), 1 * gib, 100 * gib) == 2);
  CHECK(slabs_under(problem("mb1_ic8id256ih256iw256_oc18kd2kh2kw2sd2sh2sw2"), 4 * gib, 100 * gib) <= 4);
  // 300 MiB in bindings of 128 MiB.
  CHECK(slabs_under(problem("mb1_ic1ih4096iw4800_oc4kh2kw2sh2sw2"), 128 * mib, 100 * gib) <= 16);
  // Past 2^31 elements, with weights that must be cut, too.
  CHECK(slabs_under(problem("mb1_ic4096ih64iw64_oc8192kh5kw5"), 1 * gib, 4 * gib) <= 64);
}

TEST_CASE("Ranges of whole strides share a problem") {
  SlabLimits limits;
  limits.tensor_bytes = 40000;
  const std::vector<Slab> slabs = cut_slabs(problem("mb1_ic1iw100000_oc1kw7sw3pw2dw2"), limits);
  std::map<ProblemKey, int> problems;
  for (const Slab& slab : slabs) ++problems[problem_key(slab.desc)];
  CHECK(slabs.size() > 20);
  CHECK(problems.size() <= 3);  // the first, those inside, the last
}

TEST_CASE("What cannot be cut is refused, with the limit by name") {
  SlabLimits limits;
  limits.tensor_bytes = 1000;
  limits.tensor_limit = "the largest buffer of a toy";
  // One output of one channel needs all in-channels: 4000 bytes.
  std::string message = refusal(problem("mb1_ic1000iw3_oc1kw1"), limits, VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(message.find("input") != std::string::npos);
  CHECK(message.find("4000") != std::string::npos);
  CHECK(message.find("the largest buffer of a toy, which is 1000 bytes") != std::string::npos);
  // All taps.
  message = refusal(problem("mb1_ic10iw1_oc1kw300"), limits, VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(message.find("weights") != std::string::npos);
  CHECK(message.find("12000") != std::string::npos);

  limits = {};
  limits.slab_bytes = 15;
  limits.slab_limit = "a thimble of memory";
  message = refusal(problem("mb1_ic1iw3_oc1kw1"), limits, VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(message.find("a thimble of memory, which is 15 bytes") != std::string::npos);

  // Millions of slabs are no answer either, and no list of them is made.
  limits = {};
  limits.tensor_bytes = 4;
  message = refusal(problem("mb1_ic1iw2000000000_oc1kw1"), limits, VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(message.find("slabs") != std::string::npos);

  VktcConvTransposeDesc invalid = problem("mb1_ic1iw3_oc1kw1");
  invalid.stride[0] = 0;
  message = refusal(invalid, {}, VKTC_ERROR_INVALID_PARAMETER);
  CHECK(message.find("stride[0]") != std::string::npos);
}

TEST_CASE("Work is a wish: a slab may be more than that where nothing finer is possible") {
  SlabLimits limits;
  limits.products = 1;
  CHECK(check_slabs(problem("mb2_ic3iw4_oc2kw3bias"), limits) >= 1);
}

TEST_CASE("Any valid descriptor is cut or refused, whatever its size") {
  size_t cut = 0;
  for (uint64_t index = 0; index < 5000; ++index) {
    const VktcConvTransposeDesc desc = wild_descriptor(index);
    SlabLimits limits;
    limits.tensor_bytes = uint64_t{1} << 30;
    limits.slab_bytes = uint64_t{4} << 30;
    try {
      const std::vector<Slab> slabs = cut_slabs(desc, limits);
      ++cut;
      // The ends and a few between.
      for (size_t i = 0; i < slabs.size(); i += 1 + slabs.size() / 7) {
        REQUIRE(windows_are_right(desc, slabs[i]));
        REQUIRE(is_within(slabs[i], limits));
      }
    } catch (const Error& error) {
      CHECK(error.error().message[0] != '\0');
    }
  }
  MESSAGE(cut << " of 5000 were cut");
  CHECK(cut > 100);
}

TEST_CASE("Runs of a window are its elements in order") {
  Window window;
  window.size = {3, 4, 2, 5, 6};
  window.begin = {1, 0, 1, 2, 0};
  window.count = {2, 3, 1, 2, 6};
  std::vector<int64_t> expected, actual;
  for (int64_t a = 1; a < 3; ++a) {
    for (int64_t b = 0; b < 3; ++b) {
      for (int64_t d = 2; d < 4; ++d) {
        for (int64_t e = 0; e < 6; ++e) expected.push_back((((a * 4 + b) * 2 + 1) * 5 + d) * 6 + e);
      }
    }
  }
  size_t runs = 0;
  for_each_run(window, [&](int64_t first, int64_t length) {
    for (int64_t i = 0; i < length; ++i) actual.push_back(first + i);
    ++runs;
  });
  CHECK(actual == expected);
  CHECK(runs == 6);

  runs = 0;
  window = {};
  window.size = window.count = {3, 4, 2, 5, 6};
  for_each_run(window, [&](int64_t first, int64_t length) {
    CHECK(first == 0);
    CHECK(length == 720);
    ++runs;
  });
  CHECK(runs == 1);
}

TEST_SUITE_END();

// Plans on devices made by hand: every dispatch inside every limit, without a device.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <support/problem_text.h>

#include "cases.h"
#include "plan_rules.h"
#include "planner.h"
#include "random_problem.h"
#include "shader_table.h"
#include "spirv_module.h"
#include "tensors.h"

using namespace vktconv;
using namespace vktconv::tests;

TEST_SUITE_BEGIN("planner");

namespace {

const VktcMemoryAccess accesses[] = {VKTC_MEMORY_ACCESS_AUTO, VKTC_MEMORY_ACCESS_DESCRIPTORS,
                                     VKTC_MEMORY_ACCESS_DEVICE_ADDRESS};

std::vector<DeviceCaps> all_caps() {
  DeviceCaps phone_16bit = phone_caps();
  phone_16bit.name = "phone with 16-bit storage";
  phone_16bit.storage_16bit = true;
  DeviceCaps wide_alignment = lavapipe_caps();
  wide_alignment.name = "lavapipe with 256-byte alignment and no addresses";
  wide_alignment.min_storage_buffer_offset_alignment = 256;
  wide_alignment.buffer_device_address = false;
  DeviceCaps no_16bit = ada_caps();
  no_16bit.name = "Ada without 16-bit storage";
  no_16bit.storage_16bit = false;
  DeviceCaps no_halves = ada_caps();
  no_halves.name = "Ada without fp16 arithmetic";
  no_halves.shader_float16 = false;
  return {phone_caps(), phone_16bit,    ada_caps(),       lavapipe_caps(),    no_16bit,
          no_halves,    wide_alignment, tiny_grid_caps(), tiny_binding_caps()};
}

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names = {""};
  for (uint32_t i = 0; vktcGetAlgorithmName(i); ++i) names.emplace_back(vktcGetAlgorithmName(i));
  return names;
}

std::string text(const VktcConvTransposeDesc& desc) { return support::format_problem({"", desc}); }

VktcConvTransposeDesc parse(const char* problem) { return support::parse_problem(problem).desc; }

// Plans the problem and checks the plan. Returns false where it is refused; the refusal must be a sentence.
bool plan_or_refusal(const VktcConvTransposeDesc& desc, const DeviceCaps& caps, const PlanOptions& options,
                     VktcError& error) {
  Problem problem;
  error = {};
  if (!make_problem(desc, problem, error)) {
    CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(std::strlen(error.parameter) > 0);
    CHECK(std::strlen(error.message) > 0);
    return false;
  }
  Plan plan;
  if (!make_plan(problem, caps, options, plan, error)) {
    CHECK((error.status == VKTC_ERROR_LIMIT_EXCEEDED || error.status == VKTC_ERROR_FEATURE_NOT_ENABLED));
    CHECK(std::strlen(error.message) > 0);
    return false;
  }
  const std::string broken = broken_rule(problem, caps, plan);
  CHECK_MESSAGE(broken.empty(), text(desc), " on ", caps.name, ", access ", options.memory_access, ", algorithm \"",
                options.algorithm, "\": ", broken);
  if (options.memory_access == VKTC_MEMORY_ACCESS_DESCRIPTORS) CHECK_FALSE(plan.device_address);
  if (options.memory_access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS) CHECK(plan.device_address);
  if (!options.algorithm.empty()) CHECK(plan.algorithm == options.algorithm);
  return true;
}

bool names_limit(const VktcError& error, const char* limit) {
  return error.status == VKTC_ERROR_LIMIT_EXCEEDED && std::string(error.message).find(limit) != std::string::npos;
}

// Whether a refusal of the universal algorithm is the device's fault: bindings of a few KiB, or so few that what
// post-ops read finds no place.
bool is_too_small(const DeviceCaps& caps, const VktcError& error) {
  return (caps.max_storage_buffer_range < 1 << 20 && names_limit(error, "maxStorageBufferRange")) ||
         (caps.max_storage_buffers_per_stage < 7 && names_limit(error, "maxPerStageDescriptorStorageBuffers"));
}

}  // namespace

TEST_CASE("Every shader of the table is a compute module that names no unknown need") {
  size_t count = 0;
  const ShaderCode* table = shader_table(count);
  REQUIRE(count > 0);
  for (size_t i = 0; i < count; ++i) {
    CAPTURE(table[i].name);
    CHECK(find_shader(table[i].name) == &table[i]);
    const ShaderNeeds needs = shader_needs({table[i].words, table[i].word_count}, {});
    CHECK(needs.capabilities.contains(1));
    CHECK(needs.specialization_constants > 0);
  }
  CHECK(find_shader("no such shader") == nullptr);
  CHECK(find_shader("") == nullptr);
}

TEST_CASE("Algorithms are listed by name, once") {
  const std::vector<std::string> names = algorithm_names();
  REQUIRE(names.size() > 1);
  CHECK(std::find(names.begin(), names.end(), "gather") != names.end());
  for (size_t i = 0; i < names.size(); ++i) CHECK(std::count(names.begin(), names.end(), names[i]) == 1);
  CHECK(vktcGetAlgorithmName(1000) == nullptr);
}

TEST_CASE("Every case is planned within the limits of every device") {
  for (const DeviceCaps& caps : all_caps()) {
    uint64_t turn = 0;
    for (const Case& each : cases()) {
      ++turn;
      for (const VktcDataType type : data_types) {
        const VktcConvTransposeDesc desc = in_turn(with_type(each.desc, type), turn + type);
        for (const VktcMemoryAccess access : accesses) {
          for (const std::string& algorithm : algorithm_names()) {
            CAPTURE(each.name);
            VktcError error = {};
            const bool planned = plan_or_refusal(desc, caps, {algorithm, access}, error);
            // The universal algorithm serves every case, unless addresses are asked for where there are none.
            const bool impossible = access == VKTC_MEMORY_ACCESS_DEVICE_ADDRESS && !caps.buffer_device_address;
            if (impossible) CHECK(error.status == VKTC_ERROR_FEATURE_NOT_ENABLED);
            const bool universal = algorithm.empty() || algorithm == "gather";
            const bool too_narrow = !planned && is_too_small(caps, error);
            if (universal && !too_narrow) CHECK_MESSAGE(planned == !impossible, error.message);
          }
        }
      }
    }
  }
}

TEST_CASE("The problems of the suites at full size are planned on real devices") {
  const char* problems[] = {"mb8ic64ih1024oc64kh3",
                            "mb64ic128iw65536oc128kw3",
                            "mb16ic32id64ih64iw64oc64kd3kh5kw5",
                            "mb16ic32iw131072oc64kw5dw3",
                            "mb16ic32iw131072oc64kw3sw2pw1dw2",
                            "mb64ic64ih128iw256oc128kh3kw5",
                            "mb8ic32id12ih24iw48oc32g4kd3kh5kw7sd2pd1ph2pw3opd1",
                            "mb4ic2048iw340oc1024kw8sw4bias",
                            "ic56ih540iw960oc1kh9sh4ph4oph3bias",
                            "g21mb4ic21ih72iw96oc21kh16sh8ph4"};
  for (const char* problem : problems) {
    for (const DeviceCaps& caps : {ada_caps(), lavapipe_caps(), phone_caps()}) {
      for (const VktcDataType type : data_types) {
        CAPTURE(problem);
        VktcError error = {};
        const bool planned = plan_or_refusal(with_type(parse(problem), type), caps, {}, error);
        // A phone without device addresses may say that one image is too wide for a descriptor.
        const bool too_wide = !caps.buffer_device_address && names_limit(error, "maxStorageBufferRange");
        CHECK_MESSAGE((planned || too_wide), caps.name, ": ", error.message);
      }
    }
  }
}

TEST_CASE("Tensors past 2^31 elements and past 4 GiB are cut, on a device whose buffers hold them") {
  DeviceCaps caps = ada_caps();
  caps.max_buffer_size = caps.max_memory_allocation_size = uint64_t{100} << 30;
  for (const char* problem : {"mb70ic32iw1048576oc64kw3sw2", "mb3ic8ih16384iw16384oc8kh3", "ic1iw2147483000oc2kw1",
                              "g64ic64ih4096iw16384oc64kh3"}) {
    for (const VktcMemoryAccess access : accesses) {
      CAPTURE(problem);
      VktcError error = {};
      const bool planned = plan_or_refusal(parse(problem), caps, {"", access}, error);
      if (access != VKTC_MEMORY_ACCESS_DESCRIPTORS) CHECK_MESSAGE(planned, error.message);
    }
  }
}

TEST_CASE("A tensor wider than one binding is reached in parts, or by address") {
  // 16 images of 33 MiB; a single image fits, all of them do not.
  const VktcConvTransposeDesc batches = parse("mb16ic2iw2162688oc4kw3sw2pw1opw1");
  VktcError error = {};
  CHECK_MESSAGE(plan_or_refusal(batches, lavapipe_caps(), {"", VKTC_MEMORY_ACCESS_DESCRIPTORS}, error), error.message);
  CHECK_MESSAGE(plan_or_refusal(batches, phone_caps(), {}, error), error.message);
  // One channel plane of 256 MiB: no descriptor holds it.
  const VktcConvTransposeDesc plane = parse("ic1ih8192iw8192oc1kh1");
  CHECK_MESSAGE(plan_or_refusal(plane, lavapipe_caps(), {}, error), error.message);
  CHECK_FALSE(plan_or_refusal(plane, lavapipe_caps(), {"", VKTC_MEMORY_ACCESS_DESCRIPTORS}, error));
  CHECK(names_limit(error, "maxStorageBufferRange"));
  CHECK_FALSE(plan_or_refusal(plane, phone_caps(), {}, error));
  CHECK(error.status == VKTC_ERROR_LIMIT_EXCEEDED);
}

TEST_CASE("The input that matrix units are given turned is cut to fit one binding, too") {
  DeviceCaps narrow = ada_caps();
  narrow.max_storage_buffer_range = (1 << 20) + 4096;
  narrow.buffer_device_address = false;
  for (const char* text : {"mb16ic32iw4096oc64kw3sw2pw1dw2", "mb8ic48ih64oc48kh3", "mb4ic64id16ih16iw16oc32kd2sd2",
                           "g2mb4ic64ih32oc96kh4sh2ph1bias"}) {
    for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16, VKTC_DATA_TYPE_BF16, VKTC_DATA_TYPE_I8}) {
      CAPTURE(text);
      const VktcConvTransposeDesc desc = with_type(support::parse_problem(text).desc, type);
      VktcError error = {};
      for (uint32_t candidate = 0; candidate < 12; ++candidate) {
        CHECK_MESSAGE(plan_or_refusal(desc, narrow, {"matrix", VKTC_MEMORY_ACCESS_AUTO, candidate}, error),
                      error.message);
      }
    }
  }
}

TEST_CASE("A problem over a limit names the limit") {
  DeviceCaps caps = lavapipe_caps();
  for (uint32_t& count : caps.max_compute_work_group_count) count = 1;
  VktcError error = {};
  CHECK_FALSE(plan_or_refusal(parse("ic1ih4096oc1kh3"), caps, {}, error));
  CHECK(error.status == VKTC_ERROR_LIMIT_EXCEEDED);
  CHECK(std::string(error.message).find("maxComputeWorkGroupCount") != std::string::npos);

  // 8 GiB of output, but no buffer may pass 4 GiB.
  CHECK_FALSE(plan_or_refusal(parse("mb64ic2iw16777216oc2kw1"), lavapipe_caps(), {}, error));
  CHECK(error.status == VKTC_ERROR_LIMIT_EXCEEDED);
  const std::string message = error.message;
  CHECK_MESSAGE((message.find("maxBufferSize") != std::string::npos ||
                 message.find("maxMemoryAllocationSize") != std::string::npos),
                message);
}

TEST_CASE("Unknown algorithms are refused with the list of those there are") {
  Problem problem;
  VktcError error = {};
  REQUIRE(make_problem(cases().front().desc, problem, error));
  Plan plan;
  CHECK_FALSE(make_plan(problem, ada_caps(), {"winograd-42", VKTC_MEMORY_ACCESS_AUTO}, plan, error));
  CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
  CHECK(std::string(error.parameter) == "options.algorithm");
  CHECK(std::string(error.message).find("winograd-42") != std::string::npos);
  CHECK(std::string(error.message).find("gather") != std::string::npos);
}

TEST_CASE("Of a channels-last tensor whole images fit a binding, or none of it is cut") {
  // Each image has 80 MiB of input and 160 MiB of output, in four groups; a phone's bindings have 128 MiB.
  const char* by_channel = "mb3g4_ic64ih1024iw320_oc64kh2kw1sh2sw1";
  const auto planned = [&](const std::string& layouts, const DeviceCaps& caps, VktcMemoryAccess access,
                           VktcError& error) {
    return plan_or_refusal(parse((layouts + by_channel).c_str()), caps, {"", access}, error);
  };
  VktcError error = {};
  CHECK(planned("", phone_caps(), VKTC_MEMORY_ACCESS_AUTO, error));
  CHECK(planned("ilast_", phone_caps(), VKTC_MEMORY_ACCESS_AUTO, error));
  CHECK_FALSE(planned("olast_", phone_caps(), VKTC_MEMORY_ACCESS_AUTO, error));
  CHECK(std::string(error.parameter) == "output");
  CHECK(std::string(error.message).find("one image needs 16777") == 0);
  CHECK_MESSAGE(std::string(error.message)
                        .find(" bytes of channels-last output in one binding, but "
                              "maxStorageBufferRange") != std::string::npos,
                error.message);
  // With addresses it is one dispatch.
  DeviceCaps with_addresses = phone_caps();
  with_addresses.buffer_device_address = true;
  CHECK(planned("olast_", with_addresses, VKTC_MEMORY_ACCESS_AUTO, error));
  CHECK_FALSE(planned("olast_", with_addresses, VKTC_MEMORY_ACCESS_DESCRIPTORS, error));
  // Images that fit are cut apart.
  Problem problem;
  Plan plan;
  REQUIRE(make_problem(parse("ilast_olast_mb3_ic4ih1024iw1024_oc24kh1"), problem, error));
  REQUIRE(make_plan(problem, phone_caps(), {"gather"}, plan, error));
  CHECK(plan.run.size() == 3);
  CHECK(broken_rule(problem, phone_caps(), plan).empty());
}

TEST_CASE("Where a shader may have four storage buffers, what post-ops read is reached by address or refused by name") {
  DeviceCaps caps = phone_caps();
  REQUIRE(caps.max_storage_buffers_per_stage == 4);
  VktcError error = {};
  // A chain that reads nothing needs no more than none.
  CHECK(plan_or_refusal(parse("ic8iw9_oc8kw3_po\"gelu_erf,linear:2:1\""), caps, {}, error));
  for (const char* problem : {"ic8iw9_oc8kw3_po\"residual\"", "ic8iw9_oc8kw3_po\"relu,scale_shift\""}) {
    CHECK_FALSE(plan_or_refusal(parse(problem), caps, {}, error));
    CHECK(std::string(error.parameter) == "postOps");
    CHECK(
        std::string(error.message) ==
        "scale_shift and residual need a shader with 7 storage buffers, but maxPerStageDescriptorStorageBuffers is 4; "
        "enabling bufferDeviceAddress lifts that");
    DeviceCaps more = caps;
    more.buffer_device_address = true;
    CHECK(plan_or_refusal(parse(problem), more, {}, error));
    CHECK_FALSE(plan_or_refusal(parse(problem), more, {"", VKTC_MEMORY_ACCESS_DESCRIPTORS}, error));
    more = caps;
    more.max_storage_buffers_per_stage = 7;
    CHECK(plan_or_refusal(parse(problem), more, {"", VKTC_MEMORY_ACCESS_DESCRIPTORS}, error));
  }
}

TEST_CASE("Every array that a shader declares in shared memory is counted") {
  // Without the one word of the other layout's places this tile would take exactly the 48 KiB that there are.
  Problem problem;
  VktcError error = {};
  REQUIRE(make_problem(parse("dtf16_ilast_olast_ic32ih169iw169_oc32kh3"), problem, error));
  PlanOptions options;
  options.choice = "matrix_window:32,256,32,1,4,3,3,1,0,1";
  Plan plan;
  CHECK_FALSE(make_plan(problem, ada_caps(), options, plan, error));
  options.choice = "matrix_window:32,256,16,1,4,3,3,1,0,1";
  REQUIRE(make_plan(problem, ada_caps(), options, plan, error));
  CHECK(broken_rule(problem, ada_caps(), plan) == "");
}

TEST_CASE("Left to choose, NVIDIA's devices are reached by address, others by descriptors") {
  VktcError error = {};
  Problem problem;
  REQUIRE(make_problem(parse("ic16ih9oc8kh3"), problem, error));
  const auto by_address = [&](const DeviceCaps& caps, const char* algorithm, VktcMemoryAccess access) {
    Plan plan;
    REQUIRE(make_plan(problem, caps, {algorithm, access}, plan, error));
    return plan.device_address;
  };
  DeviceCaps disabled = ada_caps(), other = ada_caps();
  disabled.buffer_device_address = false;
  other.vendor_id = 0x1002;
  for (const char* algorithm : {"gather", "tiled", "matrix"}) {
    CHECK(by_address(ada_caps(), algorithm, VKTC_MEMORY_ACCESS_AUTO));
    CHECK_FALSE(by_address(ada_caps(), algorithm, VKTC_MEMORY_ACCESS_DESCRIPTORS));
    CHECK_FALSE(by_address(disabled, algorithm, VKTC_MEMORY_ACCESS_AUTO));
    CHECK_FALSE(by_address(other, algorithm, VKTC_MEMORY_ACCESS_AUTO));
  }
}

TEST_CASE("int8 is read as bytes where the device has all that they take, in packed words elsewhere") {
  const VktcConvTransposeDesc desc = parse("dti8_oti8_ic8ih9oc8kh3_bias_po\"scale_shift,residual\"");
  Problem problem;
  VktcError error = {};
  REQUIRE(make_problem(desc, problem, error));
  const auto variants = [&](const DeviceCaps& caps, const char* algorithm) {
    Plan plan;
    REQUIRE(make_plan(problem, caps, {algorithm, VKTC_MEMORY_ACCESS_DESCRIPTORS}, plan, error));
    CHECK(broken_rule(problem, caps, plan) == "");
    return plan.pack.front().shader + " " + plan.run.front().shader;
  };
  for (const std::string algorithm : {"gather", "tiled"}) {
    CHECK(variants(ada_caps(), algorithm.c_str()) ==
          "pack_weights.i8.descriptors " + algorithm + ".i8.post_op_descriptors");
    DeviceCaps no_arithmetic = ada_caps();
    no_arithmetic.shader_int8 = false;  // bytes are only loaded, stored and converted
    CHECK(variants(no_arithmetic, algorithm.c_str()) ==
          "pack_weights.i8.descriptors " + algorithm + ".i8.post_op_descriptors");
    for (bool DeviceCaps::*missing :
         {&DeviceCaps::storage_8bit, &DeviceCaps::storage_16bit, &DeviceCaps::integer_dot_product}) {
      DeviceCaps caps = ada_caps();
      caps.*missing = false;
      CHECK(variants(caps, algorithm.c_str()) ==
            "pack_weights.i8_packed.descriptors " + algorithm + ".i8_packed.post_op_descriptors");
    }
  }
  for (const char* algorithm : {"matrix_window", "winograd", "patch"}) {
    Plan plan;
    CHECK_FALSE(make_plan(problem, ada_caps(), {algorithm}, plan, error));
    CHECK(error.status == VKTC_ERROR_LIMIT_EXCEEDED);
    CHECK(std::string(error.message) ==
          algorithm + std::string(" does not apply: it multiplies floating-point elements only"));
  }
}

TEST_CASE("int8 is multiplied by matrix units that sum in int32, as it is") {
  const VktcConvTransposeDesc desc = parse("dti8_oti8_ic80ih32oc64kh3_bias_po\"scale_shift,residual\"");
  Problem problem;
  VktcError error = {};
  REQUIRE(make_problem(desc, problem, error));
  const PlanOptions descriptors = {"matrix", VKTC_MEMORY_ACCESS_DESCRIPTORS};
  Plan plan;
  std::set<std::string> shaders;
  for (uint32_t count = 1, candidate = 0; candidate < count; ++candidate) {
    PlanOptions options = descriptors;
    options.candidate = candidate;
    REQUIRE(make_plan(problem, ada_caps(), options, plan, error));
    count = plan.candidate_count;
    CHECK(broken_rule(problem, ada_caps(), plan) == "");
    CHECK(plan.tile.find("16x16x32 matrices") != std::string::npos);
    CHECK(plan.pack.front().shader == "pack_matrix.i8.descriptors");
    for (const Dispatch& dispatch : plan.run) shaders.insert(dispatch.shader);
  }
  CHECK(shaders == std::set<std::string>{"channels_last.i8.descriptors", "matrix.i8.post_op_descriptors"});

  const auto why_not = [&](const DeviceCaps& caps) {
    CHECK_FALSE(make_plan(problem, caps, descriptors, plan, error));
    return std::string(error.message);
  };
  DeviceCaps caps = ada_caps();
  caps.shader_int8 = false;
  CHECK(why_not(caps) == "matrix does not apply: the feature shaderInt8 is not enabled");
  caps = ada_caps();
  caps.storage_8bit = false;
  CHECK(why_not(caps).find("storageBuffer8BitAccess") != std::string::npos);
  caps = ada_caps();
  std::erase_if(caps.cooperative_matrix_shapes,
                [](const CooperativeMatrixShape& shape) { return shape.a_type == 3 && !shape.saturating; });
  CHECK(why_not(caps) ==
        "matrix does not apply: the device has no cooperative matrix shape up to 16 of int8 with int32 sums");
  Problem integers;
  REQUIRE(make_problem(parse("dti32_ic80ih32oc64kh3"), integers, error));
  CHECK_FALSE(make_plan(integers, ada_caps(), descriptors, plan, error));
  CHECK(std::string(error.message) == "matrix does not apply: it multiplies floating-point elements and int8 only");
}

TEST_CASE("CPU devices emulate matrix units: they are not chosen for what gather is quicker at") {
  DeviceCaps cpu = lavapipe_caps();
  cpu.storage_16bit = cpu.shader_float16 = cpu.rounding_rte_float16 = true;
  cpu.cooperative_matrix = cpu.vulkan_memory_model = cpu.subgroup_size_control = true;
  cpu.cooperative_matrix_shapes = {{8, 8, 8, 0, 0, 1, 1, false}};
  cpu.multiprocessors = 2;  // and what src/device_rates.cpp takes two cores for
  cpu.fp32_flops = 16e9;
  cpu.memory_bandwidth = 15e9;
  // Of bench/suites/cpu.json, those for which matrix units were predicted to be worth most.
  for (const char* text : {"ic128iw513_oc128kw3", "ic64iw257_oc128kw16sw8pw4_bias", "ic128iw187_oc128kw10sw5_bias",
                           "ic128iw171_oc128kw8sw4_bias", "ic256ih8iw8_oc128kh4kw4sh2sw2ph1pw1"}) {
    for (const VktcDataType type : {VKTC_DATA_TYPE_F32, VKTC_DATA_TYPE_F16}) {
      CAPTURE(text);
      CAPTURE(type);
      Problem problem;
      VktcError error = {};
      Plan plan;
      REQUIRE(make_problem(with_type(parse(text), type), problem, error));
      REQUIRE_MESSAGE(make_plan(problem, cpu, {"matrix_window"}, plan, error), error.message);  // it could be
      REQUIRE(make_plan(problem, cpu, {}, plan, error));
      CHECK(std::string(plan.algorithm).find("matrix") == std::string::npos);
    }
  }
}

TEST_CASE("int8 on matrix units is for large problems, and not for CPU devices") {
  DeviceCaps cpu = lavapipe_caps();
  cpu.storage_8bit = cpu.shader_int8 = cpu.integer_dot_product = true;
  cpu.cooperative_matrix = cpu.vulkan_memory_model = cpu.subgroup_size_control = true;
  cpu.cooperative_matrix_shapes = {{8, 8, 8, 3, 3, 5, 5, false}};
  Problem problem;
  VktcError error = {};
  Plan plan;
  for (const char* text :
       {"mb8_ic64ih64_oc64kh3", "ic16iw100_oc16kw4sw2", "g4_ic32ih9_oc16kh3", "ic512iw24_oc512kw5"}) {
    CAPTURE(text);
    REQUIRE(make_problem(with_type(parse(text), VKTC_DATA_TYPE_I8), problem, error));
    REQUIRE(make_plan(problem, cpu, {"matrix"}, plan, error));
    CHECK(broken_rule(problem, cpu, plan) == "");
    REQUIRE(make_plan(problem, cpu, {}, plan, error));
    CHECK(plan.algorithm != "matrix");
  }
  DeviceCaps h200 = ada_caps();
  h200.multiprocessors = 132;
  h200.fp32_flops = 62.8e12;
  h200.matrix_flops = 635e12;
  h200.memory_bandwidth = 4160e9;
  REQUIRE(make_problem(with_type(parse("mb8_ic256ih128_oc256kh3"), VKTC_DATA_TYPE_I8), problem, error));
  REQUIRE(make_plan(problem, h200, {}, plan, error));
  CHECK(plan.algorithm == "matrix");
}

TEST_CASE("A choice is the candidate's own, and leads back to it") {
  for (const DeviceCaps& caps : {ada_caps(), phone_caps(), lavapipe_caps()}) {
    for (const Case& each : cases()) {
      const VktcConvTransposeDesc& desc = each.desc;
      CAPTURE(each.name);
      CAPTURE(caps.name);
      Problem problem;
      VktcError error = {};
      REQUIRE(make_problem(desc, problem, error));
      std::set<std::string> choices;
      PlanOptions ranked;
      for (uint32_t count = 1; ranked.candidate < count; ++ranked.candidate) {
        Plan plan, same;
        if (!make_plan(problem, caps, ranked, plan, error)) break;  // none of the rest can be built
        count = plan.candidate_count;
        choices.insert(plan.choice);
        PlanOptions chosen;
        chosen.choice = plan.choice;
        REQUIRE(make_plan(problem, caps, chosen, same, error));
        CHECK(same.choice == plan.choice);
        CHECK(same.tile == plan.tile);
        CHECK(same.algorithm == plan.algorithm);
        chosen.algorithm = plan.algorithm;
        CHECK(make_plan(problem, caps, chosen, same, error));
      }
      CHECK(choices.size() == ranked.candidate);
    }
  }
}

TEST_CASE("A choice that is no candidate, or that other options contradict, is refused") {
  Problem problem;
  VktcError error = {};
  REQUIRE(make_problem(parse("ic64iw1000oc64kw3sw2"), problem, error));
  Plan plan;
  REQUIRE(make_plan(problem, ada_caps(), {.algorithm = "gather"}, plan, error));
  const std::string gathered = plan.choice;
  CHECK(gathered.starts_with("gather:"));
  const auto check = [&](const PlanOptions& options, const std::string& parameter, const std::string& words) {
    CAPTURE(options.choice);
    CHECK_FALSE(make_plan(problem, ada_caps(), options, plan, error));
    CHECK(error.status == VKTC_ERROR_INVALID_PARAMETER);
    CHECK(error.parameter == parameter);
    CAPTURE(error.message);
    CHECK(std::string(error.message).find(words) != std::string::npos);
  };
  const auto options = [](const std::string& algorithm, uint32_t candidate, const std::string& choice) {
    return PlanOptions{algorithm, VKTC_MEMORY_ACCESS_AUTO, candidate, VKTC_PRECISION_F32, choice};
  };
  for (const std::string& choice : {std::string("gather"), std::string("gather:1"), std::string("magic:1,2"),
                                    gathered + ",0", " " + gathered, std::string(1000, 'x')}) {
    check(options("", 0, choice), "options.choice", "options.choice is \"" + choice.substr(0, 100) + "\"");
  }
  check(options("", 0, "gather:1"), "options.choice", "for this problem on this device, such as \"");
  check(options("tiled", 0, gathered), "options.choice", "candidates of the algorithm tiled");
  check(options("", 1, gathered), "options.candidate", "options.candidate is 1: it must be 0 where options.choice");
}

TEST_CASE("A plan explains itself") {
  for (const Case& each : cases()) {
    const VktcConvTransposeDesc& desc = each.desc;
    Problem problem;
    VktcError error = {};
    Plan plan;
    REQUIRE(make_problem(desc, problem, error));
    REQUIRE(make_plan(problem, lavapipe_caps(), {}, plan, error));
    const std::string explanation = explain_plan(problem, lavapipe_caps(), plan);
    CAPTURE(each.name);
    CHECK(explanation.find(plan.algorithm) != std::string::npos);
    CHECK(explanation.find(plan.tile) != std::string::npos);
    CHECK(explanation.find(plan.choice) != std::string::npos);
    CHECK(std::count(explanation.begin(), explanation.end(), '\n') >= 3);
  }
}

TEST_CASE("The same problem on the same device gives the same plan") {
  for (const auto& [name, desc] : cases()) {
    Problem problem;
    VktcError error = {};
    Plan a, b;
    REQUIRE(make_problem(desc, problem, error));
    REQUIRE(make_plan(problem, ada_caps(), {}, a, error));
    REQUIRE(make_plan(problem, ada_caps(), {}, b, error));
    CHECK(explain_plan(problem, ada_caps(), a) == explain_plan(problem, ada_caps(), b));
    REQUIRE(a.run.size() == b.run.size());
    for (size_t i = 0; i < a.run.size(); ++i) {
      CHECK(a.run[i].constants == b.run[i].constants);
      CHECK(a.run[i].params == b.run[i].params);
    }
  }
}

TEST_CASE("Winograd takes layers with taps and products enough, and says why not the others") {
  const auto plan_it = [](const char* text, VktcDataType type, const DeviceCaps& caps, Plan& plan) -> std::string {
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(with_type(parse(text), type), problem, error));
    return make_plan(problem, caps, {"winograd"}, plan, error) ? "" : error.message;
  };
  const struct {
    const char* problem;
    VktcDataType type;
    const char* words;
  } refused[] = {
      {"ic64iw1000oc64kw3", VKTC_DATA_TYPE_I32, "floating-point"},
      {"ic64ih100oc64kh7kw1", VKTC_DATA_TYPE_F32, "two taps"},
      {"ic64iw1000oc64kw4sw4", VKTC_DATA_TYPE_F32, "two taps"},
      {"g64ic64ih100oc64kh3", VKTC_DATA_TYPE_F32, "some outputs take 9 products"},
      {"ic64iw1000oc64kw99", VKTC_DATA_TYPE_F32, "99 taps of the width"},
      {"ic64iw1000oc64kw3ilast", VKTC_DATA_TYPE_F32, "channels-first"},
      {"ic64iw1000oc64kw3olast", VKTC_DATA_TYPE_F16, "channels-first"},
      {"ic64iw2oc64kw3dw500000000", VKTC_DATA_TYPE_F32, "past 2^31 - 1"},
  };
  for (const auto& row : refused) {
    CAPTURE(row.problem);
    Plan plan;
    const std::string why = plan_it(row.problem, row.type, ada_caps(), plan);
    CAPTURE(why);
    CHECK(why.find(row.words) != std::string::npos);
  }
  Plan plan;
  CHECK(plan_it("ic64iw1000oc64kw3", VKTC_DATA_TYPE_F16, phone_caps(), plan).find("storageBuffer16BitAccess") !=
        std::string::npos);

  // What one candidate or another computes.
  const struct {
    const char* problem;
    std::vector<const char*> choices;
  } taken[] = {
      {"mb16_ic32id64_oc64kd3kh5", {"winograd:8,5,", "winograd:6,5,"}},           // five taps
      {"mb8_ic64ih1024_oc64kh3", {"winograd:6,3,", "winograd:4,3,"}},             // three
      {"mb8ic64ih512oc64kh3kw7", {"winograd:8,4,", "winograd:6,4,"}},             // seven, in two groups
      {"mb32ic32iw131072oc64kw5dw3", {"winograd:8,5,"}},                          // dilated
      {"mb4ic96ih64oc64kh3kw7sh2sw2ph1pw3", {"winograd:8,4,", "winograd:6,4,"}},  // four and three
      {"ic2iw9000oc9kw9", {"winograd:4,3,"}},                                     // few products: few points
  };
  for (const auto& row : taken) {
    CAPTURE(row.problem);
    std::set<std::string> choices;
    Problem problem;
    VktcError error = {};
    REQUIRE(make_problem(parse(row.problem), problem, error));
    PlanOptions options;
    options.algorithm = "winograd";
    for (uint32_t count = 1; options.candidate < count; ++options.candidate) {
      REQUIRE(make_plan(problem, ada_caps(), options, plan, error));
      count = plan.candidate_count;
      choices.insert(plan.choice);
    }
    for (const char* start : row.choices) {
      CAPTURE(start);
      const auto found = choices.lower_bound(start);
      CHECK((found != choices.end() && found->starts_with(start)));
    }
  }
}

TEST_CASE("Winograd's best tiles are predicted as they were measured on an H200, where others stay ahead") {
  DeviceCaps h200 = ada_caps();
  h200.multiprocessors = 132;
  h200.fp32_flops = 62.8e12;
  h200.matrix_flops = 635e12;
  h200.memory_bandwidth = 4160e9;
  // The best of those that were timed (docs/performance-log.md).
  const struct {
    const char* problem;
    const char* choice;
    double milliseconds;
  } measured[] = {
      {"mb8_ic64ih1024_oc64kh3", "winograd:6,3,64,8,4,4,4,4,3,1,0,1", 12.3},
      {"mb16_ic32id16ih32iw64_oc16kd3kh5kw7", "winograd:8,4,16,16,4,4,4,2,5,1,0,1", 1.25},
      {"mb8_ic48id64_oc48kd3", "winograd:6,3,16,16,4,4,4,4,3,1", 6.47},
      {"mb64_ic128iw65536_oc128kw3", "winograd:6,3,128,32,1,8,8,8,1,1,1,1", 9.66},
      {"mb16_ic32id64_oc64kd3kh5", "winograd:8,5,64,8,4,8,4,2,5,1", 19.6},
      {"mb64_ic64ih128iw256_oc128kh3kw5", "winograd:8,5,64,8,4,8,4,4,3,1", 8.92},
      {"mb8_ic32ih512iw1024_oc32kh3", "winograd:6,3,32,16,4,4,4,4,3,1,0,1", 1.84},
      {"mb32_ic32iw131072_oc64kw5dw3", "winograd:8,5,32,32,1,8,8,8,1,1", 3.34},
      {"mb4_ic2048iw340_oc1024kw8sw4_bias", "winograd:4,2,128,32,1,8,8,8,1,1,0,1", 1.41},
      {"ic56ih540iw960_oc1kh9sh4ph4oph3_bias", "winograd:6,3,8,32,4,4,4,2,3,1,0,1", 1.65},
      {"mb16_ic256id8_oc128kd4sd2pd1", "winograd:4,2,64,16,4,8,4,4,2,1,0,1", 0.995},
  };
  Problem problem;
  VktcError error = {};
  Plan plan;
  for (const auto& row : measured) {
    CAPTURE(row.problem);
    REQUIRE(make_problem(parse(row.problem), problem, error));
    PlanOptions options;
    options.choice = row.choice;
    REQUIRE(make_plan(problem, h200, options, plan, error));
    CHECK(plan.predicted_seconds * 1e3 == doctest::Approx(row.milliseconds).epsilon(0.15));
    REQUIRE(make_plan(problem, h200, {}, plan, error));
    CHECK(plan.algorithm != "winograd");
  }
}

TEST_CASE("Winograd is behind gather on CPU devices") {
  DeviceCaps cpu = lavapipe_caps();
  cpu.memory_bandwidth = 15e9;
  Problem problem;
  VktcError error = {};
  for (const uint32_t cores : {1u, 2u, 16u, 64u}) {
    cpu.multiprocessors = cores;
    cpu.fp32_flops = cores * 8e9;
    for (const Case& one : cases()) {
      CAPTURE(one.name);
      CAPTURE(cores);
      REQUIRE(make_problem(one.desc, problem, error));
      Plan plan;
      REQUIRE(make_plan(problem, cpu, {}, plan, error));
      CHECK(plan.algorithm != "winograd");
    }
    Plan plan, gather;
    REQUIRE(make_problem(parse("ic512iw24oc1kw5"), problem, error));  // few invocations
    REQUIRE(make_plan(problem, cpu, {"winograd"}, plan, error));
    REQUIRE(make_plan(problem, cpu, {"gather"}, gather, error));
    CHECK(plan.predicted_seconds > gather.predicted_seconds);
  }
}

TEST_CASE("Any descriptor is refused or planned within the limits") {
  const std::vector<DeviceCaps> devices = all_caps();
  int planned = 0, refused = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const VktcConvTransposeDesc desc = wild_descriptor(i);
    CAPTURE(i);
    VktcError error = {};
    const VktcMemoryAccess access = accesses[i / devices.size() % 3];
    if (plan_or_refusal(desc, devices[i % devices.size()], {"", access}, error)) {
      ++planned;
    } else {
      ++refused;
    }
  }
  // The generator must reach both.
  CHECK(planned > 400);
  CHECK(refused > 200);
}

TEST_CASE("Every problem of the sweep is planned on every device") {
  const std::vector<DeviceCaps> devices = all_caps();
  for (uint64_t i = 0; i < 2000; ++i) {
    VktcError error = {};
    const DeviceCaps& caps = devices[i % devices.size()];
    const bool planned = plan_or_refusal(random_problem(i), caps, {}, error);
    CHECK_MESSAGE((planned || is_too_small(caps, error)), error.message);
  }
}

TEST_SUITE_END();

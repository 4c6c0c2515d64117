// vktconv info: the devices, and what the library would use of one of them.
#include <context.h>
#include <fmt/format.h>
#include <planner.h>
#include <shader_table.h>
#include <vktconv_build_version.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>
#include <vktconv/vktconv_host.hpp>

#include "commands.h"
#include "device_flags.h"
#include "failure.h"

namespace vktconv::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoFlags {
  DeviceFlags device;
  bool json = false;
};

struct FeatureRow {
  const char* name;
  bool DeviceCaps::*enabled;
  const char* use;
};

// Everything optional that the library knows, and what it is good for.
constexpr FeatureRow feature_rows[] = {
    {"storageBuffer16BitAccess, shaderInt16", &DeviceCaps::storage_16bit,
     "16-bit tensors are read and written as such; otherwise as packed 32-bit words"},
    {"shaderFloat16", &DeviceCaps::shader_float16, "fp16 arithmetic"},
    {"bufferDeviceAddress", &DeviceCaps::buffer_device_address, "tensors wider than maxStorageBufferRange"},
    {"VK_KHR_push_descriptor", &DeviceCaps::push_descriptor, "recording without VktcBindings"},
    {"subgroupSizeControl", &DeviceCaps::subgroup_size_control, "a subgroup size chosen per pipeline"},
    {"computeFullSubgroups", &DeviceCaps::compute_full_subgroups, "full subgroups in every workgroup"},
    {"vulkanMemoryModel", &DeviceCaps::vulkan_memory_model, "cooperative matrices"},
    {"VK_KHR_cooperative_matrix", &DeviceCaps::cooperative_matrix, "matrix units"},
    {"VK_NV_cooperative_matrix2", &DeviceCaps::cooperative_matrix2, "matrix units with larger tiles"},
    {"VK_KHR_shader_bfloat16", &DeviceCaps::shader_bfloat16, "bf16 on matrix units"},
    {"shaderInt8", &DeviceCaps::shader_int8, "8-bit arithmetic"},
    {"storageBuffer8BitAccess", &DeviceCaps::storage_8bit,
     "8-bit tensors are read and written as such, with the features of 16-bit tensors and dot products"},
    {"shaderIntegerDotProduct", &DeviceCaps::integer_dot_product, "int8 is multiplied four channels at a time"},
    {"pipelineExecutableInfo", &DeviceCaps::executable_properties, "registers and occupancy of compiled shaders"},
};

const char* component_type_name(uint32_t type) {
  constexpr const char* names[] = {"f16", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"};
  if (type < std::size(names)) return names[type];
  constexpr uint32_t bfloat16 = 1000141000;  // VK_COMPONENT_TYPE_BFLOAT16_KHR, which older headers do not have
  return type == bfloat16 ? "bf16" : "other";
}

std::string describe_shape(const CooperativeMatrixShape& shape) {
  return fmt::format("{}x{}x{} {} * {} + {} -> {}{}", shape.m, shape.n, shape.k, component_type_name(shape.a_type),
                     component_type_name(shape.b_type), component_type_name(shape.c_type),
                     component_type_name(shape.result_type), shape.saturating ? ", saturating" : "");
}

std::string subgroup_operations(const DeviceCaps& caps) {
  std::string text;
  const auto add = [&text](bool has, const char* name) {
    if (has) text += std::string(text.empty() ? "" : ", ") + name;
  };
  add(caps.subgroup_basic, "basic");
  add(caps.subgroup_arithmetic, "arithmetic");
  add(caps.subgroup_shuffle, "shuffle");
  add(caps.subgroup_ballot, "ballot");
  return text.empty() ? "none" : text;
}

Json limits_json(const DeviceCaps& caps, const host::Device& device) {
  return {{"maxComputeWorkGroupCount", caps.max_compute_work_group_count},
          {"maxComputeWorkGroupSize", caps.max_compute_work_group_size},
          {"maxComputeWorkGroupInvocations", caps.max_compute_work_group_invocations},
          {"maxComputeSharedMemorySize", caps.max_compute_shared_memory_size},
          {"maxPushConstantsSize", caps.max_push_constants_size},
          {"maxStorageBufferRange", caps.max_storage_buffer_range},
          {"maxMemoryAllocationSize", caps.max_memory_allocation_size},
          {"maxBufferSize", caps.max_buffer_size},
          {"minStorageBufferOffsetAlignment", caps.min_storage_buffer_offset_alignment},
          {"deviceLocalMemory", device.device_local_memory()}};
}

Json algorithms_json() {
  Json list = Json::array();
  for (uint32_t index = 0; algorithm_name(index) != nullptr; ++index) {
    list.push_back({{"name", algorithm_name(index)}, {"summary", algorithm_summary(index)}});
  }
  return list;
}

Json library_json() {
  size_t shaders = 0;
  shader_table(shaders);
  return {{"version", VKTCONV_BUILD_VERSION},
          {"commit", VKTCONV_BUILD_COMMIT},
          {"algorithms", algorithms_json()},
          {"shaders", shaders},
          {"shadersLeftOut", shaders_left_out()}};
}

Json summary_json(const host::DeviceSummary& summary) {
  return {{"index", summary.index},
          {"name", summary.name},
          {"driver", summary.driver},
          {"type", device_type_name(summary.type)},
          {"apiVersion", format_version(summary.api_version)},
          {"vendorId", summary.vendor_id},
          {"deviceId", summary.device_id},
          {"refused", summary.refused}};
}

// null where the planner does not know a rate.
Json known(double rate) { return rate > 0 ? Json(rate) : Json(nullptr); }

// The device that the flags choose, with everything that the planner knows of it.
Json chosen_json(const host::Device& device) {
  const DeviceCaps& caps = device.context()->device.caps;
  Json features = Json::object();
  for (const FeatureRow& row : feature_rows) features[row.name] = caps.*row.enabled;
  Json shapes = Json::array();
  for (const CooperativeMatrixShape& shape : caps.cooperative_matrix_shapes) shapes.push_back(describe_shape(shape));
  return {{"index", device.summary().index},
          {"name", device.summary().name},
          {"limits", limits_json(caps, device)},
          {"subgroup",
           {{"size", caps.subgroup_size},
            {"minSize", caps.min_subgroup_size},
            {"maxSize", caps.max_subgroup_size},
            {"operations", subgroup_operations(caps)}}},
          {"features", features},
          {"cooperativeMatrixShapes", shapes},
          {"timestamps", device.has_timestamps()},
          {"rates",
           {{"fp32Flops", known(caps.fp32_flops)},
            {"matrixFlops", known(caps.matrix_flops)},
            {"memoryBandwidth", known(caps.memory_bandwidth)}}}};
}

void print_library() {
  size_t shaders = 0;
  shader_table(shaders);
  fmt::print("vktconv {} ({})\n", VKTCONV_BUILD_VERSION, VKTCONV_BUILD_COMMIT);
  for (uint32_t index = 0; algorithm_name(index) != nullptr; ++index) {
    fmt::print("  algorithm {}: {}\n", algorithm_name(index), algorithm_summary(index));
  }
  fmt::print("  shaders: {}{}{}\n", shaders,
             shaders_left_out().empty() ? ", none left out" : "; left out by the build: ", shaders_left_out());
}

void print_devices(const std::vector<host::DeviceSummary>& devices) {
  fmt::print("\nDevices\n");
  for (const host::DeviceSummary& device : devices) {
    fmt::print("  {}  {} ({}, {}, Vulkan {})\n", device.index, device.name, device_type_name(device.type),
               device.driver, format_version(device.api_version));
    if (!device.refused.empty()) fmt::print("     not usable: {}\n", device.refused);
  }
  if (devices.empty()) fmt::print("  none\n");
}

std::string format_bytes(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB"};
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", value, units[unit]);
}

void print_row(const char* name, const std::string& value) { fmt::print("  {:<34}{}\n", name, value); }

void print_rates(const DeviceCaps& caps) {
  const auto rate = [](double value, double unit, const char* name) {
    return value > 0 ? fmt::format("{:.3g} {}", value / unit, name) : std::string("unknown");
  };
  fmt::print("\nRates that the cost model assumes\n");
  print_row("fp32", rate(caps.fp32_flops, 1e12, "TFLOPS"));
  print_row("matrix units", rate(caps.matrix_flops, 1e12, "TFLOPS"));
  print_row("memory", rate(caps.memory_bandwidth, 1e9, "GB/s"));
}

void print_chosen(const host::Device& device) {
  const DeviceCaps& caps = device.context()->device.caps;
  fmt::print("\nIn use: device {}, {}\n", device.summary().index, device.summary().name);
  fmt::print("\nLimits\n");
  const auto& count = caps.max_compute_work_group_count;
  const auto& size = caps.max_compute_work_group_size;
  print_row("maxComputeWorkGroupCount", fmt::format("{} x {} x {}", count[0], count[1], count[2]));
  print_row("maxComputeWorkGroupSize", fmt::format("{} x {} x {}", size[0], size[1], size[2]));
  print_row("maxComputeWorkGroupInvocations", fmt::format("{}", caps.max_compute_work_group_invocations));
  print_row("maxComputeSharedMemorySize", format_bytes(caps.max_compute_shared_memory_size));
  print_row("maxPushConstantsSize", format_bytes(caps.max_push_constants_size));
  print_row("maxStorageBufferRange", format_bytes(caps.max_storage_buffer_range));
  print_row("maxMemoryAllocationSize", format_bytes(caps.max_memory_allocation_size));
  print_row("maxBufferSize", format_bytes(caps.max_buffer_size));
  print_row("minStorageBufferOffsetAlignment", format_bytes(caps.min_storage_buffer_offset_alignment));
  print_row("device-local memory", format_bytes(device.device_local_memory()));
  print_row("timestamps", device.has_timestamps() ? "yes" : "no");

  fmt::print("\nSubgroups\n");
  print_row("size",
            caps.min_subgroup_size == caps.max_subgroup_size
                ? fmt::format("{}", caps.subgroup_size)
                : fmt::format("{} ({} to {})", caps.subgroup_size, caps.min_subgroup_size, caps.max_subgroup_size));
  print_row("operations in compute shaders", subgroup_operations(caps));

  fmt::print("\nOptional features, and what they are for\n");
  for (const FeatureRow& row : feature_rows) {
    fmt::print("  {}  {:<38}  {}\n", caps.*row.enabled ? "yes" : "no ", row.name, row.use);
  }
  if (!caps.cooperative_matrix_shapes.empty()) fmt::print("\nCooperative matrix shapes (M x N x K)\n");
  for (const CooperativeMatrixShape& shape : caps.cooperative_matrix_shapes) {
    fmt::print("  {}\n", describe_shape(shape));
  }
  print_rates(caps);
}

void info(const InfoFlags& flags) {
  const std::vector<host::DeviceSummary> devices = host::list_devices();
  // The lists are worth printing even where no device is usable; then the exception says why.
  if (flags.json) {
    Json root = {{"library", library_json()}, {"devices", Json::array()}};
    for (const host::DeviceSummary& device : devices) root["devices"].push_back(summary_json(device));
    try {
      root["inUse"] = chosen_json(flags.device.open());
    } catch (const Failure&) {
      root["inUse"] = nullptr;
      fmt::print("{}\n", root.dump(2, ' ', false, Json::error_handler_t::replace));
      throw;
    }
    fmt::print("{}\n", root.dump(2, ' ', false, Json::error_handler_t::replace));
    return;
  }
  print_library();
  print_devices(devices);
  std::fflush(stdout);
  print_chosen(flags.device.open());
}

}  // namespace

void add_info_command(CLI::App& app) {
  auto flags = std::make_shared<InfoFlags>();
  CLI::App* command = app.add_subcommand("info", "List the devices and what the library would use of one");
  flags->device.add_device_to(*command);
  command->add_flag("--json", flags->json, "Print JSON; sizes in bytes, rates per second");
  command->footer(
      fmt::format("Devices are numbered as Vulkan enumerates them. The best one is a discrete GPU, then\n"
                  "an integrated, a virtual, a CPU; among equals the first.\n\n"
                  "Examples:\n"
                  "  vktconv info\n"
                  "  vktconv info --device llvmpipe\n"
                  "  vktconv info --json | jq .inUse.limits\n\n{}",
                  exit_code_help));
  command->callback([flags] { info(*flags); });
}

}  // namespace vktconv::cli

// A plan as plain data: short lists of dispatches, made without a device and turned into pipelines later.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vktconv {

// The buffers of a call, in the order of VktcBuffers.
enum class Tensor : uint8_t { input, weights, packed_weights, bias, output, workspace, scale, shift, residual };
constexpr uint32_t tensor_count = 9;
const char* tensor_name(Tensor tensor);  // "packedWeights" and so on

// The part of a buffer that a dispatch sees at one binding, in bytes from where the tensor begins.
struct Window {
  Tensor tensor = Tensor::input;
  uint64_t offset = 0;  // a multiple of DeviceCaps::min_storage_buffer_offset_alignment
  uint64_t range = 0;
};

struct Dispatch {
  std::string shader;               // a name of the shader table, "gather.f32.descriptors"
  std::string name;                 // for people: "gather, batch 0..7"
  std::vector<uint32_t> constants;  // specialization constants 0, 1, 2, ...
  std::array<uint32_t, 3> group_count = {1, 1, 1};
  std::vector<Window> windows;   // binding 0, 1, 2, ... or, with device addresses, the pushed addresses in this order
  std::vector<uint32_t> params;  // push constants, after the addresses if there are any
  bool barrier_before = false;   // reads or overwrites what an earlier dispatch of the same list wrote
  uint32_t subgroup_size = 0;    // to require; 0: whatever the device takes
};

struct Plan {
  std::string algorithm;
  std::string choice;            // algorithm and tile in the words of PlanOptions::choice
  std::string tile;              // for people
  std::string reason;            // why this algorithm, for people: one or more lines
  uint32_t candidate_count = 0;  // that the planner could have chosen from
  double predicted_seconds = 0;
  bool device_address = false;  // windows are reached through addresses, not descriptors
  uint64_t packed_weights_bytes = 0;
  uint64_t workspace_bytes = 0;
  std::vector<Dispatch> pack;
  std::vector<Dispatch> run;
};

}  // namespace vktconv

// What the C++ side hands to the shaders: push constants and the numbers of specialization constants. Read by C++ and
// GLSL alike, so a field or a number is written once.
#ifndef VKTCONV_SHARED_PARAMS_H_
#define VKTCONV_SHARED_PARAMS_H_

#ifdef __cplusplus
#include <cstdint>
namespace vktconv::shared {
using uint = std::uint32_t;
#endif

// ---- gather.comp ----------------------------------------------------------------------------------------------------
// Sizes per axis are depth, height, width. Offsets and strides are in elements of the tensor's window.

struct GatherParams {
  uint input_size[3];
  uint output_size[3];
  int padding_begin[3];
  uint in_channels;          // of one group
  uint out_channels;         // of one group
  uint input_batch_stride;
  uint output_batch_stride;
  uint batch;                // images of this dispatch
  uint position_blocks;
  uint groups;               // of this dispatch
  uint blocks;               // out-channel blocks of each group, of this dispatch
  uint first_block;          // the first of them, within its group
  uint first_group;
  uint input_offset;         // where image 0, first group begins in the window
  uint output_offset;        // where image 0, first group, first block begins in the window
  uint weights_offset;       // where the first block begins in the window, in vectors of four
};

#define GATHER_LOCAL_SIZE 0
#define GATHER_POSITIONS 1       // outputs along the positions that one invocation computes
#define GATHER_CHANNEL_QUADS 2   // out-channels that one invocation computes, divided by four
#define GATHER_HAS_BIAS 3
#define GATHER_KERNEL 4          // three each, depth, height, width
#define GATHER_TAP_STEP 7        // stride / gcd(stride, dilation)
#define GATHER_INPUT_STEP 10     // dilation / gcd(stride, dilation)
#define GATHER_GCD 13
#define GATHER_TAP_INVERSE 16    // see tap_inverse in src/phases.h
#define GATHER_CONSTANTS 19

// ---- pack_gather.comp -----------------------------------------------------------------------------------------------

struct PackGatherParams {
  uint total;              // elements to write
  uint taps;
  uint in_channels;        // of one group: the packed row
  uint out_channels;       // of one group
  uint blocks_per_group;   // out-channel blocks
  uint first_block;        // counted over all groups
  uint first_in_channel;   // within the group, when the group's in-channels are packed in several dispatches
  uint chunk_in_channels;  // in-channels of this dispatch
  uint source_offset;      // where the first group's first in-channel begins in the window
  uint packed_offset;      // where the first block begins in the window
};

#define PACK_GATHER_LOCAL_SIZE 0
#define PACK_GATHER_CHANNELS 1  // out-channels of a block
#define PACK_GATHER_CONSTANTS 2

#ifdef __cplusplus
// Vulkan guarantees 128 bytes of push constants; device addresses (8 bytes each) come first.
static_assert(4 * 8 + sizeof(GatherParams) <= 128);
static_assert(2 * 8 + sizeof(PackGatherParams) <= 128);
}  // namespace vktconv::shared
#endif

#endif

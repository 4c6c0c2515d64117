// What the C++ side hands to the shaders: push constants and the numbers of specialization constants. Read by C++ and
// GLSL alike, so a field or a number is written once.
#ifndef VKTCONV_SHARED_PARAMS_H_
#define VKTCONV_SHARED_PARAMS_H_

#ifdef __cplusplus
#include <cstdint>
namespace vktconv::shared {
using uint = std::uint32_t;
#endif

// ---- geometry.glsl --------------------------------------------------------------------------------------------------
// The first constants of every kernel: three each, depth, height, width.

#define GEOMETRY_KERNEL 0
#define GEOMETRY_TAP_STEP 3     // stride / gcd(stride, dilation)
#define GEOMETRY_INPUT_STEP 6   // dilation / gcd(stride, dilation)
#define GEOMETRY_GCD 9
#define GEOMETRY_TAP_INVERSE 12 // see tap_inverse in src/phases.h
#define GEOMETRY_CONSTANTS 15

// ---- output.glsl ----------------------------------------------------------------------------------------------------
// The constants after those of geometry.glsl: how input and output lie in memory.

#define TENSOR_INPUT_CHANNELS_LAST (GEOMETRY_CONSTANTS + 0)
#define TENSOR_OUTPUT_CHANNELS_LAST (GEOMETRY_CONSTANTS + 1)
#define TENSOR_OUTPUT_TYPE (GEOMETRY_CONSTANTS + 2)  // one of these, the numbers of VktcDataType
#define TENSOR_CONSTANTS (GEOMETRY_CONSTANTS + 3)

#define TYPE_F32 0
#define TYPE_F16 1
#define TYPE_BF16 2
#define TYPE_I32 3
#define TYPE_I8 4

// ---- post_ops.glsl --------------------------------------------------------------------------------------------------
// The constants after those of output.glsl: how long the chain is; a kind for each of its places, 0 where there is none; and
// the parameters.

#define POST_OPS 8  // places of the chain, VKTC_MAX_POST_OPS
#define POST_OP_COUNT (TENSOR_CONSTANTS + 0)
#define POST_OP_KIND (TENSOR_CONSTANTS + 1)
#define POST_OP_ALPHA (POST_OP_KIND + POST_OPS)
#define POST_OP_BETA (POST_OP_KIND + 2 * POST_OPS)
#define POST_OP_CONSTANTS (POST_OP_KIND + 3 * POST_OPS)

// The numbers of VktcPostOpKind.
#define POST_OP_RELU 1
#define POST_OP_LEAKY_RELU 2
#define POST_OP_SILU 3
#define POST_OP_GELU_TANH 4
#define POST_OP_GELU_ERF 5
#define POST_OP_MISH 6
#define POST_OP_SIGMOID 7
#define POST_OP_TANH 8
#define POST_OP_CLAMP 9
#define POST_OP_LINEAR 10
#define POST_OP_SCALE_SHIFT 11
#define POST_OP_RESIDUAL 12

// ---- slabs ----------------------------------------------------------------------------------------------------------
// The part of a problem that a dispatch computes. Offsets are in elements of the tensor's window.

struct SlabParams {
  uint batch;           // images of this dispatch
  uint groups;          // of this dispatch
  uint blocks;          // out-channel blocks of each group, of this dispatch
  uint first_block;     // the first of them, within its group
  uint first_group;
  uint input_offset;    // where image 0, first group begins in the window
  uint output_offset;   // where image 0, first group, first block begins in the window
  uint weights_offset;  // where the first block begins in the window, in vectors of 16 bytes
};

// ---- problem.glsl ---------------------------------------------------------------------------------------------------
// The constants after those of post_ops.glsl. Three each of sizes and padding: depth, height, width.

#define PROBLEM_HAS_BIAS (POST_OP_CONSTANTS + 0)
#define PROBLEM_INPUT_SIZE (POST_OP_CONSTANTS + 1)
#define PROBLEM_OUTPUT_SIZE (POST_OP_CONSTANTS + 4)
#define PROBLEM_PADDING_BEGIN (POST_OP_CONSTANTS + 7)
#define PROBLEM_IN_CHANNELS (POST_OP_CONSTANTS + 10)
#define PROBLEM_OUT_CHANNELS (POST_OP_CONSTANTS + 11)
#define PROBLEM_GROUPS (POST_OP_CONSTANTS + 12)
#define PROBLEM_MERGED (POST_OP_CONSTANTS + 13)
#define PROBLEM_FIRST_POSITION_W (POST_OP_CONSTANTS + 14)
#define PROBLEM_POSITIONS_W (POST_OP_CONSTANTS + 15)
#define PROBLEM_CONSTANTS (POST_OP_CONSTANTS + 16)

// ---- gather.comp ----------------------------------------------------------------------------------------------------
// Sizes per axis are depth, height, width. They are no constants, so that a pipeline serves every length of a layer.

struct GatherParams {
  SlabParams slab;
  uint input_size[3];
  uint output_size[3];
  int padding_begin[3];
  uint in_channels;  // of one group
};

#define GATHER_LOCAL_SIZE (POST_OP_CONSTANTS + 0)
#define GATHER_POSITIONS (POST_OP_CONSTANTS + 1)      // outputs along the positions that one invocation computes
#define GATHER_CHANNEL_QUADS (POST_OP_CONSTANTS + 2)  // out-channels that one invocation computes, divided by four
#define GATHER_HAS_BIAS (POST_OP_CONSTANTS + 3)
#define GATHER_OUT_CHANNELS (POST_OP_CONSTANTS + 4)   // of one group
#define GATHER_GROUPS (POST_OP_CONSTANTS + 5)         // of the problem
#define GATHER_CONSTANTS (POST_OP_CONSTANTS + 6)

// ---- tiled.comp -----------------------------------------------------------------------------------------------------

// The parameters are SlabParams.

#define TILED_LOCAL_SIZE (PROBLEM_CONSTANTS + 0)
#define TILED_LOCAL (PROBLEM_CONSTANTS + 1)
#define TILED_CHANNELS (PROBLEM_CONSTANTS + 2)
#define TILED_POSITIONS (PROBLEM_CONSTANTS + 3)
#define TILED_DEPTH (PROBLEM_CONSTANTS + 4)
#define TILED_THREAD_CHANNELS (PROBLEM_CONSTANTS + 5)
#define TILED_THREAD_POSITIONS (PROBLEM_CONSTANTS + 6)
#define TILED_BUFFERS (PROBLEM_CONSTANTS + 7)
#define TILED_STAGED_CHANNELS (PROBLEM_CONSTANTS + 8)
#define TILED_OUTPUT_QUADS (PROBLEM_CONSTANTS + 9)
#define TILED_CONSTANTS (PROBLEM_CONSTANTS + 10)

// ---- matrix.comp ----------------------------------------------------------------------------------------------------

struct MatrixParams {
  SlabParams slab;
  uint exact_offset;  // where the first block of exact weights begins in the window
  uint zero;          // 0, which a compiler does not know: split.glsl
};

#define MATRIX_LOCAL_SIZE (PROBLEM_CONSTANTS + 0)
#define MATRIX_LOCAL (PROBLEM_CONSTANTS + 1)
#define MATRIX_TILE_M (PROBLEM_CONSTANTS + 2)  // a shape that the device reports
#define MATRIX_TILE_N (PROBLEM_CONSTANTS + 3)
#define MATRIX_TILE_K (PROBLEM_CONSTANTS + 4)
#define MATRIX_ROWS (PROBLEM_CONSTANTS + 5)
#define MATRIX_POSITIONS (PROBLEM_CONSTANTS + 6)
#define MATRIX_DEPTH (PROBLEM_CONSTANTS + 7)
#define MATRIX_WARPS_M (PROBLEM_CONSTANTS + 8)
#define MATRIX_WARPS_N (PROBLEM_CONSTANTS + 9)
#define MATRIX_WINDOW_TAPS (PROBLEM_CONSTANTS + 10)
#define MATRIX_PREPARED (PROBLEM_CONSTANTS + 11)
#define MATRIX_PITCH_W (PROBLEM_CONSTANTS + 12)
#define MATRIX_PARTS (PROBLEM_CONSTANTS + 13)
#define MATRIX_CONSTANTS (PROBLEM_CONSTANTS + 14)

// ---- matrix_window.comp ---------------------------------------------------------------------------------------------

// The parameters are MatrixParams. The constants after those of problem.glsl: numbering.glsl.

#define NUMBERING_STRIPS (PROBLEM_CONSTANTS + 0)
#define NUMBERING_STRIP_STEP (PROBLEM_CONSTANTS + 1)
#define NUMBERING_STRIP_W (PROBLEM_CONSTANTS + 2)
#define NUMBERING_PITCH_W (PROBLEM_CONSTANTS + 3)
#define NUMBERING_PITCH_H (PROBLEM_CONSTANTS + 4)
#define NUMBERING_RUN (PROBLEM_CONSTANTS + 5)
#define NUMBERING_RUN_POSITIONS (PROBLEM_CONSTANTS + 6)
#define NUMBERING_SEGMENTS (PROBLEM_CONSTANTS + 7)
#define NUMBERING_FIRST_ELEMENT (PROBLEM_CONSTANTS + 8)
#define NUMBERING_CONSTANTS (PROBLEM_CONSTANTS + 9)

#define WINDOW_LOCAL_SIZE (NUMBERING_CONSTANTS + 0)
#define WINDOW_LOCAL (NUMBERING_CONSTANTS + 1)
#define WINDOW_TILE_M (NUMBERING_CONSTANTS + 2)  // a shape that the device reports
#define WINDOW_TILE_N (NUMBERING_CONSTANTS + 3)
#define WINDOW_TILE_K (NUMBERING_CONSTANTS + 4)
#define WINDOW_ROWS (NUMBERING_CONSTANTS + 5)
#define WINDOW_POSITIONS (NUMBERING_CONSTANTS + 6)
#define WINDOW_TILE_STEP (NUMBERING_CONSTANTS + 7)
#define WINDOW_DEPTH (NUMBERING_CONSTANTS + 8)
#define WINDOW_WARPS_M (NUMBERING_CONSTANTS + 9)
#define WINDOW_WARPS_N (NUMBERING_CONSTANTS + 10)
#define WINDOW_TAPS_H (NUMBERING_CONSTANTS + 11)
#define WINDOW_TAPS_W (NUMBERING_CONSTANTS + 12)
#define WINDOW_INPUT_VECTOR (NUMBERING_CONSTANTS + 13)
#define WINDOW_BY_INVOCATION (NUMBERING_CONSTANTS + 14)
#define WINDOW_INPUT_OCTETS (NUMBERING_CONSTANTS + 15)
#define WINDOW_OUTPUT_OCTETS (NUMBERING_CONSTANTS + 16)
#define WINDOW_PREPARED (NUMBERING_CONSTANTS + 17)
#define WINDOW_PARTS (NUMBERING_CONSTANTS + 18)
#define WINDOW_MENDS (NUMBERING_CONSTANTS + 19)
#define WINDOW_UNROLLED (NUMBERING_CONSTANTS + 20)
#define WINDOW_FETCHES_AHEAD (NUMBERING_CONSTANTS + 21)
#define WINDOW_SUMS_APART (NUMBERING_CONSTANTS + 22)
#define WINDOW_ROW_LANES (NUMBERING_CONSTANTS + 23)
#define WINDOW_LANE_CHANNELS (NUMBERING_CONSTANTS + 24)
#define WINDOW_CONSTANTS (NUMBERING_CONSTANTS + 25)

#define WINDOW_SUMMED_TILES 8  // times TILE_K in-channels that matrix units sum together, of fp32

// ---- winograd.comp --------------------------------------------------------------------------------------------------

struct WinogradParams {
  SlabParams slab;
  uint exact_offset;  // where the first block of exact weights begins in the window, in vectors of 16 bytes
};

#define WINOGRAD_LOCAL_SIZE (PROBLEM_CONSTANTS + 0)
#define WINOGRAD_LOCAL (PROBLEM_CONSTANTS + 1)
#define WINOGRAD_POINTS (PROBLEM_CONSTANTS + 2)
#define WINOGRAD_TAPS (PROBLEM_CONSTANTS + 3)
#define WINOGRAD_CHANNELS (PROBLEM_CONSTANTS + 4)
#define WINOGRAD_COLUMNS (PROBLEM_CONSTANTS + 5)
#define WINOGRAD_ROWS (PROBLEM_CONSTANTS + 6)
#define WINOGRAD_THREAD_CHANNELS (PROBLEM_CONSTANTS + 7)
#define WINOGRAD_THREAD_COLUMNS (PROBLEM_CONSTANTS + 8)
#define WINOGRAD_DEPTH (PROBLEM_CONSTANTS + 9)
#define WINOGRAD_ROW_TAPS (PROBLEM_CONSTANTS + 10)
#define WINOGRAD_BUFFERS (PROBLEM_CONSTANTS + 11)
#define WINOGRAD_AHEAD (PROBLEM_CONSTANTS + 12)
#define WINOGRAD_SHARED_WEIGHTS (PROBLEM_CONSTANTS + 13)
#define WINOGRAD_STAGED_LANES (PROBLEM_CONSTANTS + 14)
#define WINOGRAD_LEAST_PRODUCTS (PROBLEM_CONSTANTS + 15)
#define WINOGRAD_CONSTANTS (PROBLEM_CONSTANTS + 16)

// ---- matrix_winograd: transform_input.comp, matrix_window.comp, transform_output.comp ---------------------------------

struct TransformInputParams {
  uint total;         // invocations that have something to do
  uint groups;        // of this dispatch
  uint in_channels;   // of one group
  uint all_channels;  // of an image
  uint rows;          // of depth and height together
  uint width;         // inputs of a row
  uint tiles;         // of a row
  int first_input;    // of the first tile and group of taps: may be negative
  uint input_offset;  // where image 0, first group begins in the window
};

#define TRANSFORM_INPUT_LOCAL_SIZE 0
#define TRANSFORM_INPUT_POINTS 1
#define TRANSFORM_INPUT_TAPS 2
#define TRANSFORM_INPUT_TAP_GROUPS 3
#define TRANSFORM_INPUT_DEPTH 4
#define TRANSFORM_INPUT_STEP_W 5
#define TRANSFORM_INPUT_CHANNELS_LAST 6
#define TRANSFORM_INPUT_QUADS 7
#define TRANSFORM_INPUT_WHOLE_OCTETS 8
#define TRANSFORM_INPUT_CONSTANTS 9

// The parameters of transform_output.comp are SlabParams; its weights are the exact ones.

#define TRANSFORM_OUTPUT_LOCAL_SIZE (PROBLEM_CONSTANTS + 0)
#define TRANSFORM_OUTPUT_LOCAL (PROBLEM_CONSTANTS + 1)
#define TRANSFORM_OUTPUT_POINTS (PROBLEM_CONSTANTS + 2)
#define TRANSFORM_OUTPUT_TAPS (PROBLEM_CONSTANTS + 3)
#define TRANSFORM_OUTPUT_LEAST_PRODUCTS (PROBLEM_CONSTANTS + 4)
#define TRANSFORM_OUTPUT_WHOLE_VECTORS (PROBLEM_CONSTANTS + 5)
#define TRANSFORM_OUTPUT_CONSTANTS (PROBLEM_CONSTANTS + 6)

struct TransformWeightsParams {
  uint total;               // weights to write at each point
  uint of_group;            // of these, of one group
  uint source_offset;       // where the first group begins in the window
  uint transformed_offset;  // and in that of the transformed weights
};

#define TRANSFORM_WEIGHTS_LOCAL_SIZE 0
#define TRANSFORM_WEIGHTS_POINTS 1
#define TRANSFORM_WEIGHTS_TAPS 2
#define TRANSFORM_WEIGHTS_TAP_GROUPS 3
#define TRANSFORM_WEIGHTS_KERNEL_W 4

// ---- patch.comp -----------------------------------------------------------------------------------------------------

// The parameters are SlabParams.

#define PATCH_LOCAL_SIZE (PROBLEM_CONSTANTS + 0)
#define PATCH_LOCAL (PROBLEM_CONSTANTS + 1)
#define PATCH_CHANNELS (PROBLEM_CONSTANTS + 2)
#define PATCH_CELLS_H (PROBLEM_CONSTANTS + 3)
#define PATCH_CELLS_W (PROBLEM_CONSTANTS + 4)
#define PATCH_MERGED_AXES (PROBLEM_CONSTANTS + 5)
#define PATCH_DEPTH (PROBLEM_CONSTANTS + 6)
#define PATCH_AHEAD (PROBLEM_CONSTANTS + 7)
#define PATCH_STAGED_ROWS (PROBLEM_CONSTANTS + 8)
#define PATCH_VECTOR (PROBLEM_CONSTANTS + 9)
#define PATCH_CONSTANTS (PROBLEM_CONSTANTS + 10)

// ---- sum_parts.comp -------------------------------------------------------------------------------------------------

struct SumPartsParams {
  uint total;           // outputs
  uint parts;
  uint block;           // neighbours in memory that are of the same group, and channels-last of the same pixel
  uint out_channels;
  uint channel_stride;  // from one out-channel to the next in memory
  uint has_bias;
};

#define SUM_PARTS_LOCAL_SIZE (POST_OP_CONSTANTS + 0)
#define SUM_PARTS_CONSTANTS (POST_OP_CONSTANTS + 1)

// ---- channels_last.comp ---------------------------------------------------------------------------------------------

struct ChannelsLastParams {
  uint batch;         // images of this dispatch
  uint groups;        // of this dispatch
  uint in_channels;   // of one group
  uint all_channels;  // of an image
  uint pixels;        // of a channel
  uint input_offset;  // where image 0, first group begins in the window
};

#define CHANNELS_LAST_LOCAL_SIZE 0
#define CHANNELS_LAST_LOCAL 1
#define CHANNELS_LAST_DEPTH 2
#define CHANNELS_LAST_PARTS 3
#define CHANNELS_LAST_INPUT 4

// ---- pack_weights.comp ----------------------------------------------------------------------------------------------

// A packed row is an out-channel, or (merged phases of the width) an out-channel with the first tap of one phase.

struct PackWeightsParams {
  uint total;               // elements to write
  uint outer_taps;          // of depth and height together
  uint kernel_w;
  uint packed_taps_w;       // of the width, in each row
  uint tap_step_w;          // between them
  uint in_channels;         // of one group
  uint packed_in_channels;  // the same, rounded up: the rest is zeros
  uint out_channels;        // of one group
  uint blocks_per_group;    // out-channel blocks
  uint block_channels;      // out-channels of a block
  uint merged;              // rows of an out-channel: 1 without merged phases
  uint first_block;         // counted over all groups
  uint first_in_channel;    // within the group, when the group's in-channels are packed in several dispatches
  uint chunk_in_channels;   // packed in-channels of this dispatch
  uint source_offset;       // where the first group's first in-channel begins in the window
  uint packed_offset;       // where the first block begins in the window
};

#define PACK_WEIGHTS_LOCAL_SIZE 0
#define PACK_WEIGHTS_ROWS 1  // rows of a block
#define PACK_WEIGHTS_CONSTANTS 2
#define PACK_MATRIX_DEPTH 2  // pack_matrix.comp has the same parameters and three constants more
#define PACK_MATRIX_TILE_M 3
#define PACK_MATRIX_PARTS 4
#define PACK_FRAGMENTS_TILE_M 2  // and pack_fragments.comp eight
#define PACK_FRAGMENTS_TILE_K 3
#define PACK_FRAGMENTS_SUBGROUP 4
#define PACK_FRAGMENTS_BY_INVOCATION 5
#define PACK_FRAGMENTS_PARTS 6
#define PACK_FRAGMENTS_M 7
#define PACK_FRAGMENTS_ROW_LANES 8
#define PACK_FRAGMENTS_LANE_CHANNELS 9
#define PACK_WINOGRAD_POINTS 2  // and pack_winograd.comp seven
#define PACK_WINOGRAD_TAPS 3
#define PACK_WINOGRAD_TAP_GROUPS 4
#define PACK_WINOGRAD_TAP_STEP_W 5
#define PACK_WINOGRAD_TAP_STEP_H 6
#define PACK_WINOGRAD_KERNEL_H 7
#define PACK_WINOGRAD_DEPTH 8

// ---- weight_scales.comp ---------------------------------------------------------------------------------------------

struct WeightScalesParams {
  uint groups;            // that the dispatch reads weights of
  uint first_in_channel;  // counted over all groups
  uint end_in_channel;
  uint in_channels;       // of one group
  uint out_channels;      // of one group
  uint taps;
  uint source_offset;     // where first_in_channel begins in the window
};

#define WEIGHT_SCALES_LOCAL_SIZE 0
#define WEIGHT_SCALES_LOCAL 1

#ifdef __cplusplus
// Vulkan guarantees 128 bytes of push constants; device addresses (8 bytes each) come first.
static_assert((4 + 3) * 8 + sizeof(GatherParams) <= 128);  // three for post-ops
static_assert((4 + 3) * 8 + sizeof(SlabParams) <= 128);
static_assert((7 + 3) * 8 + sizeof(MatrixParams) <= 128);
static_assert((5 + 3) * 8 + sizeof(WinogradParams) <= 128);
static_assert(2 * 8 + sizeof(TransformInputParams) <= 128);
static_assert((5 + 3) * 8 + sizeof(SlabParams) <= 128);
static_assert(2 * 8 + sizeof(TransformWeightsParams) <= 128);
static_assert((3 + 3) * 8 + sizeof(SumPartsParams) <= 128);
static_assert(2 * 8 + sizeof(ChannelsLastParams) <= 128);
static_assert(3 * 8 + sizeof(PackWeightsParams) <= 128);
static_assert(2 * 8 + sizeof(WeightScalesParams) <= 128);
}  // namespace vktconv::shared
#endif

#endif

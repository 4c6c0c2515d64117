/*
 * vktconv: transposed convolution (ConvTranspose 1D, 2D, 3D) on any Vulkan 1.2 device.
 *
 * The application keeps its instance, device, memory, queues and command buffers. The library turns a
 * problem (VktcConvTransposeDesc) into an immutable plan (VktcPlan) and records that plan into a command
 * buffer of the application. It never submits, waits, allocates device memory or starts threads, and it
 * defines no vk* symbol: every Vulkan function is reached through the vkGetInstanceProcAddr it is given.
 *
 *     vktcCreateContext -> vktcCreatePlan -> vktcGetPlanRequirements -> vktcCmdPackWeights (once)
 *                                                                    -> vktcCmdConvTranspose (often)
 *
 * Layouts. Input is [batch, inChannels, spatial...] or, channels-last, [batch, spatial..., inChannels]; output
 * [batch, outChannels, spatial...] or [batch, spatial..., outChannels]; weights [inChannels, outChannels / groups,
 * kernel...] whatever the layout of the others; bias [outChannels]; all dense, in C order. Arrays that are indexed
 * by axis hold the outermost spatial axis first (depth, height, width) and use the first spatialRank elements; the
 * others are ignored.
 *
 * Errors. Functions return a VktcStatus. Those with a VktcError* (which may be NULL) also fill in a sentence that
 * names the parameter, its value and the rule it breaks, or the device limit that is exceeded.
 * Output parameters are written only on success.
 *
 * Threading. There is no global state. A VktcContext may be used from any number of threads at once,
 * except by vktcDestroyContext. A VktcPlan is immutable: it may be recorded from any number of threads at
 * once, into different command buffers. A VktcBindings object may likewise be recorded from several
 * threads. A command buffer and its pool need the external synchronization that Vulkan asks for.
 *
 * Lifetime. Plans must be destroyed before their context; bindings before their plan. A plan and the
 * buffers it was recorded with must outlive the execution of the command buffer.
 */
#ifndef VKTCONV_VKTCONV_H_
#define VKTCONV_VKTCONV_H_

#include <vulkan/vulkan_core.h>

#define VKTC_VERSION_MAJOR 0
#define VKTC_VERSION_MINOR 1
#define VKTC_VERSION_PATCH 0

#ifndef VKTC_API
#define VKTC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* In C++ an enumeration of no stated type holds its members' bits only. A C program can pass any int; it must get an
 * error for it, not undefined behaviour. */
#ifdef __cplusplus
#define VKTC_ENUM_OF_INT : int
#else
#define VKTC_ENUM_OF_INT
#endif

#define VKTC_MAX_SPATIAL_RANK 3

typedef struct VktcContext_T* VktcContext;
typedef struct VktcPlan_T* VktcPlan;
typedef struct VktcBindings_T* VktcBindings;

/* ---- status ------------------------------------------------------------------------------------- */

typedef enum VktcStatus VKTC_ENUM_OF_INT {
  VKTC_SUCCESS = 0,
  VKTC_ERROR_INVALID_PARAMETER = -1,   /* a value breaks a rule of the operation or of this API */
  VKTC_ERROR_LIMIT_EXCEEDED = -2,      /* a valid problem over a limit of the device; the message names it */
  VKTC_ERROR_FEATURE_NOT_ENABLED = -3, /* needs a device feature that the application did not enable */
  VKTC_ERROR_OUT_OF_HOST_MEMORY = -4,
  VKTC_ERROR_VULKAN = -5 /* a Vulkan function failed: VktcError::vkResult says how */
} VktcStatus;

typedef struct VktcError {
  VktcStatus status;
  VkResult vkResult;  /* VK_SUCCESS unless status is VKTC_ERROR_VULKAN */
  char parameter[64]; /* for example "stride[1]"; empty where no single parameter is to blame */
  char message[448];  /* one sentence, zero-terminated */
} VktcError;

/* The version of the library that is linked: (major << 22) | (minor << 12) | patch. */
VKTC_API uint32_t vktcGetVersion(void);
/* "VKTC_ERROR_LIMIT_EXCEEDED" and so on; never NULL. */
VKTC_API const char* vktcStatusName(VktcStatus status);

/* ---- the problem -------------------------------------------------------------------------------- */

typedef enum VktcDataType VKTC_ENUM_OF_INT {
  VKTC_DATA_TYPE_F32 = 0,  /* accumulated in fp32 */
  VKTC_DATA_TYPE_F16 = 1,  /* IEEE binary16 in memory; accumulated in fp32, rounded once at the store */
  VKTC_DATA_TYPE_BF16 = 2, /* bfloat16 in memory; accumulated in fp32, rounded once at the store */
  VKTC_DATA_TYPE_I32 = 3,  /* exact, wraps modulo 2^32 */
  VKTC_DATA_TYPE_I8 = 4    /* summed in 32 bits, exact, wraps modulo 2^32; the bias is int32 */
} VktcDataType;

/* Bytes of one element; 0 for a value that is no VktcDataType. */
VKTC_API uint32_t vktcDataTypeSize(VktcDataType type);

/* Where the channels of a tensor lie. */
typedef enum VktcLayout VKTC_ENUM_OF_INT {
  VKTC_LAYOUT_CHANNELS_FIRST = 0, /* [batch, channels, spatial...]: a contiguous tensor in PyTorch and ONNX */
  VKTC_LAYOUT_CHANNELS_LAST = 1   /* [batch, spatial..., channels]: PyTorch's torch.channels_last, TensorFlow's NHWC */
} VktcLayout;

/*
 * The elements of the output. Of fp32 and int32 they are the same as those of the input; fp16 and bf16 may also give
 * fp32, the sum as it is without its rounding. int8 gives int32, the sum as it is, or, mostly through post-ops, fp32,
 * fp16 or int8: then the sum is made fp32 (rounded, to either neighbour, where its magnitude is above 2^24) and goes
 * through the post-ops. int8 outputs are rounded to the nearest integer, ties to even; what is beyond -128 or 127
 * becomes that, and NaN 0. Everything else is refused.
 */
typedef enum VktcOutputType VKTC_ENUM_OF_INT {
  VKTC_OUTPUT_TYPE_DEFAULT = 0, /* that of dataType; of int8, int32: int8 outputs mostly need a scale */
  VKTC_OUTPUT_TYPE_F32 = 1,
  VKTC_OUTPUT_TYPE_F16 = 2,
  VKTC_OUTPUT_TYPE_BF16 = 3,
  VKTC_OUTPUT_TYPE_I32 = 4,
  VKTC_OUTPUT_TYPE_I8 = 5
} VktcOutputType;

/*
 * What becomes of each sum (its bias included) before it is stored. Computed in fp32; the result of the last post-op is
 * rounded to the output's type, once. channel is that of the output, counted over all groups.
 *
 * A NaN stays NaN through every one of them (as in PyTorch, unlike with fmin and fmax). SiLU, GELU and Mish of
 * -infinity are 0, sigmoid and tanh of infinities what they tend to. Results are within a few units of fp32 in the last
 * place; of GELU with erf, which is good to 1e-7 of x, and of what is left of both GELUs far below 0, less may be
 * right.
 */
typedef enum VktcPostOpKind VKTC_ENUM_OF_INT {
  VKTC_POST_OP_RELU = 1,         /* x where x > 0, else 0 */
  VKTC_POST_OP_LEAKY_RELU = 2,   /* x where x > 0, else alpha * x */
  VKTC_POST_OP_SILU = 3,         /* x / (1 + exp(-x)) */
  VKTC_POST_OP_GELU_TANH = 4,    /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
  VKTC_POST_OP_GELU_ERF = 5,     /* x / 2 * (1 + erf(x / sqrt(2))) */
  VKTC_POST_OP_MISH = 6,         /* x * tanh(ln(1 + exp(x))) */
  VKTC_POST_OP_SIGMOID = 7,      /* 1 / (1 + exp(-x)) */
  VKTC_POST_OP_TANH = 8,         /* tanh(x) */
  VKTC_POST_OP_CLAMP = 9,        /* alpha where x < alpha, beta where x > beta, else x */
  VKTC_POST_OP_LINEAR = 10,      /* alpha * x + beta */
  VKTC_POST_OP_SCALE_SHIFT = 11, /* scale[channel] * x + shift[channel]: VktcBuffers::scale and shift */
  VKTC_POST_OP_RESIDUAL = 12     /* x + the element of VktcBuffers::residual that lies where the output's does */
} VktcPostOpKind;

/* alpha and beta must be finite where the kind uses them; of a clamp they may be infinite, and alpha is at most beta.
 * Where it does not, they are ignored. */
typedef struct VktcPostOp {
  VktcPostOpKind kind;
  float alpha;
  float beta;
} VktcPostOp;

#define VKTC_MAX_POST_OPS 8

/*
 * One transposed convolution. Input position i through kernel tap k lands on output position
 * o = i * stride - paddingBegin + k * dilation, and the output has
 * (inputSize - 1) * stride - paddingBegin - paddingEnd + dilation * (kernelSize - 1) + outputPadding + 1
 * positions along each axis. Rules:
 *   spatialRank is 1, 2 or 3; batch, channels, groups, inputSize, kernelSize, stride, dilation are at least 1;
 *   groups divides inChannels and outChannels;
 *   0 <= outputPadding < max(stride, dilation); paddings may be negative (they then extend the output);
 *   postOpCount is at most VKTC_MAX_POST_OPS, 0 where the output is int32; a chain has SCALE_SHIFT and RESIDUAL at most
 *   once each;
 *   every output size is at least 1;
 *   every size is at most 2^31 - 1 and each tensor holds at most 2^62 bytes.
 * Fields beyond 64-bit Vulkan sizes are signed so that a wrong value is reported as it was given.
 */
typedef struct VktcConvTransposeDesc {
  const void* pNext; /* must be NULL */
  uint32_t spatialRank;
  VktcDataType dataType; /* of input and weights, of the bias (of int8, int32), of the output (see outputType) */
  int64_t batch;
  int64_t inChannels;
  int64_t outChannels;
  int64_t groups;
  int64_t inputSize[VKTC_MAX_SPATIAL_RANK];
  int64_t kernelSize[VKTC_MAX_SPATIAL_RANK];
  int64_t stride[VKTC_MAX_SPATIAL_RANK];
  int64_t paddingBegin[VKTC_MAX_SPATIAL_RANK];
  int64_t paddingEnd[VKTC_MAX_SPATIAL_RANK];
  int64_t outputPadding[VKTC_MAX_SPATIAL_RANK];
  int64_t dilation[VKTC_MAX_SPATIAL_RANK]; /* 1: neighbouring taps */
  VkBool32 hasBias;
  /* What follows may be zero: channels-first tensors of one data type. */
  VktcLayout inputLayout;
  VktcLayout outputLayout;
  VktcOutputType outputType;
  uint32_t postOpCount;                  /* 0: the output is the sum */
  VktcPostOp postOps[VKTC_MAX_POST_OPS]; /* the first postOpCount, in the order in which they are applied */
} VktcConvTransposeDesc;

/* A descriptor with every axis parameter at its default: stride, dilation, batch, groups, kernel 1; all else 0. */
VKTC_API VktcConvTransposeDesc vktcDefaultDesc(uint32_t spatialRank);

/* Checks desc against the rules above and computes the spatial output sizes. Needs no device. */
VKTC_API VktcStatus vktcGetOutputSize(const VktcConvTransposeDesc* desc, int64_t outputSize[VKTC_MAX_SPATIAL_RANK],
                                      VktcError* error);

typedef enum VktcAutoPad VKTC_ENUM_OF_INT {
  VKTC_AUTO_PAD_NOTSET = 0,
  VKTC_AUTO_PAD_SAME_UPPER = 1,
  VKTC_AUTO_PAD_SAME_LOWER = 2,
  VKTC_AUTO_PAD_VALID = 3
} VktcAutoPad;

/* The attributes of ONNX ConvTranspose that decide the padding. */
typedef struct VktcOnnxPadding {
  VktcAutoPad autoPad;
  const int64_t* pads;        /* 2 * spatialRank values: all begins, then all ends; NULL: not given */
  const int64_t* outputShape; /* spatialRank values, spatial axes only; NULL: not given */
} VktcOnnxPadding;

/*
 * Sets paddingBegin and paddingEnd of desc, whose other fields are already filled in, as ONNX says:
 * with outputShape, or with SAME_*, (where the output is inputSize * stride), the total padding
 * (inputSize - 1) * stride + outputPadding + dilation * (kernelSize - 1) + 1 - outputShape is divided:
 * SAME_UPPER puts floor(total / 2) at the beginning, everything else puts floor(total / 2) at the end. The total
 * may be negative. VALID means no padding. pads may not be combined with SAME_*, VALID or outputShape.
 */
VKTC_API VktcStatus vktcResolveOnnxPadding(const VktcOnnxPadding* padding, VktcConvTransposeDesc* desc,
                                           VktcError* error);

/* Sets paddingBegin and paddingEnd of desc to padding[axis], as torch.nn.ConvTransposeNd does; refuses negative
 * values as PyTorch does. */
VKTC_API VktcStatus vktcResolvePytorchPadding(const int64_t padding[], VktcConvTransposeDesc* desc, VktcError* error);

/* ---- the device --------------------------------------------------------------------------------- */

/*
 * What the library would like to have, for an application that is about to create its device. Both calls are optional:
 * the library needs nothing beyond Vulkan 1.2 with a compute queue and uses what it finds.
 *
 * vktcRequestDeviceFeatures walks the chain that starts at features (a VkPhysicalDeviceFeatures2 and whatever feature
 * structures the application put behind it; structures that the library does not know are skipped) and sets to VK_TRUE
 * each feature that the library can use and the device supports. It never clears one.
 *
 * vktcGetDeviceExtensions writes the names of the device extensions that the library can use and the device has. With
 * names NULL it writes their number to count; otherwise it writes at most *count names and updates *count.
 */
VKTC_API VktcStatus vktcRequestDeviceFeatures(VkInstance instance, VkPhysicalDevice physicalDevice,
                                              PFN_vkGetInstanceProcAddr getInstanceProcAddr,
                                              VkPhysicalDeviceFeatures2* features, VktcError* error);
VKTC_API VktcStatus vktcGetDeviceExtensions(VkInstance instance, VkPhysicalDevice physicalDevice,
                                            PFN_vkGetInstanceProcAddr getInstanceProcAddr, uint32_t* count,
                                            const char** names, VktcError* error);

typedef struct VktcContextCreateInfo {
  const void* pNext; /* must be NULL */
  VkInstance instance;
  VkPhysicalDevice physicalDevice;
  VkDevice device;
  PFN_vkGetInstanceProcAddr getInstanceProcAddr;
  /* VkApplicationInfo::apiVersion of the instance; at least VK_API_VERSION_1_2. */
  uint32_t apiVersion;
  /* The structure that the application gave to vkCreateDevice, with its feature chain and extension names; read only
   * during the call. NULL: assume that no optional feature or extension was enabled. */
  const VkDeviceCreateInfo* deviceCreateInfo;
  /* Where pipelines are looked up and kept; it must outlive the context and allow concurrent use. VK_NULL_HANDLE: the
   * library owns one, made from the data below. */
  VkPipelineCache pipelineCache;
  const void* pipelineCacheData; /* as vktcGetPipelineCacheData gave it, trusted; NULL: start empty */
  size_t pipelineCacheDataSize;
  const VkAllocationCallbacks* allocator; /* NULL, or valid until the context is destroyed */
} VktcContextCreateInfo;

VKTC_API VktcStatus vktcCreateContext(const VktcContextCreateInfo* createInfo, VktcContext* context, VktcError* error);
/* context may be NULL. Its plans must be gone. */
VKTC_API void vktcDestroyContext(VktcContext context);

/* The pipeline cache in use: the application's, or the library's own. */
VKTC_API VkPipelineCache vktcGetPipelineCache(VktcContext context);
/* As vkGetPipelineCacheData. A caller that stores the data must make sure that it gives back only what it stored, to
 * the same device and driver; vktconv-host does so with a checksum. */
VKTC_API VktcStatus vktcGetPipelineCacheData(VktcContext context, size_t* size, void* data, VktcError* error);

/* ---- the plan ----------------------------------------------------------------------------------- */

typedef enum VktcMemoryAccess VKTC_ENUM_OF_INT {
  /* Descriptors, or device addresses where a range is too wide for those or the device is quicker with them (NVIDIA's
   * are); see VktcPlanRequirements::bufferUsage. */
  VKTC_MEMORY_ACCESS_AUTO = 0,
  VKTC_MEMORY_ACCESS_DESCRIPTORS = 1,   /* storage buffer descriptors only */
  VKTC_MEMORY_ACCESS_DEVICE_ADDRESS = 2 /* buffer device addresses only; needs the feature bufferDeviceAddress */
} VktcMemoryAccess;

/* How products are taken; sums are fp32 in any case. Elements of other types than fp32 are never cut. */
typedef enum VktcPrecision VKTC_ENUM_OF_INT {
  /* Multiply-adds in fp32, or where the device's matrix units are quicker, fp32 elements in two fp16 parts: as exact as
   * fp32 multiply-adds for elements of 2^-14 to 65472 in the input and, in the weights, 2^-22 to 255 (algorithm
   * matrix) or 2^-17 of the largest of their out-channel to 512 (matrix_window); docs/architecture.md says what becomes
   * of smaller ones; larger ones, infinities and NaN are computed in fp32, slowly. Or, for any floating-point type,
   * fewer multiplications than products (Winograd's way along the width): on data of one size the largest error is at
   * most four times that of multiply-adds; it is one of all that a few neighbouring outputs multiply, which shows where
   * elements differ much, and small integers are not exact. Both together (matrix_winograd) for inputs up to 5200 and
   * weights up to 300. */
  VKTC_PRECISION_F32 = 0,
  /* A multiplication for each product, and fp32 elements in fp32 only. */
  VKTC_PRECISION_F32_FMA = 1,
  /* fp32 elements may also be multiplied as fp16, rounded to 11 bits like TF32's: products are off by up to 2^-10 of
   * themselves, and by 2^-24 of the input where that is below 2^-14, and likewise by 2^-32, or 2^-28 of their
   * out-channel's largest, of weights below the limits above. Outputs that depend on elements out of fp16's range are
   * computed in fp32, as above. */
  VKTC_PRECISION_RELAXED = 2
} VktcPrecision;

typedef struct VktcPlanOptions {
  const void* pNext;     /* must be NULL */
  const char* algorithm; /* a name from vktcGetAlgorithmName; NULL or "": the planner chooses */
  VktcMemoryAccess memoryAccess;
  /* Which of the planner's candidates (algorithm and tile), by predicted time: 0 is its choice, 1 the next best, and so
   * on below VktcPlanInfo::candidateCount. For tuning. One that exceeds a limit of the device gives way to the next. */
  uint32_t candidate;
  /* A VktcPlanInfo::choice, as an earlier plan for the same desc told it: exactly this candidate, whatever the ranking.
   * It must be a candidate of the problem on the device, and of the algorithm where that is named too; candidate is
   * then 0. Choices may change with the library's version. NULL or "": the planner chooses. */
  const char* choice;
  VktcPrecision precision;
} VktcPlanOptions;

/* The algorithms of this library, in the order of vktcGetAlgorithmName(0), (1), ...; NULL past the end. */
VKTC_API const char* vktcGetAlgorithmName(uint32_t index);

/* options may be NULL. Creates the pipelines that the plan needs and no other of its kind has created before. */
VKTC_API VktcStatus vktcCreatePlan(VktcContext context, const VktcConvTransposeDesc* desc,
                                   const VktcPlanOptions* options, VktcPlan* plan, VktcError* error);
/* plan may be NULL. Command buffers that were recorded with it must have completed. */
VKTC_API void vktcDestroyPlan(VktcPlan plan);

typedef struct VktcPlanRequirements {
  int64_t outputSize[VKTC_MAX_SPATIAL_RANK];
  /* The least VktcBuffer::size in bytes, a multiple of four; 0 for what the plan does not need. */
  VkDeviceSize inputBytes;
  VkDeviceSize weightsBytes;
  VkDeviceSize biasBytes;
  VkDeviceSize scaleBytes;    /* outChannels fp32 values */
  VkDeviceSize shiftBytes;    /* the same */
  VkDeviceSize residualBytes; /* as many as outputBytes */
  VkDeviceSize outputBytes;
  VkDeviceSize packedWeightsBytes;
  VkDeviceSize workspaceBytes;
  /* VktcBuffer::offset must be a multiple of this. */
  VkDeviceSize offsetAlignment;
  /* Of all the buffers; includes SHADER_DEVICE_ADDRESS where the plan works through addresses. */
  VkBufferUsageFlags bufferUsage;
  uint32_t packDispatchCount;
  uint32_t dispatchCount;
} VktcPlanRequirements;

VKTC_API void vktcGetPlanRequirements(VktcPlan plan, VktcPlanRequirements* requirements);

/* What the planner decided, for people and for benchmarks. Strings live as long as the plan. */
typedef struct VktcPlanInfo {
  const char* algorithm;
  const char* tile;        /* for example "8 channels x 4 positions, 128 invocations" */
  const char* choice;      /* algorithm and tile for VktcPlanOptions::choice, for example "tiled:64,128,16,8,8,1" */
  const char* explanation; /* several lines: phases, dispatches, tiles, bytes, FLOP, why this algorithm */
  uint32_t candidateCount; /* that VktcPlanOptions::candidate could have chosen from */
  double predictedSeconds; /* by the planner's cost model */
  double flop;             /* useful: two per multiply-add that reaches an output */
  double bytes;            /* input, weights, bias, output, and what the post-ops read, each once */
} VktcPlanInfo;

VKTC_API void vktcGetPlanInfo(VktcPlan plan, VktcPlanInfo* info);

/* One dispatch of vktcCmdConvTranspose. Strings live as long as the plan. */
typedef struct VktcDispatchInfo {
  const char* name;
  uint32_t groupCount[3];
  VkPipeline pipeline; /* for VK_KHR_pipeline_executable_properties; owned by the library */
} VktcDispatchInfo;

/* index < VktcPlanRequirements::dispatchCount. */
VKTC_API void vktcGetDispatchInfo(VktcPlan plan, uint32_t index, VktcDispatchInfo* info);

/* ---- recording ---------------------------------------------------------------------------------- */

typedef struct VktcBuffer {
  VkBuffer buffer;
  VkDeviceSize offset; /* bytes, a multiple of VktcPlanRequirements::offsetAlignment */
  VkDeviceSize size;   /* bytes from offset that the library may use; VK_WHOLE_SIZE is not allowed */
} VktcBuffer;

/* Buffers that the plan does not need (bias without hasBias, a workspace of 0 bytes, those of post-ops that the chain
 * does not have; in vktcCmdPackWeights all but weights and packedWeights, in vktcCmdConvTranspose weights) may be left
 * zero. Those that a call writes (packedWeights when packing; else output and workspace) must overlap no other buffer
 * of the same call; residual must not be the output either, for an output may be computed more than once. Those that
 * are read only may overlap each other: the residual may be the input. */
typedef struct VktcBuffers {
  VktcBuffer input;
  VktcBuffer weights;
  VktcBuffer packedWeights;
  VktcBuffer bias;
  VktcBuffer output;
  VktcBuffer workspace;
  VktcBuffer scale;    /* fp32, [outChannels] */
  VktcBuffer shift;    /* fp32, [outChannels] */
  VktcBuffer residual; /* of the output's type, layout and shape */
} VktcBuffers;

/* dispatchCount (or packDispatchCount) + 1 timestamps are written from firstQuery on: one before the first dispatch and
 * one after each. The queries must have been reset. */
typedef struct VktcTimestamps {
  VkQueryPool queryPool;
  uint32_t firstQuery;
} VktcTimestamps;

/*
 * Records the packing of the weights into the plan's own layout: once for each set of weights. Packed weights are valid
 * for plans of the same desc, options, library version and device, and may be copied as bytes.
 *
 * Records the transposed convolution. Both:
 *  - record into a command buffer that is in the recording state, outside a render pass, of a queue family with
 *    compute; allocate nothing, submit nothing, wait for nothing; need push descriptors (VK_KHR_push_descriptor) unless
 *    the plan works through device addresses: without them use vktcCreateBindings;
 *  - leave the bound compute pipeline, its descriptors and push constants undefined;
 *  - read and write in VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT with VK_ACCESS_SHADER_READ_BIT and
 *    VK_ACCESS_SHADER_WRITE_BIT, and place the barriers between their own dispatches only: the application makes
 *    earlier writes visible to these stages before, and the output visible to its readers after (also between
 *    vktcCmdPackWeights and vktcCmdConvTranspose, and between two calls that share a workspace);
 *  - check their arguments and return an error before anything is recorded. timestamps may be NULL.
 */
VKTC_API VktcStatus vktcCmdPackWeights(VkCommandBuffer commandBuffer, VktcPlan plan, const VktcBuffers* buffers,
                                       const VktcTimestamps* timestamps, VktcError* error);
VKTC_API VktcStatus vktcCmdConvTranspose(VkCommandBuffer commandBuffer, VktcPlan plan, const VktcBuffers* buffers,
                                         const VktcTimestamps* timestamps, VktcError* error);

/* Descriptor sets for one plan and one set of buffers, for every device, with or without push descriptors. Covers both
 * the packing (if buffers names weights) and the convolution (if it names input and output). The buffers must outlive
 * the bindings, which must outlive the command buffers recorded with them. */
VKTC_API VktcStatus vktcCreateBindings(VktcPlan plan, const VktcBuffers* buffers, VktcBindings* bindings,
                                       VktcError* error);
/* bindings may be NULL. */
VKTC_API void vktcDestroyBindings(VktcBindings bindings);
VKTC_API VktcStatus vktcCmdPackWeightsBound(VkCommandBuffer commandBuffer, VktcBindings bindings,
                                            const VktcTimestamps* timestamps, VktcError* error);
VKTC_API VktcStatus vktcCmdConvTransposeBound(VkCommandBuffer commandBuffer, VktcBindings bindings,
                                              const VktcTimestamps* timestamps, VktcError* error);

#ifdef __cplusplus
}
#endif

#endif

// vktconv-host: for callers with no Vulkan code of their own. Picks and owns a device, owns buffers and staging, runs
// transposed convolutions on host arrays of any size.
//
//     vktconv::host::Device device;                                  // the best one
//     VktcConvTransposeDesc desc = vktcDefaultDesc(2);
//     desc.inChannels = 64; ...
//     std::vector<float> output(vktconv::host::tensor_sizes(desc).output_elements);
//     vktconv::host::conv_transpose(device, desc, input.data(), weights.data(), bias.data(), output.data());
//
// Layouts, element types and rules of a problem are those of vktconv.h; sizes and offsets of buffers are in bytes.
//
// Errors are exceptions of type vktconv::host::Error, whose error() has the status, the parameter and the VkResult.
// A device that is lost stays lost: every later call on it throws at once, and it can be destroyed as ever.
//
// Threading: a Device may be shared by threads, also conv_transpose() on it (its queue is locked inside); a
// ConvTranspose or a Buffer is used by one thread at a time. Lifetime: everything is destroyed before its Device; a
// ConvTranspose holds on to the Device object, which is not moved meanwhile.
//
// Environment, for users of a program that offers no options of its own:
//   VKTCONV_DEVICE   the device where DeviceOptions::device is empty, in the same words
//   VKTCONV_DISABLE  features and extensions to do without, separated by commas, as DeviceOptions::disable
#pragma once

#include <vktconv/vktconv.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vktconv::host {

class Error : public std::runtime_error {
 public:
  explicit Error(const VktcError& error);  // what() is the message
  // what() is a message that may be longer than the one in error.
  Error(const VktcError& error, const std::string& message);
  const VktcError& error() const noexcept { return error_; }

 private:
  VktcError error_;
};

// ---- devices --------------------------------------------------------------------------------------------------------

struct DeviceSummary {
  uint32_t index = 0;
  std::string name;
  std::string driver;  // "NVIDIA 580.159.04", "llvmpipe Mesa 26.1.6"
  VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
  uint32_t api_version = 0;
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  std::string refused;  // empty: usable; otherwise why not
};

// In the order of vkEnumeratePhysicalDevices. Empty where there is no Vulkan loader or driver.
std::vector<DeviceSummary> list_devices();

// $XDG_CACHE_HOME/vktconv/pipelines.bin or ~/.cache/vktconv/pipelines.bin; empty where there is no home.
std::filesystem::path default_pipeline_cache_file();
// The same with tuning.json.
std::filesystem::path default_tuning_file();

struct DeviceOptions {
  // "": the best (discrete, integrated, virtual, CPU; among equals the first); "1": by index, which every number of one
  // or two digits is; otherwise a part of the name, in any case of letters, that names exactly one device. Where it is
  // empty, the environment's VKTCONV_DEVICE is taken.
  std::string device;
  bool validation = false;  // the Khronos layer with synchronization validation; Error where it is missing
  std::function<void(const std::string&)> on_validation_message;  // default: to stderr
  // Where compiled pipelines are kept between runs. Empty: not kept. See default_pipeline_cache_file().
  std::filesystem::path pipeline_cache_file;
  // What tune() measured, read when the device is created; see choose(). Empty: none.
  std::filesystem::path tuning_file = default_tuning_file();
  // Also enable VK_KHR_pipeline_executable_properties where the device has it, so that the compiler's statistics of the
  // plans' pipelines (registers, spills) can be read.
  bool pipeline_statistics = false;
  // For tests: behave as a device without these would. Names of features and extensions as Vulkan spells them, for
  // example "bufferDeviceAddress", "VK_KHR_push_descriptor", "storageBuffer16BitAccess"; and
  // "VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT": the device's own memory is out of the host's reach. The environment's
  // VKTCONV_DISABLE adds names, with commas between.
  std::vector<std::string> disable;
};

class Device {
 public:
  explicit Device(const DeviceOptions& options = {});
  ~Device();  // waits for the device; writes the pipeline cache file
  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;

  VktcContext context() const;
  const DeviceSummary& summary() const;

  // The Vulkan objects, for those who want to go further. queue(): only through submit(), or with nothing else running.
  VkInstance instance() const;
  VkPhysicalDevice physical_device() const;
  VkDevice device() const;
  VkQueue queue() const;
  uint32_t queue_family() const;
  PFN_vkGetInstanceProcAddr get_instance_proc_addr() const;
  const VkPhysicalDeviceProperties& properties() const;
  VkDeviceSize max_allocation_size() const;   // the lower of maxMemoryAllocationSize and maxBufferSize
  VkDeviceSize device_local_memory() const;   // bytes of the largest device-local heap
  uint32_t validation_message_count() const;  // errors and warnings so far; 0 without validation

  // Records into a fresh command buffer, submits it and waits.
  void submit(const std::function<void(VkCommandBuffer)>& record);
  // The same, bracketed by count timestamps that record() writes to the given pool from query 0 on (they are reset
  // before). Returns them in nanoseconds since the first. Error where the queue has no timestamps.
  std::vector<double> submit_timed(uint32_t count, const std::function<void(VkCommandBuffer, VkQueryPool)>& record);
  bool has_timestamps() const;
  // Whether the device was created with this feature, by its name in Vulkan: "cooperativeMatrix", "shaderFloat16",
  // "vulkanMemoryModel", "pipelineExecutableInfo" and so on. False for what the library does not know.
  bool has_feature(std::string_view name) const;

  // Writes the pipeline cache file now; does nothing without one.
  void save_pipeline_cache();

  const std::filesystem::path& tuning_file() const;
  // Why the tuning file is there and not used: damaged, of another format, not readable. Empty: nothing is wrong with
  // it.
  const std::string& tuning_file_problem() const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Device-local memory that compute shaders and transfers may use (STORAGE, TRANSFER_SRC, TRANSFER_DST, and
// SHADER_DEVICE_ADDRESS where the device has it). Copies go through a staging buffer in chunks.
class Buffer {
 public:
  Buffer() noexcept;
  Buffer(Device& device, VkDeviceSize size);  // Error with VKTC_ERROR_LIMIT_EXCEEDED over max_allocation_size()
  ~Buffer();
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;

  VkBuffer handle() const;
  VkDeviceSize size() const;
  VktcBuffer view(VkDeviceSize offset = 0) const;  // from offset to the end; an empty Buffer gives a zero view

  void upload(const void* source, VkDeviceSize bytes, VkDeviceSize offset = 0);
  void download(void* destination, VkDeviceSize bytes, VkDeviceSize offset = 0);
  void fill(uint32_t word);  // the whole buffer, for poisoning

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- choosing -------------------------------------------------------------------------------------------------------

// Who chose the algorithm and the tile of a plan.
enum class ChoiceSource {
  caller,         // VktcPlanOptions names an algorithm, a candidate or a choice
  user_table,     // measured on this device by tune(): DeviceOptions::tuning_file
  shipped_table,  // measured by us: it comes with the library
  model,          // the planner's prediction
};

struct Choice {
  std::string text;  // for VktcPlanOptions::choice; empty for caller and model, which need none
  ChoiceSource source = ChoiceSource::model;
};

// What conv_transpose() and ConvTranspose take, for those who make plans of their own: the caller's, or else the user's
// table, or else the shipped one, or else the model. Tables are by device, driver, library version, memory access and
// every field of the problem; an entry that is no candidate of the problem here is passed over. Error where desc is
// invalid.
Choice choose(const Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options = {});

struct TuneOptions {
  // How many of the planner's candidates to measure, the best predicted first. The best of each algorithm is measured
  // in any case.
  uint32_t candidates = 8;
  // Of each, timed; 0: as many as give a steady median, fewer for slow problems.
  uint32_t repeats = 0;
  VktcMemoryAccess memory_access = VKTC_MEMORY_ACCESS_AUTO;
  // Called with done out of total candidates, from the calling thread.
  std::function<void(uint32_t done, uint32_t total)> progress;
};

struct MeasuredCandidate {
  std::string choice;  // VktcPlanInfo::choice
  std::string tile;    // in words
  double predicted_seconds = 0;
  double seconds = 0;  // median; by the device's clock where it has one
  uint32_t repeats = 0;
};

struct TuneResult {
  std::vector<MeasuredCandidate> candidates;  // the model's choice first
  size_t winner = 0;                          // an index of candidates
};

// Measures the best few candidates for a problem on the device, on random data, and puts the winner into the user's
// table: of this Device, and of its tuning file, whose other entries stay. The model's choice wins where no other is
// quicker by more than the noise. Nothing else should run on the device meanwhile. The problem must fit on the device
// as a whole; pieces that conv_transpose() cuts are problems of their own. Error as for ConvTranspose, and before
// anything is measured where the tuning file is there and cannot be used.
TuneResult tune(Device& device, const VktcConvTransposeDesc& desc, const TuneOptions& options = {});

// ---- running --------------------------------------------------------------------------------------------------------

struct TensorSizes {
  int64_t input_elements = 0, weight_elements = 0, output_elements = 0;
  int64_t bias_elements = 0, scale_elements = 0, residual_elements = 0;  // 0 where desc has none; shift as scale
  int64_t element_size = 0;                                              // of input and weights
  int64_t bias_element_size = 0;                                         // of int8 another: that of int32
  int64_t output_element_size = 0;   // of output and residual: another where desc.outputType says so
  std::vector<int64_t> output_size;  // spatial
};

TensorSizes tensor_sizes(const VktcConvTransposeDesc& desc);  // Error where desc is invalid

struct RunOptions {
  // Of each slab: where it names none, choose() does. A choice must be a candidate of all of them.
  VktcPlanOptions plan = {};
  // Called with done out of total bytes of output, from the calling thread.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // The most bytes one device buffer may have; 0: what the device allows. For tests.
  VkDeviceSize max_buffer_size = 0;
  // The most bytes one piece of work may take on the device altogether; 0: a share of its memory.
  VkDeviceSize max_device_memory = 0;
};

// What a problem reads and writes on the host. What desc does not need is ignored, and may be null.
struct Arrays {
  const void* input = nullptr;
  const void* weights = nullptr;
  const void* bias = nullptr;  // only with desc.hasBias
  void* output = nullptr;
  // Only with the post-ops that read them.
  const float* scale = nullptr;
  const float* shift = nullptr;
  const void* residual = nullptr;
};

// Runs one problem on host arrays, in the element types and layouts of desc (16-bit types as uint16_t, int8 as int8_t);
// tensor_sizes() tells how many elements each holds. The arrays are read and written during the call only; output may
// not overlap the others.
//
// What is too large for one buffer, one binding or the device's memory, or would keep the device busy for so long that
// a driver may lose its patience, is cut into slabs, each with a submission of its own. Cutting changes no bit of
// results of integers and, as the order of additions within an output depends on the plan, only the rounding of others.
// Error with VKTC_ERROR_LIMIT_EXCEEDED, which names the limit, where not even the inputs of a single output channel's
// smallest slab fit.
void conv_transpose(Device& device, const VktcConvTransposeDesc& desc, const Arrays& arrays,
                    const RunOptions& options = {});
// The same for a problem whose post-ops, if any, read no arrays.
void conv_transpose(Device& device, const VktcConvTransposeDesc& desc, const void* input, const void* weights,
                    const void* bias, void* output, const RunOptions& options = {});

// One problem with its weights on the device, to be run many times, by the plan that choose() says. The problem must
// fit on the device as a whole: Error with VKTC_ERROR_LIMIT_EXCEEDED otherwise, or VKTC_ERROR_VULKAN where there is no
// memory left.
class ConvTranspose {
 public:
  ConvTranspose(Device& device, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options = {});
  ~ConvTranspose();
  ConvTranspose(ConvTranspose&&) noexcept;
  ConvTranspose& operator=(ConvTranspose&&) noexcept;

  VktcPlan plan() const;
  const VktcPlanRequirements& requirements() const;

  // Uploads and packs; before the first run(), and whenever they change. bias may be null without desc.hasBias.
  void set_weights(const void* weights, const void* bias);
  // The same for the vectors of the post-op scale_shift; Error where the problem has none.
  void set_scale_shift(const float* scale, const float* shift);
  // Uploads input and residual, runs, downloads output; returns when all of it is done. residual may be null without
  // the post-op.
  void run(const void* input, void* output, const void* residual = nullptr);

  // For callers that keep their data on the device: the buffers of the call, input and output included.
  VktcBuffers buffers() const;
  Buffer& input();
  Buffer& output();
  Buffer& residual();  // empty without the post-op

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vktconv::host

// A thin C++17 layer over vktconv.h: handles that destroy themselves and exceptions instead of statuses. Header-only;
// it hides nothing: get() gives the C handle. Threading and lifetime rules are those of vktconv.h, so declare a Context
// before its Plans and a Plan before its Bindings.
//
//     vktc::DeviceFeatures wanted(instance, physical_device, vkGetInstanceProcAddr);
//     wanted.splice(device_create_info);                      // then vkCreateDevice
//     VktcContextCreateInfo info = {};
//     ...
//     info.deviceCreateInfo = &device_create_info;
//     vktc::Context context(info);
//     vktc::Plan plan(context, desc);
//     plan.pack_weights(command_buffer, buffers);
//     plan.conv_transpose(command_buffer, buffers);
#pragma once

#include <vktconv/vktconv.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vktc {

class Error : public std::runtime_error {
 public:
  explicit Error(const VktcError& error) : std::runtime_error(error.message), error_(error) {}
  const VktcError& error() const noexcept { return error_; }
  VktcStatus status() const noexcept { return error_.status; }

 private:
  VktcError error_;
};

namespace detail {

inline void check(VktcStatus status, const VktcError& error) {
  if (status != VKTC_SUCCESS) throw Error(error);
}

// A handle that is destroyed with its owner.
template <typename Handle, void (*destroy)(Handle)>
class Owner {
 public:
  Owner() = default;
  ~Owner() { destroy(handle_); }
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    if (this != &other) {
      destroy(handle_);
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Handle get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

 protected:
  Handle handle_ = nullptr;
};

}  // namespace detail

// Post-ops, for VktcConvTransposeDesc::postOps:
//     vktc::append(desc, vktc::post_op::scale_shift());
//     vktc::append(desc, vktc::post_op::leaky_relu(0.2f));
namespace post_op {

inline VktcPostOp relu() noexcept { return {VKTC_POST_OP_RELU, 0, 0}; }
inline VktcPostOp leaky_relu(float alpha) noexcept { return {VKTC_POST_OP_LEAKY_RELU, alpha, 0}; }
inline VktcPostOp silu() noexcept { return {VKTC_POST_OP_SILU, 0, 0}; }
inline VktcPostOp gelu_tanh() noexcept { return {VKTC_POST_OP_GELU_TANH, 0, 0}; }
inline VktcPostOp gelu_erf() noexcept { return {VKTC_POST_OP_GELU_ERF, 0, 0}; }
inline VktcPostOp mish() noexcept { return {VKTC_POST_OP_MISH, 0, 0}; }
inline VktcPostOp sigmoid() noexcept { return {VKTC_POST_OP_SIGMOID, 0, 0}; }
inline VktcPostOp tanh() noexcept { return {VKTC_POST_OP_TANH, 0, 0}; }
inline VktcPostOp clamp(float low, float high) noexcept { return {VKTC_POST_OP_CLAMP, low, high}; }
inline VktcPostOp linear(float alpha, float beta) noexcept { return {VKTC_POST_OP_LINEAR, alpha, beta}; }
inline VktcPostOp scale_shift() noexcept { return {VKTC_POST_OP_SCALE_SHIFT, 0, 0}; }
inline VktcPostOp residual() noexcept { return {VKTC_POST_OP_RESIDUAL, 0, 0}; }

}  // namespace post_op

// Puts a post-op behind those of desc. Throws where there is no room for another.
inline void append(VktcConvTransposeDesc& desc, const VktcPostOp& op) {
  if (desc.postOpCount >= VKTC_MAX_POST_OPS) {
    VktcError error = {VKTC_ERROR_INVALID_PARAMETER, VK_SUCCESS, "postOpCount",
                       "postOpCount is VKTC_MAX_POST_OPS already: no post-op can be appended"};
    throw Error(error);
  }
  desc.postOps[desc.postOpCount++] = op;
}

class Context : public detail::Owner<VktcContext, vktcDestroyContext> {
 public:
  Context() = default;
  explicit Context(const VktcContextCreateInfo& create_info) {
    VktcError error;
    detail::check(vktcCreateContext(&create_info, &handle_, &error), error);
  }

  VkPipelineCache pipeline_cache() const noexcept { return vktcGetPipelineCache(handle_); }

  std::vector<std::byte> pipeline_cache_data() const {
    VktcError error;
    std::vector<std::byte> data;
    VktcStatus status;
    do {  // another thread may make the cache grow between the two calls
      std::size_t size = 0;
      detail::check(vktcGetPipelineCacheData(handle_, &size, nullptr, &error), error);
      data.resize(size);
      status = vktcGetPipelineCacheData(handle_, &size, data.data(), &error);
      data.resize(size < data.size() ? size : data.size());
    } while (status == VKTC_ERROR_VULKAN && error.vkResult == VK_INCOMPLETE);
    detail::check(status, error);
    return data;
  }
};

class Plan : public detail::Owner<VktcPlan, vktcDestroyPlan> {
 public:
  Plan() = default;
  Plan(const Context& context, const VktcConvTransposeDesc& desc, const VktcPlanOptions& options = {}) {
    VktcError error;
    detail::check(vktcCreatePlan(context.get(), &desc, &options, &handle_, &error), error);
  }

  VktcPlanRequirements requirements() const noexcept {
    VktcPlanRequirements requirements;
    vktcGetPlanRequirements(handle_, &requirements);
    return requirements;
  }

  VktcPlanInfo info() const noexcept {
    VktcPlanInfo info;
    vktcGetPlanInfo(handle_, &info);
    return info;
  }

  VktcDispatchInfo dispatch_info(uint32_t index) const noexcept {
    VktcDispatchInfo info;
    vktcGetDispatchInfo(handle_, index, &info);
    return info;
  }

  void pack_weights(VkCommandBuffer command_buffer, const VktcBuffers& buffers,
                    const VktcTimestamps* timestamps = nullptr) const {
    VktcError error;
    detail::check(vktcCmdPackWeights(command_buffer, handle_, &buffers, timestamps, &error), error);
  }

  void conv_transpose(VkCommandBuffer command_buffer, const VktcBuffers& buffers,
                      const VktcTimestamps* timestamps = nullptr) const {
    VktcError error;
    detail::check(vktcCmdConvTranspose(command_buffer, handle_, &buffers, timestamps, &error), error);
  }
};

class Bindings : public detail::Owner<VktcBindings, vktcDestroyBindings> {
 public:
  Bindings() = default;
  Bindings(const Plan& plan, const VktcBuffers& buffers) {
    VktcError error;
    detail::check(vktcCreateBindings(plan.get(), &buffers, &handle_, &error), error);
  }

  void pack_weights(VkCommandBuffer command_buffer, const VktcTimestamps* timestamps = nullptr) const {
    VktcError error;
    detail::check(vktcCmdPackWeightsBound(command_buffer, handle_, timestamps, &error), error);
  }

  void conv_transpose(VkCommandBuffer command_buffer, const VktcTimestamps* timestamps = nullptr) const {
    VktcError error;
    detail::check(vktcCmdConvTransposeBound(command_buffer, handle_, timestamps, &error), error);
  }
};

// The features and extensions that the library would like and the device has, for an application that is about to
// create its device. Must stay alive until vkCreateDevice and vktcCreateContext have read the VkDeviceCreateInfo.
class DeviceFeatures {
 public:
  DeviceFeatures(VkInstance instance, VkPhysicalDevice physical_device,
                 PFN_vkGetInstanceProcAddr get_instance_proc_addr)
      : chain_(std::make_unique<Chain>()) {
    VktcError error;
    uint32_t count = 0;
    detail::check(vktcGetDeviceExtensions(instance, physical_device, get_instance_proc_addr, &count, nullptr, &error),
                  error);
    extensions_.resize(count);
    detail::check(
        vktcGetDeviceExtensions(instance, physical_device, get_instance_proc_addr, &count, extensions_.data(), &error),
        error);
    extensions_.resize(count);
    const auto get_properties = reinterpret_cast<PFN_vkGetPhysicalDeviceProperties>(
        get_instance_proc_addr(instance, "vkGetPhysicalDeviceProperties"));
    VkPhysicalDeviceProperties properties = {};
    get_properties(physical_device, &properties);
    chain_->link(properties.apiVersion, *this);
    detail::check(
        vktcRequestDeviceFeatures(instance, physical_device, get_instance_proc_addr, &chain_->features, &error), error);
  }

  // The chain by itself: a VkPhysicalDeviceFeatures2 for VkDeviceCreateInfo::pNext (pEnabledFeatures is then NULL). An
  // application may set more of its features before it is used.
  VkPhysicalDeviceFeatures2& chain() noexcept { return chain_->features; }
  const std::vector<const char*>& extensions() const noexcept { return extensions_; }

  // Adds them to what create_info asks for already: the chain goes in front of its pNext, pEnabledFeatures move into
  // the chain, the extension names are joined. Throws where pNext holds one of the structures of the chain itself
  // (Vulkan forbids two of a kind): such an application calls vktcRequestDeviceFeatures on its own chain.
  void splice(VkDeviceCreateInfo& create_info) {
    *chain_->tail = nullptr;
    for (auto* theirs = static_cast<const VkBaseInStructure*>(create_info.pNext); theirs != nullptr;
         theirs = theirs->pNext) {
      if (chain_->clashes(theirs->sType)) {
        VktcError error = {VKTC_ERROR_INVALID_PARAMETER, VK_SUCCESS, "create_info.pNext",
                           "create_info.pNext holds feature structures that the library adds too: call "
                           "vktcRequestDeviceFeatures on them instead"};
        throw Error(error);
      }
    }
    if (create_info.pEnabledFeatures != nullptr) {
      const VkBool32 wanted_int16 = chain_->features.features.shaderInt16;
      chain_->features.features = *create_info.pEnabledFeatures;
      chain_->features.features.shaderInt16 |= wanted_int16;
      create_info.pEnabledFeatures = nullptr;
    }
    *chain_->tail = const_cast<void*>(create_info.pNext);
    create_info.pNext = &chain_->features;

    names_.assign(create_info.ppEnabledExtensionNames,
                  create_info.ppEnabledExtensionNames + create_info.enabledExtensionCount);
    for (const char* extension : extensions_) {
      if (!contains(names_, extension)) names_.push_back(extension);
    }
    create_info.ppEnabledExtensionNames = names_.data();
    create_info.enabledExtensionCount = static_cast<uint32_t>(names_.size());
  }

 private:
  // On the heap, so that the pointers of the chain survive a move.
  struct Chain {
    VkPhysicalDeviceFeatures2 features = {};
    VkPhysicalDevice16BitStorageFeatures storage_16bit = {};
    VkPhysicalDevice8BitStorageFeatures storage_8bit = {};
    VkPhysicalDeviceShaderFloat16Int8Features float16_int8 = {};
    VkPhysicalDeviceBufferDeviceAddressFeatures buffer_device_address = {};
    VkPhysicalDeviceVulkanMemoryModelFeatures vulkan_memory_model = {};
    VkPhysicalDeviceSubgroupSizeControlFeatures subgroup_size_control = {};
    VkPhysicalDeviceShaderIntegerDotProductFeatures integer_dot_product = {};
#ifdef VK_KHR_cooperative_matrix
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR cooperative_matrix = {};
#endif
#ifdef VK_KHR_shader_bfloat16
    VkPhysicalDeviceShaderBfloat16FeaturesKHR bfloat16 = {};
#endif
    void** tail = nullptr;

    template <typename Structure>
    void append(Structure& structure, VkStructureType type) {
      structure.sType = type;
      *tail = &structure;
      tail = &structure.pNext;
    }

    // Links the structures that a device of this version, with these extensions, may be created with.
    void link(uint32_t api_version, const DeviceFeatures& owner) {
      const bool is_1_3 = api_version >= VK_API_VERSION_1_3;
      features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
      tail = &features.pNext;
      append(storage_16bit, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
      append(storage_8bit, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES);
      append(float16_int8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
      append(buffer_device_address, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES);
      append(vulkan_memory_model, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
      if (is_1_3 || contains(owner.extensions_, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) {
        append(subgroup_size_control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
      }
      if (is_1_3 || contains(owner.extensions_, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME)) {
        append(integer_dot_product, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
      }
#ifdef VK_KHR_cooperative_matrix
      if (contains(owner.extensions_, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
        append(cooperative_matrix, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
      }
#endif
#ifdef VK_KHR_shader_bfloat16
      if (contains(owner.extensions_, VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME)) {
        append(bfloat16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR);
      }
#endif
    }

    // One of our structures, or one that Vulkan forbids beside them.
    bool clashes(VkStructureType theirs) const {
      if (theirs == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES ||
          theirs == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES ||
          theirs == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES) {
        return true;
      }
      // Until splice, the chain ends with our last structure.
      for (auto* ours = reinterpret_cast<const VkBaseInStructure*>(&features); ours != nullptr; ours = ours->pNext) {
        if (ours->sType == theirs) return true;
      }
      return false;
    }
  };

  static bool contains(const std::vector<const char*>& names, const char* name) {
    for (const char* candidate : names) {
      if (std::strcmp(candidate, name) == 0) return true;
    }
    return false;
  }

  std::unique_ptr<Chain> chain_;
  std::vector<const char*> extensions_;
  std::vector<const char*> names_;  // after splice: theirs and ours
};

}  // namespace vktc

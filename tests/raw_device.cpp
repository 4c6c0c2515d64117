#include "raw_device.h"

#include <doctest/doctest.h>

#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace vktconv::tests {
namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

#ifdef VK_EXT_layer_settings
constexpr VkBool32 yes = VK_TRUE;
constexpr VkLayerSettingEXT layer_settings[] = {
    {validation_layer, "validate_sync", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &yes},
    {validation_layer, "syncval_shader_accesses_heuristic", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &yes},
};
constexpr VkLayerSettingsCreateInfoEXT synchronization_validation = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
                                                                     nullptr, 2, layer_settings};
#endif

PFN_vkGetInstanceProcAddr load_loader() {
  static void* const library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error("there is no libvulkan.so.1");
  return reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
}

void check(VkResult result, const char* function) {
  if (result == VK_SUCCESS) return;
  throw std::runtime_error(std::string(function) + " gave VkResult " + std::to_string(result));
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

RawDevice::RawDevice(const RawDeviceOptions& options)
    : get_instance_proc_addr_(load_loader()), options_(options), enabled_(options) {
  create_instance();
  choose_physical_device();
  choose_features();
  create_device();
}

RawDevice::~RawDevice() {
  call<PFN_vkDestroyDevice>("vkDestroyDevice")(device_, nullptr);
  if (messenger_ != VK_NULL_HANDLE) {
    call<PFN_vkDestroyDebugUtilsMessengerEXT>("vkDestroyDebugUtilsMessengerEXT")(instance_, messenger_, nullptr);
  }
  call<PFN_vkDestroyInstance>("vkDestroyInstance")(instance_, nullptr);
  for (const std::string& message : validation_messages_) FAIL_CHECK(message);
}

VktcContextCreateInfo RawDevice::context_create_info() const {
  VktcContextCreateInfo info{};
  info.instance = instance_;
  info.physicalDevice = physical_device_;
  info.device = device_;
  info.getInstanceProcAddr = get_instance_proc_addr_;
  info.apiVersion = options_.api_version;
  info.deviceCreateInfo = &device_create_info_;
  return info;
}

VkBool32 VKAPI_PTR RawDevice::on_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                         const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
  auto* device = static_cast<RawDevice*>(self);
  const std::lock_guard lock(device->validation_mutex_);
  device->validation_messages_.emplace_back(data->pMessage);
  return VK_FALSE;
}

void RawDevice::create_instance() {
  const auto enumerate = reinterpret_cast<PFN_vkEnumerateInstanceLayerProperties>(
      get_instance_proc_addr_(VK_NULL_HANDLE, "vkEnumerateInstanceLayerProperties"));
  uint32_t count = 0;
  check(enumerate(&count, nullptr), "vkEnumerateInstanceLayerProperties");
  std::vector<VkLayerProperties> layers(count);
  check(enumerate(&count, layers.data()), "vkEnumerateInstanceLayerProperties");
  const bool has_layer = std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
    return std::strcmp(layer.layerName, validation_layer) == 0;
  });
  const std::string wish = environment("VKTCONV_TEST_VALIDATION");
  if (wish == "required" && !has_layer) throw std::runtime_error("there is no VK_LAYER_KHRONOS_validation");
  const bool validate = has_layer && wish != "off";

  VkDebugUtilsMessengerCreateInfoEXT messenger_info{};
  messenger_info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
  messenger_info.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messenger_info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  messenger_info.pfnUserCallback = on_message;
  messenger_info.pUserData = this;

  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "vktconv-tests";
  application.apiVersion = options_.api_version;
  const char* const debug_utils = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  if (validate) {
#ifdef VK_EXT_layer_settings
    info.pNext = &synchronization_validation;
#endif
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &validation_layer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &debug_utils;
  }
  const auto create =
      reinterpret_cast<PFN_vkCreateInstance>(get_instance_proc_addr_(VK_NULL_HANDLE, "vkCreateInstance"));
  check(create(&info, nullptr, &instance_), "vkCreateInstance");
  if (!validate) return;
  check(call<PFN_vkCreateDebugUtilsMessengerEXT>("vkCreateDebugUtilsMessengerEXT")(instance_, &messenger_info, nullptr,
                                                                                   &messenger_),
        "vkCreateDebugUtilsMessengerEXT");
}

void RawDevice::choose_physical_device() {
  const auto enumerate = call<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
  const auto get_properties = call<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties");
  uint32_t count = 0;
  check(enumerate(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
  std::vector<VkPhysicalDevice> devices(count);
  check(enumerate(instance_, &count, devices.data()), "vkEnumeratePhysicalDevices");
  const std::string wish = environment("VKTCONV_TEST_DEVICE");
  for (uint32_t i = 0; i < count; ++i) {
    get_properties(devices[i], &properties_);
    const bool is_wished = wish.empty() || wish == std::to_string(i) ||
                           lower(properties_.deviceName).find(lower(wish)) != std::string::npos;
    if (!is_wished || properties_.apiVersion < VK_API_VERSION_1_2) continue;
    physical_device_ = devices[i];
    break;
  }
  if (physical_device_ == VK_NULL_HANDLE) throw std::runtime_error("no Vulkan 1.2 device \"" + wish + "\"");

  const auto get_families =
      call<PFN_vkGetPhysicalDeviceQueueFamilyProperties>("vkGetPhysicalDeviceQueueFamilyProperties");
  get_families(physical_device_, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  get_families(physical_device_, &count, families.data());
  const auto found = std::find_if(families.begin(), families.end(), [](const VkQueueFamilyProperties& family) {
    return (family.queueFlags & VK_QUEUE_COMPUTE_BIT) != 0;
  });
  if (found == families.end()) throw std::runtime_error("the device has no compute queue");
  queue_family_ = static_cast<uint32_t>(found - families.begin());
}

void RawDevice::choose_features() {
  device_create_info_.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  if (options_.all_features) {
    all_features_ = std::make_unique<vktc::DeviceFeatures>(instance_, physical_device_, get_instance_proc_addr_);
    all_features_->splice(device_create_info_);
    for (auto* s = static_cast<const VkBaseInStructure*>(device_create_info_.pNext); s != nullptr; s = s->pNext) {
      if (s->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES) continue;
      enabled_.buffer_device_address =
          reinterpret_cast<const VkPhysicalDeviceBufferDeviceAddressFeatures*>(s)->bufferDeviceAddress == VK_TRUE;
    }
    for (const char* name : all_features_->extensions()) {
      if (std::strcmp(name, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME) == 0) enabled_.push_descriptor = true;
    }
    return;
  }
  const auto enumerate = call<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
  uint32_t count = 0;
  check(enumerate(physical_device_, nullptr, &count, nullptr), "vkEnumerateDeviceExtensionProperties");
  std::vector<VkExtensionProperties> available(count);
  check(enumerate(physical_device_, nullptr, &count, available.data()), "vkEnumerateDeviceExtensionProperties");
  const auto enable = [&](bool wanted, const char* name) {
    const bool has = wanted && std::any_of(available.begin(), available.end(), [&](const VkExtensionProperties& e) {
                       return std::strcmp(e.extensionName, name) == 0;
                     });
    if (has) extensions_.push_back(name);
    return has;
  };

  // Asks for what there is, then keeps what is wanted of it.
  features_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  vulkan11_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  vulkan12_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  subgroup_size_control_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
  executable_properties_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR;
  features_.pNext = &vulkan11_;
  vulkan11_.pNext = &vulkan12_;
  void** tail = &vulkan12_.pNext;
  if (enable(options_.subgroup_size_control, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME)) {
    *tail = &subgroup_size_control_;
    tail = &subgroup_size_control_.pNext;
  }
  if (enable(options_.executable_properties, VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME)) {
    *tail = &executable_properties_;
  }
  call<PFN_vkGetPhysicalDeviceFeatures2>("vkGetPhysicalDeviceFeatures2")(physical_device_, &features_);
  const VkBool32 has_int16 = features_.features.shaderInt16;
  const VkBool32 has_storage_16bit = vulkan11_.storageBuffer16BitAccess;
  const VkBool32 has_address = vulkan12_.bufferDeviceAddress;
  enabled_.storage_16bit = options_.storage_16bit && has_int16 && has_storage_16bit;
  enabled_.buffer_device_address = options_.buffer_device_address && has_address;
  enabled_.push_descriptor = enable(options_.push_descriptor, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
  enabled_.subgroup_size_control = subgroup_size_control_.subgroupSizeControl == VK_TRUE;
  enabled_.executable_properties = executable_properties_.pipelineExecutableInfo == VK_TRUE;

  features_.features = {};
  features_.features.shaderInt16 = enabled_.storage_16bit;
  vulkan11_ = {vulkan11_.sType, vulkan11_.pNext, enabled_.storage_16bit, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  void* const after12 = vulkan12_.pNext;
  vulkan12_ = {};
  vulkan12_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  vulkan12_.pNext = after12;
  vulkan12_.bufferDeviceAddress = enabled_.buffer_device_address;
  device_create_info_.pNext = &features_;
  device_create_info_.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
  device_create_info_.ppEnabledExtensionNames = extensions_.data();
}

void RawDevice::create_device() {
  queue_create_info_.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue_create_info_.queueFamilyIndex = queue_family_;
  queue_create_info_.queueCount = 1;
  queue_create_info_.pQueuePriorities = &queue_priority_;
  device_create_info_.queueCreateInfoCount = 1;
  device_create_info_.pQueueCreateInfos = &queue_create_info_;
  check(call<PFN_vkCreateDevice>("vkCreateDevice")(physical_device_, &device_create_info_, nullptr, &device_),
        "vkCreateDevice");
  call<PFN_vkGetDeviceQueue>("vkGetDeviceQueue")(device_, queue_family_, 0, &queue_);
}

void RawDevice::submit(const std::function<void(VkCommandBuffer)>& record) const {
  RawCommandBuffer commands(*this);
  commands.begin();
  record(commands.get());
  commands.end();
  const VkCommandBuffer command_buffer = commands.get();
  VkSubmitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &command_buffer;
  check(call<PFN_vkQueueSubmit>("vkQueueSubmit")(queue_, 1, &info, VK_NULL_HANDLE), "vkQueueSubmit");
  check(call<PFN_vkQueueWaitIdle>("vkQueueWaitIdle")(queue_), "vkQueueWaitIdle");
}

RawCommandBuffer::RawCommandBuffer(const RawDevice& device) : device_(device) {
  VkCommandPoolCreateInfo pool_info{};
  pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool_info.queueFamilyIndex = device.queue_family();
  check(device.call<PFN_vkCreateCommandPool>("vkCreateCommandPool")(device.device(), &pool_info, nullptr, &pool_),
        "vkCreateCommandPool");
  VkCommandBufferAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  check(device.call<PFN_vkAllocateCommandBuffers>("vkAllocateCommandBuffers")(device.device(), &info, &command_buffer_),
        "vkAllocateCommandBuffers");
}

RawCommandBuffer::~RawCommandBuffer() {
  device_.call<PFN_vkDestroyCommandPool>("vkDestroyCommandPool")(device_.device(), pool_, nullptr);
}

void RawCommandBuffer::begin() {
  VkCommandBufferBeginInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  check(device_.call<PFN_vkBeginCommandBuffer>("vkBeginCommandBuffer")(command_buffer_, &info), "vkBeginCommandBuffer");
}

void RawCommandBuffer::end() {
  check(device_.call<PFN_vkEndCommandBuffer>("vkEndCommandBuffer")(command_buffer_), "vkEndCommandBuffer");
}

RawBuffer::RawBuffer(const RawDevice& device, VkDeviceSize size) : device_(&device), size_(size) {
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = size;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  if (device.enabled().buffer_device_address) info.usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
  check(device.call<PFN_vkCreateBuffer>("vkCreateBuffer")(device.device(), &info, nullptr, &buffer_), "vkCreateBuffer");

  VkMemoryRequirements requirements{};
  device.call<PFN_vkGetBufferMemoryRequirements>("vkGetBufferMemoryRequirements")(device.device(), buffer_,
                                                                                  &requirements);
  VkPhysicalDeviceMemoryProperties memory{};
  device.call<PFN_vkGetPhysicalDeviceMemoryProperties>("vkGetPhysicalDeviceMemoryProperties")(device.physical_device(),
                                                                                              &memory);
  constexpr VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  uint32_t type = 0;
  while (type < memory.memoryTypeCount && ((requirements.memoryTypeBits >> type & 1) == 0 ||
                                           (memory.memoryTypes[type].propertyFlags & wanted) != wanted)) {
    ++type;
  }
  if (type == memory.memoryTypeCount) throw std::runtime_error("no memory that the host sees");

  VkMemoryAllocateFlagsInfo flags{};
  flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
  flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
  VkMemoryAllocateInfo allocate_info{};
  allocate_info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocate_info.pNext = device.enabled().buffer_device_address ? &flags : nullptr;
  allocate_info.allocationSize = requirements.size;
  allocate_info.memoryTypeIndex = type;
  check(device.call<PFN_vkAllocateMemory>("vkAllocateMemory")(device.device(), &allocate_info, nullptr, &memory_),
        "vkAllocateMemory");
  check(device.call<PFN_vkBindBufferMemory>("vkBindBufferMemory")(device.device(), buffer_, memory_, 0),
        "vkBindBufferMemory");
  void* mapped = nullptr;
  check(device.call<PFN_vkMapMemory>("vkMapMemory")(device.device(), memory_, 0, VK_WHOLE_SIZE, 0, &mapped),
        "vkMapMemory");
  data_ = static_cast<std::byte*>(mapped);
}

RawBuffer::~RawBuffer() {
  if (device_ == nullptr) return;
  device_->call<PFN_vkDestroyBuffer>("vkDestroyBuffer")(device_->device(), buffer_, nullptr);
  device_->call<PFN_vkFreeMemory>("vkFreeMemory")(device_->device(), memory_, nullptr);
}

RawBuffer::RawBuffer(RawBuffer&& other) noexcept { *this = std::move(other); }

RawBuffer& RawBuffer::operator=(RawBuffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(size_, other.size_);
  std::swap(buffer_, other.buffer_);
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  return *this;
}

}  // namespace vktconv::tests

#include "instance.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "raise.h"

namespace vktconv::host {
namespace {

#ifdef VK_API_VERSION_1_4
constexpr uint32_t newest_known_version = VK_API_VERSION_1_4;
#else
constexpr uint32_t newest_known_version = VK_API_VERSION_1_3;
#endif

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* message, void* log) {
  static_cast<ValidationLog*>(log)->report(*message, severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT);
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(ValidationLog* log) {
  VkDebugUtilsMessengerCreateInfoEXT info = {};
  info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
  info.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  // Not those of type GENERAL: the loader complains there about drivers that have nothing to do with us.
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  info.pfnUserCallback = on_message;
  info.pUserData = log;
  return info;
}

bool has_layer(const LoaderTable& loader, const char* name) {
  uint32_t count = 0;
  if (loader.vkEnumerateInstanceLayerProperties(&count, nullptr) < 0) return false;
  std::vector<VkLayerProperties> layers(count);
  if (loader.vkEnumerateInstanceLayerProperties(&count, layers.data()) < 0) return false;
  layers.resize(count);
  return std::any_of(layers.begin(), layers.end(),
                     [name](const VkLayerProperties& layer) { return std::strcmp(layer.layerName, name) == 0; });
}

// layer: null for what the loader and the drivers have.
bool has_extension(const LoaderTable& loader, const char* layer, const char* name) {
  uint32_t count = 0;
  if (loader.vkEnumerateInstanceExtensionProperties(layer, &count, nullptr) < 0) return false;
  std::vector<VkExtensionProperties> extensions(count);
  if (loader.vkEnumerateInstanceExtensionProperties(layer, &count, extensions.data()) < 0) return false;
  extensions.resize(count);
  return std::any_of(extensions.begin(), extensions.end(), [name](const VkExtensionProperties& extension) {
    return std::strcmp(extension.extensionName, name) == 0;
  });
}

}  // namespace

ValidationLog::ValidationLog(std::function<void(const std::string&)> sink) : sink_(std::move(sink)) {}

void ValidationLog::report(const VkDebugUtilsMessengerCallbackDataEXT& message, bool is_error) noexcept {
  ++count_;
  try {
    std::string text = is_error ? "error" : "warning";
    if (message.pMessageIdName != nullptr) text += std::string(" ") + message.pMessageIdName;
    text += std::string(": ") + (message.pMessage != nullptr ? message.pMessage : "");
    const std::lock_guard lock(mutex_);
    if (sink_) {
      sink_(text);
    } else {
      std::fprintf(stderr, "Vulkan validation %s\n", text.c_str());
    }
  } catch (...) {  // we are called by C code; the count stays
  }
}

Instance::Instance(std::shared_ptr<ValidationLog> validation) : validation_(std::move(validation)) {
  const LoaderTable* loader = vulkan_loader();
  if (loader == nullptr) {
    raise_vulkan(VK_ERROR_INITIALIZATION_FAILED, "",
                 "there is no Vulkan loader (libvulkan.so.1) on this machine: install a Vulkan driver");
  }
  api_version_ = std::min(
      VK_MAKE_API_VERSION(0, VK_API_VERSION_MAJOR(loader->api_version), VK_API_VERSION_MINOR(loader->api_version), 0),
      newest_known_version);
  if (api_version_ < VK_API_VERSION_1_2) {
    raise_vulkan(VK_ERROR_INCOMPATIBLE_DRIVER, "",
                 "the Vulkan loader is of version " + std::to_string(VK_API_VERSION_MAJOR(api_version_)) + "." +
                     std::to_string(VK_API_VERSION_MINOR(api_version_)) + ": 1.2 is needed");
  }

  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pEngineName = "vktconv-host";
  application.engineVersion = vktcGetVersion();
  application.apiVersion = api_version_;
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;

  std::vector<const char*> extensions;
#ifdef VK_KHR_portability_enumeration
  if (has_extension(*loader, nullptr, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
    extensions.push_back(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
  }
#endif

  VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(validation_.get());
#ifdef VK_EXT_layer_settings
  const VkBool32 yes = VK_TRUE;
  const VkLayerSettingEXT settings[] = {
      {validation_layer, "validate_sync", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &yes},
      // Counts a buffer as accessed where a shader that binds it may access it.
      {validation_layer, "syncval_shader_accesses_heuristic", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &yes},
  };
  VkLayerSettingsCreateInfoEXT layer_settings = {};
  layer_settings.sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT;
  layer_settings.settingCount = static_cast<uint32_t>(std::size(settings));
  layer_settings.pSettings = settings;
#endif
  const VkValidationFeatureEnableEXT synchronization = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
  VkValidationFeaturesEXT validation_features = {};
  validation_features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
  validation_features.enabledValidationFeatureCount = 1;
  validation_features.pEnabledValidationFeatures = &synchronization;

  if (validation_) {
    if (!has_layer(*loader, validation_layer)) {
      raise_vulkan(VK_ERROR_LAYER_NOT_PRESENT, "validation",
                   std::string("validation is asked for, and the layer ") + validation_layer + " is not installed");
    }
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &validation_layer;
    extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    info.pNext = &messenger;
    bool has_settings = false;
#ifdef VK_EXT_layer_settings
    has_settings = has_extension(*loader, validation_layer, VK_EXT_LAYER_SETTINGS_EXTENSION_NAME);
    if (has_settings) {
      extensions.push_back(VK_EXT_LAYER_SETTINGS_EXTENSION_NAME);
      messenger.pNext = &layer_settings;
    }
#endif
    if (!has_settings) {  // a layer from before 2024
      extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
      messenger.pNext = &validation_features;
    }
  }
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();

  const VkResult result = loader->vkCreateInstance(&info, nullptr, &handle_);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    raise_vulkan(result, "", "there is a Vulkan loader on this machine, and no Vulkan driver that it can use");
  }
  check_vulkan(result, "vkCreateInstance");
  load_instance_table(functions_, handle_);
  if (!validation_) return;
  messenger.pNext = nullptr;
  const VkResult made = functions_.vkCreateDebugUtilsMessengerEXT(handle_, &messenger, nullptr, &messenger_);
  if (made != VK_SUCCESS) {
    functions_.vkDestroyInstance(handle_, nullptr);
    check_vulkan(made, "vkCreateDebugUtilsMessengerEXT");
  }
}

Instance::~Instance() {
  if (messenger_ != VK_NULL_HANDLE) functions_.vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  functions_.vkDestroyInstance(handle_, nullptr);
}

}  // namespace vktconv::host

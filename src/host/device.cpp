#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "device_choice.h"
#include "device_impl.h"
#include "enabled_features.h"
#include "raise.h"
#include "sha256.h"

namespace vktconv::host {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// What the caller disables, and what the user does: VKTCONV_DISABLE, separated by commas.
std::vector<std::string> disabled_names(const DeviceOptions& options) {
  std::vector<std::string> names = options.disable;
  const std::string text = environment("VKTCONV_DISABLE");
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

Device::Impl::Impl(const DeviceOptions& options)
    : cache_file(options.pipeline_cache_file), tuning_file(options.tuning_file) {
  if (options.validation) validation = std::make_shared<ValidationLog>(options.on_validation_message);
  instance = std::make_unique<Instance>(validation);
  choose(options);
  read_limits();
  try {
    create_device(options);
  } catch (const vktc::Error& error) {  // of the C++ layer over the core
    throw Error(error.error());
  }
  read_tuning();
}

Device::Impl::~Impl() {
  if (device.handle == VK_NULL_HANDLE) return;
  device.functions.vkDeviceWaitIdle(device.handle);
  try {
    save_pipeline_cache();
  } catch (const std::exception&) {  // a cache that is not kept costs time, and nothing else
  }
}

void Device::Impl::choose(const DeviceOptions& options) {
  std::vector<PhysicalDevice> found = find_physical_devices(instance->functions(), instance->handle());
  std::vector<DeviceSummary> summaries;
  for (const PhysicalDevice& candidate : found) summaries.push_back(candidate.summary);
  const std::string wanted = options.device.empty() ? environment("VKTCONV_DEVICE") : options.device;
  physical = std::move(found[choose_device(summaries, wanted)]);
  queue_family = find_compute_family(instance->functions(), physical.handle).value();
}

void Device::Impl::read_limits() {
  const InstanceTable& functions = instance->functions();
  api_version = std::min(instance->api_version(), physical.properties.apiVersion);

  VkPhysicalDeviceMaintenance3Properties maintenance3 = {};
  maintenance3.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
  VkPhysicalDeviceMaintenance4Properties maintenance4 = {};
  maintenance4.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
  VkPhysicalDeviceProperties2 properties = {};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &maintenance3;
  if (api_version >= VK_API_VERSION_1_3) maintenance3.pNext = &maintenance4;
  functions.vkGetPhysicalDeviceProperties2(physical.handle, &properties);
  max_allocation_size = maintenance3.maxMemoryAllocationSize;
  if (maintenance4.maxBufferSize != 0) max_allocation_size = std::min(max_allocation_size, maintenance4.maxBufferSize);

  VkPhysicalDeviceMemoryProperties memory_properties = {};
  functions.vkGetPhysicalDeviceMemoryProperties(physical.handle, &memory_properties);
  for (uint32_t i = 0; i < memory_properties.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = memory_properties.memoryHeaps[i];
    if (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) device_local_memory = std::max(device_local_memory, heap.size);
  }
  // A discrete device may also map its memory, over a bus: copies by the device itself are quicker then.
  unified_memory = physical.summary.type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU ||
                   physical.summary.type == VK_PHYSICAL_DEVICE_TYPE_CPU;

  uint32_t count = 0;
  functions.vkGetPhysicalDeviceQueueFamilyProperties(physical.handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  functions.vkGetPhysicalDeviceQueueFamilyProperties(physical.handle, &count, families.data());
  if (physical.properties.limits.timestampPeriod > 0) timestamp_bits = families.at(queue_family).timestampValidBits;
}

void Device::Impl::create_device(const DeviceOptions& options) {
  std::vector<std::string> disable = disabled_names(options);
  if (std::erase(disable, "VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT") > 0) unified_memory = false;
  EnabledFeatures enabled(instance->functions(), instance->handle(), physical.handle, options.pipeline_statistics,
                          disable);
  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queue_info = {};
  queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue_info.queueFamilyIndex = queue_family;
  queue_info.queueCount = 1;
  queue_info.pQueuePriorities = &priority;
  VkDeviceCreateInfo device_info = {};
  device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  device_info.pNext = enabled.chain();
  device_info.queueCreateInfoCount = 1;
  device_info.pQueueCreateInfos = &queue_info;
  device_info.enabledExtensionCount = static_cast<uint32_t>(enabled.extensions().size());
  device_info.ppEnabledExtensionNames = enabled.extensions().data();
  VkDevice handle = VK_NULL_HANDLE;
  check_vulkan(instance->functions().vkCreateDevice(physical.handle, &device_info, nullptr, &handle), "vkCreateDevice");
  load_device_table(device.functions, handle);
  device.handle = handle;
  features = enabled.names();

  VkQueue queue_handle = VK_NULL_HANDLE;
  device.functions.vkGetDeviceQueue(handle, queue_family, 0, &queue_handle);
  queue.create(device.functions, handle, queue_handle, queue_family);
  queue.check(memory.create(instance->functions(), instance->handle(), physical.handle, handle, api_version,
                            has_feature("bufferDeviceAddress")),
              "vmaCreateAllocator");
  staging.emplace(memory, queue);

  std::optional<std::vector<std::byte>> cached;
  if (!cache_file.empty()) cached = read_pipeline_cache_file(cache_file, cache_owner());
  VktcContextCreateInfo context_info = {};
  context_info.instance = instance->handle();
  context_info.physicalDevice = physical.handle;
  context_info.device = handle;
  context_info.getInstanceProcAddr = vulkan_loader()->vkGetInstanceProcAddr;
  context_info.apiVersion = instance->api_version();
  context_info.deviceCreateInfo = &device_info;
  if (cached && !cached->empty()) {
    context_info.pipelineCacheData = cached->data();
    context_info.pipelineCacheDataSize = cached->size();
    stored_digest = sha256(*cached);
  }
  context = vktc::Context(context_info);
}

PipelineCacheOwner Device::Impl::cache_owner() const {
  PipelineCacheOwner owner;
  owner.vendor_id = physical.properties.vendorID;
  owner.device_id = physical.properties.deviceID;
  owner.driver_version = physical.properties.driverVersion;
  std::copy_n(physical.properties.pipelineCacheUUID, owner.uuid.size(), owner.uuid.begin());
  return owner;
}

void Device::Impl::save_pipeline_cache() {
  if (cache_file.empty() || !context || queue.lost()) return;
  const std::lock_guard lock(cache_mutex);
  std::vector<std::byte> data;
  try {
    data = context.pipeline_cache_data();
  } catch (const vktc::Error& error) {
    throw Error(error.error());
  }
  const std::array<std::byte, 32> digest = sha256(data);
  if (digest == stored_digest) return;
  std::string why_not;
  if (!write_pipeline_cache_file(cache_file, cache_owner(), data, &why_not)) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "pipeline_cache_file", "the pipeline cache was not saved: %s", why_not.c_str());
  }
  stored_digest = digest;
}

// A file that cannot be used costs the tuning, and is no reason to refuse work.
void Device::Impl::read_tuning() {
  if (tuning_file.empty()) return;
  std::string why_not;
  std::optional<TuningTable> table = read_tuning_file(tuning_file, why_not);
  if (table) {
    user_tuning = std::move(*table);
  } else {
    tuning_file_problem = "the tuning file " + tuning_file.string() + " is not used: " + why_not;
  }
}

bool Device::Impl::has_feature(std::string_view name) const {
  return std::find(features.begin(), features.end(), name) != features.end();
}

Device::Device(const DeviceOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Device::~Device() = default;
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;

VktcContext Device::context() const { return impl_->context.get(); }
const DeviceSummary& Device::summary() const { return impl_->physical.summary; }
VkInstance Device::instance() const { return impl_->instance->handle(); }
VkPhysicalDevice Device::physical_device() const { return impl_->physical.handle; }
VkDevice Device::device() const { return impl_->device.handle; }
VkQueue Device::queue() const { return impl_->queue.handle(); }
uint32_t Device::queue_family() const { return impl_->queue_family; }
PFN_vkGetInstanceProcAddr Device::get_instance_proc_addr() const { return vulkan_loader()->vkGetInstanceProcAddr; }
const VkPhysicalDeviceProperties& Device::properties() const { return impl_->physical.properties; }
VkDeviceSize Device::max_allocation_size() const { return impl_->max_allocation_size; }
VkDeviceSize Device::device_local_memory() const { return impl_->device_local_memory; }
uint32_t Device::validation_message_count() const { return impl_->validation ? impl_->validation->count() : 0; }
bool Device::has_timestamps() const { return impl_->timestamp_bits > 0; }
bool Device::has_feature(std::string_view name) const { return impl_->has_feature(name); }
void Device::save_pipeline_cache() { impl_->save_pipeline_cache(); }
const std::filesystem::path& Device::tuning_file() const { return impl_->tuning_file; }
const std::string& Device::tuning_file_problem() const { return impl_->tuning_file_problem; }

void Device::submit(const std::function<void(VkCommandBuffer)>& record) {
  Submission submission(impl_->queue);
  record(submission.commands());
  submission.submit();
  submission.wait();
}

std::vector<double> Device::submit_timed(uint32_t count,
                                         const std::function<void(VkCommandBuffer, VkQueryPool)>& record) {
  if (!has_timestamps()) {
    raise(VKTC_ERROR_LIMIT_EXCEEDED, "", "the device has no timestamps: timestampValidBits of its queue family is 0");
  }
  if (count == 0) raise(VKTC_ERROR_INVALID_PARAMETER, "count", "count is 0: it must be at least 1");
  const DeviceTable& functions = impl_->device.functions;
  const VkDevice device = impl_->device.handle;
  impl_->queue.require_device();

  // Destroyed after the submission has ended.
  struct QueryPool {
    QueryPool(Impl& impl, uint32_t queries) : owner(impl) {
      VkQueryPoolCreateInfo info = {};
      info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
      info.queryType = VK_QUERY_TYPE_TIMESTAMP;
      info.queryCount = queries;
      owner.queue.check(owner.device.functions.vkCreateQueryPool(owner.device.handle, &info, nullptr, &handle),
                        "vkCreateQueryPool");
    }
    ~QueryPool() { owner.device.functions.vkDestroyQueryPool(owner.device.handle, handle, nullptr); }
    QueryPool(const QueryPool&) = delete;
    QueryPool& operator=(const QueryPool&) = delete;
    Impl& owner;
    VkQueryPool handle = VK_NULL_HANDLE;
  } pool(*impl_, count);

  Submission submission(impl_->queue);
  functions.vkCmdResetQueryPool(submission.commands(), pool.handle, 0, count);
  record(submission.commands(), pool.handle);
  submission.submit();
  submission.wait();

  // Without waiting: what was not written never comes.
  std::vector<uint64_t> ticks(count);
  const VkResult result = functions.vkGetQueryPoolResults(device, pool.handle, 0, count, count * sizeof(uint64_t),
                                                          ticks.data(), sizeof(uint64_t), VK_QUERY_RESULT_64_BIT);
  if (result == VK_NOT_READY) {
    raise(VKTC_ERROR_INVALID_PARAMETER, "count", "count is %u: record wrote fewer timestamps", count);
  }
  impl_->queue.check(result, "vkGetQueryPoolResults");

  // Relative to the first: a double does not hold the nanoseconds of a year. The counter may wrap in between, and
  // stages may write out of order, so that the difference is of timestamp_bits, with a sign.
  const uint32_t unused_bits = 64 - impl_->timestamp_bits;
  std::vector<double> nanoseconds(count);
  for (uint32_t i = 0; i < count; ++i) {
    const auto difference = static_cast<int64_t>((ticks[i] - ticks[0]) << unused_bits) >> unused_bits;
    nanoseconds[i] = static_cast<double>(difference) * static_cast<double>(properties().limits.timestampPeriod);
  }
  return nanoseconds;
}

}  // namespace vktconv::host

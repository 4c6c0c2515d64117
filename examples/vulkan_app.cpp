// The core library inside a Vulkan application, which keeps its own instance, device, memory, queue and command buffer.
// What is vktconv's is marked with [vktconv]; everything else is what such an application has anyway.
//
// Computes one 1D transposed convolution: 2 channels of 1024 samples to 1 channel of 2048, every sample doubled.
#include <vulkan/vulkan.h>
#include <vktconv/vktconv.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void check(VkResult result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + " failed: VkResult " + std::to_string(result));
}

VkInstance create_instance() {
  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  VkInstance instance = VK_NULL_HANDLE;
  check(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
  return instance;
}

// The first device of Vulkan 1.2 with a compute queue.
VkPhysicalDevice choose_device(VkInstance instance, uint32_t& queue_family) {
  uint32_t device_count = 0;
  check(vkEnumeratePhysicalDevices(instance, &device_count, nullptr), "vkEnumeratePhysicalDevices");
  std::vector<VkPhysicalDevice> devices(device_count);
  check(vkEnumeratePhysicalDevices(instance, &device_count, devices.data()), "vkEnumeratePhysicalDevices");
  for (const VkPhysicalDevice device : devices) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(device, &properties);
    if (properties.apiVersion < VK_API_VERSION_1_2) continue;
    uint32_t family_count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &family_count, nullptr);
    std::vector<VkQueueFamilyProperties> families(family_count);
    vkGetPhysicalDeviceQueueFamilyProperties(device, &family_count, families.data());
    for (queue_family = 0; queue_family < family_count; ++queue_family) {
      if (families[queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT) return device;
    }
  }
  throw std::runtime_error("no device of Vulkan 1.2 with a compute queue");
}

// A buffer in memory that the host reaches too, mapped. A real application would keep the large ones on the device.
struct MappedBuffer {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  VkDeviceSize size = 0;
  void* data = nullptr;

  VktcBuffer view() const { return {buffer, 0, size}; }
};

MappedBuffer create_buffer(VkPhysicalDevice physical_device, VkDevice device, VkDeviceSize size,
                           VkBufferUsageFlags usage) {
  MappedBuffer made;
  if (size == 0) return made;
  made.size = size;
  VkBufferCreateInfo buffer_info = {};
  buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  buffer_info.size = size;
  buffer_info.usage = usage;
  check(vkCreateBuffer(device, &buffer_info, nullptr, &made.buffer), "vkCreateBuffer");

  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(device, made.buffer, &needs);
  VkPhysicalDeviceMemoryProperties properties;
  vkGetPhysicalDeviceMemoryProperties(physical_device, &properties);
  constexpr VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  uint32_t type = 0;
  while (type < properties.memoryTypeCount && !((needs.memoryTypeBits >> type & 1) != 0 &&
                                                (properties.memoryTypes[type].propertyFlags & wanted) == wanted)) {
    ++type;
  }
  if (type == properties.memoryTypeCount) throw std::runtime_error("no memory type that the host can map");

  VkMemoryAllocateFlagsInfo flags = {};
  flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
  if (usage & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
  VkMemoryAllocateInfo allocate_info = {};
  allocate_info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocate_info.pNext = &flags;
  allocate_info.allocationSize = needs.size;
  allocate_info.memoryTypeIndex = type;
  check(vkAllocateMemory(device, &allocate_info, nullptr, &made.memory), "vkAllocateMemory");
  check(vkBindBufferMemory(device, made.buffer, made.memory, 0), "vkBindBufferMemory");
  check(vkMapMemory(device, made.memory, 0, VK_WHOLE_SIZE, 0, &made.data), "vkMapMemory");
  return made;
}

void barrier(VkCommandBuffer commands, VkPipelineStageFlags from, VkAccessFlags written, VkPipelineStageFlags to,
             VkAccessFlags read) {
  VkMemoryBarrier memory = {};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = written;
  memory.dstAccessMask = read;
  vkCmdPipelineBarrier(commands, from, to, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

int run() {
  const VkInstance instance = create_instance();
  uint32_t queue_family = 0;
  const VkPhysicalDevice physical_device = choose_device(instance, queue_family);

  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queue_info = {};
  queue_info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue_info.queueFamilyIndex = queue_family;
  queue_info.queueCount = 1;
  queue_info.pQueuePriorities = &priority;
  VkDeviceCreateInfo device_info = {};
  device_info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  device_info.queueCreateInfoCount = 1;
  device_info.pQueueCreateInfos = &queue_info;
  // [vktconv] Optional: enables the features that make it quicker, beside the application's own.
  vktc::DeviceFeatures wanted(instance, physical_device, vkGetInstanceProcAddr);
  wanted.splice(device_info);
  VkDevice device = VK_NULL_HANDLE;
  check(vkCreateDevice(physical_device, &device_info, nullptr, &device), "vkCreateDevice");
  VkQueue queue = VK_NULL_HANDLE;
  vkGetDeviceQueue(device, queue_family, 0, &queue);

  // [vktconv] One context for a device.
  VktcContextCreateInfo context_info = {};
  context_info.instance = instance;
  context_info.physicalDevice = physical_device;
  context_info.device = device;
  context_info.getInstanceProcAddr = vkGetInstanceProcAddr;
  context_info.apiVersion = VK_API_VERSION_1_2;
  context_info.deviceCreateInfo = &device_info;
  vktc::Context context(context_info);

  // [vktconv] One plan for a problem, made once.
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  desc.inChannels = 2;
  desc.outChannels = 1;
  desc.inputSize[0] = 1024;
  desc.kernelSize[0] = 2;
  desc.stride[0] = 2;
  vktc::Plan plan(context, desc);
  const VktcPlanRequirements needs = plan.requirements();

  const auto make = [&](VkDeviceSize size) { return create_buffer(physical_device, device, size, needs.bufferUsage); };
  const std::vector<MappedBuffer> owned = {make(needs.inputBytes), make(needs.weightsBytes),
                                           make(needs.packedWeightsBytes), make(needs.outputBytes),
                                           make(needs.workspaceBytes)};
  const MappedBuffer &input = owned[0], &weights = owned[1], &output = owned[3];
  std::vector<float> samples(2 * 1024);
  for (size_t i = 0; i < 1024; ++i) {
    samples[i] = static_cast<float>(i);
    samples[1024 + i] = 0.5f;
  }
  std::memcpy(input.data, samples.data(), samples.size() * sizeof(float));
  const float ones[] = {1, 1, 1, 1};  // [in_channels][out_channels][kernel]
  std::memcpy(weights.data, ones, sizeof(ones));

  // [vktconv] The application's buffers, at any offset; bias is not used here.
  VktcBuffers buffers = {};
  buffers.input = input.view();
  buffers.weights = weights.view();
  buffers.packedWeights = owned[2].view();
  buffers.output = output.view();
  buffers.workspace = owned[4].view();
  // [vktconv] Descriptor sets for these buffers, on any device. With VK_KHR_push_descriptor, or device addresses,
  // plan.conv_transpose(commands, buffers) does without.
  vktc::Bindings bindings(plan, buffers);

  VkCommandPoolCreateInfo pool_info = {};
  pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool_info.queueFamilyIndex = queue_family;
  VkCommandPool pool = VK_NULL_HANDLE;
  check(vkCreateCommandPool(device, &pool_info, nullptr, &pool), "vkCreateCommandPool");
  VkCommandBufferAllocateInfo commands_info = {};
  commands_info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  commands_info.commandPool = pool;
  commands_info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  commands_info.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  check(vkAllocateCommandBuffers(device, &commands_info, &commands), "vkAllocateCommandBuffers");
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");

  // [vktconv] Packs the weights, once for each set of weights; then the convolution, as often as wanted. The library
  // works in the compute stage. Barriers around its calls are the application's: here, packed weights before they are
  // read, and the output before the host reads it. (A submission makes what the host wrote before visible.)
  bindings.pack_weights(commands);
  barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
          VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_READ_BIT);
  bindings.conv_transpose(commands);
  barrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
          VK_ACCESS_HOST_READ_BIT);
  check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");

  VkSubmitInfo submit = {};
  submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &commands;
  check(vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE), "vkQueueSubmit");
  check(vkQueueWaitIdle(queue), "vkQueueWaitIdle");

  std::vector<float> result(2 * 1024);
  std::memcpy(result.data(), output.data, result.size() * sizeof(float));
  size_t wrong = 0;
  for (size_t o = 0; o < result.size(); ++o) {
    const size_t input_position = o / 2;
    wrong += result[o] != static_cast<float>(input_position) + 0.5f;
  }
  std::printf("%s: outputs 0 to 5 are %g %g %g %g %g %g; %zu of %zu are wrong\n", plan.info().algorithm,
              static_cast<double>(result[0]), static_cast<double>(result[1]), static_cast<double>(result[2]),
              static_cast<double>(result[3]), static_cast<double>(result[4]), static_cast<double>(result[5]), wrong,
              result.size());

  // [vktconv] Before the device goes, its bindings, plans and context go.
  bindings = {};
  plan = {};
  context = {};
  vkDestroyCommandPool(device, pool, nullptr);
  for (const MappedBuffer& buffer : owned) {
    vkDestroyBuffer(device, buffer.buffer, nullptr);
    vkFreeMemory(device, buffer.memory, nullptr);
  }
  vkDestroyDevice(device, nullptr);
  vkDestroyInstance(instance, nullptr);
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

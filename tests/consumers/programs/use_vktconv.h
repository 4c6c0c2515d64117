// What the application programs of this folder do with the library, given their own way to Vulkan.
#pragma once

#include <vulkan/vulkan_core.h>

// Creates an instance, a device, a context and a plan. Prints what went wrong and returns false, or what it planned.
bool use_vktconv(PFN_vkGetInstanceProcAddr get_instance_proc_addr);

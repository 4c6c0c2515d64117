// An application that is linked with the Vulkan loader (-lvulkan).
#include <vulkan/vulkan.h>

#include "use_vktconv.h"

int main() {
  uint32_t version = 0;
  return vkEnumerateInstanceVersion(&version) == VK_SUCCESS && use_vktconv(vkGetInstanceProcAddr) ? 0 : 1;
}

// An application with a volk of its own (volk.c is compiled into it), whose vk* are global variables.
#define VK_NO_PROTOTYPES
#include <volk.h>

#include "use_vktconv.h"

int main() {
  uint32_t version = 0;
  if (volkInitialize() != VK_SUCCESS || vkEnumerateInstanceVersion(&version) != VK_SUCCESS) return 1;
  const PFN_vkCreateInstance of_this_program = vkCreateInstance;
  // Nothing in the libraries may load over this program's function pointers.
  return use_vktconv(vkGetInstanceProcAddr) && vkCreateInstance == of_this_program && !vkCreateDevice ? 0 : 1;
}

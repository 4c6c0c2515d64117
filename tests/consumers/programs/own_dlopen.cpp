// An application that is linked with neither the Vulkan loader nor volk: it opens the loader by itself.
#include <dlfcn.h>

#include "use_vktconv.h"

int main() {
  void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!loader) return 1;
  return use_vktconv(reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(loader, "vkGetInstanceProcAddr"))) ? 0 : 1;
}

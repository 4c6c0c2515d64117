/* A C program, without a device: that the public header is C, and that a C linker line is enough with the C++ runtime. */
#include <stdio.h>
#include <vktconv/vktconv.h>

int main(void) {
  VktcError error;
  int64_t output_size[VKTC_MAX_SPATIAL_RANK];
  VktcConvTransposeDesc desc = vktcDefaultDesc(1);
  if (vktcGetVersion() != ((VKTC_VERSION_MAJOR << 22) | (VKTC_VERSION_MINOR << 12) | VKTC_VERSION_PATCH)) {
    fprintf(stderr, "the library is of another version than its header\n");
    return 1;
  }
  desc.inChannels = 4;
  desc.outChannels = 6;
  desc.inputSize[0] = 10;
  desc.kernelSize[0] = 3;
  desc.stride[0] = 2;
  if (vktcGetOutputSize(&desc, output_size, &error) != VKTC_SUCCESS) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  if (output_size[0] != 21) {
    fprintf(stderr, "output size %lld, not 21\n", (long long)output_size[0]);
    return 1;
  }
  desc.stride[0] = 0;
  if (vktcGetOutputSize(&desc, output_size, &error) != VKTC_ERROR_INVALID_PARAMETER) {
    fprintf(stderr, "a stride of 0 was accepted\n");
    return 1;
  }
  printf("%s\n", error.message);
  return 0;
}

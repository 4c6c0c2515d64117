#include "desc_text.h"

#include "post_ops.h"
#include "shape.h"

namespace vktconv {
namespace {

// Appends a kind of per-axis field unless every axis has what a reader assumes (given as one value per axis).
void append_axes(std::string& text, const char* prefix, const VktcConvTransposeDesc& desc, const int64_t* values,
                 const int64_t* assumed) {
  constexpr char axis_letters[] = "dhw";
  const uint32_t rank = desc.spatialRank;
  bool needed = assumed == nullptr;
  for (uint32_t axis = 0; axis < rank && !needed; ++axis) needed = values[axis] != assumed[axis];
  if (!needed) return;
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (axis > 0 && values[axis] == values[axis - 1]) continue;  // copied from the outer axis
    text += prefix;
    text += axis_letters[VKTC_MAX_SPATIAL_RANK - rank + axis];
    text += std::to_string(values[axis]);
  }
}

}  // namespace

std::string desc_text(const VktcConvTransposeDesc& desc) {
  constexpr int64_t zeros[VKTC_MAX_SPATIAL_RANK] = {0, 0, 0};
  constexpr int64_t ones[VKTC_MAX_SPATIAL_RANK] = {1, 1, 1};
  std::string text;
  if (desc.dataType != VKTC_DATA_TYPE_F32) text += std::string("dt") + data_type_text(desc.dataType) + "_";
  const VktcDataType output_type = output_data_type(desc);
  if (output_type != default_output_type(desc.dataType)) text += std::string("ot") + data_type_text(output_type) + "_";
  if (desc.inputLayout == VKTC_LAYOUT_CHANNELS_LAST) text += "ilast_";
  if (desc.outputLayout == VKTC_LAYOUT_CHANNELS_LAST) text += "olast_";
  if (desc.groups != 1) text.append("g").append(std::to_string(desc.groups));
  if (desc.batch != 1) text.append("mb").append(std::to_string(desc.batch));
  if (!text.empty() && text.back() != '_') text += '_';
  text.append("ic").append(std::to_string(desc.inChannels));
  append_axes(text, "i", desc, desc.inputSize, nullptr);
  text.append("_oc").append(std::to_string(desc.outChannels));
  append_axes(text, "k", desc, desc.kernelSize, nullptr);
  append_axes(text, "s", desc, desc.stride, ones);
  append_axes(text, "p", desc, desc.paddingBegin, zeros);
  append_axes(text, "e", desc, desc.paddingEnd, desc.paddingBegin);
  append_axes(text, "op", desc, desc.outputPadding, zeros);
  append_axes(text, "d", desc, desc.dilation, ones);
  if (desc.hasBias != VK_FALSE) text += "_bias";
  if (desc.postOpCount > 0) text.append("_po\"").append(post_ops_text(post_ops_of(desc))).append("\"");
  return text;
}

const char* data_type_text(VktcDataType type) {
  switch (type) {
    case VKTC_DATA_TYPE_F32:
      return "f32";
    case VKTC_DATA_TYPE_F16:
      return "f16";
    case VKTC_DATA_TYPE_BF16:
      return "bf16";
    case VKTC_DATA_TYPE_I32:
      return "i32";
    case VKTC_DATA_TYPE_I8:
      return "i8";
  }
  return "?";
}

const char* layout_text(VktcLayout layout) {
  switch (layout) {
    case VKTC_LAYOUT_CHANNELS_FIRST:
      return "channels_first";
    case VKTC_LAYOUT_CHANNELS_LAST:
      return "channels_last";
  }
  return "?";
}

const char* memory_access_text(VktcMemoryAccess access) {
  switch (access) {
    case VKTC_MEMORY_ACCESS_AUTO:
      return "auto";
    case VKTC_MEMORY_ACCESS_DESCRIPTORS:
      return "descriptors";
    case VKTC_MEMORY_ACCESS_DEVICE_ADDRESS:
      return "address";
  }
  return "?";
}

}  // namespace vktconv

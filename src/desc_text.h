// A descriptor as one short text: the same problem always gives the same text, so that tables can be keyed by it.
#pragma once

#include <vktconv/vktconv.h>

#include <string>

namespace vktconv {

// "mb16_ic32iw131072_oc64kw3sw2pw1dw2": the language of tools/support/problem_text.h, without the fields that need not
// be there. Rank and data type must be valid; the rest need not be, so that a refused problem can be named, too.
std::string desc_text(const VktcConvTransposeDesc& desc);

const char* data_type_text(VktcDataType type);            // "f32", "f16", "bf16", "i32", "i8"; "?" for anything else
const char* layout_text(VktcLayout layout);               // "channels_first", "channels_last"; "?" for anything else
const char* memory_access_text(VktcMemoryAccess access);  // "auto", "descriptors", "address"; "?" for anything else

}  // namespace vktconv

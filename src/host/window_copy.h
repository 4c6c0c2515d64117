// Copies between a window of a host array and a buffer that holds the window densely.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <functional>

#include "slabs.h"

namespace vktconv::host {

void upload_window(Buffer& buffer, const Window& window, int64_t element_size, const void* array);

// copied is called with the bytes of each part that has arrived; it may be empty.
void download_window(Buffer& buffer, const Window& window, int64_t element_size, void* array,
                     const std::function<void(uint64_t bytes)>& copied);

}  // namespace vktconv::host

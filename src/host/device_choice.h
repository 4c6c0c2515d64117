// Which of the devices to use.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace vktconv::host {

// wanted: as DeviceOptions::device. Returns an index of devices. Throws Error, with a list of the devices, where wanted
// names none of them, or more than one, or one that cannot be used.
size_t choose_device(const std::vector<DeviceSummary>& devices, const std::string& wanted);

}  // namespace vktconv::host

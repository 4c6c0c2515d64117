// How quick a device is, for the cost model of the planner.
#pragma once

#include "device_caps.h"

namespace vktconv {

enum class DeviceKind { discrete, integrated, virtual_gpu, cpu, other };

// Sets the rates of caps from its name, ids and multiprocessors (0: unknown). Devices that were measured or whose data
// sheet we read are in a table; the others get an estimate of their kind, good for ranking plans, not for reporting.
void set_device_rates(DeviceKind kind, DeviceCaps& caps);

}  // namespace vktconv

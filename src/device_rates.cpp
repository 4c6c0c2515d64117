#include "device_rates.h"

#include <iterator>
#include <thread>

namespace vktconv {
namespace {

constexpr uint32_t vendor_amd = 0x1002;

struct KnownDevice {
  uint32_t vendor_id;
  uint32_t device_id;
  const char* name;
  uint32_t multiprocessors;
  double fp32_flops;
  double matrix_flops;
  double memory_bandwidth;
};

constexpr KnownDevice known_devices[] = {
    // Measured with the ceilings of vktconv-bench.
    {vendor_nvidia, 0x2335, "NVIDIA H200", 132, 62.8e12, 635e12, 4160e9},
    // Modelled: from the data sheet, not measured.
    {vendor_nvidia, 0x2684, "NVIDIA GeForce RTX 4090", 128, 82.6e12, 165e12, 1008e9},
};

const KnownDevice* find_known_device(const DeviceCaps& caps) {
  for (const KnownDevice& known : known_devices) {
    if (caps.vendor_id == known.vendor_id && (caps.device_id == known.device_id || caps.name == known.name)) {
      return &known;
    }
  }
  return nullptr;
}

// FLOP/s of one multiprocessor (compute unit, core): lanes * 2 * a common clock.
double flops_per_multiprocessor(uint32_t vendor_id) {
  switch (vendor_id) {
    case vendor_nvidia:
      return 128 * 2 * 1.8e9;
    case vendor_amd:
      return 64 * 2 * 2.0e9;
    default:
      return 64 * 2 * 1.0e9;
  }
}

void estimate_rates(DeviceKind kind, DeviceCaps& caps) {
  double flops = 0;
  double bandwidth = 0;
  switch (kind) {
    case DeviceKind::discrete:
    case DeviceKind::virtual_gpu:
      flops = 15e12;
      bandwidth = 400e9;
      break;
    case DeviceKind::cpu: {
      if (caps.multiprocessors == 0) caps.multiprocessors = std::thread::hardware_concurrency();
      const double cores = caps.multiprocessors == 0 ? 1 : caps.multiprocessors;
      caps.fp32_flops = cores * 8e9;  // what a software rasterizer makes of a core
      caps.memory_bandwidth = 15e9;
      return;
    }
    case DeviceKind::integrated:
    case DeviceKind::other:
      flops = 1.5e12;
      bandwidth = 60e9;
      break;
  }
  if (caps.multiprocessors != 0) flops = caps.multiprocessors * flops_per_multiprocessor(caps.vendor_id);
  caps.fp32_flops = flops;
  caps.memory_bandwidth = bandwidth;
  if (caps.cooperative_matrix) caps.matrix_flops = 4 * flops;
}

}  // namespace

void set_device_rates(DeviceKind kind, DeviceCaps& caps) {
  const KnownDevice* known = find_known_device(caps);
  if (known == nullptr) {
    estimate_rates(kind, caps);
    return;
  }
  if (caps.multiprocessors == 0) caps.multiprocessors = known->multiprocessors;
  // A partition of the device (MIG) has the same ids but fewer multiprocessors, and about that share of the rest.
  const double share = static_cast<double>(caps.multiprocessors) / known->multiprocessors;
  caps.fp32_flops = known->fp32_flops * share;
  caps.matrix_flops = known->matrix_flops * share;
  caps.memory_bandwidth = known->memory_bandwidth * share;
}

}  // namespace vktconv

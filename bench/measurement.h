// One problem on the device: set up, run, timed, verified.
#pragma once

#include <vktconv/vktconv_host.hpp>

#include <string>
#include <vector>

#include "ceilings.h"
#include "generated_data.h"
#include "pipeline_statistics.h"
#include "timing.h"
#include "verification.h"
#include "workload.h"

namespace vktconv::bench {

struct MeasurementOptions {
  std::string algorithm;   // empty: the planner chooses
  std::string choice;      // VktcPlanOptions::choice
  uint32_t candidate = 0;  // VktcPlanOptions::candidate
  VktcMemoryAccess memory_access = VKTC_MEMORY_ACCESS_AUTO;
  VktcPrecision precision = VKTC_PRECISION_F32;
  unsigned repeats = 0;          // 0: at least 10, fewer only for a slow problem on a CPU device
  double min_time_seconds = -1;  // repeat until this much time was measured; negative: 0.2, on a CPU device 0
  double max_gflop = 0;          // 0: no limit
  int64_t samples = 2000;
};

enum class Status { passed, failed, skipped, unsupported };
const char* status_name(Status status);  // "PASSED" and so on

struct DispatchTime {
  std::string name;
  double ms = 0;  // median
};

// Everything that is known of one problem after its run; a report is made of these.
struct Measurement {
  Status status = Status::passed;
  std::string reason;  // for all but passed
  Workload work;
  std::string algorithm;
  std::string choice;  // algorithm and tile, as VktcPlanOptions::choice
  std::string tile;    // in words
  uint32_t candidate = 0;
  uint32_t candidate_count = 0;
  double predicted_ms = 0;
  uint32_t dispatch_count = 0;
  std::vector<DispatchTime> dispatches;
  unsigned repeats = 0;
  Spread ms;
  bool gpu_clock = true;  // false: the queue has no timestamps, so these are the host's times with submission and wait
  std::string note;       // what is unusual about the measurement; empty: nothing
  double plan_ms = 0;     // vktcCreatePlan, first time for this problem in this process
  double plan_again_ms = 0;  // the same again: pipelines from the cache
  double record_us_per_dispatch = 0;
  uint64_t packed_weights_bytes = 0;
  uint64_t workspace_bytes = 0;
  Verification verification;
  Floor floor;
  std::vector<PipelineStatistics> statistics;

  bool has_times() const { return repeats > 0; }
  double tflops() const { return work.flop / ms.median * 1e-9; }
  double gbytes_per_second() const { return work.bytes / ms.median * 1e-6; }
  double floor_percent() const { return floor.ms / ms.median * 100; }
};

class Bench {
 public:
  Bench(host::Device& device, const Ceilings& ceilings);

  // Refusals, limits and wrong results end in the status of the result; what else goes wrong is a host::Error.
  Measurement measure(const VktcConvTransposeDesc& desc, const MeasurementOptions& options);

 private:
  host::Device& device_;
  VulkanTable vulkan_;
  DataGenerator generator_;
  Ceilings ceilings_;
};

}  // namespace vktconv::bench

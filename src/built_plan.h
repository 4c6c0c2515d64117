// What a VktcPlan is: a plan with its pipelines, ready to be recorded. Immutable once made.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "context.h"
#include "plan.h"
#include "planner.h"
#include "shape.h"

namespace vktconv {

// The most windows of one dispatch: as many addresses as push constants of 128 bytes hold.
constexpr uint32_t max_windows = 16;
constexpr uint32_t max_push_bytes = 128;

// The two command lists of a plan.
enum class Work : uint8_t { pack, run };

}  // namespace vktconv

struct VktcPlan_T {
  VktcContext context = nullptr;
  vktconv::Problem problem;
  vktconv::Plan plan;
  VktcPlanRequirements requirements{};
  std::string explanation;
  double flop = 0;
  double bytes = 0;
  std::array<uint64_t, vktconv::tensor_count> tensor_bytes{};  // the least size of each buffer; 0: not needed
  // One for each dispatch of plan.pack and plan.run.
  std::vector<std::shared_ptr<const vktconv::Pipeline>> pack_pipelines;
  std::vector<std::shared_ptr<const vktconv::Pipeline>> run_pipelines;

  const std::vector<vktconv::Dispatch>& dispatches(vktconv::Work work) const {
    return work == vktconv::Work::pack ? plan.pack : plan.run;
  }
  const std::vector<std::shared_ptr<const vktconv::Pipeline>>& pipelines(vktconv::Work work) const {
    return work == vktconv::Work::pack ? pack_pipelines : run_pipelines;
  }
};

namespace vktconv {

// Whether a call of this kind reads or writes this tensor at all.
bool takes_part(Work work, Tensor tensor);

bool build_plan(VktcContext context, const VktcConvTransposeDesc& desc, const PlanOptions& options,
                std::unique_ptr<VktcPlan_T>& plan, VktcError& error);

// Checks one dispatch of a plan against the limits of the device and the sizes of the tensors.
bool check_dispatch(const VktcPlan_T& plan, Work work, const Dispatch& dispatch, VktcError& error);

}  // namespace vktconv

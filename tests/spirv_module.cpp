#include "spirv_module.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace vktconv::tests {

namespace {

// From the SPIR-V specification.
enum Op : uint32_t {
  OpExecutionMode = 16,
  OpCapability = 17,
  OpTypeBool = 20,
  OpTypeInt = 21,
  OpTypeFloat = 22,
  OpTypeVector = 23,
  OpTypeArray = 28,
  OpTypeStruct = 30,
  OpTypePointer = 32,
  OpConstantTrue = 41,
  OpConstantFalse = 42,
  OpConstant = 43,
  OpConstantComposite = 44,
  OpSpecConstantTrue = 48,
  OpSpecConstantFalse = 49,
  OpSpecConstant = 50,
  OpSpecConstantComposite = 51,
  OpSpecConstantOp = 52,
  OpVariable = 59,
  OpDecorate = 71,
  OpUConvert = 113,
  OpSConvert = 114,
  OpBitcast = 124,
  OpSNegate = 126,
  OpIAdd = 128,
  OpISub = 130,
  OpIMul = 132,
  OpUDiv = 134,
  OpSDiv = 135,
  OpUMod = 137,
  OpLogicalOr = 166,
  OpLogicalAnd = 167,
  OpLogicalNot = 168,
  OpSelect = 169,
  OpIEqual = 170,
  OpINotEqual = 171,
  OpUGreaterThan = 172,
  OpUGreaterThanEqual = 174,
  OpSGreaterThanEqual = 175,
  OpULessThan = 176,
  OpULessThanEqual = 178,
  OpShiftRightLogical = 194,
  OpShiftLeftLogical = 196,
  OpBitwiseOr = 197,
  OpBitwiseAnd = 199,
  OpExecutionModeId = 331,
};
constexpr uint32_t decoration_spec_id = 1, decoration_builtin = 11, decoration_binding = 33;
constexpr uint32_t builtin_workgroup_size = 25;
constexpr uint32_t mode_local_size = 17, mode_local_size_id = 38;
constexpr uint32_t storage_class_workgroup = 4;

class Reader {
 public:
  explicit Reader(std::span<const uint32_t> constants) : constants_(constants) {}

  ShaderNeeds read(std::span<const uint32_t> words) {
    if (words.size() < 5 || words[0] != 0x07230203) throw std::runtime_error("not SPIR-V");
    for (size_t at = 5; at < words.size();) {
      const uint32_t op = words[at] & 0xffff;
      const size_t count = words[at] >> 16;
      if (count == 0 || at + count > words.size()) throw std::runtime_error("SPIR-V: broken instruction");
      instruction(op, words.subspan(at + 1, count - 1));
      at += count;
    }
    if (workgroup_size_constant_) size_ids_ = composites_.at(*workgroup_size_constant_);
    for (size_t i = 0; i < size_ids_.size(); ++i) needs_.workgroup_size.at(i) = value(size_ids_[i]);
    needs_.bindings = bindings_.size();
    return needs_;
  }

 private:
  void instruction(uint32_t op, std::span<const uint32_t> a) {
    switch (op) {
      case OpCapability:
        needs_.capabilities.insert(a[0]);
        return;
      case OpExecutionMode:
        if (a[1] == mode_local_size) needs_.workgroup_size = {a[2], a[3], a[4]};
        return;
      case OpExecutionModeId:
        if (a[1] == mode_local_size_id) size_ids_.assign(a.begin() + 2, a.begin() + 5);
        return;
      case OpDecorate:
        if (a[1] == decoration_spec_id) {
          spec_ids_[a[0]] = a[2];
          needs_.specialization_constants = std::max<size_t>(needs_.specialization_constants, a[2] + 1);
        }
        if (a[1] == decoration_builtin && a[2] == builtin_workgroup_size) workgroup_size_constant_ = a[0];
        if (a[1] == decoration_binding) bindings_.insert(a[2]);  // one may be seen as several types
        return;
      case OpTypeBool:
        sizes_[a[0]] = 4;
        return;
      case OpTypeInt:
      case OpTypeFloat:
        sizes_[a[0]] = a[1] / 8;
        return;
      case OpTypeVector:
        sizes_[a[0]] = sizes_.at(a[1]) * a[2];
        return;
      case OpTypeArray:
        if (sizes_.contains(a[1])) sizes_[a[0]] = sizes_.at(a[1]) * value(a[2]);
        return;
      case OpTypeStruct: {
        uint64_t size = 0;
        for (const uint32_t member : a.subspan(1)) {
          if (!sizes_.contains(member)) return;  // a buffer block; never in shared memory
          size += sizes_.at(member);
        }
        sizes_[a[0]] = size;
        return;
      }
      case OpTypePointer:
        pointees_[a[0]] = a[2];
        return;
      case OpConstantTrue:
      case OpConstantFalse:
        values_[a[1]] = op == OpConstantTrue;
        return;
      case OpConstant:
        values_[a[1]] = a[2];
        return;
      case OpSpecConstantTrue:
      case OpSpecConstantFalse:
        values_[a[1]] = specialized(a[1], op == OpSpecConstantTrue);
        return;
      case OpSpecConstant:
        values_[a[1]] = specialized(a[1], a[2]);
        return;
      case OpConstantComposite:
      case OpSpecConstantComposite:
        composites_[a[1]].assign(a.begin() + 2, a.end());
        return;
      case OpSpecConstantOp:
        if (const auto value = evaluate(a[2], a.subspan(3))) values_[a[1]] = *value;
        return;
      case OpVariable:
        if (a[2] == storage_class_workgroup) needs_.shared_bytes += sizes_.at(pointees_.at(a[0]));
        return;
      default:
        return;
    }
  }

  uint32_t specialized(uint32_t id, uint32_t otherwise) const {
    const auto found = spec_ids_.find(id);
    return found != spec_ids_.end() && found->second < constants_.size() ? constants_[found->second] : otherwise;
  }

  std::optional<uint32_t> evaluate(uint32_t op, std::span<const uint32_t> operands) const {
    std::vector<uint32_t> x;
    for (const uint32_t operand : operands) {
      const auto found = values_.find(operand);
      if (found == values_.end()) return std::nullopt;  // made of vectors: not a size
      x.push_back(found->second);
    }
    switch (op) {
      case OpUConvert:
      case OpSConvert:
      case OpBitcast:
        return x[0];
      case OpIAdd:
        return x[0] + x[1];
      case OpISub:
        return x[0] - x[1];
      case OpIMul:
        return x[0] * x[1];
      case OpUDiv:
        return x[1] ? x[0] / x[1] : 0;
      case OpSDiv:
        return x[1] ? static_cast<uint32_t>(static_cast<int32_t>(x[0]) / static_cast<int32_t>(x[1])) : 0;
      case OpUMod:
        return x[1] ? x[0] % x[1] : 0;
      case OpSelect:
        return x[0] ? x[1] : x[2];
      case OpSNegate:
        return 0u - x[0];
      case OpIEqual:
        return x[0] == x[1];
      case OpINotEqual:
        return x[0] != x[1];
      case OpUGreaterThan:
        return x[0] > x[1];
      case OpUGreaterThanEqual:
        return x[0] >= x[1];
      case OpSGreaterThanEqual:
        return static_cast<int32_t>(x[0]) >= static_cast<int32_t>(x[1]);
      case OpULessThan:
        return x[0] < x[1];
      case OpULessThanEqual:
        return x[0] <= x[1];
      case OpShiftRightLogical:
        return x[0] >> (x[1] & 31);
      case OpShiftLeftLogical:
        return x[0] << (x[1] & 31);
      case OpBitwiseAnd:
        return x[0] & x[1];
      case OpBitwiseOr:
      case OpLogicalOr:
        return x[0] | x[1];
      case OpLogicalAnd:
        return x[0] & x[1];
      case OpLogicalNot:
        return !x[0];
      default:
        return std::nullopt;  // an error only where a size is made of it
    }
  }

  uint32_t value(uint32_t id) const {
    const auto found = values_.find(id);
    if (found == values_.end())
      throw std::runtime_error("SPIR-V: the constant %" + std::to_string(id) + " is not understood");
    return found->second;
  }

  std::span<const uint32_t> constants_;
  ShaderNeeds needs_;
  std::map<uint32_t, uint32_t> spec_ids_, values_, pointees_;
  std::map<uint32_t, uint64_t> sizes_;
  std::map<uint32_t, std::vector<uint32_t>> composites_;
  std::optional<uint32_t> workgroup_size_constant_;
  std::vector<uint32_t> size_ids_;
  std::set<uint32_t> bindings_;
};

}  // namespace

ShaderNeeds shader_needs(std::span<const uint32_t> words, std::span<const uint32_t> constants) {
  return Reader(constants).read(words);
}

}  // namespace vktconv::tests

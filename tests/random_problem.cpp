#include "random_problem.h"

#include <algorithm>
#include <limits>

#include "foreign_enum.h"
#include "reference.h"
#include "tensors.h"

namespace vktconv::tests {

uint64_t Random::next() {  // splitmix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int64_t Random::between(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(next() % (static_cast<uint64_t>(high - low) + 1));
}

namespace {

// Mostly small; now and then up to largest.
int64_t skewed(Random& random, int64_t typical, int64_t largest) {
  return random.between(1, random.one_in(5) ? largest : typical);
}

bool small_enough(const VktcConvTransposeDesc& desc) {
  for (const int64_t size : reference::output_size(desc)) {
    if (size < 1) return false;
  }
  int64_t products = input_elements(desc) * (desc.outChannels / desc.groups);
  for (uint32_t i = 0; i < desc.spatialRank; ++i) products *= desc.kernelSize[i];
  return products <= 100'000 && output_elements(desc) <= 40'000;
}

VktcConvTransposeDesc draw(Random& random) {
  VktcConvTransposeDesc desc = vktcDefaultDesc(static_cast<uint32_t>(random.between(1, 3)));
  desc.dataType = data_types[random.between(0, 3)];
  desc.batch = skewed(random, 2, 5);
  desc.groups = random.one_in(3) ? random.between(2, 6) : 1;
  desc.inChannels = desc.groups * (random.one_in(4) ? 1 : skewed(random, 9, 40));
  desc.outChannels = desc.groups * (random.one_in(4) ? 1 : skewed(random, 9, 70));
  desc.hasBias = random.one_in(2) ? VK_TRUE : VK_FALSE;
  const int64_t rank = desc.spatialRank;
  for (uint32_t i = 0; i < desc.spatialRank; ++i) {
    desc.inputSize[i] = skewed(random, rank == 1 ? 70 : 10, rank == 1 ? 600 : 30);
    desc.kernelSize[i] = skewed(random, 4, rank == 1 ? 19 : 8);
    desc.stride[i] = skewed(random, 3, 9);
    desc.dilation[i] = random.one_in(2) ? 1 : skewed(random, 3, 8);
    desc.paddingBegin[i] = random.between(-2, desc.dilation[i] * (desc.kernelSize[i] - 1) + 1);
    desc.paddingEnd[i] = random.one_in(3) ? random.between(-3, 3) : desc.paddingBegin[i];
    desc.outputPadding[i] = random.one_in(2) ? 0 : random.between(0, std::max(desc.stride[i], desc.dilation[i]) - 1);
  }
  return desc;
}

}  // namespace

VktcConvTransposeDesc random_problem(uint64_t index) {
  Random random(index * 2 + 1);
  VktcConvTransposeDesc desc = {};
  do desc = draw(random);
  while (!small_enough(desc));
  // Drawn apart: what came later leaves the problems of before as they were.
  Random more(~(index * 2));
  if (desc.dataType == VKTC_DATA_TYPE_I32 && more.one_in(2)) desc.dataType = VKTC_DATA_TYPE_I8;
  return in_turn(desc, more.next() % 64);
}

VktcConvTransposeDesc wild_descriptor(uint64_t index) {
  Random random(~index);
  VktcConvTransposeDesc desc = draw(random);
  const auto size = [&] {
    switch (random.between(0, 5)) {
      case 0:
        return random.between(1, 70'000);
      case 1:
        return int64_t{1} << random.between(0, 32);
      case 2:
        return (int64_t{1} << random.between(0, 31)) - 1;
      case 3:
        return random.between(-2, 2);
      case 4:
        return static_cast<int64_t>(random.next());
      default:
        return random.between(1, 64);
    }
  };
  // One wild value mostly, to get past the first check; sometimes many.
  const int64_t wild_values = random.one_in(4) ? random.between(2, 8) : random.between(0, 1);
  for (int64_t i = 0; i < wild_values; ++i) {
    const int64_t axis = random.between(0, 2);
    switch (random.between(0, 11)) {
      case 0:
        desc.batch = size();
        break;
      case 1:
        desc.inChannels = size();
        break;
      case 2:
        desc.outChannels = size();
        break;
      case 3:
        desc.groups = size();
        break;
      case 4:
        desc.inputSize[axis] = size();
        break;
      case 5:
        desc.kernelSize[axis] = size();
        break;
      case 6:
        desc.stride[axis] = size();
        break;
      case 7:
        desc.dilation[axis] = size();
        break;
      case 8:
        desc.paddingBegin[axis] = random.one_in(2) ? size() / -2 : size();
        break;
      case 9:
        desc.paddingEnd[axis] = random.one_in(2) ? size() / -2 : size();
        break;
      case 10:
        desc.outputPadding[axis] = size();
        break;
      default:
        desc.groups = desc.inChannels = desc.outChannels = size();
        break;
    }
  }
  if (random.one_in(100)) desc.spatialRank = static_cast<uint32_t>(random.next());
  Random more(index * 2 + 0x5eed);
  if (Random(index * 2 + 0x18).one_in(6)) desc.dataType = VKTC_DATA_TYPE_I8;
  desc = in_turn(desc, more.next() % 64);
  if (more.one_in(100)) desc.inputLayout = foreign_enum<VktcLayout>(static_cast<int>(more.between(-1, 3)));
  if (more.one_in(100)) desc.outputLayout = foreign_enum<VktcLayout>(static_cast<int>(more.between(-1, 3)));
  if (more.one_in(30)) desc.postOpCount = static_cast<uint32_t>(more.between(0, VKTC_MAX_POST_OPS + 1));
  if (more.one_in(30)) {
    VktcPostOp& op = desc.postOps[more.between(0, VKTC_MAX_POST_OPS - 1)];
    op.kind = foreign_enum<VktcPostOpKind>(static_cast<int>(more.between(-1, VKTC_POST_OP_RESIDUAL + 1)));
    op.alpha = more.one_in(3) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(more.between(-3, 3));
    op.beta = more.one_in(3) ? std::numeric_limits<float>::infinity() : static_cast<float>(more.between(-3, 3));
  }
  if (more.one_in(50)) desc.outputType = foreign_enum<VktcOutputType>(static_cast<int>(more.between(-1, 9)));
  if (random.one_in(100)) desc.dataType = foreign_enum<VktcDataType>(static_cast<int>(random.between(-1, 9)));
  // Large problems that are valid: blow up what has no other bound.
  if (random.one_in(3)) desc.batch = random.between(1, 1 << 20);
  if (random.one_in(3) && desc.groups >= 1 && desc.groups < 1000) {
    desc.outChannels = desc.groups * random.between(1, 1 << 13);
    desc.inChannels = desc.groups * random.between(1, 1 << 13);
  }
  return desc;
}

}  // namespace vktconv::tests

// The named problems that every algorithm must get right. Small: each has at most a few ten thousand products per type.
#pragma once

#include <vktconv/vktconv.h>

#include <string>
#include <vector>

namespace vktconv::tests {

struct Case {
  std::string name;
  VktcConvTransposeDesc desc;
};

const std::vector<Case>& cases();

}  // namespace vktconv::tests

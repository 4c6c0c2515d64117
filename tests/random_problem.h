// Seeded random problems: small, valid, and as odd as the rules allow.
#pragma once

#include <vktconv/vktconv.h>

#include <cstdint>

namespace vktconv::tests {

// A generator that gives the same numbers with every compiler and library (std::uniform_int_distribution does not).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  int64_t between(int64_t low, int64_t high);  // both included
  bool one_in(int64_t n) { return between(1, n) == 1; }

 private:
  uint64_t state_;
};

// How many problems the sweep has.
constexpr uint64_t sweep_size = 2000;

// Problem number index of the sweep: valid, of every rank, type and parameter, at most about 100,000 products.
VktcConvTransposeDesc random_problem(uint64_t index);

// A descriptor that may break any rule and be of any size; for planners, not for devices.
VktcConvTransposeDesc wild_descriptor(uint64_t index);

}  // namespace vktconv::tests

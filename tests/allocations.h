// Counts what a program allocates, and refuses memory on request. Linking allocations.cpp replaces operator new.
#pragma once

namespace vktconv::tests {

// Only what happens while armed counts.
struct Allocations {
  bool armed = false;
  unsigned count = 0;
  unsigned fail_at = 0;  // the fail_at-th throws, from 1; 0: none
  bool failed = false;
  long alive = 0;  // allocated and not yet freed, both while armed
};
extern Allocations allocations;

// Arms from here to the end of the block, from a count of zero.
struct Armed {
  explicit Armed(unsigned fail_at = 0);
  ~Armed();
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
};

}  // namespace vktconv::tests

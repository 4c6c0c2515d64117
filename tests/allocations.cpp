#include "allocations.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace vktconv::tests {

Allocations allocations;

Armed::Armed(unsigned fail_at) {
  allocations = {};
  allocations.fail_at = fail_at;
  allocations.armed = true;
}

Armed::~Armed() { allocations.armed = false; }

}  // namespace vktconv::tests

namespace {

using vktconv::tests::allocations;

void* allocate(std::size_t size) {
  if (allocations.armed) {
    ++allocations.count;
    if (allocations.count == allocations.fail_at) {
      allocations.failed = true;
      throw std::bad_alloc();
    }
    ++allocations.alive;
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void release(void* memory) noexcept {
  if (allocations.armed && memory != nullptr) --allocations.alive;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
// Callers of this one go on without (std::stable_sort); it may fail, but gives no error.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (allocations.armed) ++allocations.alive;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

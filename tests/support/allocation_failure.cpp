#include "support/allocation_failure.h"

#include <atomic>
#include <cstdlib>
#include <new>

// With a sanitizer, allocating an impossible size must fail as with malloc, and not end the program.
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }  // NOLINT
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }  // NOLINT

namespace {

// Counts down to the allocation that fails; 0: off.
std::atomic<std::size_t> all_threads{0};
thread_local std::size_t this_thread = 0;
std::atomic<bool> failed{false};

bool must_fail() {
  if (this_thread > 0 && --this_thread == 0) return true;
  std::size_t left = all_threads.load();
  while (left > 0 && !all_threads.compare_exchange_weak(left, left - 1)) {
  }
  return left == 1;
}

void* allocate(std::size_t size, std::size_t alignment) {
  if (must_fail()) {
    failed = true;
    throw std::bad_alloc();
  }
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(size)
                     : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* allocate_or_null(std::size_t size) noexcept {
  try {
    return allocate(size, 0);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 0); }
void* operator new[](std::size_t size) { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_null(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_null(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace infer::inline v0::testing {

AllocationFailure::AllocationFailure(std::size_t nth, Scope scope) {
  failed = false;
  if (scope == Scope::kThisThread) {
    this_thread = nth;
  } else {
    all_threads = nth;
  }
}

AllocationFailure::~AllocationFailure() {
  this_thread = 0;
  all_threads = 0;
}

bool AllocationFailure::happened() const { return failed; }

}  // namespace infer::inline v0::testing

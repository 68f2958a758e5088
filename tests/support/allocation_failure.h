#pragma once

#include <cstddef>

namespace infer::inline v0::testing {

/// Makes the n-th allocation from now on, of this thread or of all threads, throw std::bad_alloc. Later
/// ones succeed.
class AllocationFailure {
 public:
  enum class Scope { kThisThread, kAllThreads };
  explicit AllocationFailure(std::size_t nth, Scope scope = Scope::kThisThread);
  ~AllocationFailure();
  AllocationFailure(const AllocationFailure&) = delete;
  AllocationFailure& operator=(const AllocationFailure&) = delete;

  /// Returns whether there were n allocations.
  bool happened() const;
};

}  // namespace infer::inline v0::testing

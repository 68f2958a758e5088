#pragma once

#include <cstddef>

namespace infer::inline v0::testing {

/// Makes the n-th allocation from now on, of this thread or of all, throw std::bad_alloc; later ones succeed
/// again.
class AllocationFailure {
 public:
  enum class Scope { kThisThread, kAllThreads };
  explicit AllocationFailure(std::size_t nth, Scope scope = Scope::kThisThread);
  ~AllocationFailure();
  AllocationFailure(const AllocationFailure&) = delete;
  AllocationFailure& operator=(const AllocationFailure&) = delete;

  /// Whether there were n allocations at all.
  bool happened() const;
};

}  // namespace infer::inline v0::testing

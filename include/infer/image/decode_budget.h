#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "infer/core/result.h"
#include "infer/core/stop_condition.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// The bytes of memory that decoding may use at a time, shared by all that decode with it.
///
/// First come, first served: a small image behind a large one waits until the large one has its memory, so
/// that small ones cannot starve it. Thread-safe; nothing here throws. Leases may outlive the budget.
class INFER_EXPORT DecodeBudget {
  struct State;

 public:
  /// Bytes in use; they are given back when the lease ends. Movable, with one owner.
  class INFER_EXPORT Lease {
   public:
    Lease() noexcept = default;
    Lease(Lease&& other) noexcept : state_(std::move(other.state_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Lease& operator=(Lease&& other) noexcept {
      Lease old(std::move(*this));
      state_ = std::move(other.state_);
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    ~Lease() { shrink(0); }

    std::size_t bytes() const noexcept { return bytes_; }
    /// Gives back all but `bytes`; nothing where no more than these are held.
    void shrink(std::size_t bytes) noexcept;

   private:
    friend class DecodeBudget;
    Lease(std::shared_ptr<State> state, std::size_t bytes) noexcept
        : state_(std::move(state)), bytes_(bytes) {}

    std::shared_ptr<State> state_;
    std::size_t bytes_ = 0;
  };

  explicit DecodeBudget(std::size_t limit_bytes);

  /// Blocks until `bytes` are free and all who came before have theirs. Whoever waits must hold no lease of
  /// this budget, or all may wait for each other for ever.
  /// Errors: `kInvalidArgument` with `kTooLarge` (more than the limit), `kOverloaded` (not free before the
  /// deadline), `kCancelled`, `kOutOfMemory`.
  Result<Lease> acquire(std::size_t bytes, const StopCondition& until = {}) noexcept;

  std::size_t limit_bytes() const noexcept;
  std::size_t used_bytes() const noexcept;
  /// How many wait in `acquire`.
  std::size_t waiting() const noexcept;

 private:
  std::shared_ptr<State> state_;
};

/// What a program that may use `memory_bytes` gives to decoding unless told otherwise: a quarter, but at
/// least 96 MiB, which a progressive photograph of 12 Mpx takes (3 bytes a pixel, and 3 for its
/// coefficients).
constexpr std::size_t decode_share(std::size_t memory_bytes) noexcept {
  constexpr std::size_t kLeast = std::size_t{96} << 20;
  return memory_bytes / 4 < kLeast ? kLeast : memory_bytes / 4;
}

}  // namespace infer::inline v0

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

/// A limit on the memory that decoding uses at a time, shared by all decoders that are given the budget.
///
/// Memory is given out in the order of the calls: a small image behind a large one waits until the large one
/// has its memory, so that small images cannot starve large ones.
///
/// Thread-safe; nothing here throws except the constructor. Leases may outlive the budget.
class INFER_EXPORT DecodeBudget {
  struct State;

 public:
  /// Bytes in use; the destructor returns the bytes to the budget. Movable, not copyable.
  class INFER_EXPORT Lease {
   public:
    /// Makes a lease of no bytes.
    Lease() noexcept = default;
    /// Takes over the bytes of `other`.
    Lease(Lease&& other) noexcept : state_(std::move(other.state_)), bytes_(std::exchange(other.bytes_, 0)) {}
    /// Returns the lease's own bytes to the budget and takes over those of `other`.
    Lease& operator=(Lease&& other) noexcept {
      Lease old(std::move(*this));
      state_ = std::move(other.state_);
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    ~Lease() { shrink(0); }

    /// Returns the number of bytes held.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Returns all but `bytes` to the budget; does nothing if the lease holds no more than `bytes`.
    void shrink(std::size_t bytes) noexcept;

   private:
    friend class DecodeBudget;
    Lease(std::shared_ptr<State> state, std::size_t bytes) noexcept
        : state_(std::move(state)), bytes_(bytes) {}

    std::shared_ptr<State> state_;
    std::size_t bytes_ = 0;
  };

  /// Makes a budget of `limit_bytes` bytes. May throw `std::bad_alloc`.
  explicit DecodeBudget(std::size_t limit_bytes);

  /// Blocks until `bytes` bytes are free and every earlier caller has its memory.
  ///
  /// The calling thread must hold no lease of this budget; otherwise threads may wait for each other forever.
  ///
  /// Errors: `kInvalidArgument` with `kTooLarge` (more than the limit), `kOverloaded` (not free before the
  /// deadline), `kCancelled`, `kOutOfMemory`.
  Result<Lease> acquire(std::size_t bytes, const StopCondition& until = {}) noexcept;

  /// Returns the limit.
  std::size_t limit_bytes() const noexcept;
  /// Returns the bytes that all leases hold together.
  std::size_t used_bytes() const noexcept;
  /// Returns the number of calls that wait in `acquire`.
  std::size_t waiting() const noexcept;

 private:
  std::shared_ptr<State> state_;
};

/// Returns the default limit of a program that may use `memory_bytes` bytes: a quarter, but at least 96 MiB.
///
/// A progressive JPEG of 12 Mpx fits in 96 MiB: 3 bytes for each pixel, and 3 for its coefficients.
constexpr std::size_t decode_share(std::size_t memory_bytes) noexcept {
  constexpr std::size_t kLeast = std::size_t{96} << 20;
  return memory_bytes / 4 < kLeast ? kLeast : memory_bytes / 4;
}

}  // namespace infer::inline v0

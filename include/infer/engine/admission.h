#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "infer/core/batch_task.h"
#include "infer/core/result.h"

namespace infer::inline v0 {

/// Counts the requests in flight; the engine and its permits share it.
struct InflightCounter {
  std::atomic<std::size_t> count{0};  ///< Requests that hold a permit now.
};

/// The right of one request to use an engine, and the position of the request in the fair order.
///
/// Copies share one place in `EngineOptions::max_inflight`; the last copy returns it. A request of several
/// samples passes the same permit with each sample, so that it counts and queues as one request. Copying and
/// releasing are thread-safe on different objects, as for `std::shared_ptr`.
class Permit {
 public:
  /// Makes an empty permit, which holds no place.
  Permit() = default;

  /// Takes one place below `limit`; never blocks.
  ///
  /// Errors: `kOverloaded`, `kOutOfMemory`.
  static Result<Permit> acquire(const std::shared_ptr<InflightCounter>& counter, std::size_t limit) noexcept {
    if (counter->count.fetch_add(1, std::memory_order_acq_rel) >= limit) {
      counter->count.fetch_sub(1, std::memory_order_acq_rel);
      try {
        return fail(ErrorCode::kOverloaded,
                    "requests in flight: max_inflight " + std::to_string(limit) + " reached");
      } catch (...) {
        return Unexpected(Error{ErrorCode::kOverloaded, "overloaded", {}});
      }
    }
    try {
      Permit permit;
      permit.lane_ = std::make_shared<Lane>();
      permit.lane_->counter = counter;
      return permit;
    } catch (...) {
      counter->count.fetch_sub(1, std::memory_order_acq_rel);
      return Unexpected(out_of_memory());
    }
  }

  /// Returns true if the permit holds a place.
  explicit operator bool() const noexcept { return lane_ != nullptr; }
  /// Returns the request's position in the fair order, owned by the permit; null for an empty permit.
  FairLane* lane() const noexcept { return lane_ ? &lane_->fair : nullptr; }
  /// Gives up this copy; the last copy returns the place.
  void release() noexcept { lane_.reset(); }

 private:
  struct Lane {
    Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane() {
      if (counter) counter->count.fetch_sub(1, std::memory_order_acq_rel);
    }
    FairLane fair;
    std::shared_ptr<InflightCounter> counter;
  };

  std::shared_ptr<Lane> lane_;
};

}  // namespace infer::inline v0

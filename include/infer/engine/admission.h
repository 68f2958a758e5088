#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "infer/core/batch_task.h"
#include "infer/core/result.h"

namespace infer::inline v0 {

/// Counts the requests in flight. Shared by the engine and the permits it gave.
struct InflightCounter {
  std::atomic<std::size_t> count{0};
};

/// The right of one request to use the engine, and its place in the fair order. Copies share it; the last one
/// returns it. A request of several samples passes the same permit with each, so that it counts and queues as
/// one.
class Permit {
 public:
  Permit() = default;

  /// Takes a place below `limit`. Errors: `kOverloaded`, `kOutOfMemory`.
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

  explicit operator bool() const noexcept { return lane_ != nullptr; }
  FairLane* lane() const noexcept { return lane_ ? &lane_->fair : nullptr; }
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

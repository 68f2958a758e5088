#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// Admits a number of events each second and counts the others.
///
/// Thread-safe; all calls are wait-free.
class LogSampler {
 public:
  /// Admits `per_second` events each second; 0: all.
  explicit LogSampler(std::uint64_t per_second) : per_second_(per_second) {}

  /// Returns true if the event is among those of this second.
  bool admit(TimePoint now) noexcept {
    if (per_second_ == 0) return true;
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    auto seen = second_.load(std::memory_order_relaxed);
    // The first thread that sees a new second resets the count; a line too many or too few then does no harm.
    if (seen != second && second_.compare_exchange_strong(seen, second)) admitted_.store(0);
    if (admitted_.fetch_add(1, std::memory_order_relaxed) < per_second_) return true;
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  /// Returns how many events were not admitted since the start.
  std::uint64_t left_out() const noexcept { return left_out_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t per_second_;
  std::atomic<std::int64_t> second_{0};
  std::atomic<std::uint64_t> admitted_{0};
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace infer::inline v0

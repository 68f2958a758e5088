#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::http {

/// Lets so many events of a kind through each second and counts the others. Thread-safe, wait-free.
class LogSampler {
 public:
  /// 0: all.
  explicit LogSampler(std::uint64_t per_second) : per_second_(per_second) {}

  bool admit(TimePoint now) noexcept {
    if (per_second_ == 0) return true;
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    auto seen = second_.load(std::memory_order_relaxed);
    // Who sees a new second first opens it; a line more or less at its edge does no harm.
    if (seen != second && second_.compare_exchange_strong(seen, second)) admitted_.store(0);
    if (admitted_.fetch_add(1, std::memory_order_relaxed) < per_second_) return true;
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  /// Of all time.
  std::uint64_t left_out() const noexcept { return left_out_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t per_second_;
  std::atomic<std::int64_t> second_{0};
  std::atomic<std::uint64_t> admitted_{0};
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace infer::http

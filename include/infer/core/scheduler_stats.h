#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// What a drain achieved.
struct DrainReport {
  std::size_t completed = 0;  ///< Tasks that ran to their end while draining.
  std::size_t failed = 0;     ///< Tasks answered `kUnavailable` because time was up.
  bool in_time = true;        ///< Everything finished before the timeout.
};

/// A snapshot of a scheduler's counters.
struct SchedulerStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t executed = 0;  ///< Tasks handed to the executor.
  std::uint64_t expired = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t batches = 0;
  std::uint64_t worker_wakeups = 0;  ///< Times a waiting worker woke; stands still while idle.
  std::size_t queue_size = 0;
  std::size_t queue_bytes = 0;
  std::size_t busy_workers = 0;
  Duration busy_time{};   ///< What all workers together spent on batches, running ones counted in.
  double drain_rate = 0;  ///< Tasks per second that leave the workers; 0 before the first batch.
  TimePoint oldest_batch_start = kNever;  ///< When the longest running batch started.
};

/// Tasks per second of busy time, forgetting with a time constant of ten seconds. What Retry-After is
/// computed from.
class DrainRate {
 public:
  void finished(std::size_t count, TimePoint batch_start, TimePoint now) noexcept {
    // Idle time does not count: an interval starts at the batch's own start if nothing finished since.
    const TimePoint since = any_ && last_ > batch_start ? last_ : batch_start;
    const double seconds = std::chrono::duration<double>(now - since).count();
    const double keep = std::exp(-seconds / 10.0);
    tasks_ = tasks_ * keep + static_cast<double>(count);
    seconds_ = seconds_ * keep + seconds;
    last_ = now;
    any_ = true;
  }

  double per_second() const noexcept { return seconds_ > 0 ? tasks_ / seconds_ : 0; }

 private:
  double tasks_ = 0;
  double seconds_ = 0;
  TimePoint last_{};
  bool any_ = false;
};

}  // namespace infer::inline v0

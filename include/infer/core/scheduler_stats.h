#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// The outcome of a drain.
struct DrainReport {
  std::size_t completed = 0;  ///< Tasks that finished executing during the drain.
  std::size_t failed = 0;     ///< Tasks that failed with `kUnavailable` at the timeout.
  bool in_time = true;        ///< True if every task finished before the timeout.
};

/// A snapshot of the counters of a scheduler; all counts start at 0 when the scheduler starts.
struct SchedulerStats {
  std::uint64_t accepted = 0;        ///< Tasks that entered the queue.
  std::uint64_t refused = 0;         ///< Tasks that `enqueue` refused, for any reason.
  std::uint64_t executed = 0;        ///< Tasks handed to the executor.
  std::uint64_t expired = 0;         ///< Queued tasks whose deadline passed.
  std::uint64_t cancelled = 0;       ///< Queued tasks that their caller cancelled.
  std::uint64_t batches = 0;         ///< Batches handed to the executor.
  std::uint64_t worker_wakeups = 0;  ///< Wake-ups of waiting workers; constant while the scheduler idles.
  std::size_t queue_size = 0;        ///< Tasks queued now.
  std::size_t queue_bytes = 0;       ///< Bytes of the tasks queued now.
  std::size_t busy_workers = 0;      ///< Workers that execute a batch now.
  Duration busy_time{};   ///< Time that all workers together spent on batches, running batches included.
  double drain_rate = 0;  ///< Tasks that leave the workers per second; 0 before the first batch ends.
  /// Start of the longest-running batch; `kNever` while no batch runs.
  TimePoint oldest_batch_start = kNever;
};

/// Measures completed tasks per second of busy time.
///
/// Older measurements fade with a time constant of ten seconds. Engines compute `Retry-After` and the
/// expected wait from this rate. Not thread-safe.
class DrainRate {
 public:
  /// Records that a batch of `count` tasks, started at `batch_start`, finished at `now`.
  void finished(std::size_t count, TimePoint batch_start, TimePoint now) noexcept {
    // Idle time does not count: if no batch finished since this batch started, the interval starts with this
    // batch.
    const TimePoint since = any_ && last_ > batch_start ? last_ : batch_start;
    const double seconds = std::chrono::duration<double>(now - since).count();
    const double keep = std::exp(-seconds / 10.0);
    tasks_ = tasks_ * keep + static_cast<double>(count);
    seconds_ = seconds_ * keep + seconds;
    worker_seconds_ = worker_seconds_ * keep + std::chrono::duration<double>(now - batch_start).count();
    last_ = now;
    any_ = true;
  }

  /// Returns tasks per second; 0 before the first batch.
  double per_second() const noexcept { return seconds_ > 0 ? tasks_ / seconds_ : 0; }

  /// Returns the seconds of a worker per task: the time of a batch counts in equal parts for its tasks; 0
  /// before the first batch.
  double worker_seconds_per_task() const noexcept { return tasks_ > 0 ? worker_seconds_ / tasks_ : 0; }

 private:
  double tasks_ = 0;
  double seconds_ = 0;
  double worker_seconds_ = 0;
  TimePoint last_{};
  bool any_ = false;
};

}  // namespace infer::inline v0

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace infer::inline v0 {

/// A span of time on the steady clock, in nanoseconds on Linux.
using Duration = std::chrono::steady_clock::duration;
/// A moment on the steady clock, which never jumps when the time of day is set.
using TimePoint = std::chrono::steady_clock::time_point;

/// The time point that never comes: use it for "no deadline".
inline constexpr TimePoint kNever = TimePoint::max();

/// The source of time of schedulers, engines and pools.
///
/// Thread-safe. Callers inject a clock, so that tests state times instead of sleeping.
class Clock {
 public:
  /// Makes a clock; only derived classes can.
  Clock() = default;
  /// A clock has one identity: it cannot be copied.
  Clock(const Clock&) = delete;
  /// A clock has one identity: it cannot be assigned.
  Clock& operator=(const Clock&) = delete;
  /// Destroys the clock; no thread may be waiting on the clock.
  virtual ~Clock() = default;

  /// Returns the current time; never blocks.
  virtual TimePoint now() const noexcept = 0;

  /// Blocks until `condition` is notified or `deadline` has passed.
  ///
  /// `lock` is held on entry and on return, and released in between. The call may return early, as a wait on
  /// any condition variable may.
  virtual void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                          TimePoint deadline) const = 0;
};

/// The machine's steady clock, `std::chrono::steady_clock`.
class SteadyClock final : public Clock {
 public:
  /// Returns the time of `std::chrono::steady_clock`.
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }

  /// Blocks until `condition` is notified or `deadline` has passed; `kNever` waits without a limit.
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                  TimePoint deadline) const override {
    if (deadline == kNever) {
      condition.wait(lock);
    } else {
      condition.wait_until(lock, deadline);
    }
  }
};

/// A clock for tests: time moves only when a test calls `advance`.
class ManualClock final : public Clock {
 public:
  /// Returns one hour plus the sum of all advances.
  TimePoint now() const noexcept override {
    return TimePoint(Duration(ticks_.load(std::memory_order_acquire)));
  }

  /// Moves the time forward by `by`; waiting threads notice within about a millisecond of real time.
  void advance(Duration by) noexcept { ticks_.fetch_add(by.count(), std::memory_order_acq_rel); }

  /// Blocks until `condition` is notified or the manual time reaches `deadline`.
  ///
  /// The call returns at least once a millisecond of real time, so `advance` needs no list of the threads
  /// that wait.
  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                  TimePoint deadline) const override {
    if (deadline == kNever) {
      condition.wait(lock);
    } else if (now() < deadline) {
      condition.wait_for(lock, std::chrono::milliseconds(1));
    }
  }

 private:
  std::atomic<Duration::rep> ticks_{Duration(std::chrono::hours(1)).count()};
};

}  // namespace infer::inline v0

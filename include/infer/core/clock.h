#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace infer::inline v0 {

using Duration = std::chrono::steady_clock::duration;
using TimePoint = std::chrono::steady_clock::time_point;

/// The time point that never comes: "no deadline".
inline constexpr TimePoint kNever = TimePoint::max();

/// Where time comes from. Thread-safe. Injected, so that tests state times instead of sleeping.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual TimePoint now() const noexcept = 0;

  /// Blocks until `condition` is notified or `deadline` has passed; may wake early, as any condition
  /// variable.
  virtual void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                          TimePoint deadline) const = 0;
};

/// The steady clock of the machine.
class SteadyClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }

  void wait_until(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                  TimePoint deadline) const override {
    if (deadline == kNever) {
      condition.wait(lock);
    } else {
      condition.wait_until(lock, deadline);
    }
  }
};

/// A clock that stands still until it is advanced. For tests.
class ManualClock final : public Clock {
 public:
  TimePoint now() const noexcept override {
    return TimePoint(Duration(ticks_.load(std::memory_order_acquire)));
  }

  void advance(Duration by) noexcept { ticks_.fetch_add(by.count(), std::memory_order_acq_rel); }

  /// Returns at least once a millisecond of real time, so that an `advance` needs no list of who waits.
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

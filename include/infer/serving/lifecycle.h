#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "infer/core/clock.h"
#include "infer/core/result.h"

namespace infer::inline v0 {

/// The phase of a server between start and exit.
///
/// Thread-safe.
class Lifecycle {
 public:
  /// The phases, in order.
  enum class Phase {
    kLoading,   ///< The models are being loaded; new work is refused.
    kServing,   ///< New work is accepted.
    kLameDuck,  ///< New work is accepted, and load balancers are told to send it elsewhere.
    kDraining,  ///< New work is refused, accepted work is finished.
  };

  /// Returns the current phase.
  Phase phase() const {
    std::unique_lock lock(mutex_);
    return phase_;
  }

  /// Checks whether new work is accepted; `Call::retry_after_seconds` says when to try again.
  ///
  /// Errors: `kUnavailable`, naming the phase.
  Result<void> admit() const {
    const Phase now = phase();
    if (now == Phase::kLoading) return fail(ErrorCode::kUnavailable, "loading");
    if (now == Phase::kDraining) return fail(ErrorCode::kUnavailable, "draining");
    return {};
  }
  /// Returns true once the server is shutting down: clients should connect elsewhere after their answer.
  bool is_leaving() const { return phase() >= Phase::kLameDuck; }

  /// Ends the loading phase.
  void loaded() {
    std::unique_lock lock(mutex_);
    if (phase_ == Phase::kLoading) phase_ = Phase::kServing;
  }

  /// Enters the lame duck phase for `delay`, unless that phase or a later one has begun.
  void start_lame_duck(std::chrono::milliseconds delay) {
    std::unique_lock lock(mutex_);
    if (phase_ >= Phase::kLameDuck) return;
    phase_ = Phase::kLameDuck;
    lame_duck_end_ = std::chrono::steady_clock::now() + delay;
    changed_.notify_all();
  }

  /// Blocks until the lame duck phase, which must have begun, has lasted its delay, or until draining begins.
  void wait_lame_duck() {
    std::unique_lock lock(mutex_);
    while (phase_ == Phase::kLameDuck && std::chrono::steady_clock::now() < lame_duck_end_) {
      changed_.wait_until(lock, lame_duck_end_);
    }
  }

  /// Enters the draining phase.
  void start_draining() {
    std::unique_lock lock(mutex_);
    phase_ = Phase::kDraining;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Phase phase_ = Phase::kLoading;
  TimePoint lame_duck_end_ = kNever;
};

}  // namespace infer::inline v0

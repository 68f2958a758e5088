#pragma once

#include <optional>
#include <stop_token>

#include "infer/core/clock.h"
#include "infer/core/error.h"

namespace infer::inline v0 {

/// Says when the work for a request has to end early: at a deadline, or when somebody asks for it.
struct StopCondition {
  TimePoint deadline = kNever;   ///< Absolute, on `clock`.
  std::stop_token stop = {};     ///< Ends the work once it is triggered.
  const Clock* clock = nullptr;  ///< Outlives the work; null: the steady clock.

  /// Returns the time of `clock`.
  TimePoint now() const noexcept { return clock != nullptr ? clock->now() : SteadyClock().now(); }

  /// Returns `kCancelled` or `kDeadlineExceeded` if the work has to end, else nothing. Costs about 30 ns.
  std::optional<ErrorCode> reached() const noexcept {
    if (stop.stop_requested()) return ErrorCode::kCancelled;
    if (deadline != kNever && deadline <= now()) return ErrorCode::kDeadlineExceeded;
    return std::nullopt;
  }
};

}  // namespace infer::inline v0

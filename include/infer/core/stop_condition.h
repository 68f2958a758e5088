#pragma once

#include <optional>
#include <stop_token>

#include "infer/core/clock.h"
#include "infer/core/error.h"

namespace infer::inline v0 {

/// When work for a request is to end before it is done: at a deadline, or once somebody asks for it.
struct StopCondition {
  TimePoint deadline = kNever;  ///< Absolute, on `clock`.
  std::stop_token stop = {};
  const Clock* clock = nullptr;  ///< Outlives the work; null: the steady clock.

  TimePoint now() const noexcept { return clock != nullptr ? clock->now() : SteadyClock().now(); }

  /// `kCancelled` or `kDeadlineExceeded` once the work is to end. Costs some 30 ns.
  std::optional<ErrorCode> reached() const noexcept {
    if (stop.stop_requested()) return ErrorCode::kCancelled;
    if (deadline != kNever && deadline <= now()) return ErrorCode::kDeadlineExceeded;
    return std::nullopt;
  }
};

}  // namespace infer::inline v0

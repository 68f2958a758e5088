#pragma once

#include <stop_token>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// How long a request may wait, and how to cancel it.
struct RequestOptions {
  TimePoint deadline = kNever;  ///< Absolute time on `Engine::clock()`.
  std::stop_token stop;         ///< Cancels samples that wait; a forward that has begun runs to its end.
};

}  // namespace infer::inline v0

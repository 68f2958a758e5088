#pragma once

#include <stop_token>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// How long a request may take, and how to take it back.
struct RequestOptions {
  TimePoint deadline = kNever;  ///< Absolute, on the engine's clock.
  std::stop_token stop;
};

}  // namespace infer::inline v0

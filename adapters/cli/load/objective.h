#pragma once

#include <string>

#include "infer/core/result.h"

namespace infer::cli {

/// What a service promises: that a part of its answers takes no longer than so many seconds.
struct Objective {
  double fraction = 0.95;
  double seconds = 0;

  /// "p95=200ms", "p99=1.5s", "p99.9=20ms". Errors: `kInvalidArgument`.
  static Result<Objective> parse(const std::string& text);
};

}  // namespace infer::cli

#pragma once

#include <string>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// A promise of a service: a fraction of its answers takes at most so many seconds.
struct Objective {
  double fraction = 0.95;  ///< The fraction of the answers, between 0 and 1.
  double seconds = 0;      ///< The maximum time of that fraction, in seconds.

  /// Reads "p95=200ms", "p99=1.5s" or "p99.9=20ms".
  ///
  /// Errors: `kInvalidArgument`.
  static Result<Objective> parse(const std::string& text);
};

}  // namespace infer::inline v0::tools

#pragma once

#include <string>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// What a service promises: a fraction of the answers takes at most `seconds` seconds.
struct Objective {
  double fraction = 0.95;  ///< Fraction of the answers, between 0 and 1.
  double seconds = 0;      ///< Maximum time of these answers, in seconds.

  /// Reads "p95=200ms", "p99=1.5s" or "p99.9=20ms".
  ///
  /// Errors: `kInvalidArgument`.
  static Result<Objective> parse(const std::string& text);
};

}  // namespace infer::inline v0::tools

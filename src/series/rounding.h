#pragma once

#include <limits>

namespace infer::inline v0 {

/// Differences between numbers up to `largest` that are rounding, not variation: a few units in the last
/// place. Relative, so that a series in other units, or upon another level, is judged as it was.
constexpr double rounding_of(double largest) { return 8 * std::numeric_limits<double>::epsilon() * largest; }

}  // namespace infer::inline v0

#pragma once

#include <limits>

namespace infer::inline v0 {

/// Returns the largest difference between numbers up to `largest` that counts as rounding, not as variation:
/// a few units in the last place. The bound is relative, so that units and level of a series do not matter.
constexpr double rounding_of(double largest) { return 8 * std::numeric_limits<double>::epsilon() * largest; }

}  // namespace infer::inline v0

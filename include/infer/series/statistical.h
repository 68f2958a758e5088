#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "infer/export.h"
#include "infer/series/prophet.h"

namespace infer::inline v0 {

/// Standard deviations on each side of an interval that contains 80 % of a normal distribution.
inline constexpr double kEightyPercent = 1.2815515655446004;

/// Repeats the last value, or the value of one season ago.
///
/// The errors of that rule in training give its intervals (Hyndman and Athanasopoulos, "Forecasting:
/// Principles and Practice", 5.5).
struct NaiveModel {
  std::size_t season = 1;  ///< Rows of one season; 1: repeat the last value.
  /// Standard deviation of the difference over one season, for each target.
  std::vector<double> deviation;
};

/// A fitted curve for each target.
struct ProphetModel {
  std::vector<ProphetCurve> curves;  ///< One curve for each target, in order.
};

/// The models that the backend "series" runs, in normalised units.
using StatisticalModel = std::variant<NaiveModel, ProphetModel>;

/// Returns the text of the model's file, for the backend "series".
INFER_EXPORT std::string statistical_json(const StatisticalModel& model);

}  // namespace infer::inline v0

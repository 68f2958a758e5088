#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "infer/export.h"
#include "infer/series/prophet.h"

namespace infer::inline v0 {

/// Standard deviations on each side of an interval that holds 80 % of a normal distribution.
inline constexpr double kEightyPercent = 1.2815515655446004;

/// The last value, or that of a season ago, goes on. What is wrong with that, step by step, makes its
/// intervals (Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", 5.5).
struct NaiveModel {
  std::size_t season = 1;         ///< 1: the last value.
  std::vector<double> deviation;  ///< Of one season's difference, for each target.
};

/// A curve for each target.
struct ProphetModel {
  std::vector<ProphetCurve> curves;
};

/// What the backend "series" runs, in normalised units.
using StatisticalModel = std::variant<NaiveModel, ProphetModel>;

/// The text of its model file.
INFER_EXPORT std::string statistical_json(const StatisticalModel& model);

}  // namespace infer::inline v0

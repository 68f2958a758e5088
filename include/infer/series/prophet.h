#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/series/calendar.h"

namespace infer::inline v0 {

/// A repeating part of a curve: a Fourier series.
struct Seasonality {
  double period = 1;      ///< Length of one repetition, in the unit of the times.
  std::size_t order = 1;  ///< Number of sines, and of cosines.
  /// Coefficients of sine 1, cosine 1, sine 2, ...: 2 x `order` numbers.
  std::vector<double> coefficients;
};

/// A piecewise linear trend with seasonality (Taylor and Letham, 2018, "Forecasting at Scale").
struct INFER_EXPORT ProphetCurve {
  double start = 0;                        ///< Time of the first value.
  double span = 1;                         ///< Length of the series; the trend runs in (time - start) / span.
  double offset = 0;                       ///< Trend at `start`.
  double slope = 0;                        ///< Slope of the trend at `start`.
  std::vector<double> changepoints;        ///< Where the slope changes, in (time - start) / span, ascending.
  std::vector<double> changes;             ///< Change of the slope at each changepoint.
  std::vector<Seasonality> seasonalities;  ///< Added to the trend.
  double sigma = 0;                        ///< Standard deviation of the residuals.

  /// Returns the value of the curve at `time`.
  double at(double time) const;
  /// Returns the standard deviation of a value at `time`.
  ///
  /// Up to the last value, the deviation is that of the residuals. Later, the deviation of the trend adds to
  /// it: the trend is assumed to go on changing as often as it did, with Laplace changes as large as they
  /// were. The paper samples such trends; this is the variance of its samples in closed form, rate * 2 *
  /// scale^2 * (time - end)^3 / 3.
  double deviation(double time) const;
};

/// Fits the most probable curve through `values` at `times`, under the paper's priors.
///
/// `times` are ascending and as many as `values`; values should be of the order of 1. The priors are
/// Laplace(0.05) on changes of slope at 25 places in the first 80 %, normal(10) on seasonal coefficients,
/// normal(5) on slope and offset. Seasons are years, weeks and days, as far as step and length of the series
/// show them; for numbered rows the season is `season` rows, unless 1. Deterministic; blocks while it
/// computes.
INFER_EXPORT ProphetCurve fit_prophet(std::span<const double> times, std::span<const double> values,
                                      const Step& step, bool numbered, std::size_t season);

}  // namespace infer::inline v0

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/series/calendar.h"

namespace infer::inline v0 {

/// A repeating part of a curve: a Fourier series of `order` sines and cosines.
struct Seasonality {
  double period = 1;  ///< In the unit of the times.
  std::size_t order = 1;
  std::vector<double> coefficients;  ///< Of sine 1, cosine 1, sine 2, ...: 2 * order.
};

/// A piecewise linear trend with seasonality: Taylor and Letham, 2018, "Forecasting at Scale".
struct INFER_EXPORT ProphetCurve {
  double start = 0;  ///< Time of the first value; trends run in (time - start) / span.
  double span = 1;
  double offset = 0;
  double slope = 0;
  std::vector<double> changepoints;  ///< In (time - start) / span, ascending.
  std::vector<double> changes;       ///< Of the slope there.
  std::vector<Seasonality> seasonalities;
  double sigma = 0;  ///< Standard deviation of what is left.

  double at(double time) const;
  /// Standard deviation of a value at `time`: that of what is left, and after the last value that of a trend
  /// which goes on changing as often, and with Laplace changes as large, as it did. The paper samples such
  /// trends; this is the variance of its samples in closed form, rate * 2 * scale^2 * (time - end)^3 / 3.
  double deviation(double time) const;
};

/// The most probable curve through `values` at `times` (both as long, ascending), under the paper's priors:
/// Laplace(0.05) on changes of slope at 25 places in the first 80 %, normal(10) on seasonal coefficients,
/// normal(5) on slope and offset. Values should be of the order of 1. Deterministic. Seasons are years, weeks
/// and days, as far as step and length of the series tell of them; for numbered rows `season` rows, unless 1.
INFER_EXPORT ProphetCurve fit_prophet(std::span<const double> times, std::span<const double> values,
                                      const Step& step, bool numbered, std::size_t season);

}  // namespace infer::inline v0

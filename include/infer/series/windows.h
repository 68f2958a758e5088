#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"
#include "infer/series/series.h"

namespace infer::inline v0 {

/// Returns the step of a model's series.
INFER_EXPORT Step step_of(const SeriesSpec& spec);

/// Sets calendar, mean and scale of `spec` from the first `rows` rows of `series`.
///
/// Mean and scale are the mean and the standard deviation of each input. An input that varies by no more than
/// rounding keeps scale 1.
///
/// Errors: `kInvalidArgument` (unknown calendar feature).
INFER_EXPORT Result<void> fit_normalisation(const Series& series, std::size_t rows, SeriesSpec& spec);

/// Returns the normalised inputs of `rows`, row after row: [rows, columns + calendar].
///
/// `rows` has one number for each of `spec.columns`, row after row; `last_time` is the time of the last row,
/// in seconds since 1970.
///
/// Errors: `kInvalidArgument` (unknown calendar feature).
INFER_EXPORT Result<std::vector<float>> normalised_inputs(const SeriesSpec& spec,
                                                          std::span<const double> rows, double last_time);

}  // namespace infer::inline v0

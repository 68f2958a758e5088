#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/manifest.h"
#include "infer/export.h"
#include "infer/series/series.h"

namespace infer::inline v0 {

/// The step of a model's series.
INFER_EXPORT Step step_of(const SeriesSpec& spec);

/// Fills in calendar, mean and scale of `spec` from the first `rows` rows of `series`: mean and standard
/// deviation of each input. One that varies no more than rounding, relative to its values, is only shifted.
INFER_EXPORT Result<void> fit_normalisation(const Series& series, std::size_t rows, SeriesSpec& spec);

/// The normalised inputs of `rows` (row after row of `spec.columns`), the last of which is at `last_time`:
/// [rows, columns + calendar], row after row. Errors: `kInvalidArgument` (a calendar feature there is not).
INFER_EXPORT Result<std::vector<float>> normalised_inputs(const SeriesSpec& spec,
                                                          std::span<const double> rows, double last_time);

}  // namespace infer::inline v0

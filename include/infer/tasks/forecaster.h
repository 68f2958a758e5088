#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/export.h"
#include "infer/tasks/request.h"

namespace infer::inline v0 {

/// The rows that a forecast continues.
struct ForecastWindow {
  std::vector<double> rows;  ///< Row after row, each with the model's columns; NaN is a missing value.
  /// Time of the last row, in seconds since 1970, or its number.
  double last_time = 0;
};

/// What to forecast.
struct ForecastRequest {
  std::size_t length = 1;  ///< Rows to forecast, 1 to `Forecaster::kMaxLength`.
  /// Rows to continue; empty: the last rows of the training series.
  std::optional<ForecastWindow> window = {};
  /// Future values of features, by column; a feature without them keeps its last value.
  std::map<std::string, std::vector<double>> future = {};
};

/// The rows that follow a window: targets in the units of the series.
struct Forecast {
  std::vector<std::vector<double>> values;  ///< One row for each step; one number for each target.
  std::vector<std::vector<double>> lower;  ///< Lower end of the 80 % interval; empty if the model gives none.
  std::vector<std::vector<double>> upper;  ///< Upper end of the 80 % interval; empty if the model gives none.
  Timings timings;                         ///< Queue and compute times, summed over the pieces.
  std::size_t batch_size = 0;              ///< The largest batch that contained a piece.
  std::size_t filled = 0;  ///< Number of missing values of the window and of `future` that were filled in.
};

/// Turns rows of a series into the rows that follow.
///
/// Thread-safe: the engine batches across callers. A forecast longer than the model's horizon is made in
/// pieces; each piece continues the one before. The forecaster cuts windows longer than the model's history
/// at the front and normalises values as in training. A NaN takes the value of the row above, at the top the
/// mean of its column, and is counted in `Forecast::filled`. Cheap to copy; copies share the engine.
class INFER_EXPORT Forecaster {
 public:
  /// Maximum number of rows of one forecast.
  static constexpr std::size_t kMaxLength = 1000;

  /// Loads models/NAME and warms it up; blocking.
  ///
  /// Errors: those of `open_engine` and `create`.
  static Result<Forecaster> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too; its model must take a window of the series that infer.json
  /// describes and return the targets.
  ///
  /// Errors: `kInvalidArgument` (the model's signature does not fit).
  static Result<Forecaster> create(std::shared_ptr<Engine> engine);

  /// Forecasts; blocks until all pieces are there.
  ///
  /// A permit taken earlier may be passed on.
  ///
  /// Errors: `kInvalidArgument` (length, rows, future, or a value so far from the training data that the
  /// model cannot compute with it), `kModelError` (an output that is not finite), and those of
  /// `Engine::submit`.
  Result<Forecast> forecast(const ForecastRequest& request, const RequestOptions& options = {},
                            Permit permit = {}) const;

  /// Returns the columns, history and horizon of the model; valid as long as the engine.
  const SeriesSpec& series() const noexcept;
  /// Returns the last rows of the training series; empty if the model's folder has none.
  const std::optional<ForecastWindow>& recorded_window() const noexcept { return recorded_; }
  /// Returns the engine, for its clock, statistics and drain; valid as long as the forecaster.
  Engine& engine() const noexcept { return *engine_; }

 private:
  explicit Forecaster(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  Result<Sample> prepare(const ForecastWindow& window) const;

  std::shared_ptr<Engine> engine_;
  std::optional<ForecastWindow> recorded_;
};

/// Writes the rows that a `Forecaster` continues by default; blocking.
///
/// Errors: `kFailedPrecondition` (the file cannot be written).
INFER_EXPORT Result<void> write_window(const ForecastWindow& window, const std::filesystem::path& directory);

}  // namespace infer::inline v0

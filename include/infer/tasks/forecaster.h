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

/// The rows that a forecast goes on from: row after row, each with the model's columns.
struct ForecastWindow {
  std::vector<double> rows;
  double last_time = 0;  ///< Of the last row, seconds since 1970, or its number.
};

struct ForecastRequest {
  std::size_t length = 1;                     ///< Rows to forecast.
  std::optional<ForecastWindow> window = {};  ///< Else the last rows of the training series.
  /// Values of features for the rows to come, by column; a feature without stays at its last value.
  std::map<std::string, std::vector<double>> future = {};
};

/// Rows of targets, in the units of the series. `lower` and `upper` bound 80 %, where the model gives them.
struct Forecast {
  std::vector<std::vector<double>> values;
  std::vector<std::vector<double>> lower;
  std::vector<std::vector<double>> upper;
  Timings timings;
  std::size_t batch_size = 0;
  std::size_t filled = 0;  ///< Values of the window that were missing and made up.
};

/// Rows of a series in, the rows that follow out. Thread-safe.
///
/// A forecast longer than the model's horizon is made piece by piece, each from a window that ends with the
/// piece before. Windows longer than the model's history are cut at the front. Normalisation is the model's:
/// a value that is NaN takes that of the row above, at the top the mean of its column, and is counted.
class INFER_EXPORT Forecaster {
 public:
  static constexpr std::size_t kMaxLength = 1000;

  /// Loads models/NAME and warms it up; blocking. Errors: those of `open_engine` and `create`.
  static Result<Forecaster> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too. Errors: `kInvalidArgument` unless its model takes a window of
  /// the series of infer.json and gives its targets.
  static Result<Forecaster> create(std::shared_ptr<Engine> engine);

  /// Blocks until all pieces are done. Errors: `kInvalidArgument` (length, rows, future, a value so far from
  /// what the model was trained on that it cannot be computed with), `kModelError` (an output that is not
  /// finite), and those of `Engine::submit`.
  Result<Forecast> forecast(const ForecastRequest& request, const RequestOptions& options = {},
                            Permit permit = {}) const;

  const SeriesSpec& series() const noexcept;
  /// The last rows of the training series, where they are kept.
  const std::optional<ForecastWindow>& recorded_window() const noexcept { return recorded_; }
  Engine& engine() const noexcept { return *engine_; }

 private:
  explicit Forecaster(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
  Result<Sample> prepare(const ForecastWindow& window) const;

  std::shared_ptr<Engine> engine_;
  std::optional<ForecastWindow> recorded_;
};

/// Writes the rows that `Forecaster` goes on from by itself. Errors: `kFailedPrecondition`.
INFER_EXPORT Result<void> write_window(const ForecastWindow& window, const std::filesystem::path& directory);

}  // namespace infer::inline v0

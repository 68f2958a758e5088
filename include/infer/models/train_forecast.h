#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/core/result.h"
#include "infer/export.h"
#include "infer/series/series.h"

namespace infer::inline v0 {

struct TrainForecastOptions {
  std::filesystem::path data;  ///< CSV with a header line.
  SeriesColumns columns;
  std::size_t history = 10;  ///< Rows a model looks back on.
  std::size_t horizon = 1;   ///< Rows it gives at a time.
  std::size_t season = 0;    ///< Rows after which the series repeats; 0: from its step.
  std::vector<std::string> models{"gru", "lstm", "prophet", "naive", "seasonal-naive"};
  std::uint64_t seed = 1;
  bool join = false;  ///< Versions belong to the newest run of the folder instead of beginning another.
  std::function<void(const std::string&)> progress;  ///< Hears a line now and then; may be empty.
  std::function<void(const std::string&)>
      notice;  ///< Hears how many values and rows were made up; may be empty.
};

/// How a model did on the last fifth of the series, which its training never saw.
struct LeaderboardRow {
  std::string version;
  std::string model;
  double mae = 0;   ///< Mean absolute error, over targets and horizon.
  double rmse = 0;  ///< Root of the mean squared error.
  double mase = 0;  ///< Absolute error over that of the seasonal naive forecast in training (Hyndman and
                    ///< Koehler, 2006), its mean over targets.
  std::optional<double> coverage;  ///< Share of values within the model's 80 % interval.
};

/// The models it knows, by name.
INFER_EXPORT std::vector<std::string> forecast_models();

/// Trains each model on the first four fifths of a series, evaluates it from rolling origins on the last
/// fifth, through the engine that serves it, trains it again on all rows and writes that as a version of
/// DIRECTORY, which may hold earlier ones. Writes DIRECTORY/leaderboard.json, the rows of this run, and
/// returns it, best (by MASE) first. Several processes may join a run at a time, on the same series, a model
/// each. Blocking. Errors: those of `read_series`; `kInvalidArgument` (too few rows, an unknown model),
/// `kFailedPrecondition` (DIRECTORY cannot be written), `kUnimplemented` (gru and lstm in a build without
/// LibTorch).
INFER_EXPORT Result<std::vector<LeaderboardRow>> train_forecast(const TrainForecastOptions& options,
                                                                const std::filesystem::path& directory);

/// DIRECTORY/leaderboard.json. Errors: `kNotFound`, `kInvalidArgument`.
INFER_EXPORT Result<std::vector<LeaderboardRow>> read_leaderboard(const std::filesystem::path& directory);

/// Makes `version` the one that is served, by DIRECTORY/PROMOTED; a running server picks it up. Errors:
/// `kNotFound` (the version), `kFailedPrecondition`.
INFER_EXPORT Result<void> promote(const std::filesystem::path& directory, const std::string& version);

}  // namespace infer::inline v0

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

/// What to train, and on which data.
struct TrainForecastOptions {
  std::filesystem::path data;  ///< CSV with a header line; see `read_series`.
  SeriesColumns columns;       ///< Targets, features and times.
  std::size_t history = 10;    ///< Rows in a model's input.
  std::size_t horizon = 1;     ///< Rows in a model's output.
  std::size_t season = 0;      ///< Rows after which the series repeats; 0: from its step.
  /// Models to train; `forecast_models` lists the names.
  std::vector<std::string> models{"gru", "lstm", "prophet", "naive", "seasonal-naive"};
  std::uint64_t seed = 1;  ///< Seed of training.
  /// Adds versions to the newest run of the folder instead of beginning another run.
  bool join = false;
  /// Receives a line of progress now and then; may be empty.
  std::function<void(const std::string&)> progress;
  /// Receives a line about filled and skipped rows and cells; may be empty.
  std::function<void(const std::string&)> notice;
};

/// The accuracy of a model on the last fifth of the series, which its training never saw.
struct LeaderboardRow {
  std::string version;  ///< Version in the model's folder.
  std::string model;    ///< Name of the model, such as "gru".
  double mae = 0;       ///< Mean absolute error over targets and horizon.
  double rmse = 0;      ///< Root of the mean squared error.
  /// Mean absolute scaled error: the mean over targets of the absolute error divided by that of the seasonal
  /// naive forecast in training (Hyndman and Koehler, 2006).
  double mase = 0;
  std::optional<double> coverage;  ///< Share of values within the model's 80 % interval.
};

/// Returns the names of the models that `train_forecast` knows.
INFER_EXPORT std::vector<std::string> forecast_models();

/// Trains models on a series, compares them, and writes each as a version of DIRECTORY.
///
/// Each model trains on the first four fifths of the series and is evaluated from rolling origins on the last
/// fifth, through the engine that serves it; then it trains again on all rows. DIRECTORY may contain earlier
/// versions. The call writes DIRECTORY/leaderboard.json and returns its rows, best (by MASE) first. Several
/// processes may join one run at the same time, on the same series, with one model each. Blocking.
///
/// Errors: those of `read_series`; `kInvalidArgument` (too few rows, an unknown model), `kFailedPrecondition`
/// (DIRECTORY cannot be written), `kUnimplemented` (gru and lstm in a build without LibTorch).
INFER_EXPORT Result<std::vector<LeaderboardRow>> train_forecast(const TrainForecastOptions& options,
                                                                const std::filesystem::path& directory);

/// Reads DIRECTORY/leaderboard.json; blocking.
///
/// Errors: `kNotFound`, `kInvalidArgument`.
INFER_EXPORT Result<std::vector<LeaderboardRow>> read_leaderboard(const std::filesystem::path& directory);

/// Makes `version` the served one by writing DIRECTORY/PROMOTED; a running server switches to it.
///
/// Errors: `kNotFound` (the version), `kFailedPrecondition` (the file cannot be written).
INFER_EXPORT Result<void> promote(const std::filesystem::path& directory, const std::string& version);

}  // namespace infer::inline v0

#include "infer/models/train_forecast.h"

#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <new>
#include <system_error>
#include <utility>

#include "../engine/directory_lock.h"
#include "../engine/durable_file.h"
#include "../engine/json_writer.h"
#include "../engine/number_text.h"
#include "../engine/read_file.h"
#include "../engine/with_torch.h"
#include "../series/rounding.h"
#include "infer/core/invalid.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/series/statistical.h"
#include "infer/series/windows.h"
#include "infer/tasks/forecaster.h"
#include "torch_making.h"

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxOrigins = 200;

/// Makes the windows whose forecast rows lie in [begin, end).
Windows make_windows(const Series& series, const SeriesSpec& spec, std::span<const float> inputs,
                     std::size_t begin, std::size_t end) {
  Windows windows;
  windows.history = spec.history;
  windows.width = spec.columns.size() + spec.calendar.size();
  windows.horizon = spec.horizon;
  windows.outputs = spec.targets;
  for (std::size_t origin = std::max(begin, spec.history); origin + spec.horizon <= end; ++origin) {
    const auto* first = inputs.data() + (origin - spec.history) * windows.width;
    windows.inputs.insert(windows.inputs.end(), first, first + spec.history * windows.width);
    for (std::size_t row = origin; row < origin + spec.horizon; ++row) {
      for (std::size_t target = 0; target < spec.targets; ++target)
        windows.targets.push_back(
            static_cast<float>((series.at(row, target) - spec.mean[target]) / spec.scale[target]));
    }
    ++windows.count;
  }
  return windows;
}

/// Returns the mean absolute difference over a season in the first `rows` rows; if nothing changes, the
/// largest value.
double naive_error(const Series& series, std::size_t rows, std::size_t season, std::size_t target) {
  double sum = 0;
  double largest = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    largest = std::max(largest, std::abs(series.at(row, target)));
    if (row >= season) sum += std::abs(series.at(row, target) - series.at(row - season, target));
  }
  const double mean = rows > season ? sum / static_cast<double>(rows - season) : 0;
  return mean > rounding_of(largest) ? mean : largest > 0 ? largest : 1;
}

std::string text(const MadeUp& made_up, std::size_t rows) {
  std::string list;
  const auto add = [&](std::size_t count, const std::string& what) {
    if (count > 0) list += (list.empty() ? "" : "; ") + std::to_string(count) + what;
  };
  add(made_up.cells, " missing values took the value above them");
  add(made_up.rows, " of " + std::to_string(rows) + " rows were added at times that the table omits");
  add(made_up.passed_over, " rows between the regular times were skipped");
  return list;
}

class Trainer {
 public:
  Trainer(const TrainForecastOptions& options, Series series, const fs::path& directory)
      : options_(options), series_(std::move(series)), directory_(directory) {
    season_ = options.season != 0 ? options.season : usual_season(series_.step);
    test_begin_ = series_.rows() - std::max(series_.rows() / 5, options.horizon);
  }

  Result<std::vector<LeaderboardRow>> run() {
    const std::size_t longest = std::max(options_.history, season_);
    const std::size_t needed = longest + 4 * options_.horizon + 20;
    if (series_.rows() < needed) {
      return invalid(options_.data.string() + ": has " + std::to_string(series_.rows()) +
                     " rows; a history of " + std::to_string(longest) + " and a horizon of " +
                     std::to_string(options_.horizon) + " need at least " + std::to_string(needed));
    }
    base_.columns = series_.columns;
    base_.targets = options_.columns.targets.size();
    if (!series_.numbered) base_.calendar = usual_calendar(series_.step);
    base_.history = options_.history;
    base_.horizon = options_.horizon;
    base_.time = options_.columns.time;
    base_.step_seconds = series_.step.months > 0 ? 0 : series_.step.seconds;
    base_.step_months = series_.step.months;
    if (options_.notice && !series_.made_up.nothing())
      options_.notice(options_.data.string() + ": " + text(series_.made_up, series_.rows()));
    auto is_served = keep_what_is_served();
    if (!is_served) return Unexpected(is_served.error());
    const std::size_t newest = newest_run();
    const std::string run = std::to_string(options_.join && newest > 0 ? newest : newest + 1);
    std::vector<LeaderboardRow> rows;
    for (const std::string& model : options_.models) {
      const std::string version = run + "-" + model;
      if (options_.progress) options_.progress("training " + version);
      auto row = make_version(model, version);
      if (!row) return Unexpected(row.error());
      rows.push_back(*row);
    }
    auto all = keep(std::move(rows), run);
    if (all && !*is_served) {  // the first run of this folder: serve its best version
      if (auto promoted = promote(directory_, all->front().version); !promoted)
        return Unexpected(promoted.error());
    }
    return all;
  }

 private:
  /// Promotes the version that is served only because it is the latest, since training must not change the
  /// served version. Returns false if there is no version yet.
  Result<bool> keep_what_is_served() const {
    std::error_code error;
    if (fs::symlink_status(directory_ / "PROMOTED", error).type() != fs::file_type::not_found) return true;
    const auto served = choose_version(directory_);
    if (!served && served.error().code == ErrorCode::kNotFound) return false;
    if (!served) return Unexpected(served.error());
    if (auto promoted = promote(directory_, *served); !promoted) return Unexpected(promoted.error());
    return true;
  }

  /// Returns the highest number at the start of a version's name; 0 if there is none.
  std::size_t newest_run() const {
    std::size_t highest = 0;
    std::error_code error;
    fs::directory_iterator entry(directory_, error);
    for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      std::size_t value = 0;
      std::error_code unreadable;
      const auto [last, failed] = std::from_chars(name.data(), name.data() + name.size(), value);
      if (failed == std::errc() && entry->is_directory(unreadable)) highest = std::max(highest, value);
    }
    return highest;
  }

  /// Returns the normalised inputs of all rows.
  Result<std::vector<float>> inputs(const SeriesSpec& spec) const {
    // Row by row, so that the time of each row is exact.
    std::vector<float> all;
    for (std::size_t row = 0; row < series_.rows(); ++row) {
      const std::span<const double> values(series_.values.data() + row * series_.columns.size(),
                                           series_.columns.size());
      auto one = normalised_inputs(spec, values, series_.time(row));
      if (!one) return one;
      all.insert(all.end(), one->begin(), one->end());
    }
    return all;
  }

  /// Fits `model` without the last fifth, measures it on that fifth, and fits it again on all rows, so that
  /// the served model knows the whole series. A server that watches the folder sees the whole version or
  /// none.
  Result<LeaderboardRow> make_version(const std::string& model, const std::string& version) {
    const std::string unfinished = version + "~";  // not a valid version name, so that nobody loads it
    const fs::path folder = directory_ / unfinished;
    std::error_code error;
    struct Removal {
      const fs::path& folder;
      const bool made;  ///< Whether this call made the outer folder, which is then removed, too, if empty.
      ~Removal() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
        if (made) fs::remove(folder.parent_path(), ignored);
      }
    } const removal{folder, !fs::exists(directory_, error)};
    fs::remove_all(folder, error);
    if (!error) fs::create_directories(folder, error);
    if (error) return fail(ErrorCode::kFailedPrecondition, folder.string() + ": " + error.message());
    RecurrentFit fit;
    if (auto fitted = train(model, test_begin_, fit, folder); !fitted) return Unexpected(fitted.error());
    auto row = evaluate(model, unfinished);
    if (!row) return row;
    row->version = version;
    if (options_.progress) options_.progress("  fitting " + version + " again on all rows");
    auto manifest = train(model, series_.rows(), fit, folder);
    if (!manifest) return Unexpected(manifest.error());
    fs::remove_all(directory_ / version, error);
    if (!error) fs::rename(folder, directory_ / version, error);
    if (error)
      return fail(ErrorCode::kFailedPrecondition, (directory_ / version).string() + ": " + error.message());
    if (!fs::exists(directory_ / "infer.json", error)) {
      // The model's folder needs a manifest, although each version's own manifest overrides it.
      if (auto written = write_manifest(*manifest, directory_); !written) return Unexpected(written.error());
    }
    return row;
  }

  /// Fits `model` to the first `rows` rows. A network holds back some rows and stores in `fit` what they
  /// show; if `rows` is all rows, it uses `fit` instead.
  Result<Manifest> train(const std::string& model, std::size_t rows, RecurrentFit& fit,
                         const fs::path& folder) {
    Manifest manifest;
    manifest.task = "forecast";
    manifest.weights = "trained";
    JsonWriter source;
    source.spaced().begin_object().key("model").value(model).key("seed").value(options_.seed);
    source.key("rows").value(rows).key("missing_values").value(series_.made_up.cells);
    source.key("rows_made_up").value(series_.made_up.rows);
    source.key("rows_passed_over").value(series_.made_up.passed_over).end_object();
    manifest.source = std::move(source).text();
    SeriesSpec spec = base_;
    if (auto fitted = fit_normalisation(series_, rows, spec); !fitted) return Unexpected(fitted.error());
    Result<void> trained;
    if (model == "gru" || model == "lstm") {
      trained = train_network(model == "lstm", spec, rows, fit, folder, manifest);
    } else {
      manifest.backend = "series";
      manifest.file = "model.json";
      StatisticalModel fitted;
      if (model == "prophet") {
        fitted = fit_curves(spec, rows);
      } else {
        const std::size_t season = model == "naive" ? 1 : season_;
        spec.history = std::max(spec.history, season);
        fitted = fit_naive(spec, rows, season);
      }
      trained = write_durably(folder / manifest.file, statistical_json(fitted));
    }
    if (!trained) return Unexpected(trained.error());
    manifest.series = spec;
    const std::size_t kept = spec.history * series_.columns.size();
    ForecastWindow window;
    window.rows.assign(series_.values.end() - static_cast<std::ptrdiff_t>(kept), series_.values.end());
    window.last_time = series_.time(series_.rows() - 1);
    if (auto written = write_window(window, folder); !written) return Unexpected(written.error());
    if (auto written = write_manifest(manifest, folder); !written) return Unexpected(written.error());
    return manifest;
  }

  /// Trains a network. If `rows` is not all rows, holds back the last part to decide when to stop and how
  /// wide intervals are. With all rows, trains for the number of epochs found that
  /// way.
  Result<void> train_network(bool lstm, const SeriesSpec& spec, std::size_t rows, RecurrentFit& fit,
                             const fs::path& folder, Manifest& manifest) {
    auto all = inputs(spec);
    if (!all) return Unexpected(all.error());
    const bool measured = rows == series_.rows();
    const std::size_t end = measured ? rows : rows - std::max(rows / 8, spec.horizon);
    const Windows training = make_windows(series_, spec, *all, 0, end);
    const auto window =
        Shape{static_cast<std::int64_t>(spec.history), static_cast<std::int64_t>(training.width)};
    const auto out = Shape{static_cast<std::int64_t>(spec.horizon), static_cast<std::int64_t>(spec.targets)};
    manifest.inputs = {{"window", DType::kFp32, window}};
    manifest.outputs = {
        {"forecast", DType::kFp32, out}, {"lower", DType::kFp32, out}, {"upper", DType::kFp32, out}};
    manifest.max_batch_size = 32;
    manifest.allowed_batch_sizes = {{1, 2, 4, 8, 16, 32}};
    const auto hook = [&](std::size_t epoch, double loss) {
      if (!options_.progress || epoch % 10 != 0) return;
      options_.progress("  epoch " + std::to_string(epoch) + ": validation loss " + number_text(loss));
    };
    const fs::path file = folder / manifest.file;
    if (measured) {
      RecurrentFit here = fit;
      for (std::size_t i = 0; i < here.spread.size(); ++i)
        here.spread[i] *= static_cast<float>(spread_scale_[i % spec.targets] / spec.scale[i % spec.targets]);
      return with_torch<libtorch::refit_recurrent>(lstm, options_.seed, training, here, file);
    }
    auto fitted = with_torch<libtorch::train_recurrent>(
        lstm, options_.seed, training, make_windows(series_, spec, *all, end, rows), hook, file);
    if (!fitted) return Unexpected(fitted.error());
    fit = *std::move(fitted);
    spread_scale_ = spec.scale;
    return {};
  }

  StatisticalModel fit_curves(const SeriesSpec& spec, std::size_t rows) const {
    ProphetModel model;
    std::vector<double> times;
    for (std::size_t row = 0; row < rows; ++row) times.push_back(series_.time(row));
    for (std::size_t target = 0; target < spec.targets; ++target) {
      std::vector<double> values;
      for (std::size_t row = 0; row < rows; ++row)
        values.push_back((series_.at(row, target) - spec.mean[target]) / spec.scale[target]);
      model.curves.push_back(fit_prophet(times, values, series_.step, series_.numbered, season_));
    }
    return model;
  }

  StatisticalModel fit_naive(const SeriesSpec& spec, std::size_t rows, std::size_t season) const {
    NaiveModel model;
    model.season = season;
    for (std::size_t target = 0; target < spec.targets; ++target) {
      double squares = 0;
      for (std::size_t row = season; row < rows; ++row) {
        const double change =
            (series_.at(row, target) - series_.at(row - season, target)) / spec.scale[target];
        squares += change * change;
      }
      model.deviation.push_back(
          std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, rows - season))));
    }
    return model;
  }

  Result<LeaderboardRow> evaluate(const std::string& model, const std::string& version) const {
    LoadOptions load;
    load.version = version;
    auto loaded = load_model(directory_, load);
    if (!loaded) return Unexpected(loaded.error());
    auto options = engine_options(loaded->manifest, {}, 1);
    if (!options) return Unexpected(options.error());
    auto engine = Engine::create(*std::move(loaded), *std::move(options));
    if (!engine) return Unexpected(engine.error());
    auto forecaster = Forecaster::create(std::make_shared<Engine>(*std::move(engine)));
    if (!forecaster) return Unexpected(forecaster.error());
    const SeriesSpec& spec = forecaster->series();
    std::vector<double> naive;
    for (std::size_t target = 0; target < spec.targets; ++target)
      naive.push_back(naive_error(series_, test_begin_, season_, target));
    const std::size_t columns = series_.columns.size();
    const std::size_t origins = series_.rows() - options_.horizon + 1 - test_begin_;
    const std::size_t stride = std::max<std::size_t>(1, origins / kMaxOrigins);
    double absolute = 0;
    double worst = 0;
    double squares = 0;  // in units of the worst error, so that squares neither underflow nor overflow
    double scaled = 0;
    std::size_t inside = 0;
    std::size_t count = 0;
    bool intervals = false;
    for (std::size_t origin = test_begin_; origin + options_.horizon <= series_.rows(); origin += stride) {
      ForecastRequest request;
      request.length = options_.horizon;
      request.window.emplace();
      const auto end = series_.values.begin() + static_cast<std::ptrdiff_t>(origin * columns);
      request.window->rows.assign(end - static_cast<std::ptrdiff_t>(spec.history * columns), end);
      request.window->last_time = series_.time(origin - 1);
      auto forecast = forecaster->forecast(request);
      if (!forecast) return Unexpected(forecast.error());
      intervals = !forecast->lower.empty();
      for (std::size_t step = 0; step < options_.horizon; ++step) {
        for (std::size_t target = 0; target < spec.targets; ++target) {
          const double truth = series_.at(origin + step, target);
          const double error = std::abs(forecast->values[step][target] - truth);
          absolute += error;
          if (error > worst) {
            squares = squares * (worst / error) * (worst / error) + 1;
            worst = error;
          } else if (worst > 0) {
            squares += (error / worst) * (error / worst);
          }
          scaled += error / naive[target];
          ++count;
          if (intervals && forecast->lower[step][target] <= truth && truth <= forecast->upper[step][target])
            ++inside;
        }
      }
    }
    const auto total = static_cast<double>(count);
    LeaderboardRow row{version,        model, absolute / total, worst * std::sqrt(squares / total),
                       scaled / total, {}};
    if (intervals) row.coverage = static_cast<double>(inside) / total;
    return row;
  }

  /// Writes the leaderboard of the run: these rows, and the rows of processes that joined the run.
  Result<std::vector<LeaderboardRow>> keep(std::vector<LeaderboardRow> rows, const std::string& run) const {
    const DirectoryLock lock(directory_);
    if (auto kept = read_leaderboard(directory_)) {
      for (LeaderboardRow& row : *kept) {
        const bool anew = std::any_of(rows.begin(), rows.end(),
                                      [&](const LeaderboardRow& own) { return own.version == row.version; });
        if (row.version.starts_with(run + "-") && !anew) rows.push_back(std::move(row));
      }
    } else if (kept.error().code != ErrorCode::kNotFound) {
      return kept;
    }
    std::sort(rows.begin(), rows.end(),
              [](const LeaderboardRow& a, const LeaderboardRow& b) { return a.mase < b.mase; });
    if (auto written = write_leaderboard(rows); !written) return Unexpected(written.error());
    return rows;
  }

  Result<void> write_leaderboard(const std::vector<LeaderboardRow>& rows) const {
    JsonWriter json;
    json.spaced().begin_array();
    for (const LeaderboardRow& row : rows) {
      json.line(1).begin_object().key("version").value(row.version).key("model").value(row.model);
      json.key("mae").value(row.mae).key("rmse").value(row.rmse).key("mase").value(row.mase).key("coverage");
      row.coverage ? json.value(*row.coverage) : json.null();
      json.end_object();
    }
    json.line(0).end_array();
    return write_durably(directory_ / "leaderboard.json", std::move(json).text() + "\n");
  }

  const TrainForecastOptions& options_;
  const Series series_;
  const fs::path directory_;
  std::size_t season_ = 1;
  std::size_t test_begin_ = 0;
  SeriesSpec base_;
  std::vector<double> spread_scale_;  // units of a network's spread, by target
};

}  // namespace

std::vector<std::string> forecast_models() { return TrainForecastOptions().models; }

Result<std::vector<LeaderboardRow>> train_forecast(const TrainForecastOptions& options,
                                                   const fs::path& directory) {
  try {
    const auto known = forecast_models();
    for (const std::string& model : options.models) {
      if (std::find(known.begin(), known.end(), model) == known.end())
        return invalid("model: '" + model + "' is unknown");
    }
    if (options.history == 0 || options.history > 10000)
      return invalid("history: " + std::to_string(options.history) + " is outside 1 to 10000");
    if (options.horizon == 0 || options.horizon > 1000)
      return invalid("horizon: " + std::to_string(options.horizon) + " is outside 1 to 1000");
    auto series = read_series(options.data, options.columns);
    if (!series) return Unexpected(series.error());
    return Trainer(options, *std::move(series), directory).run();
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  } catch (const fs::filesystem_error& e) {
    return fail(ErrorCode::kFailedPrecondition, e.what());
  }
}

Result<std::vector<LeaderboardRow>> read_leaderboard(const fs::path& directory) {
  const fs::path path = directory / "leaderboard.json";
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  const auto error = parser.load(path.string()).get(list);
  if (error == simdjson::IO_ERROR) return Unexpected(unreadable(path, errno));
  if (error != simdjson::SUCCESS) return invalid(path.string() + ": " + simdjson::error_message(error));
  std::vector<LeaderboardRow> rows;
  for (const simdjson::dom::element item : list) {
    LeaderboardRow row;
    std::string_view version;
    std::string_view model;
    double coverage = 0;
    if (item["version"].get(version) != simdjson::SUCCESS || item["model"].get(model) != simdjson::SUCCESS ||
        item["mae"].get(row.mae) != simdjson::SUCCESS || item["rmse"].get(row.rmse) != simdjson::SUCCESS ||
        item["mase"].get(row.mase) != simdjson::SUCCESS)
      return invalid(path.string() + ": a row lacks version, model, mae, rmse or mase");
    if (item["coverage"].get(coverage) == simdjson::SUCCESS) row.coverage = coverage;
    row.version = version;
    row.model = model;
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<void> promote(const fs::path& directory, const std::string& version) {
  std::error_code error;
  if (version.empty() || version.find('/') != std::string::npos ||
      !fs::is_directory(directory / version, error))
    return fail(ErrorCode::kNotFound, (directory / version).string() + ": no such version");
  return write_durably(directory / "PROMOTED", version + "\n");
}

}  // namespace infer::inline v0

#include "infer/tasks/forecaster.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>
#include <new>
#include <sstream>
#include <utility>

#include "../engine/durable_file.h"
#include "../engine/number_text.h"
#include "../engine/read_file.h"
#include "infer/core/invalid.h"
#include "infer/series/windows.h"
#include "rows.h"
#include "vectors.h"

namespace infer::inline v0 {
namespace {

/// A text file of numbers: the time of the last row, then the rows.
constexpr const char* kWindowFile = "window.txt";

/// Maximum distance of a value from its mean, in deviations; products of larger FP32 numbers may overflow in
/// a model.
constexpr double kFarthest = 1e30;

Result<std::optional<ForecastWindow>> read_window(const std::filesystem::path& directory,
                                                  std::size_t columns) {
  const auto path = directory / kWindowFile;
  std::ifstream file(path);
  const int error = errno;
  if (!file && error == ENOENT) return std::optional<ForecastWindow>();
  if (!file) return Unexpected(unreadable(path, error));
  ForecastWindow window;
  file >> window.last_time;
  window.rows.assign(std::istream_iterator<double>(file), {});
  if (!file.eof() || window.rows.empty() || window.rows.size() % columns != 0)
    return fail(ErrorCode::kModelError,
                path.string() + ": must contain rows of " + std::to_string(columns) + " numbers");
  return std::optional<ForecastWindow>(std::move(window));
}

/// Replaces missing values by the value above, or by the mean in the first row.
void fill_gaps(std::vector<double>& rows, const SeriesSpec& spec) {
  const std::size_t columns = spec.columns.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(rows[i])) rows[i] = i < columns ? spec.mean[i % columns] : rows[i - columns];
  }
}

/// Returns `width` increased by what independent errors of width `before` add.
double widened(double width, double before) { return width + std::hypot(width, before) - std::abs(width); }

bool within_reach(const SeriesSpec& spec, std::size_t column, double value) {
  return std::abs(value - spec.mean[column]) / spec.scale[column] <= kFarthest;
}

/// Refuses a value that a model cannot compute with; NaN means a missing value and is allowed.
Result<void> check_reach(const SeriesSpec& spec, std::size_t column, double value, const std::string& place) {
  if (std::isnan(value) || within_reach(spec, column, value)) return {};
  return invalid(place + ": '" + spec.columns[column] + "' is " + number_text(value) +
                 ", more than 1e30 times the training deviation " + number_text(spec.scale[column]) +
                 " away from the training mean " + number_text(spec.mean[column]));
}

Result<void> check_reach(const SeriesSpec& spec, const ForecastRequest& request) {
  const std::size_t columns = spec.columns.size();
  if (request.window) {
    for (std::size_t i = 0; i < request.window->rows.size(); ++i) {
      if (auto checked = check_reach(spec, i % columns, request.window->rows[i],
                                     "rows[" + std::to_string(i / columns) + "]");
          !checked)
        return checked;
    }
  }
  for (const auto& [name, values] : request.future) {
    const auto column = static_cast<std::size_t>(std::find(spec.columns.begin(), spec.columns.end(), name) -
                                                 spec.columns.begin());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (auto checked =
              check_reach(spec, column, values[i], "future." + name + "[" + std::to_string(i) + "]");
          !checked)
        return checked;
    }
  }
  return {};
}

}  // namespace

Result<void> write_window(const ForecastWindow& window, const std::filesystem::path& directory) {
  std::string text;
  const auto add = [&](double value) { text += number_text(value) + '\n'; };
  add(window.last_time);
  for (const double value : window.rows) add(value);
  return write_durably(directory / kWindowFile, text);
}

Result<Forecaster> Forecaster::open(const std::filesystem::path& directory, const OpenOptions& options) {
  auto engine = open_engine(directory, options);
  if (!engine) return Unexpected(engine.error());
  return create(std::make_shared<Engine>(*std::move(engine)));
}

Result<Forecaster> Forecaster::create(std::shared_ptr<Engine> engine) {
  const Model& model = engine->model();
  if (!model.manifest.series) return invalid(model.name + ": infer.json: series: is missing");
  const SeriesSpec& spec = *model.manifest.series;
  const ModelSignature& signature = model.backend->signature();
  const Shape window{static_cast<std::int64_t>(spec.history),
                     static_cast<std::int64_t>(spec.columns.size() + spec.calendar.size())};
  const Shape out{static_cast<std::int64_t>(spec.horizon), static_cast<std::int64_t>(spec.targets)};
  const bool takes_window = !signature.inputs.empty() && signature.inputs.size() <= 2 &&
                            signature.inputs[0].dtype == DType::kFp32 && signature.inputs[0].shape == window;
  if (!takes_window) return invalid(model.name + ": a forecaster must take an FP32 window " + window.text());
  const bool gives_targets =
      (signature.outputs.size() == 1 || signature.outputs.size() == 3) &&
      std::all_of(signature.outputs.begin(), signature.outputs.end(), [&](const TensorSpec& output) {
        return output.dtype == DType::kFp32 && output.shape == out;
      });
  if (!gives_targets) return invalid(model.name + ": a forecaster must return FP32 " + out.text());
  Forecaster forecaster(std::move(engine));
  auto recorded = read_window(forecaster.engine_->model().directory, spec.columns.size());
  if (!recorded) return Unexpected(recorded.error());
  forecaster.recorded_ = *std::move(recorded);
  return forecaster;
}

const SeriesSpec& Forecaster::series() const noexcept { return *engine_->model().manifest.series; }

Result<Sample> Forecaster::prepare(const ForecastWindow& window) const {
  const SeriesSpec& spec = series();
  auto inputs = normalised_inputs(spec, window.rows, window.last_time);
  if (!inputs) return Unexpected(inputs.error());
  const ModelSignature& signature = engine_->model().backend->signature();
  auto tensor = Tensor::allocate(DType::kFp32, signature.inputs[0].shape);
  if (!tensor) return Unexpected(tensor.error());
  std::copy(inputs->begin(), inputs->end(), tensor->as<float>().begin());
  Sample sample;
  sample.push_back(*std::move(tensor));
  if (signature.inputs.size() > 1) {
    auto time = Tensor::allocate(DType::kFp64, Shape{1});
    if (!time) return Unexpected(time.error());
    time->as<double>()[0] = window.last_time;
    sample.push_back(*std::move(time));
  }
  return sample;
}

Result<Forecast> Forecaster::forecast(const ForecastRequest& request, const RequestOptions& options,
                                      Permit permit) const {
  try {
    const SeriesSpec& spec = series();
    const std::size_t columns = spec.columns.size();
    if (request.length == 0 || request.length > kMaxLength)
      return invalid("inference_length: " + std::to_string(request.length) + " is outside 1 to " +
                     std::to_string(kMaxLength));
    if (!request.window && !recorded_)
      return invalid("rows: are missing, and this model has no recorded rows to continue");
    ForecastWindow window = request.window ? *request.window : *recorded_;
    if (window.rows.size() % columns != 0 || window.rows.size() < spec.history * columns) {
      return invalid("rows: " + std::to_string(window.rows.size() / columns) +
                     " rows given, the model needs " + std::to_string(spec.history));
    }
    for (const auto& [name, values] : request.future) {
      const auto found = std::find(spec.columns.begin(), spec.columns.end(), name);
      if (found - spec.columns.begin() < static_cast<std::ptrdiff_t>(spec.targets) ||
          found == spec.columns.end())
        return invalid("future: '" + name + "' is not a feature of this model");
      if (values.size() < request.length)
        return invalid("future." + name + ": " + std::to_string(values.size()) + " values given for " +
                       std::to_string(request.length) + " rows");
    }
    if (auto checked = check_reach(spec, request); !checked) return Unexpected(checked.error());
    Forecast result;
    // Widths at the end of the previous piece: the errors of pieces add up like a random walk.
    std::vector<double> below(spec.targets);
    std::vector<double> above(spec.targets);
    const auto begin = window.rows.end() - static_cast<std::ptrdiff_t>(spec.history * columns);
    result.filled = static_cast<std::size_t>(
        std::count_if(begin, window.rows.end(), [](double value) { return std::isnan(value); }));
    fill_gaps(window.rows, spec);
    window.rows.erase(window.rows.begin(), begin);
    if (!permit) {
      auto own = engine_->try_admit();
      if (!own) return Unexpected(own.error());
      permit = *std::move(own);
    }
    for (const auto& [name, values] : request.future) {
      const std::span<const double> used(values.data(), request.length);
      result.filled += static_cast<std::size_t>(
          std::count_if(used.begin(), used.end(), [](double value) { return std::isnan(value); }));
    }
    while (result.values.size() < request.length) {
      auto sample = prepare(window);
      if (!sample) return Unexpected(sample.error());
      auto response = engine_->infer(*std::move(sample), {options.deadline, options.stop, {}}, permit);
      if (!response) return Unexpected(response.error());
      for (std::size_t output = 0; output < response->outputs.size(); ++output) {
        const auto values = response->outputs[output].as<float>();
        if (auto finite = check_finite(engine_->model(), values, output); !finite)
          return Unexpected(finite.error());
      }
      result.timings.queue += response->timings.queue;
      result.timings.compute += response->timings.compute;
      result.batch_size = std::max(result.batch_size, response->batch_size);
      for (std::size_t step = 0; step < spec.horizon && result.values.size() < request.length; ++step) {
        const std::size_t row = result.values.size();
        const auto real = [&](std::size_t output, std::size_t target) {
          const float value = response->outputs[output].as<float>()[step * spec.targets + target];
          return static_cast<double>(value) * spec.scale[target] + spec.mean[target];
        };
        for (std::size_t output = 0; output < response->outputs.size(); ++output) {
          for (std::size_t target = 0; target < spec.targets; ++target) {
            if (within_reach(spec, target, real(output, target))) continue;
            const Model& model = engine_->model();
            return fail(ErrorCode::kModelError,
                        model.name + ": output '" + model.backend->signature().outputs[output].name +
                            "' is not finite or too large for '" + spec.columns[target] + "', row " +
                            std::to_string(row + 1) + " of the forecast");
          }
        }
        std::vector<double> values;
        for (std::size_t target = 0; target < spec.targets; ++target) values.push_back(real(0, target));
        if (response->outputs.size() == 3) {
          std::vector<double> lower;
          std::vector<double> upper;
          for (std::size_t target = 0; target < spec.targets; ++target) {
            lower.push_back(values[target] - widened(values[target] - real(1, target), below[target]));
            upper.push_back(values[target] + widened(real(2, target) - values[target], above[target]));
            if (step + 1 < spec.horizon) continue;
            below[target] = values[target] - lower.back();
            above[target] = upper.back() - values[target];
          }
          result.lower.push_back(std::move(lower));
          result.upper.push_back(std::move(upper));
        }
        // Appends this row to the window: forecast targets, and features as given or unchanged.
        std::vector<double> next(window.rows.end() - static_cast<std::ptrdiff_t>(columns), window.rows.end());
        std::copy(values.begin(), values.end(), next.begin());
        for (std::size_t column = spec.targets; column < columns; ++column) {
          const auto future = request.future.find(spec.columns[column]);
          if (future != request.future.end()) next[column] = future->second[row];
        }
        fill_gaps(next, spec);
        window.rows.erase(window.rows.begin(), window.rows.begin() + static_cast<std::ptrdiff_t>(columns));
        window.rows.insert(window.rows.end(), next.begin(), next.end());
        window.last_time = advance(window.last_time, step_of(spec), 1);
        result.values.push_back(std::move(values));
      }
    }
    return result;
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

namespace {

/// Compares columns and targets only, since clients do not depend on a forecaster's history.
Result<void> same_columns(const Model& now, const Model& next) {
  const SeriesSpec& a = *now.manifest.series;
  const SeriesSpec& b = *next.manifest.series;
  if (a.columns != b.columns || a.targets != b.targets)
    return unfit("series.columns and targets differ from those of the served version");
  return {};
}

/// The recorded input of a forecaster is the window in the model's folder.
class ForecastModel final : public TaskModel {
 public:
  ForecastModel(std::shared_ptr<Engine> engine, Forecaster forecaster)
      : TaskModel(std::move(engine), TaskInput::kSeries), forecaster_(std::move(forecaster)) {}

  std::size_t recorded() const noexcept override { return forecaster_.recorded_window() ? 1 : 0; }
  Result<std::vector<std::vector<float>>> recorded_answer(std::size_t) const override {
    auto forecast = forecaster_.forecast({});
    if (!forecast) return Unexpected(forecast.error());
    std::vector<std::vector<float>> answer;
    for (const auto& row : forecast->values) answer.emplace_back(row.begin(), row.end());
    return answer;
  }

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    return type == typeid(Forecaster) ? &forecaster_ : nullptr;
  }

 private:
  const Forecaster forecaster_;
};

}  // namespace

TaskRow forecast_task() noexcept {
  return {"forecast", TaskInput::kSeries,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            auto forecaster = Forecaster::create(engine);
            if (!forecaster) return Unexpected(forecaster.error());
            return std::make_unique<ForecastModel>(std::move(engine), *std::move(forecaster));
          },
          same_columns};
}

}  // namespace infer::inline v0

#include "series.h"

#include <simdjson.h>

#include <cmath>
#include <utility>

#include "../engine/json_writer.h"
#include "infer/series/statistical.h"
#include "infer/series/windows.h"
#include "json_file.h"

namespace infer::inline v0 {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// Inputs: window [batch, history, inputs] and the time of its last row [batch, 1]. Outputs: forecast, lower
/// and upper [batch, horizon, targets].
class SeriesBackend final : public Backend {
 public:
  SeriesBackend(StatisticalModel model, SeriesSpec spec, ModelSignature signature)
      : model_(std::move(model)), spec_(std::move(spec)), signature_(std::move(signature)) {}

  const ModelSignature& signature() const noexcept override { return signature_; }

  Result<std::vector<Tensor>> forward(std::span<const Tensor> inputs) const override {
    const std::int64_t batch = inputs[0].shape()[0];
    std::vector<Tensor> outputs;
    for (const TensorSpec& spec : signature_.outputs) {
      auto output = Tensor::allocate(spec.dtype, spec.shape.with_batch(batch));
      if (!output) return Unexpected(output.error());
      outputs.push_back(*std::move(output));
    }
    for (std::int64_t i = 0; i < batch; ++i) {
      const auto row = static_cast<std::size_t>(i);
      Tensor window = inputs[0].row(row);
      Tensor forecast = outputs[0].row(row);
      Tensor lower = outputs[1].row(row);
      Tensor upper = outputs[2].row(row);
      const double time = inputs[1].row(row).as<double>()[0];
      for (std::size_t step = 0; step < spec_.horizon; ++step) {
        for (std::size_t target = 0; target < spec_.targets; ++target) {
          const Value value = std::visit(
              [&](const auto& model) { return predict(model, window.as<float>(), time, step, target); },
              model_);
          const std::size_t at = step * spec_.targets + target;
          forecast.as<float>()[at] = static_cast<float>(value.mean);
          lower.as<float>()[at] = static_cast<float>(value.mean - kEightyPercent * value.deviation);
          upper.as<float>()[at] = static_cast<float>(value.mean + kEightyPercent * value.deviation);
        }
      }
    }
    return outputs;
  }

 private:
  struct Value {
    double mean;
    double deviation;
  };

  Value predict(const NaiveModel& model, std::span<const float> window, double, std::size_t step,
                std::size_t target) const {
    const std::size_t inputs = spec_.columns.size() + spec_.calendar.size();
    const std::size_t back = model.season - step % model.season;  // rows from the end; 1 is the last row
    const std::size_t season = step / model.season + 1;
    return {window[(spec_.history - back) * inputs + target],
            model.deviation[target] * std::sqrt(static_cast<double>(season))};
  }

  Value predict(const ProphetModel& model, std::span<const float>, double time, std::size_t step,
                std::size_t target) const {
    const double then = advance(time, step_of(spec_), step + 1);
    return {model.curves[target].at(then), model.curves[target].deviation(then)};
  }

  const StatisticalModel model_;
  const SeriesSpec spec_;
  const ModelSignature signature_;
};

bool read(const object& fields, std::string_view key, double& out) {
  return fields[key].get(out) == simdjson::SUCCESS && std::isfinite(out);
}

bool read(const object& fields, std::string_view key, std::vector<double>& out) {
  array list;
  if (fields[key].get(list) != simdjson::SUCCESS) return false;
  for (const element item : list) {
    double value = 0;
    if (item.get(value) != simdjson::SUCCESS) return false;
    out.push_back(value);
  }
  return true;
}

bool read_curve(const element& value, ProphetCurve& curve) {
  object fields;
  array seasons;
  if (value.get(fields) != simdjson::SUCCESS || !read(fields, "start", curve.start) ||
      !read(fields, "span", curve.span) || !(curve.span > 0) || !read(fields, "offset", curve.offset) ||
      !read(fields, "slope", curve.slope) || !read(fields, "sigma", curve.sigma) ||
      !read(fields, "changepoints", curve.changepoints) || !read(fields, "changes", curve.changes) ||
      curve.changes.size() != curve.changepoints.size() ||
      fields["seasonalities"].get(seasons) != simdjson::SUCCESS)
    return false;
  for (const element item : seasons) {
    object part;
    Seasonality season;
    if (item.get(part) != simdjson::SUCCESS || !read(part, "period", season.period) || !(season.period > 0) ||
        !read(part, "coefficients", season.coefficients) || season.coefficients.size() % 2 != 0)
      return false;
    season.order = season.coefficients.size() / 2;
    curve.seasonalities.push_back(std::move(season));
  }
  return true;
}

bool read_model(const object& fields, const SeriesSpec& spec, StatisticalModel& model) {
  std::string_view kind;
  if (fields["kind"].get(kind) != simdjson::SUCCESS) return false;
  if (kind == "naive") {
    NaiveModel naive;
    std::uint64_t season = 0;
    if (fields["season"].get(season) != simdjson::SUCCESS || season == 0 || season > spec.history ||
        !read(fields, "deviation", naive.deviation) || naive.deviation.size() != spec.targets)
      return false;
    naive.season = static_cast<std::size_t>(season);
    model = std::move(naive);
    return true;
  }
  array curves;
  if (kind != "prophet" || fields["curves"].get(curves) != simdjson::SUCCESS) return false;
  ProphetModel prophet;
  for (const element item : curves) {
    ProphetCurve curve;
    if (!read_curve(item, curve)) return false;
    prophet.curves.push_back(std::move(curve));
  }
  if (prophet.curves.size() != spec.targets) return false;
  model = std::move(prophet);
  return true;
}

/// Writes a list without blanks, since lists make up most of a model's text.
void write_list(JsonWriter& json, std::string_view key, const std::vector<double>& values) {
  json.key(key).spaced(false).list(values).spaced();
}

void write(JsonWriter& json, const NaiveModel& model) {
  json.begin_object().key("kind").value("naive").key("season").value(model.season);
  write_list(json, "deviation", model.deviation);
  json.end_object();
}

void write(JsonWriter& json, const ProphetModel& model) {
  json.begin_object().key("kind").value("prophet").key("curves").begin_array();
  for (const ProphetCurve& curve : model.curves) {
    json.line(2).begin_object().key("start").value(curve.start).key("span").value(curve.span);
    json.key("offset").value(curve.offset).key("slope").value(curve.slope).key("sigma").value(curve.sigma);
    write_list(json.line(3), "changepoints", curve.changepoints);
    write_list(json.line(3), "changes", curve.changes);
    json.line(3).key("seasonalities").begin_array();
    for (const Seasonality& season : curve.seasonalities) {
      json.spaced(false).begin_object().spaced().key("period").value(season.period);
      write_list(json, "coefficients", season.coefficients);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string statistical_json(const StatisticalModel& model) {
  JsonWriter json;
  std::visit([&](const auto& kind) { write(json.spaced(), kind); }, model);
  return std::move(json).text() + "\n";
}

Result<std::shared_ptr<const Backend>> load_series(const Manifest& manifest,
                                                   const std::filesystem::path& directory,
                                                   const LoadOptions& /*options*/) {
  const auto path = directory / manifest.file;
  if (!manifest.series)
    return fail(ErrorCode::kModelError, path.string() + ": infer.json: series: is missing");
  simdjson::dom::parser parser;
  const auto fields = load_object(parser, path);
  if (!fields) return Unexpected(fields.error());
  const SeriesSpec& spec = *manifest.series;
  StatisticalModel model;
  if (!read_model(*fields, spec, model))
    return fail(ErrorCode::kModelError, path.string() + ": is not a statistical model of " +
                                            std::to_string(spec.targets) + " targets");
  const auto history = static_cast<std::int64_t>(spec.history);
  const auto inputs = static_cast<std::int64_t>(spec.columns.size() + spec.calendar.size());
  const Shape out{static_cast<std::int64_t>(spec.horizon), static_cast<std::int64_t>(spec.targets)};
  ModelSignature signature;
  signature.inputs = {{"window", DType::kFp32, Shape{history, inputs}}, {"time", DType::kFp64, Shape{1}}};
  signature.outputs = {
      {"forecast", DType::kFp32, out}, {"lower", DType::kFp32, out}, {"upper", DType::kFp32, out}};
  return std::shared_ptr<const Backend>(
      std::make_shared<SeriesBackend>(std::move(model), spec, std::move(signature)));
}

}  // namespace infer::inline v0

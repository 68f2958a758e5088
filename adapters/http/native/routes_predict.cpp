#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "calls/choose_model.h"
#include "calls/model_request.h"
#include "engine/json_writer.h"
#include "infer/core/invalid.h"
#include "infer/series/calendar.h"
#include "json/json_body.h"
#include "service.h"

namespace infer::http {

namespace {

void write_classification(JsonWriter& json, const TextClassifier& classifier, const Classification& one) {
  if (classifier.scores_are() != TextClassifier::Scores::kValues)  // plain values are not confidences
    json.key("label").value(classifier.labels()[one.label]).key("confidence").value(one.confidence());
  json.key("scores").begin_object();
  for (std::size_t i = 0; i < one.scores.size(); ++i) json.key(classifier.labels()[i]).value(one.scores[i]);
  json.end_object();
}

void classify(Service& service, Exchange& exchange, JsonBody& body, ModelAdmission& admission) {
  const TextClassifier& classifier = admission.task<TextClassifier>();
  const Engine& engine = classifier.engine();
  const simdjson::dom::element* one = body.find("text");
  Result<std::vector<std::string_view>> texts = std::vector<std::string_view>();
  if (one != nullptr) {
    std::string_view text;
    if (one->get(text)) return admission.refuse(invalid("text: must be a string").error());
    if (body.find("texts") != nullptr)
      return admission.refuse(invalid("text and texts: give only one of them").error());
    texts->push_back(text);
  } else {
    const simdjson::dom::element* several = body.find("texts");
    if (!several->is_array()) return admission.refuse(invalid("texts: must be a list of strings").error());
    texts = read_texts(*several, "texts", service.options().max_texts);
    if (!texts) return admission.refuse(texts.error());
  }
  auto result = classifier.classify(*texts, exchange.call.options(), admission.permit());
  if (!result) return admission.refuse(result.error());
  exchange.call.ran(result->timings, result->batch_size, result->texts.size());
  if (classifier.scores_are() != TextClassifier::Scores::kValues)
    exchange.call.confidence = result->texts.front().confidence();
  JsonWriter json;
  json.begin_object();
  if (one != nullptr) {
    write_classification(json, classifier, result->texts.front());
  } else {
    json.key("predictions").begin_array();
    for (const Classification& each : result->texts) {
      json.begin_object();
      write_classification(json, classifier, each);
      json.end_object();
    }
    json.end_array();
  }
  json.key("model").value(engine.model().name).key("model_version").value(engine.model().version);
  json.key("latency_ms").value(std::round(latency_ms(exchange) * 1000) / 1000).end_object();
  exchange.answer.text = std::move(json).text();
}

/// Reads a number. Returns NaN for null, a gap that the forecaster fills.
Result<double> read_cell(const simdjson::dom::element& value, const std::string& where) {
  double number = 0;
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.get(number)) return invalid(where + ": must be a number or null");
  return number;
}

constexpr std::size_t kMaxRows = 100'000;

/// Reads "rows": a list of rows, each with the model's columns.
Result<std::vector<double>> read_rows(const simdjson::dom::element& value, const SeriesSpec& spec) {
  simdjson::dom::array list;
  if (value.get(list)) return invalid("rows: must be a list of rows");
  std::vector<double> rows;
  std::size_t number = 0;
  for (const simdjson::dom::element item : list) {
    const std::string where = "rows[" + std::to_string(number++) + "]";
    if (number > kMaxRows) return invalid("rows: more than 100000 rows");
    simdjson::dom::array cells;
    if (item.get(cells) || cells.size() != spec.columns.size())
      return invalid(where + ": must be a list of " + std::to_string(spec.columns.size()) + " numbers");
    for (const simdjson::dom::element cell : cells) {
      auto one = read_cell(cell, where);
      if (!one) return Unexpected(one.error());
      rows.push_back(*one);
    }
  }
  return rows;
}

/// Reads "data": a list of values for each of the model's columns.
Result<std::vector<double>> read_data(const simdjson::dom::element& value, const SeriesSpec& spec) {
  simdjson::dom::object fields;
  if (value.get(fields)) return invalid("data: must be an object of columns");
  const std::size_t columns = spec.columns.size();
  std::vector<double> rows;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::string where = "data." + spec.columns[column];
    simdjson::dom::array cells;
    if (fields.at_key(spec.columns[column]).get(cells)) return invalid(where + ": must be a list of numbers");
    const std::size_t count = cells.size();
    if (count > kMaxRows) return invalid(where + ": has more than 100000 values");
    if (column == 0) rows.resize(count * columns);
    if (count * columns != rows.size())
      return invalid(where + ": has " + std::to_string(count) + " values, data." + spec.columns[0] + " has " +
                     std::to_string(rows.size() / columns));
    std::size_t row = 0;
    for (const simdjson::dom::element cell : cells) {
      auto one = read_cell(cell, where);
      if (!one) return Unexpected(one.error());
      rows[row++ * columns + column] = *one;
    }
  }
  for (const auto& [name, cells] : fields) {
    if (std::find(spec.columns.begin(), spec.columns.end(), name) == spec.columns.end())
      return invalid("data: " + in_quotes(name) + " is not a column of this model");
  }
  return rows;
}

/// Reads everything that the body says about a forecast.
Result<ForecastRequest> read_forecast(JsonBody& body, const Forecaster& forecaster) {
  const SeriesSpec& spec = forecaster.series();
  ForecastRequest request;
  if (auto read = body.read("inference_length", request.length, 1, Forecaster::kMaxLength); !read)
    return Unexpected(read.error());
  Result<std::vector<double>> rows = std::vector<double>();
  const bool has_rows = body.find("rows") != nullptr;
  const bool has_data = body.find("data") != nullptr;
  if (has_rows && has_data) return invalid("rows and data: give only one of them");
  if (has_rows || has_data) {
    rows = has_rows ? read_rows(*body.find("rows"), spec) : read_data(*body.find("data"), spec);
    if (!rows) return Unexpected(rows.error());
    request.window.emplace();
    request.window->rows = *std::move(rows);
    if (forecaster.recorded_window()) request.window->last_time = forecaster.recorded_window()->last_time;
    std::string time;
    if (auto read = body.read("time", time); !read) return Unexpected(read.error());
    if (!time.empty()) {
      auto parsed = parse_time(time);
      if (!parsed) return invalid("time: " + parsed.error().message);
      request.window->last_time = *parsed;
    }
  }
  if (const auto* future = body.find("future"); future != nullptr) {
    simdjson::dom::object fields;
    if (future->get(fields)) return invalid("future: must be an object of columns");
    for (const auto& [name, list] : fields) {
      const std::string where = "future." + std::string(name.substr(0, 64));
      simdjson::dom::array cells;
      if (list.get(cells) || cells.size() > kMaxRows) return invalid(where + ": must be a list of numbers");
      for (const simdjson::dom::element cell : cells) {
        auto one = read_cell(cell, where);
        if (!one) return Unexpected(one.error());
        request.future[std::string(name)].push_back(*one);
      }
    }
  }
  return request;
}

void write_table(JsonWriter& json, const char* key, const std::vector<std::vector<double>>& rows) {
  json.key(key).begin_array();
  for (const auto& row : rows) {
    json.begin_array();
    for (const double value : row) json.value(value);
    json.end_array();
  }
  json.end_array();
}

void forecast(Exchange& exchange, JsonBody& body, ModelAdmission& admission) {
  const Forecaster& forecaster = admission.task<Forecaster>();
  const Engine& engine = forecaster.engine();
  auto request = read_forecast(body, forecaster);
  if (!request) return admission.refuse(request.error());
  auto result = forecaster.forecast(*request, exchange.call.options(), admission.permit());
  if (!result) return admission.refuse(result.error());
  exchange.call.ran(result->timings, result->batch_size, 1);
  const SeriesSpec& spec = forecaster.series();
  JsonWriter json;
  json.begin_object();
  write_table(json, "predictions", result->values);
  if (!result->lower.empty()) {
    write_table(json, "lower", result->lower);
    write_table(json, "upper", result->upper);
  }
  json.key("columns").begin_array();
  for (std::size_t i = 0; i < spec.targets; ++i) json.value(spec.columns[i]);
  json.end_array().key("inference_length").value(request->length);
  if (result->filled > 0) json.key("filled_values").value(result->filled);
  json.key("model")
      .value(engine.model().name)
      .key("model_version")
      .value(engine.model().version)
      .end_object();
  exchange.answer.text = std::move(json).text();
}

/// A body with text is for a classifier, a body with a length or rows for a forecaster. Both or neither is
/// an error.
void predict(Service& service, Exchange& exchange) {
  JsonBody body;
  if (auto parsed = body.parse(exchange); !parsed) return answer_error(exchange, parsed.error());
  const auto has = [&](std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return body.find(key) != nullptr; });
  };
  const bool text = has({"text", "texts"});
  const bool series = has({"inference_length", "rows", "data"});
  if (text == series) {
    return answer_error(
        exchange,
        invalid(text ? "text and inference_length, rows or data: a request is for a classifier or a "
                       "forecaster, not both"
                     : "text, texts, inference_length, rows or data: one of them is needed")
            .error());
  }
  ModelAdmission admission(service.models(), exchange, text ? kTextClassification : kForecast);
  if (!admission.choose(body)) return;
  if (text) {
    classify(service, exchange, body, admission);
  } else {
    forecast(exchange, body, admission);
  }
}

}  // namespace

void add_predict_routes(Router& router, Service& service) {
  router.add(
      {.method = "POST",
       .path = "/predict",
       .summary = "Label of a text, or forecast of a series",
       .handle = [&service](Exchange& exchange) { predict(service, exchange); },
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","properties":{"text":{"type":"string"},"texts":{"type":"array","minItems":1,)"
             R"("items":{"type":"string"}},"inference_length":{"type":"integer","minimum":1,"maximum":1000},)"
             R"("rows":{"type":"array","items":{"type":"array","items":{"type":["number","null"]}}},)"
             R"("data":{"type":"object","additionalProperties":{"type":"array","items":{"type":["number","null"]}}},)"
             R"("time":{"type":"string"},"future":{"type":"object"},"model":{"type":"string"},"version":{"type":"string"}}})"}},
       .response =
           R"({"type":"object","required":["model","model_version"],"properties":{"label":{"type":"string"},)"
           R"("confidence":{"type":"number"},"scores":{"type":"object"},"predictions":{"type":"array"},)"
           R"("lower":{"type":"array"},"upper":{"type":"array"},"columns":{"type":"array"},)"
           R"("inference_length":{"type":"integer"},"filled_values":{"type":"integer"},"model":{"type":"string"},"model_version":{"type":"string"},)"
           R"("latency_ms":{"type":"number"}}})"});
}

}  // namespace infer::http

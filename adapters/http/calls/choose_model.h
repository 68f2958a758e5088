#pragma once

#include <optional>
#include <string>

#include "exchange/exchange.h"
#include "infer/core/result.h"
#include "infer/serving/call.h"
#include "infer/tasks/forecaster.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/simulator.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "json/json_body.h"

namespace infer::http {

inline constexpr Work kImageEmbedding = work_of<ImageEmbedder>("image-embedding");
inline constexpr Work kTextEmbedding = work_of<TextEmbedder>("text-embedding");
inline constexpr Work kEmbedding = work_of<TextEmbedder, ImageEmbedder>("embedding");
inline constexpr Work kTextClassification = work_of<TextClassifier>("text-classification");
inline constexpr Work kForecast = work_of<Forecaster>("forecast");
inline constexpr Work kSimulate = work_of<Simulator>("simulate");

/// Reads "model" and "version" of a body. Errors: `kInvalidArgument` if one is not a string.
Result<WantedModel> read_wanted_model(JsonBody& body);

/// Adds the model and version of the request's query, which serves bodies that cannot name a model. Errors:
/// `kInvalidArgument` if body and query differ, or if the query is malformed.
Result<WantedModel> with_query(const Exchange& exchange, WantedModel wanted);

/// Chooses a request's model and takes a place in its queue. A function that returns false has already
/// answered.
class ModelAdmission {
 public:
  ModelAdmission(const ServedModels& models, Exchange& exchange, const Work& work)
      : models_(models), exchange_(exchange), work_(work) {}

  /// If only one model does the task, takes a place there, so that a request that cannot be served is refused
  /// before its body is read.
  bool before_body();
  /// Takes a place at the model that the body or query names, unless the request already has a place.
  bool choose(const WantedModel& of_body);
  /// Reads "model" and "version" of the body, and chooses that model.
  bool choose(JsonBody& body);
  void refuse(const Error& error);

  const ServedModel& model() const { return *exchange_.call.model(); }
  /// Returns the class that does the route's work.
  template <class Task>
  const Task& task() const {
    return exchange_.call.task<Task>();
  }
  Permit permit() { return exchange_.call.permit(); }

 private:
  bool done(const Result<void>& step);

  const ServedModels& models_;
  Exchange& exchange_;
  const Work& work_;
};

}  // namespace infer::http

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

/// "model" and "version" of a body. Errors: `kInvalidArgument` where one is no string.
Result<WantedModel> read_wanted_model(JsonBody& body);

/// `wanted` of a body and what the request's query says, which is for bodies that cannot name a model.
/// Errors: `kInvalidArgument` where the two differ, or the query cannot be read.
Result<WantedModel> with_query(const Exchange& exchange, WantedModel wanted);

/// A request's model and its place in line there. What returns false has answered already.
class ModelAdmission {
 public:
  ModelAdmission(const ServedModels& models, Exchange& exchange, const Work& work)
      : models_(models), exchange_(exchange), work_(work) {}

  /// Where one model alone does the task, takes a place there, so that what cannot be served is refused
  /// before its body is read.
  bool before_body();
  /// Takes a place at the model that was asked for, by body or query, unless it is there already.
  bool choose(const WantedModel& of_body);
  /// Reads "model" and "version" of the body, and chooses.
  bool choose(JsonBody& body);
  /// Answers with `error`.
  void refuse(const Error& error);

  const ServedModel& model() const { return *exchange_.call.model(); }
  /// The class that does the route's work.
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

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "exchange.h"
#include "infer/core/result.h"
#include "infer/engine/admission.h"
#include "infer/tasks/forecaster.h"
#include "infer/tasks/image_embedder.h"
#include "infer/tasks/simulator.h"
#include "infer/tasks/text_classifier.h"
#include "infer/tasks/text_embedder.h"
#include "json_body.h"
#include "served_models.h"

namespace infer::http {

/// What a route needs a model for.
struct RouteTask {
  const char* name;
  bool (*done_by)(const ServedModel& model);
};
/// Whether the model does the work of one of the classes.
template <class... Tasks>
bool does(const ServedModel& model) {
  return ((model.task->as<Tasks>() != nullptr) || ...);
}
inline constexpr RouteTask kImageEmbedding{"image-embedding", does<ImageEmbedder>};
inline constexpr RouteTask kTextEmbedding{"text-embedding", does<TextEmbedder>};
inline constexpr RouteTask kEmbedding{"embedding", does<TextEmbedder, ImageEmbedder>};
inline constexpr RouteTask kTextClassification{"text-classification", does<TextClassifier>};
inline constexpr RouteTask kForecast{"forecast", does<Forecaster>};
inline constexpr RouteTask kSimulate{"simulate", does<Simulator>};

/// The model that a request asks for; what it does not say is left to the server.
struct WantedModel {
  std::optional<std::string> name;
  std::optional<std::string> version;
};

/// "model" and "version" of a body. Errors: `kInvalidArgument` where one is no string.
Result<WantedModel> read_wanted_model(JsonBody& body);

/// `wanted` of a body and what the request's query says, which is for bodies that cannot name a model.
/// Errors: `kInvalidArgument` where the two differ, or the query cannot be read.
Result<WantedModel> with_query(const Exchange& exchange, WantedModel wanted);

/// The model that was asked for, or the first that does the task. Errors, naming the models that would do:
/// `kNotFound`; `kInvalidArgument` for a model of another task.
Result<std::shared_ptr<ServedModel>> choose_model(const ServedModels& models, const WantedModel& wanted,
                                                  const RouteTask& task);

/// A request's model and its place in line there. What returns false has answered already.
class ModelAdmission {
 public:
  ModelAdmission(const ServedModels& models, Exchange& exchange, const RouteTask& task)
      : models_(models), exchange_(exchange), task_(task) {}

  /// Where one model alone does the task, takes a place there, so that what cannot be served is refused
  /// before its body is read.
  bool before_body();
  /// Takes a place at the model that was asked for, by body or query, unless it is there already.
  bool choose(const WantedModel& of_body);
  /// Reads "model" and "version" of the body, and chooses.
  bool choose(JsonBody& body);
  /// Answers with `error`.
  void refuse(const Error& error);

  const ServedModel& model() const { return *model_; }
  /// The class that does the route's work.
  template <class Task>
  const Task& task() const {
    return *model_->task->as<Task>();
  }
  Permit permit() { return std::move(permit_); }

 private:
  bool take(std::shared_ptr<ServedModel> model);

  const ServedModels& models_;
  Exchange& exchange_;
  const RouteTask& task_;
  std::shared_ptr<ServedModel> model_;
  Permit permit_;
};

}  // namespace infer::http

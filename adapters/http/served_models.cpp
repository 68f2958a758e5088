#include <algorithm>

#include "service.h"

namespace infer::http {

Result<std::shared_ptr<ServedModel>> ServedModel::create(std::shared_ptr<Engine> engine,
                                                         const DecodeLimits& limits) {
  auto model = std::make_shared<ServedModel>();
  model->engine = engine;
  const Manifest& manifest = engine->model().manifest;
  const auto add = []<class Task>(Result<Task> created, std::unique_ptr<Task>& task) -> Result<void> {
    if (!created) return Unexpected(created.error());
    task = std::make_unique<Task>(*std::move(created));
    return {};
  };
  Result<void> added;
  if (manifest.task == "image-embedding") {
    added = add(ImageEmbedder::create(engine, limits), model->image_embedder);
  } else if (manifest.task == "text-embedding") {
    added = add(TextEmbedder::create(engine), model->text_embedder);
    if (added && !manifest.labels.empty())
      added = add(TextClassifier::create(engine), model->text_classifier);
  } else if (manifest.task == "text-classification") {
    added = add(TextClassifier::create(engine), model->text_classifier);
  } else if (manifest.task == "forecast") {
    added = add(Forecaster::create(engine), model->forecaster);
  } else if (manifest.task == "simulate") {
    added = add(Simulator::create(engine), model->simulator);
  }
  if (!added) return Unexpected(added.error());
  return model;
}

std::vector<std::shared_ptr<ServedModel>> ServedModels::all() const {
  std::unique_lock lock(mutex_);
  return models_;
}

std::shared_ptr<ServedModel> ServedModels::named(std::string_view name) const {
  std::unique_lock lock(mutex_);
  for (const auto& model : models_) {
    if (model->by_default && model->engine->model().name == name) return model;
  }
  return nullptr;
}

std::shared_ptr<ServedModel> ServedModels::put(std::shared_ptr<ServedModel> model) {
  std::unique_lock lock(mutex_);
  for (auto& place : models_) {
    if (model->by_default && place->by_default && place->engine->model().name == model->engine->model().name)
      return std::exchange(place, std::move(model));
  }
  models_.push_back(std::move(model));
  return nullptr;
}

std::vector<std::string> ServedModels::names() const {
  std::unique_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& model : models_) {
    if (model->by_default) out.push_back(model->engine->model().name);
  }
  return out;
}

}  // namespace infer::http
